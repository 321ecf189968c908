//! A tenant with one source on a database of its own, and short ways to say what a test is about.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rollcall_provisioning::ids::{IdSource, ResourceId, SourceId, TenantId};
use rollcall_provisioning::time::ManualClock;
use rollcall_scim::profile::{ManagerBy, Profile};
use rollcall_scim::resource::Resource;
use rollcall_store::groups::{GroupUpdate, StoredGroup};
use rollcall_store::projection::{NewTarget, TargetMode};
use rollcall_store::users::{Namesake, StoredUser, UserView};
use rollcall_store::write::{Actor, UpdateError, Updated};
use rollcall_store::{Ports, Store};
use rollcall_tests::Database;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

pub(crate) const ENTERPRISE: &str = rollcall_scim::schema::enterprise::URN;

/// When every story begins.
pub(crate) const START: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

/// Ids in the order in which they were asked for, spelt like those of the real server.
#[derive(Default)]
struct Series(AtomicU64);

impl IdSource for Series {
    fn new_id(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 | (u128::from(number) << 64) | 0xabcd)
    }
}

/// Nothing is refused in most tests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Never;

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tenant: TenantId,
    pub(crate) source: SourceId,
    pub(crate) database: Database,
}

impl Fixture {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let database = Database::new().await?;
        let clock = Arc::new(ManualClock::new(START));
        let ports = Ports { clock: clock.clone(), ids: Arc::new(Series::default()) };
        let store = Store::connect(database.url(), 20, ports).await?;
        let tenant = store.create_tenant("acme").await?.id;
        let source = store.create_source(tenant, "okta", &Profile::generic()).await?.id;
        Ok(Self { store, clock, tenant, source, database })
    }

    /// Another store on the same database, with one connection and nothing remembered.
    pub(crate) async fn lone_store(&self) -> anyhow::Result<Store> {
        let ports = Ports { clock: self.clock.clone(), ids: Arc::new(Series::default()) };
        Ok(Store::connect(self.database.url(), 1, ports).await?)
    }

    pub(crate) fn actor(&self, request_id: &str) -> Actor {
        Actor { tenant: self.tenant, source: self.source, manager_by: ManagerBy::Id, request_id: request_id.to_owned() }
    }

    pub(crate) async fn target(&self, name: &str) -> anyhow::Result<Uuid> {
        let target = NewTarget {
            id: self.store.new_target_id(),
            name: name.to_owned(),
            kind: "dingtalk".to_owned(),
            settings: json!({}),
            secret_sealed: Vec::new(),
            mode: TargetMode::Live,
        };
        Ok(self.store.create_target(self.tenant, &target).await?.0)
    }

    pub(crate) async fn user(&self, value: Value) -> anyhow::Result<StoredUser> {
        Ok(self.store.create_user(&self.actor("create"), resource(value), Namesake::Ignored).await?)
    }

    /// A user of that name and nothing else.
    pub(crate) async fn person(&self, name: &str) -> anyhow::Result<StoredUser> {
        self.user(json!({ "userName": name, "active": true })).await
    }

    pub(crate) async fn group(&self, name: &str, members: &[&str]) -> anyhow::Result<StoredGroup> {
        let members: Vec<String> = members.iter().map(|member| (*member).to_owned()).collect();
        let resource = resource(json!({ "displayName": name }));
        Ok(self.store.create_group(&self.actor("create"), resource, &members).await?)
    }

    /// Sets attributes of a user; `null` takes one away.
    pub(crate) async fn set(&self, id: ResourceId, values: Value) -> Result<Updated<StoredUser>, UpdateError<Never>> {
        let actor = self.actor("update");
        self.store.update_user(&actor, id, UserView::default(), |user| Ok(with(&user.resource, &values))).await
    }

    pub(crate) async fn delete(&self, id: ResourceId) -> Result<(), UpdateError<Never>> {
        self.store.delete_user(&self.actor("delete"), id, |_| Ok(())).await
    }

    /// Changes the members of a group, without minding its version.
    pub(crate) async fn members(
        &self,
        id: ResourceId,
        changes: Vec<rollcall_scim::patch::Detached>,
    ) -> Result<Updated<StoredGroup>, UpdateError<Never>> {
        let changes: Vec<_> = changes
            .into_iter()
            .map(|change| rollcall_scim::patch::DetachedChange { attribute: "members".to_owned(), change })
            .collect();
        let actor = self.actor("members");
        let change = |group: &StoredGroup| Ok((group.resource.clone(), changes.clone()));
        self.store.update_group(&actor, id, GroupUpdate::default(), change).await
    }

    /// The values of a group's members.
    pub(crate) async fn member_values(&self, id: ResourceId) -> anyhow::Result<Vec<String>> {
        let values = self.store.roll(self.tenant, id, None).await?.map(|roll| roll.values).unwrap_or_default();
        Ok(self.store.members(self.tenant, &values).await?.into_iter().map(|member| member.value).collect())
    }
}

/// A resource that holds these attributes; anything but an object holds none, and no write would take it.
pub(crate) fn resource(value: Value) -> Resource {
    match value {
        Value::Object(map) => Resource::from_map(map),
        _ => Resource::default(),
    }
}

pub(crate) fn with(resource: &Resource, values: &Value) -> Resource {
    let mut map = resource.as_map().clone();
    for (name, value) in values.as_object().into_iter().flatten() {
        if value.is_null() {
            map.shift_remove(name);
        } else {
            map.insert(name.clone(), value.clone());
        }
    }
    Resource::from_map(map)
}

/// Runs everything at the same time and waits for all.
pub(crate) async fn together<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut running = tokio::task::JoinSet::new();
    for future in futures {
        running.spawn(future);
    }
    running.join_all().await
}
