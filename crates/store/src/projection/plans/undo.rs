//! Making a plan that undoes: from the journal of what targets accepted, resource by resource.

use super::done::{Found, accounts, named, page, steps, units};
use super::make::GOOD_FOR;
use crate::projection::standing_guards::name_managers;
use crate::{Store, StoreError};
use rollcall_provisioning::connector::TargetSchema;
use rollcall_provisioning::entity::{Attributes, Observed};
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::proposal::{Paths, Proposal};
use rollcall_provisioning::undo::{Cannot, Presence, Standing, Step, Surroundings, Undo, undo};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// What is to be undone. Every member narrows it down.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UndoScope {
    /// Only what this plan permitted.
    pub plan: Option<Uuid>,
    /// Only what was done to these people; all resources if there are none.
    pub people: Vec<ResourceId>,
    /// Only from this moment on.
    pub from: Option<OffsetDateTime>,
    /// Only before this moment.
    pub to: Option<OffsetDateTime>,
    /// Only what followed from this version of the mapping.
    pub mapping_version: Option<i32>,
}

/// A plan that undoes, to be made.
#[derive(Clone, Copy)]
pub struct NewUndo<'a> {
    /// At which target.
    pub target: TargetId,
    /// What.
    pub scope: &'a UndoScope,
    /// The limits that the plan as a whole is judged by.
    pub guards: &'a Guards,
    /// Who wants it.
    pub by: &'a str,
    /// Why; kept with each override.
    pub reason: &'a str,
    /// When the overrides are to be reviewed.
    pub review_on: Option<Date>,
    /// What the target allows.
    pub schema: &'a dyn TargetSchema,
    /// The department above all others.
    pub root: &'a str,
}

impl Store {
    /// Makes a plan that undoes what `new` says, judged as a whole. Returns its id; `None` when nothing of that was done.
    pub async fn make_undo(&self, tenant: TenantId, new: &NewUndo<'_>) -> Result<Option<Uuid>, StoreError> {
        let id = self.new_id();
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *tx).await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        if choose(&mut tx, tenant, new).await? == 0 {
            tx.rollback().await?;
            return Ok(None);
        }
        sqlx::query(
            "INSERT INTO plans (tenant_id, target_id, id, kind, state, created_at, created_by, expires_at, summary, undoes)
             VALUES ($1, $2, $3, 'undo', 'ready', $4, $5, $6, '{}', $7)",
        )
        .bind(tenant.0)
        .bind(new.target.0)
        .bind(id)
        .bind(self.now())
        .bind(new.by)
        .bind(self.now() + GOOD_FOR)
        .bind(undoes(new))
        .execute(&mut *tx)
        .await?;
        let mut after = Uuid::nil();
        loop {
            let page = page(&mut tx, (tenant, new.target), after).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            self.undo_page(&mut tx, (tenant, id), new, &page).await?;
        }
        name_managers(&mut tx, tenant, id, new.guards).await?;
        self.judge_plan(&mut tx, (tenant, new.target), id, new.guards).await?;
        tx.commit().await?;
        Ok(Some(id))
    }

    async fn undo_page(
        &self,
        tx: &mut PgConnection,
        (tenant, plan): (TenantId, Uuid),
        new: &NewUndo<'_>,
        page: &[Found],
    ) -> Result<(), StoreError> {
        let place = (tenant, new.target);
        let steps = steps(tx, place, page).await?;
        let named = named(&steps, page);
        let accounts = accounts(tx, place, &named).await?;
        let units = units(tx, place, &named).await?;
        let around = Surroundings { schema: new.schema, accounts: &accounts, units: &units, root: new.root };
        let mut paths: Paths = units.iter().map(|(id, unit)| (id.clone(), unit.path.join(" / "))).collect();
        paths.insert(new.root.to_owned(), "/".to_owned());
        let mut taken: BTreeMap<Uuid, Vec<Step<'_>>> = BTreeMap::new();
        for step in &steps {
            taken.entry(step.resource_id).or_default().push(step.step());
        }
        let mut changes = Changes::default();
        for found in page {
            let of_it = taken.get(&found.id).map(Vec::as_slice).unwrap_or_default();
            let observed = found.link.as_ref().map_or(&Observed::Absent, |link| &link.observed);
            let presence = match (found.present, &found.left_out) {
                (false, _) => Presence::Left,
                (true, Some(reason)) => Presence::LeftOut(reason),
                (true, None) => Presence::Wanted,
            };
            let Found { entity: kind, overrides, waiting, .. } = found;
            let standing = Standing { kind: *kind, presence, observed, overrides, waiting };
            let way = undo(of_it, &standing, &around);
            if way.action.is_some() || !way.cannot.is_empty() {
                changes.add(found, &way, &paths);
            }
        }
        changes.write(tx, (tenant, plan), self.now()).await
    }
}

/// What a plan that undoes says of the resources of a page, column by column.
#[derive(Default)]
struct Changes {
    kinds: Vec<String>,
    ids: Vec<Uuid>,
    names: Vec<Option<String>>,
    proposals: Vec<Value>,
    states: Vec<&'static str>,
    undos: Vec<Value>,
}

