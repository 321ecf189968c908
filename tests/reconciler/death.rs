//! Death between two statements: the n-th write never happens, and the process that wanted it is gone.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::fake::Gate;
use crate::world::World;
use rollcall_tests::wait_until;

/// What the loop writes.
pub(crate) const TABLES: [&str; 6] = ["attempts", "changes", "deliveries", "links", "org_units", "placements"];

/// Every write stops at a lock that the test holds when its number has come.
const SCENE: &str = "
    CREATE SEQUENCE writes;
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('writes') = TG_ARGV[0]::bigint THEN PERFORM pg_advisory_xact_lock(42); END IF;
        RETURN COALESCE(NEW, OLD);
    END $$;";

/// Lets a worker work until its `nth` write to one of `tables`, counted from when a call stands at `gate` if there is
/// one, and kills it there. `false` when it came to rest before.
pub(crate) async fn die_at_write(
    world: &World,
    tables: &[&str],
    nth: usize,
    gate: Option<&Gate>,
) -> anyhow::Result<bool> {
    let mut holder = PgConnection::connect(world.database.url()).await?;
    sqlx::query("SELECT pg_advisory_lock(42)").execute(&mut holder).await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut holder).await?;
    if gate.is_none() {
        set_scene(&mut holder, tables, nth).await?;
    }
    let killed = async {
        if let Some(gate) = gate {
            gate.reached().await?;
            set_scene(&mut holder, tables, nth).await?;
            gate.open();
        }
        let died = tokio::select! {
            stuck = stuck(world) => stuck.map(|()| true)?,
            rest = world.at_rest() => rest.map(|()| false)?,
        };
        Ok(died)
    };
    let undertaker = async {
        // Whoever stands at the lock when the worker is gone dies without having written.
        let mut connection = PgConnection::connect(world.database.url()).await?;
        let bury = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        wait_until(crate::world::PATIENCE, "nobody stands at the lock", async || {
            let buried = sqlx::query(bury).fetch_all(&mut connection).await?;
            Ok(buried.is_empty().then_some(()))
        })
        .await?;
        // From now on the lock stops nobody: what ends the leases writes too, and may have the number.
        sqlx::query("SELECT pg_terminate_backend($1)").bind(pid).execute(&mut connection).await?;
        anyhow::Ok(connection.close().await?)
    };
    let died = world.work_until_killed(World::one_by_one("first"), killed, undertaker).await?;
    let mut holder = PgConnection::connect(world.database.url()).await?;
    for table in tables {
        let trigger = format!("DROP TRIGGER die ON {table}");
        sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&mut holder).await?;
    }
    sqlx::raw_sql("DROP FUNCTION die; DROP SEQUENCE writes").execute(&mut holder).await?;
    holder.close().await?;
    Ok(died)
}

async fn set_scene(holder: &mut PgConnection, tables: &[&str], nth: usize) -> anyhow::Result<()> {
    sqlx::raw_sql(SCENE).execute(&mut *holder).await?;
    for table in tables {
        let trigger = format!(
            "CREATE TRIGGER die BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION die({nth})"
        );
        sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&mut *holder).await?;
    }
    Ok(())
}

async fn stuck(world: &World) -> anyhow::Result<()> {
    wait_until(crate::world::PATIENCE, "a write stands at the lock", async || {
        let waits: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        )
        .fetch_one(world.database.pool())
        .await?;
        Ok(waits.then_some(()))
    })
    .await
}
