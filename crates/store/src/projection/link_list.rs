//! Links as people see them: page by page, each with what both sides are called and how the delivery stands.
//!
//! A page begins after the last id of the one before, in the primary key's order, so that the last page costs as much as
//! the first. Whom the list is limited to by a name, a remote id or a mark is found by an index before it is read.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use rollcall_scim::fold::fold;
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// Resources that a list can be limited to by a name or a mark.
const MOST_NAMED: i64 = 10_000;

/// What is known of the entity of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkState {
    /// It is there, and what it held when it was last seen or written is remembered.
    Known,
    /// A call was made, or it was just linked: it is read before anything else happens.
    Unknown,
    /// The person was invited and has not accepted; there is no account to be linked yet.
    Invited,
}

impl LinkState {
    /// The word used in JSON, CSV and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Invited => "invited",
        }
    }

    /// The state behind a word written by [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Known, Self::Unknown, Self::Invited].into_iter().find(|state| state.as_str() == word)
    }
}

/// Which links to list, in the order of resource ids.
#[derive(Clone, Debug, Default)]
pub struct LinkQuery {
    /// Only of this kind of resource.
    pub kind: Option<ResourceKind>,
    /// Only those to what was there before us, or only those to what we made.
    pub adopted: Option<bool>,
    /// Only of which this is known.
    pub state: Option<LinkState>,
    /// Only to this entity.
    pub remote_id: Option<String>,
    /// Only of people with this userName or displayName.
    pub person: Option<String>,
    /// Only of what is marked as protected or not to be touched, or only of the rest.
    pub marked: Option<bool>,
    /// Only of this resource.
    pub resource: Option<ResourceId>,
    /// Only after this resource.
    pub after: Option<ResourceId>,
    /// The most rows.
    pub limit: i64,
}

/// A link with what people know the two by.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct LinkRow {
    /// `user`, `org_unit` or `group`.
    pub resource_kind: String,
    /// Which resource.
    pub resource_id: Uuid,
    /// The userName, the group's displayName or the department's name; `None` when the resource is gone.
    pub name: Option<String>,
    /// The user's displayName.
    pub display_name: Option<String>,
    /// Whether a user is active, and not deleted.
    pub active: Option<bool>,
    /// The target's id of the entity; `None` while a person is invited, or a creation is in doubt.
    pub remote_id: Option<String>,
    /// The entity's own name, as it was last seen.
    pub remote_name: Option<String>,
    /// `account`, `contact`, `org_unit`, `role` or `chat`.
    pub entity: String,
    /// As [`LinkState::as_str`] writes it.
    pub state: String,
    /// Whether the entity was there before us.
    pub adopted: bool,
    /// When that was found, or decided.
    pub adopted_at: Option<OffsetDateTime>,
    /// Since when the person has left.
    pub left_at: Option<OffsetDateTime>,
    /// When any of this changed last.
    pub updated_at: OffsetDateTime,
    /// What the entity, or the person, is marked as.
    pub mark: Option<String>,
    /// Where the delivery stands.
    pub delivery: Option<String>,
    /// What holds it.
    pub held_by: Option<String>,
}

/// The links of a page; `$narrowed` says to whom they are limited.
macro_rules! page {
    ($narrowed:literal) => {
        concat!(
            "SELECT l.resource_kind, l.resource_id,
                    COALESCE(u.attributes ->> 'userName', g.attributes ->> 'displayName', o.name) AS name,
                    u.attributes ->> 'displayName' AS display_name, u.active AND u.deleted_at IS NULL AS active,
                    l.remote_id, l.snapshot ->> 'name' AS remote_name,
                    CASE l.resource_kind WHEN 'org_unit' THEN 'org_unit' WHEN 'group' THEN COALESCE(l.entity, 'role')
                         ELSE CASE WHEN l.snapshot ->> 'account_kind' = 'contact' THEN 'contact' ELSE 'account' END END AS entity,
                    CASE WHEN l.observed = 'absent' THEN 'invited' ELSE l.observed END AS state,
                    l.adopted_at IS NOT NULL OR l.adopted AS adopted, l.adopted_at, l.left_at, l.updated_at,
                    m.kind AS mark, d.state AS delivery, d.held_by
             FROM (SELECT part.* FROM unnest($3::text[]) AS k (kind)
                   CROSS JOIN LATERAL (
                       SELECT l.* FROM links l
                       WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = k.kind AND l.resource_id > $4
                         AND (l.remote_id IS NOT NULL OR l.invited_at IS NOT NULL OR l.observed <> 'absent')
                         AND ($6::bool IS NULL OR (l.adopted_at IS NOT NULL OR l.adopted) = $6)
                         AND ($7::text IS NULL OR $7 = CASE WHEN l.observed = 'absent' THEN 'invited' ELSE l.observed END)
                         ",
            $narrowed,
            "
                       ORDER BY l.resource_id LIMIT $5) part
                   ORDER BY part.resource_id LIMIT $5) l
             LEFT JOIN users u ON l.resource_kind = 'user' AND u.tenant_id = $1 AND u.id = l.resource_id
             LEFT JOIN groups g ON l.resource_kind = 'group' AND g.tenant_id = $1 AND g.id = l.resource_id
             LEFT JOIN org_units o ON l.resource_kind = 'org_unit' AND o.tenant_id = $1 AND o.target_id = $2
                                  AND o.id = l.resource_id
             LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = l.resource_kind
                                   AND d.resource_id = l.resource_id
             LEFT JOIN LATERAL (
                 SELECT m.kind FROM marks m
                 WHERE m.tenant_id = $1 AND m.target_id = $2 AND m.lifted_at IS NULL
                   AND (m.resource_id = l.resource_id
                        OR m.remote_id = l.remote_id
                           AND m.entity_kind = CASE l.resource_kind WHEN 'user' THEN 'account' ELSE l.resource_kind END)
                 ORDER BY m.kind IN ('protected', 'do_not_touch') DESC, m.id LIMIT 1) m ON true
             ORDER BY l.resource_id LIMIT $5"
        )
    };
}

