//! A new user: one statement, one round trip.

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
    "VALUES ($1, $2, $4, $8, $9, $10, $11, $12, $13, $14, $15, 1, $3, $3) RETURNING id, version), ",
    change_entry!("user", "create", "$6"),
    ", dirty AS (SELECT written.id AS resource_id, $7::smallint AS lane FROM written), ",
    mark_dirty!("user"),
    " SELECT count(*) FROM marked"
);

impl Store {
    /// Creates a user. [`StoreError::Conflict`] when a live user has the same `userName`, whatever its case.
    pub async fn create_user(&self, actor: &Actor, resource: &Resource) -> Result<StoredUser, StoreError> {
        let (id, now, keys) = (ResourceId(self.new_id()), self.now(), UserKeys::of(resource)?);
        let marked: i64 = bind_write!(sqlx::query_scalar(CREATE), actor, id, now)
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
            .fetch_one(self.pool())
            .await?;
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
