//! Everything that a plan for one resource needs, in one statement: the transaction is over before the first
//! call to the target.

use super::claims::Claim;
use super::links::Link;
use super::overrides::{OverrideParts, read_overrides};
use super::placements::Placement;
use crate::{Store, StoreError};
use rollcall_provisioning::org_unit::OrgName;
use rollcall_provisioning::overrides::Override;
use rollcall_scim::profile::ManagerBy;
use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// What the directory says of a user.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// The resource without read-only attributes.
    pub attributes: Map<String, Value>,
    /// Whether they are active and not deleted.
    pub present: bool,
    /// The resource's version.
    pub version: i64,
    /// When it was changed or deleted last.
    pub changed_at: OffsetDateTime,
}

/// What a manager who has left has handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Handover {
    /// To this one, and their account, once there is one.
    To(Uuid, Option<String>),
    /// To nobody; the word says why (see [`super::NewHandover::successor`]).
    Nobody(String),
}

/// How the manager of a user stands.
#[derive(Clone, PartialEq, Debug)]
pub struct LoadedManager {
    /// The manager's resource.
    pub id: Uuid,
    /// Whether they are active and not deleted.
    pub present: bool,
    /// Their account, once it is there. While a call for it is under way, or its answer is lost, it still is.
    pub remote_id: Option<String>,
    /// Who takes over from them; `None` while that is not found out, or of a manager who is there.
    pub handover: Option<Handover>,
}

/// A user with all that its projection depends on.
#[derive(Clone, Debug)]
pub struct LoadedUser {
    /// The directory's row; `None` when it was never there.
    pub user: Option<UserRow>,
    /// What we know of the account.
    pub link: Option<Link>,
    /// Their departments.
    pub placement: Placement,
    /// The manager, if the directory has them.
    pub manager: Option<LoadedManager>,
    /// How the source names the manager.
    pub manager_by: ManagerBy,
    /// The groups that the user is in.
    pub groups: Vec<LoadedGroup>,
    /// Name and profile of the source that pushes the user.
    pub source: Option<(String, String)>,
    /// Whether several active people are named so. Then none of them is the manager.
    pub manager_ambiguous: bool,
    /// Whether the person has left before and handed over what they had.
    pub handed_over: bool,
    /// Whether it is known on which day what is kept of the person is erased.
    pub to_be_erased: bool,
    /// What is held against the rules.
    pub overrides: Vec<Override>,
}

/// A group that a user is in, as far as rules may ask about it.
#[derive(Clone, PartialEq, Debug)]
pub struct LoadedGroup {
    /// Its SCIM id.
    pub id: String,
    /// Its displayName and externalId.
    pub attributes: Map<String, Value>,
}

/// A department with all that its projection depends on.
#[derive(Clone, Debug)]
pub struct LoadedUnit {
    /// Its name.
    pub name: String,
    /// The department above; `None` directly under the root.
    pub parent: Option<Uuid>,
    /// The remote id of the department above, once it is there.
    pub parent_remote_id: Option<String>,
    /// The names and their keys on the way from the top to it.
    pub path: Vec<OrgName>,
    /// Remote ids of those who are to head it and are in it at the target, sorted; if there are none, of those who have
    /// taken over from heads who left. An account that is in doubt is there until it is known to be gone: a head is not
    /// taken away because an answer was lost.
    pub heads: Vec<String>,
    /// Whether somebody is wanted in it, or another department is under it.
    pub wanted: bool,
    /// Whether the target still has people of ours in it.
    pub occupied: bool,
    /// What we know of it at the target.
    pub link: Option<Link>,
    /// What is held against the rules.
    pub overrides: Vec<Override>,
}

/// Groups as the statement returns them: id, displayName and externalId.
type GroupPairs = Vec<(String, Map<String, Value>)>;

