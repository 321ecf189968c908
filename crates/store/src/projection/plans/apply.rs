//! Applying a plan: exactly what it says, or nothing.
//!
//! Whoever decides about plans takes locks in one order: the target (an advisory lock, of whoever applies), the plan, other
//! plans whose leave it takes over, deliveries by their ids, overrides, the changes of plans. A worker that ends a change
//! takes the plan, then its delivery; whatever else is written of overrides comes after their delivery. What has moved is
//! looked for when the deliveries are locked, so that of two plans of one person one is told that it is stale.

use super::done::waiting_lines;
use super::end_plan;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::ids::{ResourceId, TenantId};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// How much of a plan is applied now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wave {
    /// All that is left of it.
    All,
    /// This many people who are left, and the departments that they need.
    People(u32),
    /// The people of this department and of those below it, and the departments that they need.
    Department(Uuid),
    /// These resources, and the departments that they need.
    Resources(Vec<ResourceId>),
}

/// What was begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Applied {
    /// How many resources may be sent now.
    pub permitted: i64,
    /// How many a guard holds, because nobody has released the plan.
    pub withheld: i64,
}

/// Why a plan is not applied. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is no such plan.
    #[error("there is no such plan")]
    NotFound,
    /// It is too old.
    #[error("the plan expired at {0}")]
    Expired(OffsetDateTime),
    /// It was rejected, or everything in it has been applied.
    #[error("the plan is {0}")]
    Over(String),
    /// Something else is to be done by now.
    #[error("{number} of its changes have moved since the plan was made")]
    Stale {
        /// How many.
        number: i64,
        /// The first of them: resource and name.
        moved: Vec<(ResourceId, Option<String>)>,
    },
    /// Whoever asks for a release may not grant it.
    #[error("the release was requested by {requested_by}, who may be the same person")]
    SamePerson {
        /// Who asked for it.
        requested_by: String,
    },
    /// Somebody has asked for a release before.
    #[error("{by} has asked for a release before")]
    Requested {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// It is released.
    #[error("the plan was released by {by}")]
    Released {
        /// Who granted it.
        by: String,
    },
    /// Nobody has asked for a release.
    #[error("nobody has asked for a release of the plan")]
    NotRequested,
    /// The plan holds nothing that a guard would hold.
    #[error("no guard holds anything of the plan")]
    NotGuarded,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What is left of the plan `$2` of the tenant `$1`, as far as it may be applied; what is of the wave `$3..$5`.
const CHOSEN: &str = "CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
    WITH RECURSIVE p AS (SELECT * FROM plans WHERE tenant_id = $1 AND id = $2),
    rest AS (
        SELECT c.* FROM plan_changes c, p
        WHERE c.tenant_id = $1 AND c.plan_id = $2 AND c.state = 'planned' AND (NOT c.guarded OR p.approved_at IS NOT NULL)),
    below AS (
        SELECT o.id FROM org_units o, p WHERE o.tenant_id = $1 AND o.target_id = p.target_id AND o.id = $4
        UNION ALL
        SELECT o.id FROM org_units o JOIN below ON o.parent_id = below.id, p
        WHERE o.tenant_id = $1 AND o.target_id = p.target_id AND o.gone_at IS NULL),
    people AS (
        SELECT r.resource_kind, r.resource_id FROM rest r, p
        WHERE CASE WHEN $3::int IS NOT NULL THEN r.resource_kind = 'user'
                   WHEN $4::uuid IS NOT NULL THEN EXISTS (
                        SELECT 1 FROM placements s JOIN below ON below.id = s.unit_id
                        WHERE s.tenant_id = $1 AND s.target_id = p.target_id AND s.user_id = r.resource_id)
                   WHEN $5::uuid[] IS NOT NULL THEN r.resource_id = ANY($5)
                   ELSE true END
        ORDER BY r.resource_id LIMIT $3),
    needed AS (
        SELECT s.unit_id AS id FROM people JOIN p ON true
        JOIN placements s ON s.tenant_id = $1 AND s.target_id = p.target_id AND s.user_id = people.resource_id AND s.wanted
        UNION
        SELECT o.parent_id FROM needed JOIN p ON true
        JOIN org_units o ON o.tenant_id = $1 AND o.target_id = p.target_id AND o.id = needed.id)
    SELECT r.resource_kind, r.resource_id, r.name, r.proposal, r.undo FROM rest r
    WHERE (r.resource_kind, r.resource_id) IN (SELECT resource_kind, resource_id FROM people)
       OR r.resource_kind = 'org_unit' AND r.proposal ->> 'verb' <> 'delete' AND r.resource_id IN (SELECT id FROM needed)";

impl Store {
    /// Gives what the wave takes of the plan leave to be sent, if all of that is still what is to be done.
    pub async fn apply_plan(&self, tenant: TenantId, plan: Uuid, wave: &Wave, by: &str) -> Result<Applied, ApplyError> {
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        one_at_a_time(&mut tx, tenant, plan).await?;
        let target = self.open_plan(&mut tx, tenant, plan).await?;
        let (people, department, resources) = match wave {
            Wave::All => (None, None, None),
            Wave::People(number) => (Some(i32::try_from(*number).unwrap_or(i32::MAX)), None, None),
            Wave::Department(unit) => (None, Some(*unit), None),
            Wave::Resources(ids) => (None, None, Some(ids.iter().map(|id| id.0).collect::<Vec<_>>())),
        };
        sqlx::query(CHOSEN)
            .bind(tenant.0)
            .bind(plan)
            .bind(people)
            .bind(department)
            .bind(resources)
            .execute(&mut *tx)
            .await?;
        lock_chosen(&mut tx, (tenant, target), plan).await?;
        refuse_what_moved(&mut tx, tenant, target).await?;
        self.make_overrides(&mut tx, (tenant, target), plan, by).await?;
        self.end_older_leave(&mut tx, (tenant, target), plan).await?;
        let permitted = self.permit(&mut tx, tenant, target, plan).await?;
        let row = sqlx::query(
            "UPDATE plans SET state = CASE WHEN $4 > 0 THEN 'applying' ELSE state END,
                    applied_by = CASE WHEN $4 > 0 THEN COALESCE(applied_by, $3) ELSE applied_by END,
                    applied_at = CASE WHEN $4 > 0 THEN COALESCE(applied_at, $5) ELSE applied_at END
             WHERE tenant_id = $1 AND id = $2
             RETURNING (SELECT count(*) FROM plan_changes c WHERE c.tenant_id = $1 AND c.plan_id = $2 AND c.guarded
                          AND c.state = 'planned') AS withheld",
        )
        .bind(tenant.0)
        .bind(plan)
        .bind(by)
        .bind(permitted)
        .bind(self.now())
        .fetch_one(&mut *tx)
        .await?;
        let withheld = row.try_get("withheld")?;
        self.note(&mut tx, (tenant, plan), "plan_applied", json!({ "by": by, "permitted": permitted })).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(Applied { permitted, withheld })
    }

    /// The target of a plan that may be applied; its row is locked.
    pub(super) async fn open_plan(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
        plan: Uuid,
    ) -> Result<Uuid, ApplyError> {
        let row: Option<(Uuid, String, OffsetDateTime)> = sqlx::query_as(
            "SELECT target_id, state, expires_at FROM plans WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
        )
        .bind(tenant.0)
        .bind(plan)
        .fetch_optional(tx)
        .await?;
        let (target, state, expires_at) = row.ok_or(ApplyError::NotFound)?;
        if matches!(state.as_str(), "applied" | "rejected") {
            return Err(ApplyError::Over(state));
        }
        if expires_at <= self.now() {
            return Err(ApplyError::Expired(expires_at));
        }
        Ok(target)
    }

    /// Ends what other plans still permit of what is undone now: who takes back what was done to somebody does not want
    /// an older plan to go on with them.
    async fn end_older_leave(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, Uuid),
        plan: Uuid,
    ) -> Result<(), StoreError> {
        let others: Vec<Uuid> = sqlx::query_scalar(
            "WITH taken AS (
                 UPDATE plan_changes c
                 SET state = 'moved', updated_at = $3,
                     detail = 'Plan ' || $4::uuid || ', which takes back what was done, was applied before this was sent.'
                 FROM chosen
                 JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = chosen.resource_kind
                                  AND d.resource_id = chosen.resource_id
                 WHERE c.tenant_id = $1 AND c.plan_id = d.permit AND c.resource_kind = d.resource_kind
                   AND c.resource_id = d.resource_id AND c.state = 'permitted' AND d.permit <> $4
                 RETURNING c.plan_id)
             SELECT DISTINCT plan_id FROM taken ORDER BY plan_id",
        )
        .bind(tenant.0)
        .bind(target)
        .bind(self.now())
        .bind(plan)
        .fetch_all(&mut *tx)
        .await?;
        for other in others {
            end_plan(tx, tenant, other, self.now()).await?;
        }
        Ok(())
    }

    async fn permit(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
        target: Uuid,
        plan: Uuid,
    ) -> Result<i64, StoreError> {
        let done = sqlx::query(
            "WITH marked AS (
                 UPDATE deliveries d
                 SET permit = $3, mark = d.mark + 1, attempt = 0, due_at = $4, updated_at = $4, waiting_for = NULL,
                     dirty_since = COALESCE(d.dirty_since, $4), state = 'pending',
                     lane = CASE WHEN d.lane = $5 THEN d.lane
                                 WHEN d.resource_kind = 'org_unit' THEN $6 ELSE $7 END
                 FROM chosen
                 WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = chosen.resource_kind
                   AND d.resource_id = chosen.resource_id
                 RETURNING d.resource_kind, d.resource_id)
             UPDATE plan_changes c SET state = 'permitted', updated_at = $4
             FROM marked
             WHERE c.tenant_id = $1 AND c.plan_id = $3 AND c.resource_kind = marked.resource_kind
               AND c.resource_id = marked.resource_id",
        )
        .bind(tenant.0)
        .bind(target)
        .bind(plan)
        .bind(self.now())
        .bind(Lane::Leaver.number())
        .bind(Lane::OrgUnit.number())
        .bind(Lane::Other.number())
        .execute(tx)
        .await?;
        Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
    }

    /// An entry of the change log about a plan.
    pub(super) async fn note(
        &self,
        tx: &mut PgConnection,
        (tenant, plan): (TenantId, Uuid),
        operation: &str,
        details: Value,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             SELECT $1, $2, '', $3, 'target', p.target_id, 0, $4 || jsonb_build_object('plan', p.id)
             FROM plans p WHERE p.tenant_id = $1 AND p.id = $5",
        )
        .bind(tenant.0)
        .bind(self.now())
        .bind(operation)
        .bind(details)
        .bind(plan)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// One plan of a target is applied at a time.
