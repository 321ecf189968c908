//! The embedded Postgres: it starts for whoever starts it, is shared, and survives every kind of kill.

mod holder_process;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rollcall_server::postgres::{DATABASE, Durability, Postgres, PostgresError, Search};
use rollcall_tests::{Scratch, wait_until};
use rustix::process::{Pid, Signal};
use sqlx::{Connection, PgConnection};

use holder_process::Holder;

const PATIENCE: Duration = Duration::from_mins(1);

fn search() -> Search {
    Search { bin_dir: None, path: std::env::var_os("PATH") }
}

async fn start(folder: &Path) -> Result<Postgres, PostgresError> {
    Postgres::start(folder, Durability::Full, &search()).await
}

async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(url).await.with_context(|| url.to_owned())
}

async fn show(connection: &mut PgConnection, setting: &str) -> anyhow::Result<String> {
    Ok(sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(connection).await?)
}

/// Writes one committed row, so that a later start can be asked for it.
async fn write_row(url: &str) -> anyhow::Result<()> {
    let mut connection = connect(url).await?;
    sqlx::raw_sql("CREATE TABLE kept (value int); INSERT INTO kept VALUES (42)").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

async fn read_row(url: &str) -> anyhow::Result<i32> {
    let mut connection = connect(url).await?;
    let value = sqlx::query_scalar("SELECT value FROM kept").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(value)
}

fn pid(of: u32) -> anyhow::Result<Pid> {
    Pid::from_raw(of.cast_signed()).context("0 is no process id")
}

fn runs(process: u32) -> anyhow::Result<bool> {
    Ok(rustix::process::test_kill_process(pid(process)?).is_ok())
}

async fn until_gone(process: u32) -> anyhow::Result<()> {
    wait_until(PATIENCE, "the process has ended", async || Ok((!runs(process)?).then_some(()))).await
}

#[tokio::test]
async fn it_is_durable_private_and_stops_cleanly() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let postgres = start(folder.path()).await?;
    assert!(!postgres.joined());
    let mut connection = connect(&postgres.url(DATABASE)).await?;
    for (setting, expected) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("max_connections", "200"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(show(&mut connection, setting).await?, expected, "{setting}");
    }
    connection.close().await?;

    let server = fs::metadata(format!("/proc/{}", postgres.pid()))?;
    assert_ne!(server.uid(), 0, "Postgres never runs as root");
    for private in ["data", "run"] {
        let metadata = fs::metadata(folder.path().join("postgres").join(private))?;
        assert_eq!(metadata.permissions().mode() & 0o777, 0o700, "{private}");
        assert_eq!(metadata.uid(), server.uid(), "{private}");
    }

    write_row(&postgres.url(DATABASE)).await?;
    let first = postgres.pid();
    postgres.stop().await?;
    assert!(!runs(first)?, "`stop` returns when the server has ended");
    assert!(!folder.path().join("postgres/data/postmaster.pid").exists(), "and the server ended cleanly");

    let again = start(folder.path()).await?;
    assert_eq!(read_row(&again.url(DATABASE)).await?, 42);
    Ok(again.stop().await?)
}

#[tokio::test]
async fn errors_in_the_log_hold_no_personal_data() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let postgres = start(folder.path()).await?;
    let mut connection = connect(&postgres.url(DATABASE)).await?;
    let sql = "CREATE TABLE people (mobile text CONSTRAINT people_mobile_key UNIQUE);
               INSERT INTO people VALUES ('+86-13800000000');
               INSERT INTO people VALUES ('+86-13800000000')";
    assert!(sqlx::raw_sql(sql).execute(&mut connection).await.is_err(), "the number is taken");
    let log = folder.path().join("postgres/data/log");
    // A process of its own writes the log.
    let text = wait_until(PATIENCE, "the error is logged", async || {
        let mut text = String::new();
        for file in fs::read_dir(&log)? {
            text.push_str(&fs::read_to_string(file?.path())?);
        }
        Ok(text.contains("people_mobile_key").then_some(text))
    })
    .await?;
    assert!(!text.contains("13800000000"), "the number is not: {text}");
    connection.close().await?;
    Ok(postgres.stop().await?)
}

