//! Changing a user: one statement reads, one writes; those of many at a time are shared.

use super::create::lane;
use super::keys::{UserKeys, is_active};
use super::read::read;
use super::{ProjectionView, StoredUser, UserView};
use crate::changes::record_withheld;
use crate::connections::Connections;
use crate::detail;
use crate::external_ids::{ExternalIds, without_external_id};
use crate::gather::{Kind, Rows, column};
use crate::manager::{ManagerReading, is_named_otherwise, manager, manager_names, names_as_manager};
use crate::mark::mark_dirty;
use crate::write::{Actor, Lock, UpdateError, Updated, Wish, Write};
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TenantId};
use rollcall_scim::profile::ManagerBy;
use rollcall_scim::resource::Resource;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// Writes those users of the tenant `$1` that still have the version that was read. The reports of one whose `reports`
/// is true are marked too, and of one whose `renamed` is true those who find it, or found it, by another name than its id. A resource is marked once, also when it is one of the users and somebody's report. Rows are
/// written in the order of their ids, so that two statements wait for each other instead of blocking each other. The
/// first array stands behind a `SELECT`, so that the planner does not plan again for each length.
const UPDATE: &str = concat!(
    "WITH input AS MATERIALIZED (SELECT * FROM unnest((SELECT $2)::uuid[], $3::timestamptz[], $4::uuid[], $5::text[], ",
    "$6::jsonb[], $7::bigint[], $8::smallint[], $9::boolean[], $10::text[], $11::text[], $12::boolean[], $13::text[], ",
    "$14::jsonb[], $15::text[], $16::text[], $17::jsonb[], $18::text[], $19::text[], $20::boolean[], $21::jsonb[], ",
    "$22::uuid[]) ",
    "AS input (id, at, source_id, request_id, details, version, ",
    "lane, reports, user_name_key, external_id, active, display_name_key, emails, employee_number_key, manager_id, ",
    "attributes, manager_by, manager_key, renamed, external_ids, manager_source) ORDER BY id), ",
    "written AS (UPDATE users u SET user_name_key = i.user_name_key, external_id = i.external_id, active = i.active, ",
    "display_name_key = i.display_name_key, email_keys = ARRAY(SELECT jsonb_array_elements_text(i.emails)), ",
    "employee_number_key = i.employee_number_key, manager_id = i.manager_id, ",
    "manager_by = i.manager_by, manager_key = i.manager_key, manager_source = i.manager_source, ",
    "attributes = i.attributes, ",
    "external_ids = i.external_ids, ",
    "version = u.version + 1, modified_at = i.at FROM input i ",
    "WHERE u.tenant_id = $1 AND u.id = i.id AND u.version = i.version AND u.deleted_at IS NULL ",
    "RETURNING u.id, u.version), ",
    "entries AS (INSERT INTO changes (tenant_id, at, source_id, request_id, operation, resource_kind, resource_id, ",
    "version, details) SELECT $1, i.at, i.source_id, i.request_id, 'update', 'user', written.id, written.version, ",
    "i.details FROM input i JOIN written ON written.id = i.id), ",
    "reasons AS (SELECT i.id AS resource_id, i.lane, i.at, i.request_id FROM input i JOIN written ON written.id = i.id ",
    "UNION ALL SELECT r.id, CASE WHEN r.active THEN 2::smallint ELSE 0::smallint END, i.at, i.request_id ",
    "FROM input i JOIN written ON written.id = i.id JOIN users r ON r.tenant_id = $1 AND r.manager_id = i.id::text ",
    "WHERE i.reports AND r.deleted_at IS NULL AND r.id <> i.id ",
    // What the row held before is still seen in the table.
    "UNION ALL SELECT r.id, CASE WHEN r.active THEN 2::smallint ELSE 0::smallint END, i.at, i.request_id ",
    "FROM input i JOIN written ON written.id = i.id JOIN users o ON o.tenant_id = $1 AND o.id = i.id ",
    "CROSS JOIN LATERAL (",
    manager_names!("o", creator = "o.source_id"),
    " UNION ALL ",
    manager_names!("i", creator = "o.source_id"),
    ") named JOIN users r ON r.tenant_id = $1 AND ",
    names_as_manager!(),
    " WHERE (i.reports OR i.renamed) AND r.deleted_at IS NULL AND r.id <> i.id), ",
    "dirty AS (SELECT resource_id, min(lane) AS lane, max(at) AS at, max(request_id) AS request_id FROM reasons ",
    "GROUP BY resource_id), ",
    mark_dirty!("user", at = "dirty.at", request_id = "dirty.request_id"),
    " SELECT i.id, EXISTS (SELECT 1 FROM written WHERE written.id = i.id) AS written, ",
    "(SELECT state FROM marked WHERE marked.resource_id = i.id ORDER BY target_id LIMIT 1) AS state FROM input i"
);

