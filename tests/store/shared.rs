//! Requests that share statements: everybody gets what is theirs, and nobody waits for somebody else's trouble.

use std::time::Duration;

use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::filter::Filter;
use rollcall_scim::profile::{ManagerBy, Profile};
use rollcall_scim::schema::builtin;
use rollcall_store::StoreError;
use rollcall_store::listing::Matching;
use rollcall_store::users::{Namesake, StoredUser, UserQuery, UserView};
use rollcall_store::write::{Actor, UpdateError};
use rollcall_tests::wait_until;
use serde_json::json;
use tokio::task::JoinSet;

use crate::fixture::{ENTERPRISE, Fixture, Never, resource, together};

const PATIENCE: Duration = Duration::from_secs(20);

/// Holds up everything that looks at users, as a change of the table would.
async fn jam(f: &Fixture) -> anyhow::Result<sqlx::PgTransaction<'static>> {
    let mut lock = f.database.pool().begin().await?;
    sqlx::raw_sql("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await?;
    Ok(lock)
}

async fn at_the_lock(f: &Fixture, least: i64) -> anyhow::Result<()> {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
                 application_name = 'rollcall' AND wait_event_type = 'Lock'";
    wait_until(PATIENCE, "statements wait for the lock", async || {
        let waiting: i64 = sqlx::query_scalar(count).fetch_one(f.database.pool()).await?;
        Ok((waiting >= least).then_some(()))
    })
    .await
}

async fn neighbour(f: &Fixture, name: &str) -> anyhow::Result<(TenantId, SourceId)> {
    let tenant = f.store.create_tenant(name).await?.id;
    Ok((tenant, f.store.create_source(tenant, "okta", &Profile::generic()).await?.id))
}

#[tokio::test]
async fn tenants_that_wait_together_get_their_own() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut tenants = vec![(f.tenant, f.source)];
    for name in ["umbrella", "initech"] {
        tenants.push(neighbour(&f, name).await?);
    }
    let actor = |(tenant, source): (TenantId, SourceId)| Actor {
        tenant,
        source,
        manager_by: ManagerBy::Id,
        request_id: "r".to_owned(),
    };
    let lock = jam(&f).await?;
    let mut creating = JoinSet::new();
    for tenant in &tenants {
        for number in 0..10 {
            let (store, actor) = (f.store.clone(), actor(*tenant));
            // The same names everywhere.
            let user = resource(json!({ "userName": format!("p{number}"), "title": actor.tenant.to_string() }));
            creating.spawn(async move { (actor.tenant, store.create_user(&actor, user, Namesake::Ignored).await) });
        }
    }
    at_the_lock(&f, 3).await?;
    lock.commit().await?;
    let mut made: Vec<(TenantId, StoredUser)> = Vec::new();
    while let Some(end) = creating.join_next().await {
        let (tenant, user) = end?;
        made.push((tenant, user?));
    }
    let views = [UserView::default(), UserView { groups: true, projection: true, source: None }];
    let lock = jam(&f).await?;
    let mut reading = JoinSet::new();
    for (asked, _) in &tenants {
        for (owner, user) in &made {
            for view in views {
                let (store, asked, owner, user) = (f.store.clone(), *asked, *owner, user.clone());
                reading.spawn(async move {
                    let found = store.user(asked, user.id, view).await;
                    let theirs = found.map(|found| found.map(|found| found.resource));
                    let wanted = (asked == owner).then_some(user.resource);
                    assert_eq!(theirs.ok(), Some(wanted), "by id");
                });
            }
        }
        for number in 0..10 {
            let (store, asked) = (f.store.clone(), *asked);
            reading.spawn(async move {
                let text = format!("userName eq \"P{number}\"");
                let filter = Filter::parse(&text, &builtin::user_type(), &Profile::generic()).expect("a filter");
                let judge = |_: &StoredUser| true;
                let matching = Some(Matching { filter: &filter, judge: &judge });
                let query = UserQuery { matching, start_index: 1, count: 10, view: UserView::default() };
                let found = store.list_users(asked, &query).await.map(|list| list.items).unwrap_or_default();
                let titles: Vec<_> = found.iter().filter_map(|user| user.resource.string("title")).collect();
                assert_eq!(titles, [asked.to_string()], "by name");
            });
        }
    }
    at_the_lock(&f, 6).await?;
    lock.commit().await?;
    while let Some(end) = reading.join_next().await {
        end?;
    }
    Ok(())
}

#[tokio::test]
async fn a_statement_that_does_not_come_back_holds_up_nobody_else() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    // Somebody else is about to take a name, and does not say whether they do.
    let mut taking = f.database.pool().begin().await?;
    sqlx::query(
        "INSERT INTO users (tenant_id, id, source_id, user_name_key, active, email_keys, attributes, version, created_at,
                            modified_at)
         VALUES ($1, gen_random_uuid(), $2, 'contested', true, '{}', '{}', 1, now(), now())",
    )
    .bind(f.tenant.0)
    .bind(f.source.0)
    .execute(&mut *taking)
    .await?;
    let mut contested = JoinSet::new();
    let (store, actor) = (f.store.clone(), f.actor("contested"));
    contested.spawn(async move {
        store.create_user(&actor, resource(json!({ "userName": "Contested" })), Namesake::Ignored).await
    });
    at_the_lock(&f, 1).await?;
    for name in ["ada", "grace"] {
        tokio::time::timeout(PATIENCE, f.person(name)).await??;
    }
    assert!(contested.try_join_next().is_none(), "nobody has said yet whose name it is");
    taking.rollback().await?;
    assert!(contested.join_all().await.iter().all(Result::is_ok));
    Ok(())
}

#[tokio::test]
async fn of_many_changed_at_once_each_becomes_what_was_asked() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let boss = f.person("boss").await?;
    let mut people = vec![boss.clone()];
    for number in 0..20 {
        let manager = json!({ "manager": { "value": boss.id.to_string() } });
        let user = json!({ "userName": format!("p{number}"), "active": true, ENTERPRISE: manager });
        people.push(f.user(user).await?);
    }
    let changing = people.iter().enumerate().map(|(number, user)| {
        let (store, actor, id) = (f.store.clone(), f.actor(&format!("request-{number}")), user.id);
        async move {
            let change = |user: &StoredUser| {
                let mut map = user.resource.as_map().clone();
                let (name, value) = match number {
                    0 => ("active", json!(false)),
                    5 => ("userName", json!("BOSS")),
                    6 => ("title", json!("\0")),
                    _ => ("title", json!(format!("Title {number}"))),
                };
                map.insert(name.to_owned(), value);
                Ok::<_, Never>(rollcall_scim::resource::Resource::from_map(map))
            };
            (number, store.update_user(&actor, id, UserView::default(), change).await)
        }
    });
    for (number, end) in together(changing).await {
        let before = &people[number];
        let now = f.store.user(f.tenant, before.id, UserView::default()).await?.expect("still there");
        match number {
            5 => assert!(matches!(end, Err(UpdateError::Store(StoreError::Conflict(_)))), "{end:?}"),
            6 => assert!(matches!(end, Err(UpdateError::Store(StoreError::InvalidInput { .. }))), "{end:?}"),
            _ => {
                let updated = end.expect("changed");
                assert_eq!((updated.before_version, updated.value.version), (1, 2));
                assert_eq!(updated.value, now);
            }
        }
        let title = format!("Title {number}");
        let expected = (!matches!(number, 0 | 5 | 6)).then_some(title.as_str());
        assert_eq!(now.resource.string("title"), expected);
    }
    Ok(())
}