/// Reads users with all that their projection depends on, for the rows of `$from`, which is an item of a FROM clause named
/// `c` with the columns `tenant_id, target_id, user_id`; `$besides` are columns of it to be read too.
macro_rules! load_users {
    (besides = $besides:literal, from = $from:literal) => {
        concat!(
            "SELECT ",
            $besides,
            "u.attributes, u.active AND u.deleted_at IS NULL AS present, u.version,
                    COALESCE(u.deleted_at, u.modified_at) AS changed_at,
                    EXISTS (SELECT 1 FROM handovers h WHERE h.tenant_id = c.tenant_id AND h.target_id = c.target_id
                                                        AND h.leaver_id = c.user_id) AS handed_over,
                    EXISTS (SELECT 1 FROM deliveries d
                            WHERE d.tenant_id = c.tenant_id AND d.target_id = c.target_id AND d.resource_kind = 'user'
                              AND d.resource_id = c.user_id AND d.erase_at IS NOT NULL) AS to_be_erased,
                    h.problem AS h_problem, hs.id AS h_id,
                    CASE WHEN hl.observed = 'known' THEN hl.remote_id END AS h_remote_id,
                    l.remote_id AS l_remote_id, l.generation AS l_generation, l.observed AS l_observed,
                    l.snapshot AS l_snapshot, l.invited_at AS l_invited_at, l.invitations AS l_invitations,
                    l.last_invited_at AS l_last_invited_at, l.invite_again_by AS l_invite_again_by, l.left_at AS l_left_at,
                    l.removal_by AS l_removal_by, l.updated_at AS l_updated_at, l.adopted_at AS l_adopted_at,
                    p.wanted_units, p.applied_units, p.headed_units,
                    s.name AS s_name, s.profile AS s_profile, gs.groups, ",
            crate::projection::overrides::live_overrides!("c.tenant_id", "c.target_id", "'user'", "c.user_id"),
            " AS overrides,
                    u.manager_by, m.ambiguous AS m_ambiguous, m.id AS m_id, m.present AS m_present,
                    CASE WHEN (ml.observed = 'known'
                               OR ml.observed = 'unknown' AND ml.snapshot <> '{}' AND ml.invited_at IS NULL)
                          AND ml.snapshot ->> 'account_kind' IS DISTINCT FROM 'contact'
                         THEN ml.remote_id END AS m_remote_id
             FROM ",
            $from,
            "
             LEFT JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id
             LEFT JOIN links l ON l.tenant_id = c.tenant_id AND l.target_id = c.target_id
                              AND l.resource_kind = 'user' AND l.resource_id = c.user_id
             LEFT JOIN LATERAL (
                 SELECT COALESCE(array_agg(unit_id) FILTER (WHERE wanted), '{}') AS wanted_units,
                        COALESCE(array_agg(unit_id) FILTER (WHERE applied), '{}') AS applied_units,
                        COALESCE(array_agg(unit_id) FILTER (WHERE wanted AND head), '{}') AS headed_units
                 -- In the order of the index, so that nothing is sorted for each of many people.
                 FROM (SELECT unit_id, wanted, applied, head FROM placements p
                       WHERE p.tenant_id = c.tenant_id AND p.target_id = c.target_id AND p.user_id = c.user_id
                       ORDER BY unit_id) p) p ON true
             LEFT JOIN sources s ON s.tenant_id = c.tenant_id AND s.id = u.source_id
             LEFT JOIN LATERAL (
                 SELECT jsonb_agg(jsonb_build_array(g.id::text, jsonb_strip_nulls(jsonb_build_object(
                            'displayName', g.attributes ->> 'displayName', 'externalId', g.external_id)))) AS groups
                 FROM (SELECT g.id, g.attributes, g.external_id FROM memberships ms
                       JOIN groups g ON g.tenant_id = ms.tenant_id AND g.id = ms.group_id AND g.deleted_at IS NULL
                       WHERE ms.tenant_id = c.tenant_id AND ms.member_id = c.user_id::text
                       ORDER BY g.id) g) gs ON true
             -- The manager whom the id names, whatever else is said of them, or else the one who has the number or the name
             -- that the source gives.
             LEFT JOIN users mi ON mi.tenant_id = c.tenant_id AND mi.id = u.manager_user
             LEFT JOIN LATERAL (
                 SELECT found.id, found.present,
                        found.present AND count(*) FILTER (WHERE found.present) OVER () > 1 AS ambiguous
                 FROM (
                     SELECT m.id, m.active AS present FROM users m
                     WHERE u.manager_by = 'externalId' AND m.tenant_id = c.tenant_id AND m.external_id = u.manager_key
                       AND m.source_id = COALESCE(u.manager_source, u.source_id) AND m.deleted_at IS NULL
                     UNION ALL
                     SELECT m.id, m.active FROM users m
                     WHERE u.manager_by = 'externalId' AND m.tenant_id = c.tenant_id
                       AND m.external_ids @> CASE WHEN u.manager_key IS NOT NULL
                           THEN jsonb_build_object(COALESCE(u.manager_source, u.source_id), u.manager_key) END
                       AND m.external_ids IS NOT NULL AND m.deleted_at IS NULL
                     UNION ALL
                     SELECT m.id, m.active FROM users m
                     WHERE u.manager_by = 'employeeNumber' AND m.tenant_id = c.tenant_id
                       AND m.employee_number_key = u.manager_key AND m.deleted_at IS NULL) found
                 WHERE u.manager_by IS NOT NULL AND mi.id IS NULL
                 ORDER BY found.present DESC, found.id LIMIT 1) mk ON true
             CROSS JOIN LATERAL (
                 SELECT COALESCE(mi.id, mk.id) AS id, mk.ambiguous,
                        CASE WHEN mi.id IS NULL THEN mk.present ELSE mi.active AND mi.deleted_at IS NULL END AS present
                 OFFSET 0) m
             LEFT JOIN links ml ON ml.tenant_id = c.tenant_id AND ml.target_id = c.target_id
                               AND ml.resource_kind = 'user' AND ml.resource_id = m.id
             LEFT JOIN handovers h ON h.tenant_id = c.tenant_id AND h.target_id = c.target_id AND h.leaver_id = m.id
             LEFT JOIN users hs ON hs.tenant_id = c.tenant_id AND hs.id = h.successor_id AND hs.active
                               AND hs.deleted_at IS NULL
             LEFT JOIN links hl ON hl.tenant_id = c.tenant_id AND hl.target_id = c.target_id
                               AND hl.resource_kind = 'user' AND hl.resource_id = hs.id"
        )
    };
}
pub(super) use load_users;

