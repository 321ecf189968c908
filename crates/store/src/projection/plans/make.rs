//! Making a plan of what is held.

use crate::{Store, StoreError};
use rollcall_provisioning::allowance::{Allowance, Left};
use rollcall_provisioning::guard::{Effect, Guard, Guards, Reading, Window};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// How long a plan may be applied.
pub(super) const GOOD_FOR: Duration = Duration::from_hours(24);

/// Which held deliveries go into a plan.
#[derive(Clone, Debug, Default)]
pub struct PlanScope {
    /// Only these resources, and the departments that they need; all of them if there are none.
    pub resources: Vec<ResourceId>,
    /// Only what this holds: `rehearsal`, or `guard:` and an effect.
    pub held_by: Option<String>,
}

/// A plan to be made.
#[derive(Clone, Debug)]
pub struct NewPlan<'a> {
    /// Of which target.
    pub target: TargetId,
    /// Of what.
    pub scope: &'a PlanScope,
    /// The limits that the plan as a whole is judged by.
    pub guards: &'a Guards,
    /// Who wants it.
    pub by: &'a str,
}

/// What a plan holds, counted.
#[derive(Debug, Default)]
struct Tally {
    /// How many resources of which kind have which verb.
    verbs: Vec<(String, String, i64)>,
    /// How many resources have which effect, and how many members which group would lose.
    effects: BTreeMap<String, u64>,
    /// How many updates touch which attribute.
    attributes: BTreeMap<String, i64>,
}

/// A plan judged as a whole.
struct Judgement {
    /// As kept with the plan.
    summary: Value,
    /// The effects that guards hold.
    tripped: Vec<String>,
    /// The calls that are left do not suffice: they go to those who lose their access.
    only_leavers: bool,
}

/// The statement that counts the changes `$from`, which is an item of a FROM clause named `c` with the columns
/// `resource_kind` and `proposal`. Everything is counted at one reading, because proposals are long.
macro_rules! tally {
    (with = [$($with:tt)*], from = [$($from:tt)*]) => {
        concat!(
            $($with)*
            "SELECT x.what, x.kind, x.word, sum(x.number)::bigint
             FROM ",
            $($from)*,
            "
             CROSS JOIN LATERAL (
                 SELECT 'verb' AS what, c.resource_kind AS kind, c.proposal ->> 'verb' AS word, 1::bigint AS number
                 UNION ALL
                 -- Of members the proposal of their group says how many there are.
                 SELECT 'effect', '', effect, COALESCE((
                     SELECT (line -> 'before' ->> 'count')::bigint
                     FROM jsonb_array_elements(c.proposal -> 'lines') AS line
                     WHERE starts_with(effect, 'members.remove:') AND line ->> 'attribute' = 'members_removed'), 1)
                 FROM jsonb_array_elements_text(c.proposal -> 'effects') AS effect
                 UNION ALL
                 SELECT 'attribute', '', line ->> 'attribute', 1
                 FROM jsonb_array_elements(c.proposal -> 'lines') AS line WHERE c.proposal ->> 'verb' = 'update') x
             GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
    };
}

/// The departments that the people among `$3` need.
macro_rules! needed {
    () => {
        "WITH RECURSIVE needed AS (
             SELECT s.unit_id AS id FROM placements s
             WHERE s.tenant_id = $1 AND s.target_id = $2 AND s.user_id = ANY($3) AND s.wanted
             UNION
             SELECT o.parent_id FROM needed
             JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.id = needed.id) "
    };
}

/// The deliveries of target `$2` that are held and in the scope `$3` and `$4`.
macro_rules! held {
    () => {
        "(SELECT * FROM deliveries d
          WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.state = 'held' AND d.proposal IS NOT NULL
            AND (cardinality($3::uuid[]) = 0 OR d.resource_id = ANY($3)
                 OR d.resource_kind = 'org_unit' AND d.proposal ->> 'verb' <> 'delete'
                    AND d.resource_id IN (SELECT id FROM needed))
            AND ($4::text IS NULL OR d.held_by = $4)) c"
    };
}

