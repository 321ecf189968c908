//! What one member more or less costs: the same in a small and in a large group.

use std::time::Duration;

use rollcall_scim::patch::Detached;
use rollcall_tests::wait_until;
use serde_json::json;

use crate::fixture::Fixture;

const PATIENCE: Duration = Duration::from_secs(20);

/// Rows that Postgres has read of the tables of the directory, and members that it has removed.
async fn rows_read(f: &Fixture) -> anyhow::Result<(i64, i64)> {
    Ok(sqlx::query_as(
        "SELECT sum(seq_tup_read + COALESCE(idx_tup_fetch, 0))::bigint,
                sum(n_tup_del) FILTER (WHERE relname = 'memberships')::bigint
         FROM pg_stat_user_tables WHERE relname IN ('users', 'groups', 'memberships')",
    )
    .fetch_one(f.database.pool())
    .await?)
}

/// How many rows are read to add some members to a group of so many and to remove them again. There are many small groups
/// besides, so that Postgres expects a group to be small.
async fn cost_among(members: i32, coming: usize) -> anyhow::Result<i64> {
    let f = Fixture::new().await?;
    let group = f.group("staff", &[]).await?.id;
    let mut filling = f.database.pool().begin().await?;
    sqlx::query(
        "INSERT INTO memberships (tenant_id, group_id, member_id)
         SELECT $1, $2, 'member-' || number FROM generate_series(1, $3) AS number",
    )
    .bind(f.tenant.0)
    .bind(group.0)
    .bind(members)
    .execute(&mut *filling)
    .await?;
    sqlx::query(
        "INSERT INTO memberships (tenant_id, group_id, member_id)
         SELECT $1, team.id, 'member-' || number
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 10000)) team, generate_series(1, 10) AS number",
    )
    .bind(f.tenant.0)
    .execute(&mut *filling)
    .await?;
    // What this session has read is counted now, and not later.
    sqlx::query("SELECT pg_stat_force_next_flush()").execute(&mut *filling).await?;
    filling.commit().await?;
    sqlx::query("ANALYZE memberships").execute(f.database.pool()).await?;
    let (before, _) = rows_read(&f).await?;
    let coming: Vec<_> = (0..coming).map(|number| json!({ "value": format!("new-{number}") })).collect();
    for change in [Detached::Add(coming.clone()), Detached::RemoveValues(coming.clone())] {
        let end = f.members(group, vec![change]).await;
        assert!(end.is_ok_and(|updated| updated.changed));
    }
    // A session that ends has counted everything.
    f.store.close().await;
    let after = wait_until(PATIENCE, "the removal is counted", async || {
        let (read, removed) = rows_read(&f).await?;
        Ok((usize::try_from(removed)? == coming.len()).then_some(read))
    });
    Ok(after.await? - before)
}

#[tokio::test]
async fn members_cost_the_same_among_ten_and_a_hundred_thousand() -> anyhow::Result<()> {
    for coming in [1, 500] {
        let (few, many) = (cost_among(10, coming).await?, cost_among(100_000, coming).await?);
        assert!(few > 0, "nothing was counted");
        assert!(many <= few + 50, "{coming} at once: {few} rows are read among ten, {many} among a hundred thousand");
    }
    Ok(())
}
