//! A database that is not the one that it was is noticed, whatever it is that tells so.

use rollcall_store::instance::Restored;
use rollcall_store::projection::TargetMode;
use sqlx::AssertSqlSafe;

use crate::fixture::Fixture;

#[tokio::test]
async fn a_database_that_is_another_one_pauses_its_targets_once() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let paused = f.target("two").await?;
    f.store.set_target_mode(f.tenant, rollcall_provisioning::ids::TargetId(paused), TargetMode::Paused).await?;
    assert_eq!(f.store.note_instance().await?, None, "nothing was noted before");
    assert_eq!(f.store.note_instance().await?, None, "it is the same");
    for (before, what) in [
        ("tables = tables + 1", Some("dump")),
        ("database = database + 1", Some("another database")),
        ("cluster = '1'", Some("another cluster")),
        ("timeline = '0000000F'", Some("earlier moment")),
        // What could not be asked then says nothing.
        ("cluster = NULL, timeline = NULL", None),
        // A dump that is restored elsewhere tells of the dump.
        ("cluster = '1', database = 1, tables = 1", Some("dump")),
    ] {
        for target in f.store.targets(f.tenant).await?.iter().filter(|target| target.name == "one") {
            f.store.set_target_mode(f.tenant, target.id, TargetMode::Live).await?;
        }
        sqlx::query(AssertSqlSafe(format!("UPDATE instance SET {before}"))).execute(f.database.pool()).await?;
        let noted = f.store.note_instance().await?;
        let found = noted.as_ref().map(|Restored { what, paused }| (*what, *paused));
        match what {
            None => assert_eq!(found, None, "{before}"),
            Some(part) => {
                assert!(found.is_some_and(|(what, paused)| what.contains(part) && paused == 1), "{before}: {noted:?}");
            }
        }
        let targets = f.store.targets(f.tenant).await?;
        let [one, two] = targets.as_slice() else { anyhow::bail!("two targets") };
        assert_eq!(one.mode == TargetMode::Paused, what.is_some(), "{before}");
        assert_eq!(one.paused_reason.is_some(), what.is_some(), "{before}");
        assert_eq!((two.mode, &two.paused_reason), (TargetMode::Paused, &None), "a person has paused it");
        assert_eq!(f.store.note_instance().await?, None, "{before}: it is known by now");
    }
    Ok(())
}

#[tokio::test]
async fn who_may_not_ask_postgres_about_itself_is_served() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    f.store.note_instance().await?;
    sqlx::raw_sql(
        "UPDATE instance SET cluster = NULL, timeline = NULL;
         CREATE SCHEMA blind;
         CREATE FUNCTION blind.pg_control_system(OUT system_identifier bigint) LANGUAGE plpgsql
             AS 'BEGIN RAISE insufficient_privilege; END';",
    )
    .execute(f.database.pool())
    .await?;
    let name = f.database.name();
    sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {name} SET search_path = blind, pg_catalog, public")))
        .execute(f.database.pool())
        .await?;
    let blind = f.lone_store().await?;
    assert_eq!(blind.note_instance().await?, None);
    let known: (bool, bool) =
        sqlx::query_as("SELECT cluster IS NULL, timeline IS NULL FROM instance").fetch_one(f.database.pool()).await?;
    assert_eq!(known, (true, false), "what can be asked is noted");
    Ok(())
}