#[tokio::test]
async fn an_ordinary_user_runs_it_as_itself() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let mut holder = Holder::start_as_ordinary_user(folder.path()).await?;
    assert_ne!(holder.user, 0);
    assert_eq!(fs::metadata(format!("/proc/{}", holder.server))?.uid(), holder.user);
    holder.stop().await?;
    until_gone(holder.server).await
}

#[tokio::test]
async fn two_starters_share_one_server_that_ends_with_the_last() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let (one, two) = tokio::join!(Holder::start(folder.path()), Holder::start(folder.path()));
    let (one, two) = (one?, two?);
    assert_eq!(one.server, two.server);
    assert!(one.joined != two.joined, "exactly one started it");

    // The one that started it is killed: the other must not notice, not even its open session.
    let (mut starter, mut joiner) = if one.joined { (two, one) } else { (one, two) };
    let mut session = connect(&joiner.url).await?;
    sqlx::raw_sql("CREATE TEMPORARY TABLE mine (value int)").execute(&mut session).await?;
    starter.kill().await?;
    let third = start(folder.path()).await?;
    assert!(third.joined());
    assert_eq!(third.pid(), joiner.server);
    let sql = "SELECT count(*) FROM mine";
    assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut session).await?, 0, "the session is the same");
    session.close().await?;

    third.stop().await?;
    assert!(runs(joiner.server)?, "somebody else still holds it");
    joiner.stop().await?;
    until_gone(joiner.server).await
}

#[tokio::test]
async fn a_killed_holder_takes_the_server_along_and_the_data_stays() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let mut holder = Holder::start(folder.path()).await?;
    write_row(&holder.url).await?;
    holder.kill().await?;
    until_gone(holder.server).await?;
    let postgres = start(folder.path()).await?;
    assert!(!postgres.joined());
    assert_eq!(read_row(&postgres.url(DATABASE)).await?, 42);
    Ok(postgres.stop().await?)
}

#[tokio::test]
async fn a_start_right_after_a_kill_works() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let mut holder = Holder::start(folder.path()).await?;
    write_row(&holder.url).await?;
    for _ in 0..5 {
        // Whether the next one joins the old server or starts a new one is a matter of luck; both must work.
        holder.kill().await?;
        holder = Holder::start(folder.path()).await?;
        assert_eq!(read_row(&holder.url).await?, 42);
    }
    holder.stop().await
}

#[tokio::test]
async fn a_killed_server_is_recovered() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let mut holder = Holder::start(folder.path()).await?;
    write_row(&holder.url).await?;
    rustix::process::kill_process(pid(holder.server)?, Signal::KILL)?;
    holder.kill().await?;
    let postgres = start(folder.path()).await?;
    assert_ne!(postgres.pid(), holder.server);
    assert_eq!(read_row(&postgres.url(DATABASE)).await?, 42);
    Ok(postgres.stop().await?)
}

/// The process group of a process: the third field after the command's name in parentheses.
fn group_of(process: u32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

/// The watcher's processes: those in the server's process group, but for the server.
fn watcher_of(server: u32) -> anyhow::Result<Vec<u32>> {
    let group = group_of(server).context("the server runs")?;
    let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(processes.filter(|process| *process != server && group_of(*process) == Some(group)).collect())
}

#[tokio::test]
async fn a_server_whose_watcher_is_gone_is_joined_and_can_be_stopped() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let mut holder = Holder::start(folder.path()).await?;
    write_row(&holder.url).await?;
    let watcher = watcher_of(holder.server)?;
    assert!(!watcher.is_empty(), "the server has a watcher");
    for process in watcher {
        rustix::process::kill_process(pid(process)?, Signal::KILL)?;
    }
    holder.kill().await?;
    let postgres = start(folder.path()).await?;
    assert!(postgres.joined());
    assert_eq!(postgres.pid(), holder.server);
    assert_eq!(read_row(&postgres.url(DATABASE)).await?, 42);
    postgres.stop().await?;
    until_gone(holder.server).await
}

