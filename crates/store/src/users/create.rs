//! A new user: one statement, one round trip; many at a time share one.
//!
//! Some clients create whom they have suspended before, and mean that person. Whether there might be one is asked by the
//! same statement, because nearly always there is none.

use super::keys::UserKeys;
use super::{ProjectionView, StoredUser};
use crate::connections::Connections;
use crate::detail;
use crate::external_ids::ExternalIds;
use crate::gather::{Kind, Rows, column};
use crate::manager::{ManagerReading, names_as_manager};
use crate::mark::mark_dirty;
use crate::write::{Actor, Wish};
use crate::{Store, StoreError, Uniqueness};
use rollcall_provisioning::delivery::{DeliveryState, Lane};
use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_scim::resource::Resource;
use serde_json::{Map, Value};
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// Creates users of the tenant `$1`. Names are taken in one order, so that two statements wait for each other instead of
/// blocking each other. The first array stands behind a `SELECT`, so that the planner does not plan again for each
/// length.
///
/// Whoever has named one of them as manager before they came is marked.
const CREATE: &str = concat!(
    "WITH input AS MATERIALIZED (
         SELECT * FROM unnest((SELECT $2)::uuid[], $3::timestamptz[], $4::uuid[], $5::text[], $6::jsonb[],
                              $7::smallint[], $8::text[], $9::text[], $10::boolean[], $11::text[], $12::jsonb[],
                              $13::text[], $14::text[], $15::jsonb[], $16::boolean[], $17::text[], $18::text[],
                              $19::uuid[])
              AS input (id, at, source_id, request_id, details, lane, user_name_key, external_id, active,
                        display_name_key, emails, employee_number_key, manager_id, attributes, respects,
                        manager_by, manager_key, manager_source)),
     namesakes AS MATERIALIZED (
         SELECT input.id FROM input
         WHERE input.respects AND input.external_id IS NOT NULL AND (EXISTS (
             SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.source_id = input.source_id
                                     AND u.external_id = input.external_id AND NOT u.active
                                     AND u.deleted_at IS NULL)
         OR EXISTS (
             SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.external_ids IS NOT NULL
                                     AND u.external_ids @> jsonb_build_object(input.source_id, input.external_id)
                                     AND NOT u.active AND u.deleted_at IS NULL))),
     written AS (
         INSERT INTO users (tenant_id, id, source_id, user_name_key, external_id, active, display_name_key, email_keys,
                            employee_number_key, manager_id, manager_by, manager_key, manager_source, attributes, version,
                            created_at, modified_at)
         SELECT $1, input.id, source_id, user_name_key, external_id, active, display_name_key,
                ARRAY(SELECT jsonb_array_elements_text(emails)), employee_number_key, manager_id, manager_by,
                manager_key, manager_source, attributes, 1, at, at
         FROM input WHERE NOT EXISTS (SELECT 1 FROM namesakes WHERE namesakes.id = input.id)
         ORDER BY user_name_key
         ON CONFLICT (tenant_id, user_name_key) WHERE deleted_at IS NULL DO NOTHING
         RETURNING id),
     entries AS (
         INSERT INTO changes (tenant_id, at, source_id, request_id, operation, resource_kind, resource_id, version,
                              details)
         SELECT $1, at, source_id, request_id, 'create', 'user', id, 1, details FROM input JOIN written USING (id)),
     first_marks AS (
         INSERT INTO deliveries (tenant_id, target_id, resource_kind, resource_id, lane, state, due_at, dirty_since,
                                 request_id, updated_at)
         SELECT $1, t.id, 'user', input.id, lane, 'pending', at, at, request_id, at
         FROM input JOIN written USING (id) CROSS JOIN targets t WHERE t.tenant_id = $1
         RETURNING resource_id),
     dirty AS (
         SELECT r.id AS resource_id, min(CASE WHEN r.active THEN 2::smallint ELSE 0::smallint END) AS lane,
                max(input.at) AS at, max(input.request_id) AS request_id
         FROM input JOIN written USING (id)
         CROSS JOIN LATERAL (VALUES ('externalId', input.external_id, input.source_id),
                                    ('employeeNumber', input.employee_number_key, NULL)) AS named (by, key, source)
         JOIN users r ON r.tenant_id = $1 AND ",
    names_as_manager!(),
    "
         WHERE r.deleted_at IS NULL GROUP BY r.id),
     ",
    mark_dirty!("user", at = "dirty.at", request_id = "dirty.request_id"),
    " SELECT input.id, EXISTS (SELECT 1 FROM written WHERE written.id = input.id) AS written,
            EXISTS (SELECT 1 FROM namesakes WHERE namesakes.id = input.id) AS namesake,
            EXISTS (SELECT 1 FROM first_marks WHERE first_marks.resource_id = input.id) AS marked
     FROM input"
);