impl Store {
    /// Changes a user. `change` says what it becomes, from what it is; it may be asked several times, when somebody
    /// else was faster, and must not remember anything. If it becomes what it is, nothing is written.
    ///
    /// The reports are marked when `active` changes, because what a target shows as their manager depends on it; and when
    /// what they may find their manager by changes.
    ///
    /// How a manager is read goes with the value: who writes another one says how it is read, and so does a client that
    /// names managers by something else than ids. One that names them by ids and leaves the value as it was, perhaps
    /// because it writes back what it has read, leaves the reading too.
    pub async fn update_user<E: Send, W: Into<Wish<Resource>>>(
        &self,
        actor: &Actor,
        id: ResourceId,
        view: UserView,
        change: impl FnMut(&StoredUser) -> Result<W, E> + Send,
    ) -> Result<Updated<StoredUser>, UpdateError<E>> {
        let view = UserView { source: Some(actor.source), ..view };
        self.change_user(Update { store: self, actor, id, view, change, lets_go: false }).await
    }

    /// The source has nothing to do with the user any more, who stays, because another one decides about that, by the
    /// attribute that is recorded as `withheld`: the source's `externalId` goes. `check` judges the version, as for a
    /// deletion.
    pub async fn let_go_of_user<E: Send>(
        &self,
        actor: &Actor,
        id: ResourceId,
        withheld: &str,
        mut check: impl FnMut(i64) -> Result<(), E> + Send,
    ) -> Result<(), UpdateError<E>> {
        let change = |user: &StoredUser| {
            check(user.version)?;
            Ok(Wish { becomes: user.resource.clone(), withheld: vec![withheld.to_owned()] })
        };
        let view = UserView { source: Some(actor.source), ..UserView::default() };
        self.change_user(Update { store: self, actor, id, view, change, lets_go: true }).await.map(drop)
    }

