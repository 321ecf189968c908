//! A group with all that its projection depends on, and the groups of a person that may become departments.

use super::claims::Claim;
use super::links::Link;
use crate::members::named_id;
use crate::{Store, StoreError};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::mapping::Choice;
use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;

/// A group as it is projected.
#[derive(Clone, Debug)]
pub struct ProjectedGroup {
    /// The resource without members and read-only attributes.
    pub attributes: Map<String, Value>,
    /// Whether it is not deleted.
    pub present: bool,
    /// The resource's version.
    pub version: i64,
    /// Name and profile of the source that pushes it.
    pub source: Option<(String, String)>,
    /// What a person decided about it.
    pub choice: Option<Choice>,
    /// What we know of its role or chat.
    pub link: Option<GroupLink>,
}

/// The link of a group.
#[derive(Clone, Debug)]
pub struct GroupLink {
    /// What we know.
    pub link: Link,
    /// To what.
    pub entity: Option<EntityKind>,
    /// Whether it was there before us.
    pub adopted: bool,
    /// Whether it stays when the group goes.
    pub kept: bool,
}

/// A group that a person is in.
#[derive(Clone, Debug)]
pub struct LoadedHeldGroup {
    /// Its SCIM id.
    pub id: String,
    /// The resource without members and read-only attributes.
    pub attributes: Map<String, Value>,
    /// Whether the person is in it by name.
    pub direct: bool,
    /// What a person decided about it.
    pub choice: Option<Choice>,
    /// Name and profile of the source that pushes it.
    pub source: Option<(String, String)>,
}

/// Somebody who may own a chat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The user.
    pub id: Uuid,
    /// Their account, once it is there.
    pub remote_id: Option<String>,
}