#[tokio::test]
async fn when_everything_is_killed_at_once_the_folder_is_recovered() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let mut holder = Holder::start(folder.path()).await?;
    write_row(&holder.url).await?;
    let group = group_of(holder.server).and_then(Pid::from_raw).context("the server runs")?;
    rustix::process::kill_process_group(group, Signal::KILL)?;
    holder.kill().await?;
    let postgres = start(folder.path()).await?;
    assert_ne!(postgres.pid(), holder.server);
    assert_eq!(read_row(&postgres.url(DATABASE)).await?, 42);
    Ok(postgres.stop().await?)
}

#[tokio::test]
async fn a_process_id_that_somebody_else_got_since_does_not_confuse_it() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let mut holder = Holder::start(folder.path()).await?;
    write_row(&holder.url).await?;
    let file = folder.path().join("postgres/data/postmaster.pid");
    let left_behind = fs::read_to_string(&file)?;
    holder.kill().await?;
    until_gone(holder.server).await?;

    // As after a restart of a container: the file of a dead server names a process that lives, ours.
    let (_, rest) = left_behind.split_once('\n').context("a process id and more")?;
    let owner = fs::metadata(folder.path().join("postgres/data"))?;
    fs::write(&file, format!("{}\n{rest}", std::process::id()))?;
    std::os::unix::fs::chown(&file, Some(owner.uid()), Some(owner.gid()))?;

    let postgres = start(folder.path()).await?;
    assert_eq!(read_row(&postgres.url(DATABASE)).await?, 42);
    Ok(postgres.stop().await?)
}

#[tokio::test]
async fn a_kill_during_initdb_leaves_nothing_in_the_way() -> anyhow::Result<()> {
    let folder = Scratch::new()?;
    let root = folder.path().join("postgres");
    let mut starting = Holder::spawn(folder.path())?;
    let unfinished = wait_until(PATIENCE, "initdb is at work", async || {
        let entries = fs::read_dir(&root).into_iter().flatten().filter_map(Result::ok);
        let mut unfinished = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("data.new-"));
        Ok(unfinished.next().map(|entry| entry.path()))
    })
    .await?;
    starting.kill().await?;
    assert!(!root.join("data").exists(), "the folder has its final name only when it is complete");

    let postgres = start(folder.path()).await?;
    assert!(!unfinished.exists(), "the leftover is removed");
    connect(&postgres.url(DATABASE)).await?.close().await?;
    Ok(postgres.stop().await?)
}

#[tokio::test]
async fn odd_folder_names_work() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let postgres = start(&scratch.path().join("a b,\"c' é$&?%")).await?;
    connect(&postgres.url(DATABASE)).await?.close().await?;
    Ok(postgres.stop().await?)
}

#[tokio::test]
async fn a_path_that_is_too_long_for_a_socket_is_refused_in_plain_words() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let error = start(&scratch.path().join("x".repeat(100))).await.expect_err("no socket fits");
    assert!(matches!(error, PostgresError::SocketPathTooLong { .. }), "{error:?}");
    assert!(error.to_string().contains("choose a data folder with a shorter path"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_folder_without_the_programs_is_named() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let search = Search { bin_dir: Some(scratch.path().join("bin")), path: std::env::var_os("PATH") };
    let data_dir = scratch.path().join("data");
    let error = Postgres::start(&data_dir, Durability::Full, &search).await.expect_err("there is nothing");
    assert!(matches!(error, PostgresError::NotThere { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("ROLLCALL_PG_BIN") && text.contains(&*scratch.path().to_string_lossy()), "{text}");
    Ok(())
}

/// Only root starts Postgres as somebody else; whoever cannot become somebody else cannot meet this error.
#[tokio::test]
async fn a_folder_that_is_closed_to_the_account_is_named() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let closed = scratch.path().join("closed");
    fs::DirBuilder::new().mode(0o700).create(&closed)?;
    let started = start(&closed.join("data")).await;
    if !rustix::process::geteuid().is_root() {
        return Ok(started?.stop().await?);
    }
    let error = started.expect_err("the account cannot pass");
    assert!(matches!(&error, PostgresError::Unreachable { closed: named, .. } if *named == closed), "{error:?}");
    assert!(error.to_string().contains(&format!("chmod o+x {}", closed.display())), "{error}");
    Ok(())
}