impl Store {
    /// Makes a plan of what is held now, judged as a whole. Returns its id.
    pub async fn make_plan(&self, tenant: TenantId, new: &NewPlan<'_>) -> Result<Uuid, StoreError> {
        let id = self.new_id();
        let resources: Vec<Uuid> = new.scope.resources.iter().map(|resource| resource.0).collect();
        let mut tx = self.pool().begin().await?;
        // What is counted is what is kept.
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *tx).await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        let counted = sqlx::query_as(tally!(with = [needed!(),], from = [held!()]))
            .bind(tenant.0)
            .bind(new.target.0)
            .bind(&resources)
            .bind(&new.scope.held_by)
            .fetch_all(&mut *tx)
            .await?;
        let judged = self.judge(&mut tx, (tenant, new.target), counted.into_iter().collect(), new.guards).await?;
        let guarded: bool = sqlx::query_scalar(concat!(
            needed!(),
            ", made AS (
                 INSERT INTO plan_changes (tenant_id, plan_id, resource_kind, resource_id, name, proposal, guarded, reason,
                                           state, updated_at)
                 SELECT c.tenant_id, $5, c.resource_kind, c.resource_id,
                        COALESCE(u.attributes ->> 'userName', g.attributes ->> 'displayName', o.name), c.proposal,
                        c.held_by LIKE 'guard:%' OR c.proposal -> 'effects' ?| $7
                            OR $8 AND NOT (c.resource_kind = 'user' AND c.proposal ->> 'verb' = 'delete'),
                        c.reason, 'planned', $6
                 FROM ",
            held!(),
            "
                 LEFT JOIN users u ON c.resource_kind = 'user' AND u.tenant_id = c.tenant_id AND u.id = c.resource_id
                 LEFT JOIN groups g ON c.resource_kind = 'group' AND g.tenant_id = c.tenant_id AND g.id = c.resource_id
                 LEFT JOIN org_units o ON c.resource_kind = 'org_unit' AND o.tenant_id = c.tenant_id
                                      AND o.target_id = c.target_id AND o.id = c.resource_id
                 RETURNING guarded)
             SELECT COALESCE(bool_or(guarded), false) FROM made"
        ))
        .bind(tenant.0)
        .bind(new.target.0)
        .bind(&resources)
        .bind(&new.scope.held_by)
        .bind(id)
        .bind(self.now())
        .bind(&judged.tripped)
        .bind(judged.only_leavers)
        .fetch_one(&mut *tx)
        .await?;
        sqlx::query(
            "INSERT INTO plans (tenant_id, target_id, id, kind, state, created_at, created_by, expires_at, summary)
             VALUES ($1, $2, $3, 'held', $4, $5, $6, $7, $8)",
        )
        .bind(tenant.0)
        .bind(new.target.0)
        .bind(id)
        .bind(if guarded { "guarded" } else { "ready" })
        .bind(self.now())
        .bind(new.by)
        .bind(self.now() + GOOD_FOR)
        .bind(judged.summary)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Judges a plan whose changes are kept already as a whole, and notes what a guard would hold.
    pub(super) async fn judge_plan(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        id: Uuid,
        guards: &Guards,
    ) -> Result<(), StoreError> {
        let counted = sqlx::query_as(tally!(
            with = [],
            from = ["(SELECT * FROM plan_changes WHERE tenant_id = $1 AND plan_id = $2 AND state = 'planned') c"]
        ))
        .bind(tenant.0)
        .bind(id)
        .fetch_all(&mut *tx)
        .await?;
        let judged = self.judge(&mut *tx, (tenant, target), counted.into_iter().collect(), guards).await?;
        let guarded = sqlx::query(
            "UPDATE plan_changes SET guarded = true
             WHERE tenant_id = $1 AND plan_id = $2 AND state = 'planned'
               AND (proposal -> 'effects' ?| $3
                    OR $4 AND NOT (resource_kind = 'user' AND proposal ->> 'verb' = 'delete'))",
        )
        .bind(tenant.0)
        .bind(id)
        .bind(&judged.tripped)
        .bind(judged.only_leavers)
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE plans SET summary = $3, state = $4 WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(id)
            .bind(judged.summary)
            .bind(if guarded.rows_affected() > 0 { "guarded" } else { "ready" })
            .execute(&mut *tx)
            .await?;
        Ok(())
    }

    /// Judges what a plan holds by the limits of guards and by the calls that are left.
    async fn judge(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        tally: Tally,
        guards: &Guards,
    ) -> Result<Judgement, StoreError> {
        let Tally { verbs, mut effects, attributes } = tally;
        let mut tripped = self.tripped(&mut *tx, (tenant, target), guards, &effects).await?;
        let keys = tripped.keys().cloned().collect();
        let changes: Vec<Value> =
            verbs.iter().map(|(kind, verb, count)| json!({ "kind": kind, "verb": verb, "count": count })).collect();
        let calls: i64 = verbs.iter().map(|(_, _, count)| count).sum();
        let left = self.calls_left(&mut *tx, (tenant, target)).await?;
        let mut only_leavers = false;
        if let Some(left) = left {
            let needed = u64::try_from(calls).unwrap_or(0);
            effects.insert(Guard::Quota.as_str().to_owned(), needed);
            if let Some(arithmetic) = left.judge(needed) {
                only_leavers = true;
                tripped.insert(Guard::Quota.as_str().to_owned(), arithmetic);
            }
        }
        let summary = json!({
            "changes": changes, "attributes": attributes, "calls": calls, "effects": effects, "guards": tripped,
            "calls_left": left.map(|left| left.calls),
        });
        Ok(Judgement { summary, tripped: keys, only_leavers })
    }

    /// What is left of the calls that a target may be sent; `None` where nothing limits them.
    async fn calls_left(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
    ) -> Result<Option<Left>, StoreError> {
        let settings: Value = sqlx::query_scalar("SELECT settings FROM targets WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(target.0)
            .fetch_one(&mut *tx)
            .await?;
        Ok(Allowance::of(&settings).left(self.spent(tx, (tenant, target)).await?))
    }

    /// Which effects are too many, with the arithmetic.
    async fn tripped(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        guards: &Guards,
        effects: &BTreeMap<String, u64>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut tripped = BTreeMap::new();
        for (key, planned) in effects {
            let Some(effect) = Effect::parse(key) else { continue };
            let trip = if effect.guard.looks_at_standing() {
                self.standing(tx, (tenant, target), &effect, guards).await?
            } else {
                let reading = self.reading(tx, (tenant, target), &effect, *planned).await?;
                reading.judge(&effect, &guards.limit(effect.guard))
            };
            if let Some(trip) = trip {
                tripped.insert(key.clone(), trip.to_string());
            }
        }
        Ok(tripped)
    }

    /// What a guard counts of a plan: with what passed in the last day and week.
    async fn reading(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        effect: &Effect,
        planned: u64,
    ) -> Result<Reading, StoreError> {
        let kind = if effect.guard == Guard::DepartmentsRemove { "org_unit" } else { "user" };
        let group = (effect.guard == Guard::MembersRemove).then(|| Uuid::try_parse(&effect.scope).ok()).flatten();
        let (day, week, base): (i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM effects WHERE tenant_id = $1 AND target_id = $2 AND effect = $3 AND at > $4),
                    (SELECT count(*) FROM effects WHERE tenant_id = $1 AND target_id = $2 AND effect = $3 AND at > $5),
                    CASE WHEN $7::uuid IS NULL THEN
                        (SELECT count(*) FROM links WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $6
                           AND observed <> 'absent')
                    ELSE (SELECT count(*) FROM group_members WHERE tenant_id = $1 AND target_id = $2 AND group_id = $7
                            AND applied) END",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(effect.key())
        .bind(self.now() - Window::Day.span())
        .bind(self.now() - Window::Week.span())
        .bind(kind)
        .bind(group)
        .fetch_one(tx)
        .await?;
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(Reading { plan: planned, day: planned + number(day), week: planned + number(week), base: number(base) })
    }
}

impl FromIterator<(String, String, String, i64)> for Tally {
    fn from_iter<I: IntoIterator<Item = (String, String, String, i64)>>(counted: I) -> Self {
        let mut tally = Self::default();
        for (what, kind, word, number) in counted {
            match what.as_str() {
                "verb" => tally.verbs.push((kind, word, number)),
                "effect" => {
                    tally.effects.insert(word, u64::try_from(number).unwrap_or(0));
                }
                _ => {
                    tally.attributes.insert(word, number);
                }
            }
        }
        tally
    }
}