impl Store {
    /// Loads a group for its projection; `None` when its row is gone.
    pub async fn load_group(&self, claim: &Claim) -> Result<Option<ProjectedGroup>, StoreError> {
        let row = sqlx::query(
            "SELECT g.attributes, g.deleted_at IS NULL AS present, g.version, s.name AS s_name, s.profile AS s_profile,
                    c.choice, l.remote_id AS l_remote_id, l.generation AS l_generation, l.observed AS l_observed,
                    l.snapshot AS l_snapshot, l.invited_at AS l_invited_at, l.invitations AS l_invitations,
                    l.last_invited_at AS l_last_invited_at, l.invite_again_by AS l_invite_again_by, l.left_at AS l_left_at,
                    l.removal_by AS l_removal_by, l.updated_at AS l_updated_at, l.adopted_at AS l_adopted_at, l.entity, l.adopted, l.kept
             FROM groups g
             LEFT JOIN sources s ON s.tenant_id = $1 AND s.id = g.source_id
             LEFT JOIN group_choices c ON c.tenant_id = $1 AND c.target_id = $2 AND c.group_id = $3
             LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'group'
                              AND l.resource_id = $3
             WHERE g.tenant_id = $1 AND g.id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let attributes: Json<Map<String, Value>> = row.try_get("attributes")?;
        let link = match Link::read(&row, "l_", claim.resource.0)? {
            None => None,
            Some(link) => {
                let word: Option<String> = row.try_get("entity")?;
                let entity = match word.as_deref() {
                    None => None,
                    Some("role") => Some(EntityKind::Role),
                    Some("chat") => Some(EntityKind::Chat),
                    Some(_) => return Err(StoreError::corrupt("links", "entity", claim.resource.0)),
                };
                Some(GroupLink { link, entity, adopted: row.try_get("adopted")?, kept: row.try_get("kept")? })
            }
        };
        Ok(Some(ProjectedGroup {
            attributes: attributes.0,
            present: row.try_get("present")?,
            version: row.try_get("version")?,
            source: row.try_get::<Option<String>, _>("s_name")?.zip(row.try_get("s_profile")?),
            choice: choice_from(&row, claim.resource.0)?,
            link,
        }))
    }

    /// The groups that the claim's person is in, by name or through groups within them, the oldest first.
    pub async fn held_groups(&self, claim: &Claim) -> Result<Vec<LoadedHeldGroup>, StoreError> {
        let rows = sqlx::query(
            "WITH RECURSIVE up (id, direct) AS (
                 SELECT m.group_id, true FROM memberships m WHERE m.tenant_id = $1 AND m.member_id = $3::uuid::text
                 UNION
                 SELECT m.group_id, false FROM up
                 JOIN memberships m ON m.tenant_id = $1 AND m.member_id = up.id::text),
             held AS (SELECT id, bool_or(direct) AS direct FROM up GROUP BY id)
             SELECT g.id, g.attributes, held.direct, c.choice, s.name AS s_name, s.profile AS s_profile
             FROM held
             JOIN groups g ON g.tenant_id = $1 AND g.id = held.id AND g.deleted_at IS NULL
             LEFT JOIN sources s ON s.tenant_id = $1 AND s.id = g.source_id
             LEFT JOIN group_choices c ON c.tenant_id = $1 AND c.target_id = $2 AND c.group_id = g.id
             ORDER BY g.id",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_all(self.pool())
        .await?;
        rows.iter()
            .map(|row| {
                let id: Uuid = row.try_get("id")?;
                let attributes: Json<Map<String, Value>> = row.try_get("attributes")?;
                Ok(LoadedHeldGroup {
                    id: id.to_string(),
                    attributes: attributes.0,
                    direct: row.try_get("direct")?,
                    choice: choice_from(row, id)?,
                    source: row.try_get::<Option<String>, _>("s_name")?.zip(row.try_get("s_profile")?),
                })
            })
            .collect()
    }

    /// Whoever has this userName or id, and may still use their account.
    pub async fn chat_owner(&self, claim: &Claim, named: &str) -> Result<Option<Candidate>, StoreError> {
        let row: Option<(Uuid, Option<String>)> = sqlx::query_as(concat!(
            "SELECT u.id, CASE WHEN l.observed = 'known' AND l.snapshot ->> 'account_kind' IS DISTINCT FROM 'contact'
                              THEN l.remote_id END FROM users u
             LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user' AND l.resource_id = u.id
             WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND l.out_at IS NULL
               AND (u.user_name_key = $4 OR u.id = ",
            named_id!("$3"),
            ") ORDER BY u.id LIMIT 1"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(named)
        .bind(rollcall_scim::fold::fold(named))
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(id, remote_id)| Candidate { id, remote_id }))
    }

    /// The member of the claim's group who has belonged to the directory for the longest time: of all who are to have an
    /// account (`any`), or of those who have one, if there are any.
    pub async fn eldest_member(&self, claim: &Claim, any: bool) -> Result<Option<Candidate>, StoreError> {
        let row: Option<(Uuid, Option<String>)> = sqlx::query_as(
            "SELECT m.user_id, l.remote_id FROM group_members m
             LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user'
                              AND l.resource_id = m.user_id AND l.observed = 'known'
                              AND l.snapshot ->> 'account_kind' IS DISTINCT FROM 'contact'
             LEFT JOIN users u ON u.tenant_id = $1 AND u.id = m.user_id
             LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user'
                                   AND d.resource_id = m.user_id
             WHERE m.tenant_id = $1 AND m.target_id = $2 AND m.group_id = $3 AND m.wanted
               AND (l.remote_id IS NOT NULL OR u.active AND d.state <> 'gone')
             ORDER BY l.remote_id IS NULL AND NOT $4, m.user_id LIMIT 1",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(any)
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(id, remote_id)| Candidate { id, remote_id }))
    }

    /// Whether a worker is at a person, or about to be.
    pub async fn arrives(&self, claim: &Claim, user: Uuid) -> Result<bool, StoreError> {
        let arrives = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM deliveries
                            WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND resource_id = $3
                              AND state IN ('pending', 'applying'))",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(user)
        .fetch_one(self.pool())
        .await?;
        Ok(arrives)
    }

    /// Whose account this is, if it is that of one of ours.
    pub async fn account_holder(&self, claim: &Claim, remote_id: &str) -> Result<Option<Uuid>, StoreError> {
        let id = sqlx::query_scalar(
            "SELECT resource_id FROM links
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND remote_id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(remote_id)
        .fetch_optional(self.pool())
        .await?;
        Ok(id)
    }

    /// Before a role or chat is made or taken over: to what the claim's link is, and what becomes of that when the group
    /// goes. `false` when the claim is lost.
    pub async fn link_entity(
        &self,
        claim: &Claim,
        entity: EntityKind,
        (adopted, kept): (bool, bool),
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'group' AND resource_id = $3
                   AND lease_epoch = $4 FOR UPDATE)
             INSERT INTO links (tenant_id, target_id, resource_kind, resource_id, observed, entity, adopted, kept, updated_at)
             SELECT $1, $2, 'group', $3, 'absent', $5, $6, $7, $8 FROM fence
             ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE
             SET entity = $5, adopted = $6, kept = $7",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(entity.as_str())
        .bind(adopted)
        .bind(kept)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// The decision in the column `choice`.
pub(super) fn choice_from(row: &PgRow, group: Uuid) -> Result<Option<Choice>, StoreError> {
    let value: Option<Value> = row.try_get("choice")?;
    let corrupt = |_| StoreError::corrupt("group_choices", "choice", group);
    value.map(|value| Choice::parse(&value).map_err(corrupt)).transpose()
}
