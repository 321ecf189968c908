//! A tenant with one target in memory, short ways to say what a test is about, and what came of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use rollcall_provisioning::connector::Connector;
use rollcall_provisioning::entity;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::{IdSource, ResourceId, ResourceKind, SourceId, TargetId, TenantId};
use rollcall_provisioning::time::{Clock, ManualClock};
use rollcall_reconciler::{ConnectorFactory, FactoryError, Options, Reconciler};
use rollcall_scim::profile::{ManagerBy, Profile};
use rollcall_scim::resource::Resource;
use rollcall_store::projection::{AttemptQuery, Link, NewTarget, Target, TargetMode};
use rollcall_store::users::{Namesake, StoredUser, UserView};
use rollcall_store::write::Actor;
use rollcall_store::{Ports, Store};
use rollcall_tests::{Database, wait_until};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fake::{FakeTarget, text};
use crate::holdings::Holdings;

const ENTERPRISE: &str = rollcall_scim::schema::enterprise::URN;
pub(crate) const START: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

/// How long everything may take to come to rest.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How often the clock is moved to the next try before a test gives up.
const MOVES: usize = 60;

/// Ids in the order in which they were asked for.
#[derive(Default)]
struct Series(AtomicU64);

impl IdSource for Series {
    fn new_id(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 | (u128::from(number) << 64) | 0xabcd)
    }
}

/// The targets in memory, by id.
#[derive(Default)]
struct Fakes {
    all: Mutex<HashMap<TargetId, Arc<FakeTarget>>>,
    broken: AtomicBool,
}

impl ConnectorFactory for Fakes {
    fn connect(&self, target: &Target) -> Result<Arc<dyn Connector>, FactoryError> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(&target.id).cloned() {
            Some(fake) if !self.broken.load(Ordering::Relaxed) => Ok(fake),
            _ => Err(FactoryError("the settings are broken".to_owned())),
        }
    }
}

/// A refusal that never comes.
#[derive(Debug)]
pub(crate) struct Never;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tenant: TenantId,
    pub(crate) source: SourceId,
    /// How the source names managers.
    pub(crate) manager_by: ManagerBy,
    pub(crate) target: TargetId,
    pub(crate) fake: Arc<FakeTarget>,
    fakes: Arc<Fakes>,
    pub(crate) database: Arc<Database>,
}

/// One person at the target, by names instead of ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) departments: Vec<String>,
    pub(crate) manager: String,
    pub(crate) email: String,
    pub(crate) title: String,
}

/// Everything at the target, by names instead of ids, and how every delivery stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Picture {
    /// More than one entry for a person is a duplicate.
    pub(crate) people: BTreeMap<String, Vec<Seen>>,
    pub(crate) departments: Vec<String>,
    pub(crate) states: BTreeMap<String, String>,
}

