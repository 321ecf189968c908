//! What deliveries do with the connections to the database.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::world::World;

/// The processes of Postgres that serve this database, but for the one that is asked.
async fn processes(asked: &mut PgConnection) -> anyhow::Result<BTreeSet<i32>> {
    let found: Vec<i32> = sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
    )
    .fetch_all(asked)
    .await?;
    Ok(found.into_iter().collect())
}

/// A new connection costs Postgres a process, and each statement is planned anew on it: more than a delivery does.
#[tokio::test]
async fn deliveries_leave_connections_open() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut asked = PgConnection::connect(world.database.url()).await?;
    let ann = world.person("ann", json!({})).await?;
    let bob = world.person("bob", json!({})).await?;
    let story = async {
        world.at_rest().await?;
        let before = processes(&mut asked).await?;
        for number in 0..10 {
            world.set(ann, json!({ "title": format!("Title {number}"), "department": format!("D{number}") })).await?;
            world.at_rest().await?;
        }
        world.set(bob, json!({ "active": false })).await?;
        world.at_rest().await?;
        Ok((before, processes(&mut asked).await?))
    };
    let (before, after) = Box::pin(world.work(World::options("worker"), story)).await?;
    assert_eq!(world.fake.holdings(|held| held.accounts.len()), 1, "one of two is left");
    assert!(before.is_subset(&after), "closed: {:?}", before.difference(&after));
    Ok(())
}