impl LoadedUser {
    /// Reads a row of [`load_users`].
    pub(super) fn read(row: &PgRow, user: Uuid) -> Result<Self, StoreError> {
        let attributes: Option<Json<Map<String, Value>>> = row.try_get("attributes")?;
        let found = match attributes {
            Some(attributes) => Some(UserRow {
                attributes: attributes.0,
                present: row.try_get("present")?,
                version: row.try_get("version")?,
                changed_at: row.try_get("changed_at")?,
            }),
            None => None,
        };
        let manager_ambiguous = row.try_get::<Option<bool>, _>("m_ambiguous")?.unwrap_or(false);
        let manager_by = match row.try_get::<Option<String>, _>("manager_by")? {
            None => ManagerBy::Id,
            Some(word) => {
                let corrupt = || StoreError::corrupt("users", "manager_by", user);
                ManagerBy::parse(&word).ok_or_else(corrupt)?
            }
        };
        let manager = match row.try_get::<Option<Uuid>, _>("m_id")?.filter(|_| !manager_ambiguous) {
            Some(id) => {
                let heir = row.try_get::<Option<Uuid>, _>("h_id")?;
                let handover = match (heir, row.try_get::<Option<String>, _>("h_problem")?) {
                    (Some(heir), _) => Some(Handover::To(heir, row.try_get("h_remote_id")?)),
                    (None, problem) => problem.map(Handover::Nobody),
                };
                let (present, remote_id) = (row.try_get("m_present")?, row.try_get("m_remote_id")?);
                Some(LoadedManager { id, present, remote_id, handover })
            }
            None => None,
        };
        let placement = Placement {
            wanted: row.try_get("wanted_units")?,
            applied: row.try_get("applied_units")?,
            headed: row.try_get("headed_units")?,
        };
        let link = Link::read(row, "l_", user)?;
        let groups: Option<Json<GroupPairs>> = row.try_get("groups")?;
        let groups = groups.map(|groups| groups.0).unwrap_or_default();
        let groups = groups.into_iter().map(|(id, attributes)| LoadedGroup { id, attributes }).collect();
        let source = row.try_get::<Option<String>, _>("s_name")?.zip(row.try_get("s_profile")?);
        let (handed_over, to_be_erased) = (row.try_get("handed_over")?, row.try_get("to_be_erased")?);
        let overrides: Option<Json<OverrideParts>> = row.try_get("overrides")?;
        Ok(Self {
            user: found,
            link,
            placement,
            manager,
            manager_by,
            groups,
            source,
            manager_ambiguous,
            handed_over,
            to_be_erased,
            overrides: read_overrides(overrides),
        })
    }
}