async fn one_at_a_time(tx: &mut PgConnection, tenant: TenantId, plan: Uuid) -> Result<(), StoreError> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended('plans of ' || target_id, 0)) FROM plans
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(plan)
    .execute(tx)
    .await?;
    Ok(())
}

/// Locks the plans that permit something of what is chosen, and then the deliveries, in the order in which a write of
/// several marks takes them.
async fn lock_chosen(tx: &mut PgConnection, (tenant, target): (TenantId, Uuid), plan: Uuid) -> Result<(), StoreError> {
    sqlx::query(
        "SELECT 1 FROM plans p
         WHERE p.tenant_id = $1 AND p.id <> $3 AND p.id IN (
             SELECT d.permit FROM deliveries d JOIN chosen USING (resource_kind, resource_id)
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.permit IS NOT NULL)
         ORDER BY p.id FOR UPDATE",
    )
    .bind(tenant.0)
    .bind(target)
    .bind(plan)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "SELECT count(*) FROM (
             SELECT 1 FROM deliveries d JOIN chosen USING (resource_kind, resource_id)
             WHERE d.tenant_id = $1 AND d.target_id = $2 ORDER BY d.resource_id FOR UPDATE OF d) locked",
    )
    .bind(tenant.0)
    .bind(target)
    .execute(tx)
    .await?;
    Ok(())
}

