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

impl Store {
    /// Makes a plan of what is held now, judged as a whole. Returns its id.
    pub async fn make_plan(&self, tenant: TenantId, new: &NewPlan<'_>) -> Result<Uuid, StoreError> {
        let id = self.new_id();
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        sqlx::query(
            "INSERT INTO plans (tenant_id, target_id, id, kind, state, created_at, created_by, expires_at, summary)
             VALUES ($1, $2, $3, 'held', 'ready', $4, $5, $6, '{}')",
        )
        .bind(tenant.0)
        .bind(new.target.0)
        .bind(id)
        .bind(self.now())
        .bind(new.by)
        .bind(self.now() + GOOD_FOR)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "WITH RECURSIVE needed AS (
                 SELECT s.unit_id AS id FROM placements s
                 WHERE s.tenant_id = $1 AND s.target_id = $2 AND s.user_id = ANY($5) AND s.wanted
                 UNION
                 SELECT o.parent_id FROM needed
                 JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.id = needed.id)
             INSERT INTO plan_changes (tenant_id, plan_id, resource_kind, resource_id, name, proposal, guarded, reason,
                                       state, updated_at)
             SELECT d.tenant_id, $3, d.resource_kind, d.resource_id,
                    COALESCE(u.attributes ->> 'userName', g.attributes ->> 'displayName', o.name), d.proposal,
                    d.held_by LIKE 'guard:%', d.reason, 'planned', $4
             FROM deliveries d
             LEFT JOIN users u ON d.resource_kind = 'user' AND u.tenant_id = d.tenant_id AND u.id = d.resource_id
             LEFT JOIN groups g ON d.resource_kind = 'group' AND g.tenant_id = d.tenant_id AND g.id = d.resource_id
             LEFT JOIN org_units o ON d.resource_kind = 'org_unit' AND o.tenant_id = d.tenant_id
                                  AND o.target_id = d.target_id AND o.id = d.resource_id
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.state = 'held' AND d.proposal IS NOT NULL
               AND (cardinality($5::uuid[]) = 0 OR d.resource_id = ANY($5)
                    OR d.resource_kind = 'org_unit' AND d.proposal ->> 'verb' <> 'delete'
                       AND d.resource_id IN (SELECT id FROM needed))
               AND ($6::text IS NULL OR d.held_by = $6)",
        )
        .bind(tenant.0)
        .bind(new.target.0)
        .bind(id)
        .bind(self.now())
        .bind(new.scope.resources.iter().map(|resource| resource.0).collect::<Vec<_>>())
        .bind(&new.scope.held_by)
        .execute(&mut *tx)
        .await?;
        self.judge_plan(&mut tx, (tenant, new.target), id, new.guards).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Judges a plan as a whole: counts what is in it, and notes what a guard would hold.
    pub(super) async fn judge_plan(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        id: Uuid,
        guards: &Guards,
    ) -> Result<(), StoreError> {
        let mut effects = count_effects(&mut *tx, tenant, id).await?;
        let mut tripped = self.tripped(&mut *tx, (tenant, target), guards, &effects).await?;
        let keys: Vec<&String> = tripped.keys().collect();
        sqlx::query(
            "UPDATE plan_changes SET guarded = true
             WHERE tenant_id = $1 AND plan_id = $2 AND NOT guarded AND proposal -> 'effects' ?| $3",
        )
        .bind(tenant.0)
        .bind(id)
        .bind(keys)
        .execute(&mut *tx)
        .await?;
        let verbs: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT resource_kind, proposal ->> 'verb', count(*) FROM plan_changes
             WHERE tenant_id = $1 AND plan_id = $2 AND state = 'planned' GROUP BY 1, 2 ORDER BY 1, 2",
        )
        .bind(tenant.0)
        .bind(id)
        .fetch_all(&mut *tx)
        .await?;
        let changes: Vec<Value> =
            verbs.iter().map(|(kind, verb, count)| json!({ "kind": kind, "verb": verb, "count": count })).collect();
        let calls: i64 = verbs.iter().map(|(_, _, count)| count).sum();
        let left = self.calls_left(&mut *tx, (tenant, target)).await?;
        if let Some(left) = left {
            let needed = u64::try_from(calls).unwrap_or(0);
            effects.insert(Guard::Quota.as_str().to_owned(), needed);
            if let Some(arithmetic) = left.judge(needed) {
                hold_all_but_leavers(&mut *tx, tenant, id).await?;
                tripped.insert(Guard::Quota.as_str().to_owned(), arithmetic);
            }
        }
        let attributes = count_attributes(&mut *tx, tenant, id).await?;
        let summary = json!({
            "changes": changes, "attributes": attributes, "calls": calls, "effects": effects, "guards": tripped,
            "calls_left": left.map(|left| left.calls),
        });
        sqlx::query(
            "UPDATE plans p SET summary = $3,
                 state = CASE WHEN EXISTS (SELECT 1 FROM plan_changes c WHERE c.tenant_id = $1 AND c.plan_id = $2
                                             AND c.guarded) THEN 'guarded' ELSE 'ready' END
             WHERE p.tenant_id = $1 AND p.id = $2",
        )
        .bind(tenant.0)
        .bind(id)
        .bind(summary)
        .execute(&mut *tx)
        .await?;
        Ok(())
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

/// The calls that are left go to those who lose their access.
async fn hold_all_but_leavers(tx: &mut PgConnection, tenant: TenantId, plan: Uuid) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE plan_changes SET guarded = true
         WHERE tenant_id = $1 AND plan_id = $2 AND NOT (resource_kind = 'user' AND proposal ->> 'verb' = 'delete')",
    )
    .bind(tenant.0)
    .bind(plan)
    .execute(tx)
    .await?;
    Ok(())
}

async fn count_effects(
    tx: &mut PgConnection,
    tenant: TenantId,
    plan: Uuid,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        // Of members the proposal of their group says how many there are.
        "SELECT effect, sum(COALESCE((
                    SELECT (line -> 'before' ->> 'count')::bigint
                    FROM jsonb_array_elements(c.proposal -> 'lines') AS line
                    WHERE line ->> 'attribute' = 'members_removed' AND starts_with(effect, 'members.remove:')), 1))::bigint
         FROM plan_changes c, jsonb_array_elements_text(c.proposal -> 'effects') AS effect
         WHERE c.tenant_id = $1 AND c.plan_id = $2 GROUP BY effect ORDER BY effect",
    )
    .bind(tenant.0)
    .bind(plan)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|(effect, count)| (effect, u64::try_from(count).unwrap_or(0))).collect())
}

/// How many updates touch which attribute.
async fn count_attributes(
    tx: &mut PgConnection,
    tenant: TenantId,
    plan: Uuid,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT line ->> 'attribute', count(*)
         FROM plan_changes c, jsonb_array_elements(c.proposal -> 'lines') AS line
         WHERE c.tenant_id = $1 AND c.plan_id = $2 AND c.proposal ->> 'verb' = 'update' GROUP BY 1",
    )
    .bind(tenant.0)
    .bind(plan)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().collect())
}
