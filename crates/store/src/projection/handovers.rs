//! Handing over: who takes over what a leaver managed and headed.
//!
//! The directory keeps what its sources say. At the target, whoever reports to a person who has left reports to the
//! successor whom the source names, and a department that the person headed is headed by the successor, as long as it has
//! no head of its own and the successor is in it. A row is written by the leaver's own delivery alone, which then marks
//! whoever depends on it, however often: a crash in between leaves the delivery to be done again.

use super::claims::Claim;
use super::placements::fenced;
use crate::filter_sql::clip;
use crate::manager::{manager_names, names_as_manager};
use crate::{Store, StoreError};
use rollcall_scim::fold::fold;
use sqlx::FromRow;
use time::Duration;
use uuid::Uuid;

/// How soon it is looked again whether a successor whom nobody knew is there by now.
const LOOK_AGAIN: Duration = Duration::hours(1);

/// Selects the ids of the users whose manager is the user `$1`, `$2` (tenant, id).
macro_rules! reports {
    () => {
        concat!(
            "SELECT u.id FROM users u
             WHERE u.tenant_id = $1 AND u.manager_id = $2::text AND u.deleted_at IS NULL
             UNION
             SELECT r.id FROM users m
             CROSS JOIN LATERAL (",
            manager_names!("m", creator = "m.source_id"),
            ") named
             JOIN users r ON r.tenant_id = $1 AND ",
            names_as_manager!(),
            " WHERE m.tenant_id = $1 AND m.id = $2 AND r.deleted_at IS NULL"
        )
    };
}
pub(super) use reports;

/// Somebody whom a source may mean as successor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromRow)]
pub struct Successor {
    /// Who.
    pub id: Uuid,
    /// Whether they are active.
    pub present: bool,
}

/// What is found out about the successor of a leaver.
#[derive(Clone, Copy, Debug)]
pub struct NewHandover<'a> {
    /// What the source says.
    pub named: Option<&'a str>,
    /// Whom that means, or why nobody: `no_rule`, `nobody`, `unknown`, `several`, `left`, `rule_failed`.
    pub successor: Result<Uuid, &'static str>,
}

impl Store {
    /// Whom a leaver's source may mean: by SCIM id, else by externalId at the same source, else by employeeNumber, else by
    /// userName. Those who are active, if there are any.
    pub async fn successors(&self, claim: &Claim, named: &str) -> Result<Vec<Successor>, StoreError> {
        let folded = fold(named);
        let found: Vec<Successor> = sqlx::query_as(
            "WITH leaver AS (SELECT source_id FROM users WHERE tenant_id = $1 AND id = $2),
             found AS (
                 SELECT 1 AS rank, s.id, s.active AS present FROM users s
                 WHERE s.tenant_id = $1 AND s.deleted_at IS NULL
                   AND s.id = CASE WHEN $3 ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN $3::uuid END
                 UNION ALL
                 SELECT 2, s.id, s.active FROM leaver
                 JOIN users s ON s.tenant_id = $1 AND s.external_id = $4 AND s.source_id = leaver.source_id
                 WHERE s.deleted_at IS NULL
                 UNION ALL
                 SELECT 2, s.id, s.active FROM leaver
                 JOIN users s ON s.tenant_id = $1 AND s.external_ids IS NOT NULL
                             AND s.external_ids @> jsonb_build_object(leaver.source_id, $4::text)
                 WHERE s.deleted_at IS NULL
                 UNION ALL
                 SELECT 3, s.id, s.active FROM users s
                 WHERE s.tenant_id = $1 AND s.employee_number_key = $5 AND s.deleted_at IS NULL
                 UNION ALL
                 SELECT 4, s.id, s.active FROM users s
                 WHERE s.tenant_id = $1 AND s.user_name_key = $5 AND s.deleted_at IS NULL)
             SELECT DISTINCT id, present FROM found
             WHERE rank = (SELECT min(rank) FROM found)
               AND (present OR NOT EXISTS (SELECT 1 FROM found better
                                           WHERE better.present AND better.rank = (SELECT min(rank) FROM found)))
             ORDER BY id LIMIT 2",
        )
        .bind(claim.tenant.0)
        .bind(claim.resource.0)
        .bind(named)
        .bind(clip(named))
        .bind(clip(&folded))
        .fetch_all(self.pool())
        .await?;
        Ok(found)
    }

