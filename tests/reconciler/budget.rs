//! The rate budget that all workers share.

use std::time::Duration;

use rollcall_provisioning::budget::{Budget, Limit};

use crate::world::World;

const MINUTE: Duration = Duration::from_mins(1);

fn limit(key: &str, interval: Duration, burst: u32) -> Limit {
    Limit { key: key.to_owned(), interval, burst }
}

#[tokio::test]
async fn places_follow_each_other_at_the_interval() -> anyhow::Result<()> {
    let world = World::new().await?;
    let store = &world.store;
    let limits = [limit("b", MINUTE, 1), limit("a", Duration::from_secs(1), 100)];
    let mut waits = Vec::new();
    for _ in 0..3 {
        waits.push(store.reserve(&limits, MINUTE * 60).await?);
    }
    assert!(waits[0].is_zero());
    for (wait, expected) in waits.iter().skip(1).zip([MINUTE, MINUTE * 2]) {
        // A little of the distance has passed since the place before was taken.
        assert!(*wait <= expected && *wait + MINUTE / 2 > expected, "{waits:?}");
    }
    Ok(())
}

#[tokio::test]
async fn whoever_gives_up_pushes_nobody_back() -> anyhow::Result<()> {
    let world = World::new().await?;
    let store = &world.store;
    let limits = [limit("a", Duration::from_secs(1), 1), limit("ip", Duration::from_millis(1), 100)];
    store.pause("a", MINUTE * 5).await?;
    for _ in 0..50 {
        let wait = store.reserve(&limits, Duration::from_secs(30)).await?;
        assert!(wait > MINUTE * 4, "it is told how long the pause is: {wait:?}");
    }
    let wait = store.reserve(&limits, MINUTE * 10).await?;
    assert!(wait <= MINUTE * 5, "nobody stands before: {wait:?}");
    let other = [limit("ip", Duration::from_millis(1), 1)];
    let wait = store.reserve(&other, MINUTE).await?;
    assert!(wait < MINUTE, "nor under the other limit: {wait:?}");
    Ok(())
}

#[tokio::test]
async fn many_at_once_get_one_place_each() -> anyhow::Result<()> {
    let world = World::new().await?;
    let store = &world.store;
    let mut reserving = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let store = store.clone();
        reserving.spawn(async move { store.reserve(&[limit("a", MINUTE, 1)], MINUTE * 100).await });
    }
    let mut waits = Vec::new();
    for wait in reserving.join_all().await {
        waits.push(wait?);
    }
    waits.sort();
    for pair in waits.windows(2) {
        assert!(pair[1] > pair[0] + MINUTE / 2, "{waits:?}");
    }
    Ok(())
}
