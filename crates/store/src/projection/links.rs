//! Links: our memory that resource R is entity E, and what we last saw of E.
//!
//! Before a call a link becomes `unknown`, after it `known` or `absent`; whoever finds `unknown` must read
//! the target before planning. So a crash in the middle of a call is represented instead of guessed.

use super::claims::Claim;
use super::invitations::read_invited;
use crate::{Store, StoreError};
use rollcall_provisioning::entity::{Attributes, Entity, Observed};
use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_provisioning::invitation::Invited;
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;

/// A link.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// The target's id of the entity, once one was chosen or learnt.
    pub remote_id: Option<String>,
    /// Grows each time the entity is gone, so that no remote id is used twice.
    pub generation: i32,
    /// What we know.
    pub observed: Observed,
    /// What the entity had when it was last seen or written; empty when it was never there. For a person who was
    /// invited, what they were invited with.
    pub snapshot: Attributes,
    /// The invitation that the person has not accepted yet.
    pub invited: Option<Invited>,
    /// Since when the person has left.
    pub left_at: Option<OffsetDateTime>,
    /// Who decided that the account goes at once.
    pub removal_by: Option<String>,
    /// When any of this changed last.
    pub updated_at: OffsetDateTime,
    /// When it was found, or decided, that this entity is it, although we did not make it.
    pub adopted_at: Option<OffsetDateTime>,
}

impl Link {
    /// What is known, as the word in the table.
    pub(super) const fn observed_word(&self) -> &'static str {
        match self.observed {
            Observed::Absent => "absent",
            Observed::Unknown => "unknown",
            Observed::Known(_) => "known",
        }
    }

    /// Reads the columns `remote_id, generation, observed, snapshot, left_at, removal_by, updated_at, adopted_at` and those of
    /// [`read_invited`], each with `prefix` before its name. `None` when the row was not joined.
    pub(super) fn read(row: &PgRow, prefix: &str, resource: uuid::Uuid) -> Result<Option<Self>, StoreError> {
        let column = |name: &str| format!("{prefix}{name}");
        let Some(word) = row.try_get::<Option<String>, _>(column("observed").as_str())? else { return Ok(None) };
        let remote_id: Option<String> = row.try_get(column("remote_id").as_str())?;
        let snapshot: sqlx::types::Json<Attributes> = row.try_get(column("snapshot").as_str())?;
        let observed = match (word.as_str(), &remote_id) {
            ("absent", _) => Observed::Absent,
            ("unknown", _) => Observed::Unknown,
            ("known", Some(remote_id)) => {
                Observed::Known(Entity { remote_id: remote_id.clone(), attributes: snapshot.0.clone() })
            }
            _ => return Err(StoreError::corrupt("links", "observed", resource)),
        };
        let generation = row.try_get(column("generation").as_str())?;
        let invited = read_invited(row, prefix)?;
        let updated_at = row.try_get(column("updated_at").as_str())?;
        let left_at = row.try_get(column("left_at").as_str())?;
        let removal_by = row.try_get(column("removal_by").as_str())?;
        let adopted_at = row.try_get(column("adopted_at").as_str())?;
        let snapshot = snapshot.0;
        Ok(Some(Self {
            remote_id,
            generation,
            observed,
            snapshot,
            invited,
            left_at,
            removal_by,
            updated_at,
            adopted_at,
        }))
    }
}

impl Store {
    /// Before a call that may change the entity: the link becomes `unknown`, with the remote id that the call
    /// will use, if it is known. `false` when the claim is lost; the call must then not be made.
    pub async fn link_unknown(&self, claim: &Claim, remote_id: Option<&str>) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             INSERT INTO links AS l (tenant_id, target_id, resource_kind, resource_id, remote_id, observed, updated_at)
             SELECT $1, $2, $3, $4, $6, 'unknown', $7 FROM fence
             ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE
             SET observed = 'unknown', remote_id = COALESCE($6, l.remote_id), updated_at = $7",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(remote_id)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The entity is there and looks like this. `false` when the claim is lost.
    pub async fn link_known(&self, claim: &Claim, entity: &Entity) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             INSERT INTO links (tenant_id, target_id, resource_kind, resource_id, remote_id, observed, snapshot, updated_at)
             SELECT $1, $2, $3, $4, $6, 'known', $7, $8 FROM fence
             ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE
             SET observed = 'known', remote_id = $6, snapshot = $7, invited_at = NULL, invitations = 0,
                 last_invited_at = NULL, invited_number = NULL, invite_again_by = NULL, updated_at = $8",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(&entity.remote_id)
        .bind(sqlx::types::Json(&entity.attributes))
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// There is certainly no entity. When there was one, or one was being made, the generation grows, and nothing counts of
    /// how often the person was invited. `false` when the claim is lost.
    pub async fn link_absent(&self, claim: &Claim, used: bool) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE),
             gone AS (
                 UPDATE links SET observed = 'absent', remote_id = NULL, snapshot = '{}', invited_at = NULL, removal_by = NULL,
                        former_ids = CASE WHEN remote_id = ANY (former_ids) THEN former_ids
                                          ELSE array_remove(former_ids || remote_id, NULL) END,
                        entity = NULL, adopted = false, kept = false, out_at = NULL, adopted_at = NULL,
                        invitations = CASE WHEN $6 THEN 0 ELSE invitations END, invite_again_by = NULL,
                        last_invited_at = CASE WHEN NOT $6 THEN last_invited_at END,
                        invited_number = CASE WHEN NOT $6 THEN invited_number END,
                        generation = generation + CASE WHEN $6 THEN 1 ELSE 0 END, updated_at = $7
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND EXISTS (SELECT 1 FROM fence))
             SELECT 1 FROM fence",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(used)
        .bind(self.now())
        .fetch_all(self.pool())
        .await?;
        Ok(done.len() == 1)
    }

    /// A call that was to create the entity did nothing: there still is none, and what else is known of it (an earlier
    /// invitation) still holds. `false` when the claim is lost.
    pub async fn link_still_absent(&self, claim: &Claim) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             UPDATE links SET observed = 'absent', remote_id = NULL, updated_at = $6
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
               AND EXISTS (SELECT 1 FROM fence)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// What we believed of another resource of the claim's target is in doubt: it must be read before it is used
    /// again, and is marked so that this happens.
    pub async fn link_doubted(
        &self,
        claim: &Claim,
        kind: ResourceKind,
        resource: ResourceId,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "WITH doubted AS (
                 UPDATE links SET observed = 'unknown', updated_at = $5
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND observed = 'known')
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $5, dirty_since = COALESCE(d.dirty_since, $5), updated_at = $5,
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = $3 AND d.resource_id = $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(kind.as_str())
        .bind(resource.0)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Whether the user is active and not deleted.
    pub async fn is_present(&self, claim: &Claim, user: ResourceId) -> Result<bool, StoreError> {
        let present = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM users
                            WHERE tenant_id = $1 AND id = $2 AND active AND deleted_at IS NULL)",
        )
        .bind(claim.tenant.0)
        .bind(user.0)
        .fetch_one(self.pool())
        .await?;
        Ok(present)
    }

    /// Which resource of the target is this account, if one of ours is.
    pub async fn linked_resource(&self, claim: &Claim, remote_id: &str) -> Result<Option<ResourceId>, StoreError> {
        let id: Option<uuid::Uuid> = sqlx::query_scalar(
            "SELECT resource_id FROM links
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND remote_id = $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(remote_id)
        .fetch_optional(self.pool())
        .await?;
        Ok(id.map(ResourceId))
    }
}