    /// To whom somebody who has left has handed over at the claim's target.
    pub async fn heir(&self, claim: &Claim, leaver: Uuid) -> Result<Option<Uuid>, StoreError> {
        let heir: Option<Option<Uuid>> = sqlx::query_scalar(
            "SELECT successor_id FROM handovers WHERE tenant_id = $1 AND target_id = $2 AND leaver_id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(leaver)
        .fetch_optional(self.pool())
        .await?;
        Ok(heir.flatten())
    }

    /// Whether the claim's person has anything to hand over: reports, or departments that they head or headed.
    pub async fn has_heritage(&self, claim: &Claim) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar(concat!(
            "SELECT EXISTS (",
            reports!(),
            ") OR EXISTS (SELECT 1 FROM placements
                          WHERE tenant_id = $1 AND target_id = $3 AND user_id = $2 AND head)
               OR EXISTS (SELECT 1 FROM headships WHERE tenant_id = $1 AND target_id = $3 AND leaver_id = $2)"
        ))
        .bind(claim.tenant.0)
        .bind(claim.resource.0)
        .bind(claim.target.0)
        .fetch_one(self.pool())
        .await?;
        Ok(found)
    }

    /// Notes who takes over from the claim's person, and which departments they head; to be called before they are
    /// displaced. Then marks everybody whom it concerns. `false` when the claim is lost.
    ///
    /// They are marked once for each answer: two who are on their way out, and who are each other's managers, would wake each
    /// other for ever. That they were is noted afterwards, so that a crash in between marks them again.
    pub async fn hand_over(&self, claim: &Claim, new: &NewHandover<'_>) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        let headed = sqlx::query(
            "INSERT INTO headships (tenant_id, target_id, unit_id, leaver_id)
             SELECT tenant_id, target_id, unit_id, user_id FROM placements
             WHERE tenant_id = $1 AND target_id = $2 AND user_id = $3 AND head
             ON CONFLICT DO NOTHING",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .execute(&mut *tx)
        .await?;
        let told: bool = sqlx::query_scalar(
            "INSERT INTO handovers AS h (tenant_id, target_id, leaver_id, named, successor_id, problem, at, told)
             VALUES ($1, $2, $3, $4, $5, $6, $7, false)
             ON CONFLICT (tenant_id, target_id, leaver_id) DO UPDATE
             SET named = $4, successor_id = $5, problem = $6, at = $7,
                 told = h.told AND $8 AND (h.named, h.successor_id, h.problem) IS NOT DISTINCT FROM ($4, $5, $6)
             RETURNING told",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(new.named)
        .bind(new.successor.ok())
        .bind(new.successor.err())
        .bind(self.now())
        .bind(headed.rows_affected() == 0)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        if !told {
            self.mark_heritage(claim).await?;
            sqlx::query(
                "UPDATE handovers SET told = true WHERE tenant_id = $1 AND target_id = $2 AND leaver_id = $3
                   AND (named, successor_id, problem) IS NOT DISTINCT FROM ($4, $5, $6)",
            )
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(claim.resource.0)
            .bind(new.named)
            .bind(new.successor.ok())
            .bind(new.successor.err())
            .execute(self.pool())
            .await?;
        }
        Ok(true)
    }

    /// The person has come back and has what they handed over again. `false` when the claim is lost.
    pub async fn take_back(&self, claim: &Claim) -> Result<bool, StoreError> {
        // Before the rows are gone: whoever is looked at in between sees that the person is there again.
        self.mark_heritage(claim).await?;
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        for forget in [
            "DELETE FROM handovers WHERE tenant_id = $1 AND target_id = $2 AND leaver_id = $3",
            "DELETE FROM headships WHERE tenant_id = $1 AND target_id = $2 AND leaver_id = $3",
        ] {
            sqlx::query(forget)
                .bind(claim.tenant.0)
                .bind(claim.target.0)
                .bind(claim.resource.0)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Marks whoever reports to the claim's person, the departments that they headed, and the leavers from whom they took
    /// over, who have to find somebody else.
    async fn mark_heritage(&self, claim: &Claim) -> Result<(), StoreError> {
        sqlx::query(concat!(
            "WITH concerned (kind, id) AS (
                 SELECT 'user', r.id FROM (",
            reports!(),
            ") r
                 UNION ALL
                 SELECT 'org_unit', unit_id FROM headships
                 WHERE tenant_id = $1 AND target_id = $3 AND leaver_id = $2
                 UNION ALL
                 SELECT 'user', leaver_id FROM handovers
                 WHERE tenant_id = $1 AND target_id = $3 AND successor_id = $2),
             them AS MATERIALIZED (
                 SELECT d.resource_kind, d.resource_id FROM deliveries d
                 JOIN concerned ON concerned.kind = d.resource_kind AND concerned.id = d.resource_id
                 WHERE d.tenant_id = $1 AND d.target_id = $3 AND d.resource_id <> $2
                 ORDER BY d.resource_id FOR UPDATE OF d)
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $4, updated_at = $4, dirty_since = COALESCE(d.dirty_since, $4),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM them
             WHERE d.tenant_id = $1 AND d.target_id = $3 AND d.resource_kind = them.resource_kind
               AND d.resource_id = them.resource_id"
        ))
        .bind(claim.tenant.0)
        .bind(claim.resource.0)
        .bind(claim.target.0)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        self.signal.dirty();
        Ok(())
    }

    /// Looks again at leavers whose successor could not be found, since they may be there by now. Returns how many.
    pub async fn look_for_successors(&self, limit: i64) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "WITH them AS MATERIALIZED (
                 SELECT d.tenant_id, d.target_id, d.resource_id FROM handovers h
                 JOIN deliveries d ON d.tenant_id = h.tenant_id AND d.target_id = h.target_id
                                  AND d.resource_kind = 'user' AND d.resource_id = h.leaver_id
                 WHERE h.problem IN ('unknown', 'several', 'left') AND h.at < $2 AND d.mark = d.done_mark
                 ORDER BY d.resource_id LIMIT $3 FOR UPDATE OF d SKIP LOCKED)
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $1, updated_at = $1, dirty_since = COALESCE(d.dirty_since, $1),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM them
             WHERE d.tenant_id = them.tenant_id AND d.target_id = them.target_id AND d.resource_kind = 'user'
               AND d.resource_id = them.resource_id",
        )
        .bind(self.now())
        .bind(self.now() - LOOK_AGAIN)
        .bind(limit)
        .execute(self.pool())
        .await?;
        self.signal.dirty();
        Ok(done.rows_affected())
    }
}