impl Store {
    /// Loads a user for its projection.
    pub async fn load_user(&self, claim: &Claim) -> Result<LoadedUser, StoreError> {
        let row = sqlx::query(load_users!(
            besides = "",
            from = "(VALUES ($1::uuid, $2::uuid, $3::uuid)) AS c (tenant_id, target_id, user_id)"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_one(self.pool())
        .await?;
        LoadedUser::read(&row, claim.resource.0)
    }

    /// Loads a department for its projection; `None` when its row is gone.
    pub async fn load_unit(&self, claim: &Claim) -> Result<Option<LoadedUnit>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            crate::projection::overrides::live_overrides!("$1", "$2", "'org_unit'", "$3"),
            " AS overrides, o.name, NULLIF(o.parent_id, o.target_id) AS parent_id,
                    CASE WHEN pl.observed = 'known' THEN pl.remote_id END AS parent_remote_id,
                    (WITH RECURSIVE way AS (
                         SELECT o.parent_id, jsonb_build_array(jsonb_build_array(o.name, o.name_key)) AS path
                         UNION ALL
                         SELECT a.parent_id, jsonb_build_array(jsonb_build_array(a.name, a.name_key)) || way.path FROM way
                         JOIN org_units a ON a.tenant_id = $1 AND a.target_id = $2 AND a.id = way.parent_id)
                     SELECT path FROM way WHERE parent_id = $2) AS path,
                    (SELECT COALESCE(array_agg(h.remote_id ORDER BY h.remote_id), '{}') FROM placements p
                     JOIN links h ON h.tenant_id = $1 AND h.target_id = $2 AND h.resource_kind = 'user'
                                 AND h.resource_id = p.user_id AND h.observed <> 'absent' AND h.remote_id IS NOT NULL
                     WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.unit_id = $3
                       AND p.wanted AND p.applied AND p.head) AS heads,
                    (SELECT COALESCE(array_agg(DISTINCT h.remote_id ORDER BY h.remote_id), '{}') FROM headships hs
                     JOIN handovers ho ON ho.tenant_id = $1 AND ho.target_id = $2 AND ho.leaver_id = hs.leaver_id
                     JOIN placements p ON p.tenant_id = $1 AND p.target_id = $2 AND p.user_id = ho.successor_id
                                      AND p.unit_id = $3 AND p.wanted AND p.applied
                     JOIN links h ON h.tenant_id = $1 AND h.target_id = $2 AND h.resource_kind = 'user'
                                 AND h.resource_id = ho.successor_id AND h.observed <> 'absent'
                                 AND h.remote_id IS NOT NULL
                     WHERE hs.tenant_id = $1 AND hs.target_id = $2 AND hs.unit_id = $3) AS heirs,
                    EXISTS (SELECT 1 FROM placements p
                            WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.unit_id = $3 AND p.wanted)
                    OR EXISTS (SELECT 1 FROM org_units k
                               WHERE k.tenant_id = $1 AND k.target_id = $2 AND k.parent_id = $3 AND k.gone_at IS NULL)
                    AS wanted,
                    EXISTS (SELECT 1 FROM placements p
                            WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.unit_id = $3 AND p.applied) AS occupied,
                    l.remote_id AS l_remote_id, l.generation AS l_generation, l.observed AS l_observed,
                    l.snapshot AS l_snapshot, l.invited_at AS l_invited_at, l.invitations AS l_invitations,
                    l.last_invited_at AS l_last_invited_at, l.invite_again_by AS l_invite_again_by, l.left_at AS l_left_at,
                    l.removal_by AS l_removal_by, l.updated_at AS l_updated_at, l.adopted_at AS l_adopted_at
             FROM org_units o
             LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2
                              AND l.resource_kind = 'org_unit' AND l.resource_id = $3
             LEFT JOIN links pl ON pl.tenant_id = $1 AND pl.target_id = $2
                               AND pl.resource_kind = 'org_unit' AND pl.resource_id = o.parent_id
             WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.id = $3 AND o.gone_at IS NULL"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let path: Option<Json<Vec<(String, String)>>> = row.try_get("path")?;
        let path = path.map(|path| path.0).unwrap_or_default();
        let heads: Vec<String> = row.try_get("heads")?;
        Ok(Some(LoadedUnit {
            name: row.try_get("name")?,
            parent: row.try_get("parent_id")?,
            parent_remote_id: row.try_get("parent_remote_id")?,
            path: path.into_iter().map(|(name, key)| OrgName { name, key }).collect(),
            heads: if heads.is_empty() { row.try_get("heirs")? } else { heads },
            wanted: row.try_get("wanted")?,
            occupied: row.try_get("occupied")?,
            link: Link::read(&row, "l_", claim.resource.0)?,
            overrides: read_overrides(row.try_get::<Option<Json<OverrideParts>>, _>("overrides")?),
        }))
    }

    /// The remote id of a department, once it is at the target.
    pub async fn unit_remote_id(&self, claim: &Claim, unit: Uuid) -> Result<Option<String>, StoreError> {
        let remote_id: Option<Option<String>> = sqlx::query_scalar(
            "SELECT remote_id FROM links WHERE tenant_id = $1 AND target_id = $2
               AND resource_kind = 'org_unit' AND resource_id = $3 AND observed = 'known'",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(unit)
        .fetch_optional(self.pool())
        .await?;
        Ok(remote_id.flatten())
    }

    /// The remote id of a department that is at the target, or was when it was last known.
    pub async fn unit_believed_id(&self, claim: &Claim, unit: Uuid) -> Result<Option<String>, StoreError> {
        let remote_id: Option<Option<String>> = sqlx::query_scalar(
            "SELECT remote_id FROM links WHERE tenant_id = $1 AND target_id = $2
               AND resource_kind = 'org_unit' AND resource_id = $3 AND observed <> 'absent'",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(unit)
        .fetch_optional(self.pool())
        .await?;
        Ok(remote_id.flatten())
    }
}