impl World {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let database = Arc::new(Database::new().await?);
        let clock = Arc::new(ManualClock::new(START));
        let ports = Ports { clock: clock.clone(), ids: Arc::new(Series::default()) };
        let store = Store::connect(database.url(), 20, ports).await?;
        Self::with(store, clock, Arc::default(), database).await
    }

    /// Another tenant with a target of its own in the same database.
    pub(crate) async fn neighbour(&self) -> anyhow::Result<Self> {
        Self::with(self.store.clone(), self.clock.clone(), self.fakes.clone(), self.database.clone()).await
    }

    async fn with(
        store: Store,
        clock: Arc<ManualClock>,
        fakes: Arc<Fakes>,
        database: Arc<Database>,
    ) -> anyhow::Result<Self> {
        let name = format!("tenant-{}", store.tenants().await?.len());
        let tenant = store.create_tenant(&name).await?.id;
        let source = store.create_source(tenant, "okta", &Profile::generic()).await?.id;
        let new = NewTarget {
            id: store.new_target_id(),
            name: "dingtalk".to_owned(),
            kind: "fake".to_owned(),
            settings: json!({}),
            secret_sealed: Vec::new(),
            mode: TargetMode::Live,
        };
        let target = store.create_target(tenant, &new).await?;
        let fake = Arc::new(FakeTarget::default());
        fakes.all.lock().unwrap_or_else(PoisonError::into_inner).insert(target, fake.clone());
        let manager_by = ManagerBy::Id;
        Ok(Self { store, clock, tenant, source, manager_by, target, fake, fakes, database })
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor {
            tenant: self.tenant,
            source: self.source,
            manager_by: self.manager_by,
            request_id: "request".to_owned(),
        }
    }

    /// Creates a person of that name. `more` replaces single attributes; `department`, `manager`, `mobile` and
    /// `email` are put where SCIM has them.
    pub(crate) async fn person(&self, name: &str, more: Value) -> anyhow::Result<ResourceId> {
        let mut map = Map::new();
        map.insert("userName".to_owned(), json!(name));
        map.insert("displayName".to_owned(), json!(name));
        map.insert("active".to_owned(), json!(true));
        // A number that follows from the name, so that it is the same in every run.
        let number = name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
        set(&mut map, "mobile", &json!(format!("1380{:07}", number % 10_000_000)));
        for (key, value) in more.as_object().into_iter().flatten() {
            set(&mut map, key, value);
        }
        Ok(self.store.create_user(&self.actor(), Resource::from_map(map), Namesake::Ignored).await?.id)
    }

    /// Changes single attributes of a person, spelt as for [`Self::person`].
    pub(crate) async fn set(&self, id: ResourceId, values: Value) -> anyhow::Result<()> {
        self.set_by(&self.actor(), id, values).await
    }

    /// The same by a source of one's own.
    pub(crate) async fn set_by(&self, actor: &Actor, id: ResourceId, values: Value) -> anyhow::Result<()> {
        let change = |user: &StoredUser| {
            let mut map = user.resource.as_map().clone();
            for (key, value) in values.as_object().into_iter().flatten() {
                set(&mut map, key, value);
            }
            Ok::<_, Never>(Resource::from_map(map))
        };
        self.store
            .update_user(actor, id, UserView::default(), change)
            .await
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(())
    }

    pub(crate) async fn delete(&self, id: ResourceId) -> anyhow::Result<()> {
        let end = self.store.delete_user(&self.actor(), id, |_| Ok::<_, Never>(())).await;
        end.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    /// The id of a person who is there or was.
    pub(crate) async fn id(&self, name: &str) -> anyhow::Result<ResourceId> {
        let id = sqlx::query_scalar("SELECT id FROM users WHERE tenant_id = $1 AND attributes ->> 'userName' = $2")
            .bind(self.tenant.0)
            .bind(name)
            .fetch_one(self.database.pool())
            .await?;
        Ok(ResourceId(id))
    }

    /// Sets whether changes are sent.
    pub(crate) async fn mode(&self, mode: TargetMode) -> anyhow::Result<()> {
        assert!(self.store.set_target_mode(self.tenant, self.target, mode).await?);
        Ok(())
    }

    pub(crate) async fn limit(&self, guards: &Guards) -> anyhow::Result<()> {
        let set = self.store.change_guards((self.tenant, self.target), "ann", |_, _| anyhow::Ok(guards.clone()));
        set.await?.context("there is a target")?
    }

    /// Makes connectors impossible to make, or possible again.
    pub(crate) fn break_settings(&self, broken: bool) {
        self.fakes.broken.store(broken, Ordering::Relaxed);
    }

    /// Puts the organisation behind another target too.
    pub(crate) fn serve(&self, target: TargetId) {
        self.fakes.all.lock().unwrap_or_else(PoisonError::into_inner).insert(target, Arc::new(FakeTarget::default()));
    }

    /// What is remembered of a person's account.
    pub(crate) async fn link(&self, id: ResourceId) -> anyhow::Result<Option<Link>> {
        Ok(self.store.link(self.tenant, self.target, ResourceKind::User, id).await?)
    }

    /// A worker that looks often and holds what it claims for long: only a test ends a lease.
    pub(crate) fn options(worker: &str) -> Options {
        Options {
            worker: worker.to_owned(),
            places: 4,
            leaver_places: 2,
            lease: Duration::from_hours(1),
            poll: Duration::from_millis(10),
            limit: Duration::from_mins(1),
            page: 3,
        }
    }

    /// The same, with one thing at a time, so that calls and writes come in the same order every time.
    pub(crate) fn one_by_one(worker: &str) -> Options {
        Options { places: 1, leaver_places: 1, ..Self::options(worker) }
    }

    pub(crate) fn reconciler(&self, options: Options) -> Reconciler {
        Reconciler::new(self.store.clone(), self.fakes.clone(), self.clock.clone(), options)
    }

    /// Lets a worker work while `meanwhile` goes on, then drops it, as a process that is killed, and ends its leases.
    pub(crate) async fn work<T>(
        &self,
        options: Options,
        meanwhile: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        self.work_until_killed(options, meanwhile, async { Ok(()) }).await
    }

    /// The same; `after` happens when the worker is gone and before its leases end.
    pub(crate) async fn work_until_killed<T>(
        &self,
        options: Options,
        meanwhile: impl Future<Output = anyhow::Result<T>>,
        after: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<T> {
        let reconciler = self.reconciler(options);
        let end = tokio::select! {
            () = Box::pin(reconciler.run(CancellationToken::new())) => bail!("the worker ended by itself"),
            end = meanwhile => end?,
        };
        after.await?;
        self.leases_run_out().await?;
        Ok(end)
    }

    /// Lets a worker work until nothing is due, moving the clock to the next try of whatever failed.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        self.work(Self::options("settler"), self.at_rest()).await
    }

    /// The states in which these stand, sorted.
    pub(crate) async fn states_of(&self, names: &[&str]) -> anyhow::Result<Vec<String>> {
        let mut states = Vec::new();
        for name in names {
            states.push(self.standing(name).await?.state);
        }
        states.sort();
        Ok(states)
    }

    /// Ends all leases, as time would, once nothing that a dropped worker has begun is still on its way.
    async fn leases_run_out(&self) -> anyhow::Result<()> {
        wait_until(PATIENCE, "the dropped worker's statements have ended", async || {
            let busy: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM pg_stat_activity
                                WHERE datname = current_database() AND application_name = 'rollcall' AND state <> 'idle')",
            )
            .fetch_one(self.database.pool())
            .await?;
            Ok((!busy).then_some(()))
        })
        .await?;
        self.end_leases().await
    }

    /// Ends all leases, although their worker lives.
    pub(crate) async fn end_leases(&self) -> anyhow::Result<()> {
        sqlx::query("UPDATE deliveries SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// Waits until so many actions on a person were tried.
    pub(crate) async fn attempts_are(&self, id: ResourceId, number: usize) -> anyhow::Result<()> {
        wait_until(PATIENCE, "all attempts are kept", async || {
            let query = AttemptQuery { resource: Some(id), limit: 100, ..AttemptQuery::default() };
            Ok((self.store.attempts(self.tenant, &query).await?.len() == number).then_some(()))
        })
        .await
    }

    /// Waits until nothing of this tenant is due now or under way.
    pub(crate) async fn nothing_is_due(&self) -> anyhow::Result<()> {
        wait_until(PATIENCE, "nothing is due", async || {
            let busy: Option<bool> = sqlx::query_scalar(
                "SELECT bool_or(due_at <= $2 OR lease_until > now())
                        OR EXISTS (SELECT 1 FROM surveys WHERE tenant_id = $1) FROM deliveries WHERE tenant_id = $1",
            )
            .bind(self.tenant.0)
            .bind(self.clock.now())
            .fetch_one(self.database.pool())
            .await?;
            Ok((busy != Some(true)).then_some(()))
        })
        .await
    }

    /// Waits until nothing of this tenant is due or under way, moving the clock to the next try of what failed.
    pub(crate) async fn at_rest(&self) -> anyhow::Result<()> {
        let mut moves = 0;
        let waited = wait_until(PATIENCE, "everything is at rest", async || {
            let now = self.clock.now();
            let (busy, next): (Option<bool>, Option<OffsetDateTime>) = sqlx::query_as(
                "SELECT bool_or(due_at <= $2 OR lease_until > now())
                        OR EXISTS (SELECT 1 FROM surveys WHERE tenant_id = $1),
                        min(due_at) FILTER (WHERE state = 'retrying' OR waiting_for IS NOT NULL
                                               OR error_code = 'waiting_for_placements')
                 FROM deliveries WHERE tenant_id = $1",
            )
            .bind(self.tenant.0)
            .bind(now)
            .fetch_one(self.database.pool())
            .await?;
            match (busy, next) {
                (Some(true), _) => return Ok(None),
                (_, None) => return Ok(Some(())),
                (_, Some(next)) => self.clock.advance((next - now).try_into()?),
            }
            moves += 1;
            if moves > MOVES {
                bail!("it fails again and again");
            }
            Ok(None)
        });
        let waited = waited.await;
        if waited.is_err() {
            let links: Vec<(Uuid, String, Option<String>)> =
                sqlx::query_as("SELECT resource_id, observed, remote_id FROM links WHERE tenant_id = $1")
                    .bind(self.tenant.0)
                    .fetch_all(self.database.pool())
                    .await?;
            let standings = self.standings().await?;
            let shown = format!("{standings:#?}\n{links:?}\n{:#?}\n{:?}", self.picture().await, self.fake.calls());
            return waited.context(shown);
        }
        Ok(())
    }

    /// State, error code, what it waits for, reason and version applied of every delivery, by name.
    pub(crate) async fn standings(&self) -> anyhow::Result<Vec<(String, Standing)>> {
        let rows: Vec<Standing> = sqlx::query_as(
            "SELECT COALESCE(u.attributes ->> 'userName', 'unit ' || o.name, 'group ' || (g.attributes ->> 'displayName'),
                             d.resource_id::text) AS name, d.state,
                    d.error_code, d.waiting_for, d.reason, d.applied_version, d.attempt, d.due_at, d.mark
             FROM deliveries d
             LEFT JOIN users u ON u.id = d.resource_id
             LEFT JOIN org_units o ON o.target_id = d.target_id AND o.id = d.resource_id
             LEFT JOIN groups g ON g.id = d.resource_id
             WHERE d.tenant_id = $1 ORDER BY 1, d.resource_id",
        )
        .bind(self.tenant.0)
        .fetch_all(self.database.pool())
        .await?;
        Ok(rows.into_iter().map(|row| (row.name.clone(), row)).collect())
    }

    /// How the delivery of a person or department stands; the last one, if several had the name.
    pub(crate) async fn standing(&self, name: &str) -> anyhow::Result<Standing> {
        let all = self.standings().await?;
        let found = all.into_iter().rev().find(|(whose, _)| whose == name);
        found.map(|(_, standing)| standing).with_context(|| format!("no delivery of {name}"))
    }

    /// Waits until a delivery stands so.
    pub(crate) async fn until(&self, name: &str, state: &str) -> anyhow::Result<()> {
        wait_until(PATIENCE, &format!("{name} is {state}"), async || {
            let all = self.standings().await?;
            Ok(all.iter().any(|(whose, standing)| whose == name && standing.state == state).then_some(()))
        })
        .await
    }

    pub(crate) async fn picture(&self) -> anyhow::Result<Picture> {
        let held = self.fake.holdings(|held| held.clone());
        let mut people: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
        for account in held.accounts.values() {
            let manager = held.accounts.get(text(account, entity::MANAGER));
            people.entry(text(account, entity::NAME).to_owned()).or_default().push(Seen {
                departments: Holdings::departments_of(account).into_iter().map(|id| path(&held, id)).collect(),
                manager: manager.map_or("", |manager| text(manager, entity::NAME)).to_owned(),
                email: text(account, entity::EMAIL).to_owned(),
                title: text(account, entity::TITLE).to_owned(),
            });
        }
        let mut departments: Vec<String> = held.departments.keys().map(|id| path(&held, *id)).collect();
        departments.sort();
        let states = self.standings().await?.into_iter().map(|(name, standing)| (name, standing.state)).collect();
        Ok(Picture { people, departments, states })
    }

    /// Everything at the target is remembered, and everything remembered is there.
    pub(crate) async fn assert_links_are_true(&self) -> anyhow::Result<()> {
        let links: Vec<(String, Option<String>, String)> = sqlx::query_as(
            "SELECT resource_kind, remote_id, observed FROM links WHERE tenant_id = $1 AND observed <> 'absent'",
        )
        .bind(self.tenant.0)
        .fetch_all(self.database.pool())
        .await?;
        let linked = |kind: &str| {
            let of_kind = links.iter().filter(|(of, _, _)| of == kind);
            let mut ids: Vec<String> = of_kind.filter_map(|(_, id, _)| id.clone()).collect();
            ids.sort();
            ids
        };
        let held = self.fake.holdings(|held| held.clone());
        assert!(links.iter().all(|(_, _, observed)| observed == "known"), "{links:?}");
        assert_eq!(linked("user"), held.accounts.keys().cloned().collect::<Vec<_>>(), "accounts and links");
        let mut departments: Vec<String> = held.departments.keys().map(u64::to_string).collect();
        departments.sort();
        assert_eq!(linked("org_unit"), departments, "departments and links");
        Ok(())
    }
}