impl Changes {
    fn add(&mut self, found: &Found, way: &Undo, paths: &Paths) {
        let nothing = Attributes::new();
        let entity = found.link.as_ref().and_then(|link| match &link.observed {
            Observed::Known(entity) => Some(entity),
            Observed::Absent | Observed::Unknown => None,
        });
        let before = entity.map_or(&nothing, |entity| &entity.attributes);
        let (proposal, state) = match &way.action {
            Some(action) => {
                let proposal = Proposal::new(action, before, paths);
                let proposal = if found.marked { proposal.protected() } else { proposal };
                (proposal.to_value(), "planned")
            }
            None => (json!({ "verb": "none", "lines": [], "effects": [] }), "impossible"),
        };
        let touched = way.action.as_ref().map(|action| action.attributes()).unwrap_or_default();
        let waiting: BTreeMap<&str, &Option<Value>> =
            touched.iter().filter_map(|name| Some((*name, found.waiting.get(*name)?))).collect();
        let current: BTreeMap<&str, Option<&Value>> =
            touched.into_iter().map(|name| (name, before.get(name))).collect();
        let held: Vec<Value> = way
            .held
            .iter()
            .map(|held| json!({ "attribute": held.attribute, "value": held.value, "against": held.against }))
            .collect();
        let attributes = way.attributes();
        let overrides: BTreeMap<&str, i64> = found
            .overrides
            .iter()
            .filter(|held| attributes.contains(&held.attribute.as_str()))
            .map(|held| (held.attribute.as_str(), held.id))
            .collect();
        self.undos.push(json!({
            "held": held, "lifted": way.lifted, "overrides": overrides,
            "observed": found.link.as_ref().map_or("absent", |link| link.observed_word()),
            "remote_id": entity.map(|entity| &entity.remote_id),
            "current": if entity.is_some() { json!(current) } else { json!({}) },
            "waiting": if entity.is_some() { json!(waiting) } else { json!({}) },
            "cannot": way.cannot.iter().map(cannot).collect::<Vec<_>>(),
        }));
        self.kinds.push(found.kind.clone());
        self.ids.push(found.id);
        self.names.push(found.name.clone());
        self.proposals.push(proposal);
        self.states.push(state);
    }

    async fn write(
        self,
        tx: &mut PgConnection,
        (tenant, plan): (TenantId, Uuid),
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO plan_changes (tenant_id, plan_id, resource_kind, resource_id, name, proposal, guarded, state, undo,
                                       updated_at)
             SELECT $1, $2, kind, id, name, proposal, false, state, undo, $9
             FROM unnest($3::text[], $4::uuid[], $5::text[], $6::jsonb[], $7::text[], $8::jsonb[])
                  AS c (kind, id, name, proposal, state, undo)",
        )
        .bind(tenant.0)
        .bind(plan)
        .bind(self.kinds)
        .bind(self.ids)
        .bind(self.names)
        .bind(self.proposals)
        .bind(self.states)
        .bind(self.undos)
        .bind(now)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// What a plan undoes, as kept with it.
fn undoes(new: &NewUndo<'_>) -> Value {
    let UndoScope { plan, people, from, to, mapping_version } = new.scope;
    let moment = |at: &Option<OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok());
    let mut value = json!({
        "plan": plan, "people": people.iter().map(|id| id.0).collect::<Vec<_>>(), "from": moment(from), "to": moment(to),
        "mapping_version": mapping_version, "reason": new.reason,
        "review_on": new.review_on.map(|day| day.to_string()),
    });
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null() && member.as_array().is_none_or(|array| !array.is_empty()));
    }
    value
}

fn cannot(cannot: &Cannot) -> Value {
    json!({
        "attribute": cannot.attribute, "code": cannot.code, "message": cannot.message,
        "at": cannot.at.and_then(|at| at.format(&Rfc3339).ok()),
        "whose": cannot.whose,
    })
}

/// Chooses the steps that are to be undone: temporary table `undone`. Returns how many.
async fn choose(tx: &mut PgConnection, tenant: TenantId, new: &NewUndo<'_>) -> Result<u64, StoreError> {
    let UndoScope { plan, people, from, to, mapping_version } = new.scope;
    sqlx::query(
        "CREATE TEMPORARY TABLE undone (id bigint PRIMARY KEY, resource_kind text, resource_id uuid) ON COMMIT DROP",
    )
    .execute(&mut *tx)
    .await?;
    let done = sqlx::query(
        "INSERT INTO undone (id, resource_kind, resource_id)
         SELECT id, resource_kind, resource_id FROM attempts
         WHERE tenant_id = $1 AND target_id = $2 AND outcome IN ('accepted', 'unknown')
           AND ($3::uuid IS NULL OR plan_id = $3)
           AND (cardinality($4::uuid[]) = 0 OR resource_kind = 'user' AND resource_id = ANY ($4))
           AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
           AND ($7::int IS NULL OR mapping_version = $7 AND by_mapping)",
    )
    .bind(tenant.0)
    .bind(new.target.0)
    .bind(plan)
    .bind(people.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind(from)
    .bind(to)
    .bind(mapping_version)
    .execute(&mut *tx)
    .await?;
    // It is read page by page, in the order of resources.
    sqlx::query("CREATE INDEX undone_resource_idx ON undone (resource_id, resource_kind, id)")
        .execute(&mut *tx)
        .await?;
    sqlx::query("ANALYZE undone").execute(tx).await?;
    Ok(done.rows_affected())
}