    async fn change_user<E: Send, W: Into<Wish<Resource>>>(
        &self,
        mut update: Update<'_, impl FnMut(&StoredUser) -> Result<W, E> + Send>,
    ) -> Result<Updated<StoredUser>, UpdateError<E>> {
        let Update { actor, id, view, .. } = update;
        // Mostly nobody else is at the user: then read and write each share a statement with other requests.
        let seen = self.user(actor.tenant, id, view).await?.ok_or(UpdateError::NotFound)?;
        let updated = match update.together(seen).await {
            Ok(Some(updated)) => return Ok(updated),
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
    /// Whether the source lets go of the user.
    lets_go: bool,
}

/// What follows from a wish.
enum Decision {
    /// The user is what it should become; these attributes were withheld.
    Nothing(Vec<String>),
    /// This is to be written.
    Write(Box<ChangedUser>),
}

impl<E: Send, W: Into<Wish<Resource>>, C: FnMut(&StoredUser) -> Result<W, E> + Send> Write for Update<'_, C> {
    type Done = Updated<StoredUser>;
    type Refusal = E;

    async fn once(&mut self, connection: &mut PgConnection, lock: Lock) -> Result<Option<Self::Done>, UpdateError<E>> {
        let user =
            read(&mut *connection, self.actor.tenant, self.id, self.view, lock).await?.ok_or(UpdateError::NotFound)?;
        let changed = match self.decide(&user)? {
            Decision::Write(changed) => *changed,
            Decision::Nothing(withheld) => {
                record(connection, self.actor, &user, &withheld, self.store.now()).await?;
                return Ok(Some(unchanged(user)));
            }
        };
        let asked = [(user.id.0, changed)];
        let ends = write_all(connection, self.actor.tenant, &asked).await?;
        let [(_, ChangedUser { now, manager_reading, resource, external_ids, .. })] = asked;
        let end = ends.into_iter().next().map(|(_, end)| end).transpose()?.flatten();
        Ok(end.map(|state| changed_to(StoredUser { external_ids, manager_reading, ..user }, resource, now, state)))
    }
}

/// Says what was not applied, where nothing else is to be said.
async fn record(
    executor: impl PgExecutor<'_>,
    actor: &Actor,
    user: &StoredUser,
    withheld: &[String],
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    if withheld.is_empty() {
        return Ok(());
    }
    record_withheld(executor, actor, (ResourceKind::User, user.id, user.version), withheld, now).await
}

impl<E: Send, W: Into<Wish<Resource>>, C: FnMut(&StoredUser) -> Result<W, E> + Send> Update<'_, C> {
    /// Writes what becomes of the user as it was read, together with other requests.
    async fn together(&mut self, user: StoredUser) -> Result<Option<Updated<StoredUser>>, UpdateError<E>> {
        let changed = match self.decide(&user)? {
            Decision::Write(changed) => *changed,
            Decision::Nothing(withheld) => {
                record(self.store.pool(), self.actor, &user, &withheld, self.store.now()).await?;
                return Ok(Some(unchanged(user)));
            }
        };
        let (now, manager_reading, resource) = (changed.now, changed.manager_reading, changed.resource.clone());
        let external_ids = changed.external_ids.clone();
        let end = self.store.changed_users.ask(Change(self.actor.tenant), user.id.0, changed).await?.flatten();
        Ok(end.map(|state| changed_to(StoredUser { external_ids, manager_reading, ..user }, resource, now, state)))
    }

    /// What is to be written, if anything is.
    fn decide(&mut self, user: &StoredUser) -> Result<Decision, UpdateError<E>> {
        let wish = (self.change)(user).map_err(UpdateError::Refused)?;
        let Wish { becomes: mut resource, withheld } = wish.into();
        let source = self.actor.source;
        if self.lets_go {
            resource = without_external_id(resource);
        }
        let manager_reading = if self.lets_go { user.manager_reading } else { reading(self.actor, user, &resource) };
        let (external_ids, kept) = user.external_ids.written(source, &resource);
        let external_ids = if self.lets_go { external_ids.let_go(source) } else { external_ids };
        let same = (&resource, manager_reading, &external_ids);
        if same == (&user.resource, user.manager_reading, &user.external_ids) {
            return Ok(Decision::Nothing(withheld));
        }
        let keys = UserKeys::of(kept.as_ref().unwrap_or(&resource), manager_reading)?;
        let mut details = detail::updated(&user.resource, &resource);
        if let (true, Some(details)) = (manager_reading != user.manager_reading, details.as_object_mut()) {
            details.insert("manager_by".to_owned(), manager_reading.by().as_str().into());
        }
        detail::withhold(&mut details, withheld);
        Ok(Decision::Write(Box::new(ChangedUser {
            now: self.store.now(),
            source: self.actor.source.0,
            request_id: self.actor.request_id.clone(),
            details,
            version: user.version,
            reports: keys.active != is_active(&user.resource),
            renamed: is_named_otherwise((&user.resource, &user.external_ids), (&resource, &external_ids)),
            manager_reading,
            keys,
            external_ids,
            kept,
            resource,
        })))
    }
}

/// Changes for one tenant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Change(TenantId);

/// What becomes of a user.
pub(crate) struct ChangedUser {
    now: OffsetDateTime,
    source: Uuid,
    request_id: String,
    details: Value,
    /// The version that was read.
    version: i64,
    /// Whether the reports are marked too.
    reports: bool,
    /// Whether those are marked too who name them as manager by something else than the id.
    renamed: bool,
    manager_reading: ManagerReading,
    keys: UserKeys,
    external_ids: ExternalIds,
    /// What is written, where that is not what the source sees.
    kept: Option<Resource>,
    /// What the source sees.
    resource: Resource,
}