/// The resources that a list is limited to: by id, by what a person is called, by the entity, by a mark.
const NAMED: &str = "
    SELECT id FROM (
        SELECT u.id FROM users u WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND u.user_name_key = $3
        UNION
        SELECT u.id FROM users u WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND u.display_name_key = $3
        UNION
        SELECT l.resource_id FROM links l
        WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind IN ('user', 'org_unit', 'group') AND l.remote_id = $4
    ) AS found (id) ORDER BY id LIMIT $5";

/// The resources of links that are marked as not to be touched.
const MARKED: &str = "
    SELECT id FROM (
        SELECT m.resource_id FROM marks m
        WHERE m.tenant_id = $1 AND m.target_id = $2 AND m.lifted_at IS NULL AND m.kind IN ('protected', 'do_not_touch')
          AND m.resource_id IS NOT NULL
        UNION
        SELECT l.resource_id FROM marks m
        JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.remote_id = m.remote_id
                    AND l.resource_kind = CASE m.entity_kind WHEN 'account' THEN 'user' ELSE m.entity_kind END
        WHERE m.tenant_id = $1 AND m.target_id = $2 AND m.lifted_at IS NULL AND m.kind IN ('protected', 'do_not_touch')
          AND m.remote_id IS NOT NULL
    ) AS found (id) ORDER BY id LIMIT $3";

impl Store {
    /// Lists links.
    pub async fn links(
        &self,
        tenant: TenantId,
        target: TargetId,
        query: &LinkQuery,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let only = self.only(tenant, target, query).await?;
        let marked = match query.marked {
            Some(_) => self.marked_resources(tenant, target).await?,
            None => Vec::new(),
        };
        let statement = match (&only, query.marked) {
            (None, None) => page!(""),
            (Some(_), None) => page!("AND l.resource_id = ANY ($8)"),
            (None, Some(true)) => page!("AND l.resource_id = ANY ($9) AND ($8::uuid[] IS NULL)"),
            (None, Some(false)) => page!("AND l.resource_id <> ALL ($9) AND ($8::uuid[] IS NULL)"),
            (Some(_), Some(true)) => page!("AND l.resource_id = ANY ($8) AND l.resource_id = ANY ($9)"),
            (Some(_), Some(false)) => page!("AND l.resource_id = ANY ($8) AND l.resource_id <> ALL ($9)"),
        };
        let kinds = query
            .kind
            .map_or_else(|| vec![ResourceKind::User, ResourceKind::OrgUnit, ResourceKind::Group], |kind| vec![kind]);
        let mut statement = sqlx::query_as(statement)
            .bind(tenant.0)
            .bind(target.0)
            .bind(kinds.into_iter().map(ResourceKind::as_str).collect::<Vec<_>>())
            .bind(query.after.map_or(Uuid::nil(), |id| id.0))
            .bind(query.limit)
            .bind(query.adopted)
            .bind(query.state.map(LinkState::as_str));
        if only.is_some() || query.marked.is_some() {
            statement = statement.bind(only);
        }
        if query.marked.is_some() {
            statement = statement.bind(marked);
        }
        Ok(statement.fetch_all(self.pool()).await?)
    }

    /// To which resources a list is limited by id, name or entity; `None`: to none.
    async fn only(
        &self,
        tenant: TenantId,
        target: TargetId,
        query: &LinkQuery,
    ) -> Result<Option<Vec<Uuid>>, StoreError> {
        let mut only: Option<Vec<Uuid>> = query.resource.map(|id| vec![id.0]);
        let person = query.person.as_deref().map(fold);
        for (name, remote_id) in [(person, None), (None, query.remote_id.clone())] {
            if name.is_none() && remote_id.is_none() {
                continue;
            }
            let found: Vec<Uuid> = sqlx::query_scalar(NAMED)
                .bind(tenant.0)
                .bind(target.0)
                .bind(&name)
                .bind(remote_id)
                .bind(MOST_NAMED)
                .fetch_all(self.pool())
                .await?;
            only = Some(match only {
                None => found,
                Some(before) => before.into_iter().filter(|id| found.contains(id)).collect(),
            });
        }
        Ok(only)
    }

    async fn marked_resources(&self, tenant: TenantId, target: TargetId) -> Result<Vec<Uuid>, StoreError> {
        let found = sqlx::query_scalar(MARKED).bind(tenant.0).bind(target.0).bind(MOST_NAMED).fetch_all(self.pool());
        Ok(found.await?)
    }
}
