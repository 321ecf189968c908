//! Changing a user: one statement reads, one writes.

use super::create::lane;
use super::keys::{UserKeys, is_active};
use super::read::read;
use super::{ProjectionView, StoredUser, UserView};
use crate::detail;
use crate::mark::{dirty_user_and_reports, mark_dirty};
use crate::write::{Actor, Lock, UpdateError, Updated, Write, bind_write, change_entry};
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::ResourceId;
use rollcall_scim::resource::Resource;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// Writes the user if it still has the version that was read (`$7`).
const UPDATE: &str = concat!(
    "WITH written AS (UPDATE users SET user_name_key = $10, external_id = $11, active = $12, display_name_key = $13, ",
    "email_keys = $14, employee_number_key = $15, manager_id = $16, attributes = $17, version = version + 1, ",
    "modified_at = $3 WHERE tenant_id = $1 AND id = $2 AND version = $7 AND deleted_at IS NULL ",
    "RETURNING id, version), ",
    change_entry!("user", "update", "$6"),
    ", ",
    dirty_user_and_reports!(lane = "$8", reports = "$9"),
    ", ",
    mark_dirty!("user"),
    " SELECT (SELECT count(*) FROM written), ",
    "(SELECT state FROM marked WHERE resource_id = $2 ORDER BY target_id LIMIT 1)"
);

impl Store {
    /// Changes a user. `change` says what it becomes, from what it is; it may be asked several times, when somebody
    /// else was faster, and must not remember anything. If it becomes what it is, nothing is written.
    ///
    /// The reports are marked when `active` changes, because what a target shows as their manager depends on it.
    pub async fn update_user<E: Send>(
        &self,
        actor: &Actor,
        id: ResourceId,
        view: UserView,
        change: impl FnMut(&StoredUser) -> Result<Resource, E> + Send,
    ) -> Result<Updated<StoredUser>, UpdateError<E>> {
        let mut update = Update { store: self, actor, id, view, change };
        // Mostly nobody else is at the user: then the read shares a statement with other requests.
        let seen = self.user(actor.tenant, id, view).await?.ok_or(UpdateError::NotFound)?;
        let updated = match update.from(seen, self.pool()).await {
            Ok(Some(updated)) => updated,
            Ok(None) => self.write(update).await?,
            Err(UpdateError::Store(error)) if error.is_contention() => self.write(update).await?,
            Err(error) => return Err(error),
        };
        if updated.changed {
            self.signal.dirty();
        }
        Ok(updated)
    }
}

struct Update<'a, C> {
    store: &'a Store,
    actor: &'a Actor,
    id: ResourceId,
    view: UserView,
    change: C,
}

impl<E: Send, C: FnMut(&StoredUser) -> Result<Resource, E> + Send> Write for Update<'_, C> {
    type Done = Updated<StoredUser>;
    type Refusal = E;

    async fn once(&mut self, connection: &mut PgConnection, lock: Lock) -> Result<Option<Self::Done>, UpdateError<E>> {
        let user =
            read(&mut *connection, self.actor.tenant, self.id, self.view, lock).await?.ok_or(UpdateError::NotFound)?;
        self.from(user, connection).await
    }
}

impl<E: Send, C: FnMut(&StoredUser) -> Result<Resource, E> + Send> Update<'_, C> {
    /// Decides what becomes of the user as it was read, and writes it.
    async fn from(
        &mut self,
        user: StoredUser,
        executor: impl PgExecutor<'_>,
    ) -> Result<Option<Updated<StoredUser>>, UpdateError<E>> {
        let resource = (self.change)(&user).map_err(UpdateError::Refused)?;
        let before_version = user.version;
        if resource == user.resource {
            return Ok(Some(Updated { before_version, changed: false, value: user }));
        }
        let now = self.store.now();
        let written = write(executor, self.actor, &user, &resource, now).await?;
        Ok(written.map(|state| {
            let value = changed(user, resource, now, state);
            Updated { before_version, changed: true, value }
        }))
    }
}

/// Writes over `before`; `None` when somebody else did so first. Inside: the delivery's new state, if there is one.
async fn write(
    executor: impl PgExecutor<'_>,
    actor: &Actor,
    before: &StoredUser,
    after: &Resource,
    now: OffsetDateTime,
) -> Result<Option<Option<DeliveryState>>, StoreError> {
    let keys = UserKeys::of(after)?;
    let (written, state): (i64, Option<String>) = bind_write!(sqlx::query_as(UPDATE), actor, before.id, now)
        .bind(detail::updated(&before.resource, after))
        .bind(before.version)
        .bind(lane(keys.active).number())
        .bind(keys.active != is_active(&before.resource))
        .bind(keys.user_name)
        .bind(keys.external_id)
        .bind(keys.active)
        .bind(keys.display_name)
        .bind(keys.emails)
        .bind(keys.employee_number)
        .bind(keys.manager)
        .bind(Json(after.as_map()))
        .fetch_one(executor)
        .await?;
    if written == 0 {
        return Ok(None);
    }
    let state = state
        .map(|word| DeliveryState::parse(&word).ok_or(StoreError::corrupt("deliveries", "state", before.id.0)))
        .transpose()?;
    Ok(Some(state))
}

/// What a reader would find now: the new resource, and a delivery that a mark has made new.
fn changed(before: StoredUser, resource: Resource, now: OffsetDateTime, state: Option<DeliveryState>) -> StoredUser {
    let projection = before.projection.zip(state).map(|(seen, state)| ProjectionView { state, reason: None, ..seen });
    StoredUser { resource, version: before.version + 1, modified_at: now, projection, ..before }
}
