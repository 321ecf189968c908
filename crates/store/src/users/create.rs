//! A new user: one statement, one round trip.
//!
//! Some clients create whom they have suspended before, and mean that person. Whether there might be one is asked by the
//! same statement, because nearly always there is none.

use super::keys::UserKeys;
use super::{ProjectionView, StoredUser};
use crate::detail;
use crate::mark::mark_dirty;
use crate::write::{Actor, bind_write, change_entry};
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::{DeliveryState, Lane};
use rollcall_provisioning::ids::ResourceId;
use rollcall_scim::resource::Resource;
use sqlx::types::Json;

const CREATE: &str = concat!(
    "WITH written AS (INSERT INTO users (tenant_id, id, source_id, user_name_key, external_id, active, ",
    "display_name_key, email_keys, employee_number_key, manager_id, attributes, version, created_at, modified_at) ",
    "SELECT $1, $2, $4, $8, $9, $10, $11, $12, $13, $14, $15, 1, $3, $3 WHERE NOT ($16 AND EXISTS ",
    "(SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.external_id = $9 AND NOT u.active AND u.deleted_at IS NULL)) ",
    "RETURNING id, version), ",
    change_entry!("user", "create", "$6"),
    ", dirty AS (SELECT written.id AS resource_id, $7::smallint AS lane FROM written), ",
    mark_dirty!("user"),
    " SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM marked)"
);

/// Whether a user is created who might be somebody who is already there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Namesake {
    /// Only the uniqueness of `userName` stands in the way.
    Ignored,
    /// Nobody is created while an inactive user has the same `externalId`: it is [`StoreError::Namesake`].
    Respected,
}

impl Store {
    /// Creates a user. [`StoreError::Conflict`] when a live user has the same `userName`, whatever its case;
    /// [`StoreError::Namesake`] when a namesake is to be respected and there is one.
    pub async fn create_user(
        &self,
        actor: &Actor,
        resource: &Resource,
        namesake: Namesake,
    ) -> Result<StoredUser, StoreError> {
        let (id, now, keys) = (ResourceId(self.new_id()), self.now(), UserKeys::of(resource)?);
        let (written, marked): (i64, i64) = bind_write!(sqlx::query_as(CREATE), actor, id, now)
            .bind(detail::created(resource))
            .bind(lane(keys.active).number())
            .bind(keys.user_name)
            .bind(keys.external_id)
            .bind(keys.active)
            .bind(keys.display_name)
            .bind(keys.emails)
            .bind(keys.employee_number)
            .bind(keys.manager)
            .bind(Json(resource.as_map()))
            .bind(namesake == Namesake::Respected)
            .fetch_one(self.pool())
            .await?;
        if written == 0 {
            return Err(StoreError::Namesake);
        }
        if marked > 0 {
            self.signal.dirty();
        }
        Ok(StoredUser {
            id,
            resource: resource.clone(),
            version: 1,
            created_at: now,
            modified_at: now,
            groups: Vec::new(),
            projection: (marked > 0).then_some(ProjectionView {
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