/// How one delivery stands.
#[derive(sqlx::FromRow, Clone, PartialEq, Debug)]
pub(crate) struct Standing {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) error_code: Option<String>,
    pub(crate) waiting_for: Option<Uuid>,
    pub(crate) reason: Option<String>,
    pub(crate) applied_version: Option<i64>,
    pub(crate) attempt: i32,
    pub(crate) due_at: Option<OffsetDateTime>,
    pub(crate) mark: i64,
}

fn path(held: &Holdings, id: u64) -> String {
    match held.departments.get(&id) {
        None => String::new(),
        Some(department) => {
            let parent = text(department, entity::PARENT).parse().unwrap_or(0);
            format!("{}/{}", path(held, parent), text(department, entity::NAME))
        }
    }
}

/// Puts one value where SCIM has it; `null` takes it away.
fn set(map: &mut Map<String, Value>, key: &str, value: &Value) {
    let put = |map: &mut Map<String, Value>, name: &str, value: Value| {
        if value.is_null() {
            map.shift_remove(name)
        } else {
            map.insert(name.to_owned(), value)
        };
    };
    let typed = |kind: &str| if value.is_null() { Value::Null } else { json!([{ "value": value, "type": kind }]) };
    match key {
        "mobile" => put(map, "phoneNumbers", typed("mobile")),
        "email" => put(map, "emails", typed("work")),
        "department" | "division" | "organization" | "employeeNumber" | "manager" => {
            let mut enterprise = map.get(ENTERPRISE).and_then(Value::as_object).cloned().unwrap_or_default();
            let value = if key == "manager" && !value.is_null() { json!({ "value": value }) } else { value.clone() };
            put(&mut enterprise, key, value);
            map.insert(ENTERPRISE.to_owned(), Value::Object(enterprise));
        }
        _ => put(map, key, value.clone()),
    }
}