/// What is chosen must be held still, and with the same proposal. What is undone must be as it was when the plan was made:
/// what the target has of it, what the rules want instead, what is held of it, and that the person has not left.
async fn refuse_what_moved(tx: &mut PgConnection, tenant: TenantId, target: Uuid) -> Result<(), ApplyError> {
    let rows: Vec<(Uuid, Option<String>, i64)> = sqlx::query_as(concat!(
        "SELECT c.resource_id, c.name, count(*) OVER () FROM chosen c
         LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = c.resource_kind
                               AND d.resource_id = c.resource_id
         LEFT JOIN links l ON c.undo IS NOT NULL AND l.tenant_id = $1 AND l.target_id = $2
                          AND l.resource_kind = c.resource_kind AND l.resource_id = c.resource_id
         WHERE CASE
             WHEN c.undo IS NULL THEN d.state IS DISTINCT FROM 'held' OR d.proposal IS DISTINCT FROM c.proposal
             ELSE d.resource_id IS NULL OR COALESCE(l.observed, 'absent') <> c.undo ->> 'observed'
                  OR l.remote_id IS DISTINCT FROM c.undo ->> 'remote_id'
                  OR EXISTS (SELECT 1 FROM jsonb_each(c.undo -> 'current') AS had (name, value)
                             WHERE COALESCE(l.snapshot -> had.name, 'null') <> had.value)
                  OR COALESCE(c.undo -> 'waiting', '{}') <> (
                      SELECT COALESCE(jsonb_object_agg(line ->> 'attribute', line -> 'after'), '{}')
                      FROM jsonb_array_elements",
        waiting_lines!(),
        " AS line WHERE c.undo -> 'current' ? (line ->> 'attribute'))
                  OR c.undo -> 'overrides' <> (
                      SELECT COALESCE(jsonb_object_agg(o.attribute, o.id), '{}') FROM overrides o
                      WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.resource_kind = c.resource_kind
                        AND o.resource_id = c.resource_id AND o.ended_at IS NULL
                        AND o.attribute IN (SELECT held ->> 'attribute' FROM jsonb_array_elements(c.undo -> 'held') held
                                            UNION ALL SELECT jsonb_array_elements_text(c.undo -> 'lifted')))
                  OR c.resource_kind = 'user' AND NOT EXISTS (
                      SELECT 1 FROM users u
                      WHERE u.tenant_id = $1 AND u.id = c.resource_id AND u.active AND u.deleted_at IS NULL)
             END
         ORDER BY c.resource_id LIMIT 100"
    ))
    .bind(tenant.0)
    .bind(target)
    .fetch_all(tx)
    .await?;
    match rows.first() {
        None => Ok(()),
        Some((_, _, number)) => Err(ApplyError::Stale {
            number: *number,
            moved: rows.iter().map(|(id, name, _)| (ResourceId(*id), name.clone())).collect(),
        }),
    }
}