/// The state of the first target's delivery after a write, if there is a target. `None` outside: not written, because
/// somebody else was faster.
type End = Option<Option<DeliveryState>>;

impl Kind for Change {
    type Key = Uuid;
    type Input = ChangedUser;
    type Output = End;

    fn marks(end: &End) -> bool {
        end.is_some()
    }

    async fn run(self, connections: &Connections, users: &[(Uuid, ChangedUser)]) -> Result<Rows<Self>, StoreError> {
        write_all(connections, self.0, users).await
    }
}

#[derive(sqlx::FromRow)]
struct WrittenRow {
    id: Uuid,
    written: bool,
    state: Option<String>,
}

/// Writes users over the versions that were read.
async fn write_all(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    users: &[(Uuid, ChangedUser)],
) -> Result<Rows<Change>, StoreError> {
    let rows: Vec<WrittenRow> = sqlx::query_as(UPDATE)
        .bind(tenant.0)
        .bind(users.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(column(users, |user| user.now))
        .bind(column(users, |user| user.source))
        .bind(column(users, |user| user.request_id.as_str()))
        .bind(column(users, |user| Json(&user.details)))
        .bind(column(users, |user| user.version))
        .bind(column(users, |user| lane(user.keys.active).number()))
        .bind(column(users, |user| user.reports))
        .bind(column(users, |user| user.keys.user_name.as_str()))
        .bind(column(users, |user| user.keys.external_id.as_deref()))
        .bind(column(users, |user| user.keys.active))
        .bind(column(users, |user| user.keys.display_name.as_deref()))
        .bind(column(users, |user| Json(&user.keys.emails)))
        .bind(column(users, |user| user.keys.employee_number.as_deref()))
        .bind(column(users, |user| user.keys.manager.as_deref()))
        .bind(column(users, |user| Json(user.kept.as_ref().unwrap_or(&user.resource).as_map())))
        .bind(column(users, |user| user.keys.manager_key.as_ref().map(|key| key.by.as_str())))
        .bind(column(users, |user| user.keys.manager_key.as_ref().map(|key| key.key.as_str())))
        .bind(column(users, |user| user.renamed))
        .bind(column(users, |user| user.external_ids.others()))
        .bind(column(users, |user| user.keys.manager_key.as_ref().and_then(|key| key.source)))
        .fetch_all(executor)
        .await?;
    let end = |row: WrittenRow| -> Result<End, StoreError> {
        let corrupt = || StoreError::corrupt("deliveries", "state", row.id);
        let state = row.state.as_deref().map(|word| DeliveryState::parse(word).ok_or_else(corrupt)).transpose()?;
        Ok(row.written.then_some(state))
    };
    Ok(rows.into_iter().map(|row| (row.id, end(row))).collect())
}

/// How the manager in `after` is read, if this actor writes it over what is stored.
fn reading(actor: &Actor, before: &StoredUser, after: &Resource) -> ManagerReading {
    if actor.manager_by == ManagerBy::Id && manager(after) == manager(&before.resource) {
        return before.manager_reading;
    }
    ManagerReading::of_wish(actor, after)
}

/// The user already was what it should become.
const fn unchanged(user: StoredUser) -> Updated<StoredUser> {
    Updated { before_version: user.version, changed: false, value: user }
}

/// What a reader would find now: the new resource, and a delivery that a mark has made new.
fn changed_to(
    before: StoredUser,
    resource: Resource,
    now: OffsetDateTime,
    state: Option<DeliveryState>,
) -> Updated<StoredUser> {
    let before_version = before.version;
    let projection = before.projection.zip(state).map(|(seen, state)| ProjectionView { state, reason: None, ..seen });
    let value = StoredUser { resource, version: before_version + 1, modified_at: now, projection, ..before };
    Updated { before_version, changed: true, value }
}
