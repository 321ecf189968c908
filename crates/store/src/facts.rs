//! People as the rules of a mapping see them, many at a time: what is stored of them, the groups that they are in, who
//! pushes them, and what each target is known to have of them.

use crate::projection::LoadedGroup;
use crate::{Store, StoreError};
use rollcall_provisioning::entity::{Attributes, Entity, Observed};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::org_unit::OrgName;
use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;
use std::collections::HashMap;
use uuid::Uuid;

/// What rules can ask about somebody who is active.
#[derive(Clone, Debug)]
pub struct PersonFacts {
    /// The SCIM id.
    pub id: ResourceId,
    /// The resource without read-only attributes.
    pub attributes: Map<String, Value>,
    /// The groups that the person is in.
    pub groups: Vec<LoadedGroup>,
    /// Name and profile of the source that pushes the person.
    pub source: Option<(String, String)>,
    /// What is known of the person's account, at each target where there ever was one.
    pub accounts: Vec<(TargetId, Observed)>,
}

/// Which people are wanted.
#[derive(Clone, Copy, Debug)]
pub enum FactsOf<'a> {
    /// Everybody who is active.
    Everybody,
    /// Those of these who are active.
    These(&'a [Uuid]),
}

/// A group as the statement returns it: id, then displayName and externalId.
type GroupPair = (String, Map<String, Value>);

/// A link as the statement returns it: target, what is known, remote id, snapshot.
type Account = (Uuid, String, Option<String>, Attributes);

#[derive(FromRow)]
struct Row {
    id: Uuid,
    attributes: Json<Map<String, Value>>,
    name: Option<String>,
    profile: Option<String>,
    groups: Option<Json<Vec<GroupPair>>>,
    accounts: Option<Json<Vec<Account>>>,
}

impl TryFrom<Row> for PersonFacts {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let observed = |(target, word, remote_id, attributes): Account| {
            let observed = match (word.as_str(), remote_id) {
                ("absent", _) => Observed::Absent,
                ("unknown", _) => Observed::Unknown,
                ("known", Some(remote_id)) => Observed::Known(Entity { remote_id, attributes }),
                _ => return Err(StoreError::corrupt("links", "observed", row.id)),
            };
            Ok((TargetId(target), observed))
        };
        let groups = row.groups.map(|groups| groups.0).unwrap_or_default();
        Ok(Self {
            id: ResourceId(row.id),
            attributes: row.attributes.0,
            groups: groups.into_iter().map(|(id, attributes)| LoadedGroup { id, attributes }).collect(),
            source: row.name.zip(row.profile),
            accounts: row
                .accounts
                .map(|accounts| accounts.0)
                .unwrap_or_default()
                .into_iter()
                .map(observed)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Store {
    /// The next people in the order of their ids, behind `after`, at most `limit`.
    pub async fn person_facts(
        &self,
        tenant: TenantId,
        which: FactsOf<'_>,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<PersonFacts>, StoreError> {
        let these = match which {
            FactsOf::Everybody => None,
            FactsOf::These(ids) => Some(ids),
        };
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT u.id, u.attributes, s.name, s.profile, gs.groups, ls.accounts
             FROM (SELECT id, attributes, source_id FROM users
                   WHERE tenant_id = $1 AND deleted_at IS NULL AND active AND id > $2
                     AND ($3::uuid[] IS NULL OR id = ANY($3))
                   ORDER BY id LIMIT $4) u
             LEFT JOIN sources s ON s.tenant_id = $1 AND s.id = u.source_id
             LEFT JOIN LATERAL (
                 SELECT jsonb_agg(jsonb_build_array(g.id::text, jsonb_strip_nulls(jsonb_build_object(
                            'displayName', g.attributes ->> 'displayName', 'externalId', g.external_id))) ORDER BY g.id) AS groups
                 FROM memberships ms
                 JOIN groups g ON g.tenant_id = ms.tenant_id AND g.id = ms.group_id AND g.deleted_at IS NULL
                 WHERE ms.tenant_id = $1 AND ms.member_id = u.id::text) gs ON true
             LEFT JOIN LATERAL (
                 SELECT jsonb_agg(jsonb_build_array(l.target_id, l.observed, l.remote_id, l.snapshot)) AS accounts
                 FROM targets t
                 JOIN links l ON l.tenant_id = t.tenant_id AND l.target_id = t.id
                             AND l.resource_kind = 'user' AND l.resource_id = u.id
                 WHERE t.tenant_id = $1) ls ON true
             ORDER BY u.id",
        )
        .bind(tenant.0)
        .bind(after)
        .bind(these)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(PersonFacts::try_from).collect()
    }

    /// The departments that a target has.
    pub async fn known_units(&self, tenant: TenantId, target: TargetId) -> Result<KnownUnits, StoreError> {
        let rows: Vec<(Uuid, String, Uuid, Option<String>)> = sqlx::query_as(
            "SELECT o.parent_id, o.name_key, o.id, CASE WHEN l.observed = 'known' THEN l.remote_id END
             FROM org_units o
             LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2
                              AND l.resource_kind = 'org_unit' AND l.resource_id = o.id
             WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.gone_at IS NULL",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_all(self.pool())
        .await?;
        let units = rows.into_iter().map(|(parent, key, id, remote_id)| ((parent, key), (id, remote_id))).collect();
        Ok(KnownUnits { root: target.0, units })
    }
}

/// The departments that a target has, to be found by their paths.
#[derive(Debug)]
pub struct KnownUnits {
    /// What stands for the root.
    root: Uuid,
    /// By the department above and the key of the name: the id, and the remote id once there is one.
    units: HashMap<(Uuid, String), (Uuid, Option<String>)>,
}

impl KnownUnits {
    /// The remote id of the department at a path below the root; `None` if it is not there.
    pub fn remote_id(&self, path: &[OrgName]) -> Option<&str> {
        let mut found = (self.root, None);
        for name in path {
            let (id, remote_id) = self.units.get(&(found.0, name.key.clone()))?;
            found = (*id, remote_id.as_deref());
        }
        found.1
    }
}
