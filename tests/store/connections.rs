//! Connections: used again, given up, lost.

use std::time::Duration;

use rollcall_store::StoreError;
use rollcall_store::users::UserView;
use rollcall_tests::wait_until;
use tokio::task::JoinSet;

use crate::fixture::Fixture;

const PATIENCE: Duration = Duration::from_secs(30);

/// The store's connections to this test's database that are in a given condition.
async fn connections(f: &Fixture, condition: &'static str) -> anyhow::Result<i64> {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
                 application_name = 'rollcall' AND ($1 = '' OR wait_event_type = $1)";
    Ok(sqlx::query_scalar(count).bind(condition).fetch_one(f.database.pool()).await?)
}

/// Lets so many looks for a person wait for a lock, and hands them over with the transaction that holds it.
async fn blocked(f: &Fixture, looks: i64) -> anyhow::Result<(JoinSet<()>, sqlx::PgTransaction<'static>)> {
    let id = f.person("ada").await?.id;
    let mut lock = f.database.pool().begin().await?;
    sqlx::raw_sql("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await?;
    let mut waiting = JoinSet::new();
    for _ in 0..looks {
        let (store, tenant) = (f.store.clone(), f.tenant);
        waiting.spawn(async move {
            // Not a read of one user: those share a statement.
            let unknown = store.unknown_members(tenant, &[id.to_string()]).await;
            assert!(unknown.is_ok_and(|ids| ids.is_empty()));
        });
    }
    wait_until(PATIENCE, "the looks wait for the lock", async || {
        Ok((connections(f, "Lock").await? == looks).then_some(()))
    })
    .await?;
    Ok((waiting, lock))
}

#[tokio::test]
async fn one_connection_is_enough_for_one_request_at_a_time() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    for number in 0..30 {
        let user = f.person(&format!("person-{number}")).await?;
        f.set(user.id, serde_json::json!({ "title": "Engineer" })).await.expect("changed");
        // A refusal by the database leaves the connection in order too.
        let taken = f.person("person-0").await;
        assert!(taken.is_err());
    }
    assert_eq!(connections(&f, "").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_given_up_does_not_disturb_the_next() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let (mut waiting, lock) = blocked(&f, 1).await?;
    waiting.shutdown().await;
    lock.commit().await?;
    for name in ["grace", "edsger"] {
        let made = f.person(name).await?;
        let read = f.store.user(f.tenant, made.id, UserView::default()).await?;
        assert_eq!(read.map(|user| user.resource), Some(made.resource), "nobody gets another one's answer");
    }
    wait_until(PATIENCE, "the connection that was given up is closed", async || {
        Ok((connections(&f, "").await? == 1).then_some(()))
    })
    .await
}

#[tokio::test]
async fn lost_connections_cost_one_request_not_one_each() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let (mut waiting, lock) = blocked(&f, 5).await?;
    lock.commit().await?;
    while let Some(read) = waiting.join_next().await {
        read?;
    }
    assert_eq!(connections(&f, "").await?, 5, "all of them are idle now");
    let end = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = current_database() AND \
               application_name = 'rollcall'";
    sqlx::query(end).execute(f.database.pool()).await?;
    let told = f.store.tenants().await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    assert_eq!(f.store.tenants().await?.len(), 1, "the next one gets a new connection");
    Ok(())
}