/// Whether a user is created who might be somebody who is already there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Namesake {
    /// Only the uniqueness of `userName` stands in the way.
    Ignored,
    /// Nobody is created while the same source calls an inactive user so: it is [`StoreError::Namesake`].
    Respected,
}

/// Creations for one tenant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Create(TenantId);

/// A user to be created.
pub(crate) struct NewUser {
    now: OffsetDateTime,
    source: Uuid,
    request_id: String,
    details: Value,
    keys: UserKeys,
    attributes: Map<String, Value>,
    namesake: Namesake,
}

#[derive(sqlx::FromRow)]
struct Created {
    id: Uuid,
    written: bool,
    namesake: bool,
    marked: bool,
}

impl Kind for Create {
    type Key = Uuid;
    type Input = NewUser;
    /// Whether the user was marked for a target.
    type Output = bool;

    fn marks(marked: &bool) -> bool {
        *marked
    }

    async fn run(self, connections: &Connections, users: &[(Uuid, NewUser)]) -> Result<Rows<Self>, StoreError> {
        let created: Vec<Created> = sqlx::query_as(CREATE)
            .bind(self.0.0)
            .bind(users.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(column(users, |user| user.now))
            .bind(column(users, |user| user.source))
            .bind(column(users, |user| user.request_id.as_str()))
            .bind(column(users, |user| Json(&user.details)))
            .bind(column(users, |user| lane(user.keys.active).number()))
            .bind(column(users, |user| user.keys.user_name.as_str()))
            .bind(column(users, |user| user.keys.external_id.as_deref()))
            .bind(column(users, |user| user.keys.active))
            .bind(column(users, |user| user.keys.display_name.as_deref()))
            .bind(column(users, |user| Json(&user.keys.emails)))
            .bind(column(users, |user| user.keys.employee_number.as_deref()))
            .bind(column(users, |user| user.keys.manager.as_deref()))
            .bind(column(users, |user| Json(&user.attributes)))
            .bind(column(users, |user| user.namesake == Namesake::Respected))
            .bind(column(users, |user| user.keys.manager_key.as_ref().map(|key| key.by.as_str())))
            .bind(column(users, |user| user.keys.manager_key.as_ref().map(|key| key.key.as_str())))
            .bind(column(users, |user| user.keys.manager_key.as_ref().and_then(|key| key.source)))
            .fetch_all(connections)
            .await?;
        let end = |created: Created| match created {
            Created { written: true, marked, .. } => Ok(marked),
            Created { namesake: true, .. } => Err(StoreError::Namesake),
            Created { .. } => Err(StoreError::Conflict(Uniqueness::UserName)),
        };
        Ok(created.into_iter().map(|created| (created.id, end(created))).collect())
    }
}

impl Store {
    /// Creates a user. [`StoreError::Conflict`] when a live user has the same `userName`, whatever its case;
    /// [`StoreError::Namesake`] when a namesake is to be respected and there is one.
    pub async fn create_user(
        &self,
        actor: &Actor,
        wish: impl Into<Wish<Resource>>,
        namesake: Namesake,
    ) -> Result<StoredUser, StoreError> {
        let Wish { becomes: resource, withheld } = wish.into();
        let resource = &resource;
        let mut details = detail::created(resource);
        detail::withhold(&mut details, withheld);
        let (id, now) = (self.new_id(), self.now());
        let manager_reading = ManagerReading::of_wish(actor, resource);
        let keys = UserKeys::of(resource, manager_reading)?;
        let user = NewUser {
            now,
            source: actor.source.0,
            request_id: actor.request_id.clone(),
            details,
            keys,
            attributes: resource.as_map().clone(),
            namesake,
        };
        let marked = self.new_users.ask(Create(actor.tenant), id, user).await?;
        let marked = marked.ok_or(StoreError::corrupt("users", "id", id))?;
        Ok(StoredUser {
            id: ResourceId(id),
            resource: resource.clone(),
            external_ids: ExternalIds::new(actor.source, resource),
            manager_reading,
            version: 1,
            created_at: now,
            modified_at: now,
            groups: Vec::new(),
            projection: marked.then_some(ProjectionView {
                remote_id: None,
                state: DeliveryState::Pending,
                applied_version: None,
                applied_at: None,
                reason: None,
            }),
        })
    }
}

/// People who lose their access go first.
pub(super) const fn lane(active: bool) -> Lane {
    if active { Lane::Other } else { Lane::Leaver }
}
