//! What the command line says to somebody who is mistaken, and that it then leaves everything as it was.

use std::path::Path;
use std::process::Output;

use anyhow::Context;
use rollcall_tests::{Cli, Database, Scratch, server_binary};
use tokio::process::Command;

/// Runs a command without any database but what `environment` names.
async fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Output> {
    let mut command = Command::new(server_binary!());
    command.args(arguments).env_remove("DATABASE_URL").current_dir(folder).kill_on_drop(true);
    Ok(command.envs(environment.iter().copied()).output().await?)
}

/// What a command that must fail says.
async fn refusal(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<String> {
    let output = run(folder, arguments, environment).await?;
    anyhow::ensure!(!output.status.success(), "{arguments:?} succeeded");
    Ok(format!("{}{}", String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?))
}

#[tokio::test]
async fn a_folder_without_a_database_stays_as_it_is() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let folder = scratch.path().join("typo");
    let name = folder.to_str().context("the folder is no text")?;
    for command in ["status", "doctor", "explain jo", "retry", "tenant list", "tenant create acme", "token list"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--data-dir", name]).collect();
        let said = refusal(scratch.path(), &arguments, &[]).await?;
        assert!(said.contains(&format!("there is no Rollcall database in {name}")), "{command}: {said}");
        assert!(!folder.exists(), "{command} made the folder");
    }
    // A variable that is empty is not set; so this is the embedded Postgres, which is not there either.
    let said = refusal(scratch.path(), &["status", "--data-dir", name], &[("DATABASE_URL", "")]).await?;
    assert!(said.contains("there is no Rollcall database in"), "{said}");
    Ok(())
}

/// `rollcall … | head -1`: the reader is gone before the text is written.
#[tokio::test]
async fn nobody_needs_to_read_to_the_end() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let scratch = Scratch::new()?;
    for arguments in ["openapi", "tenant create acme", "tenant list", "status", "source list --json", "doctor"] {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let mut command = Command::new(server_binary!());
        command.args(arguments.split(' ')).env("DATABASE_URL", database.url()).current_dir(scratch.path());
        let output = command.stdout(writer).stderr(std::process::Stdio::piped()).output().await?;
        let said = String::from_utf8(output.stderr)?;
        assert!(output.status.success() && said.is_empty(), "{arguments}: {} {said}", output.status);
    }
    Ok(())
}

#[tokio::test]
async fn variables_that_are_empty_are_not_set() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let scratch = Scratch::new()?;
    let empty = ["DATABASE_URL", "DATA_DIR", "MASTER_KEY_FILE", "PUBLIC_URL", "PG_BIN", "LISTEN", "ROLE"]
        .map(|name| format!("ROLLCALL_{name}"));
    let mut environment: Vec<(&str, &str)> = empty.iter().map(|name| (name.as_str(), "")).collect();
    environment.push(("DATABASE_URL", database.url()));
    let output = run(scratch.path(), &["tenant", "list"], &environment).await?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_told_with_the_cause() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    // Nobody listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let refused = format!("postgres://ada:swordfish@127.0.0.1:{port}/rollcall");
    for (url, expected) in [
        (refused.as_str(), "Connection refused"),
        ("mysql://ada:swordfish@127.0.0.1/rollcall", "must begin with postgres://, it begins with mysql://"),
    ] {
        let said = refusal(scratch.path(), &["status"], &[("DATABASE_URL", url)]).await?;
        assert!(said.contains(expected) && !said.contains("swordfish"), "{said}");
    }
    let said = refusal(scratch.path(), &["status", "--config", "/etc"], &[]).await?;
    assert!(said.contains("the configuration file /etc is a folder"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_database_without_tables_is_told_in_words() -> anyhow::Result<()> {
    let database = Database::new().await?;
    sqlx::raw_sql("DROP TABLE _sqlx_migrations").execute(database.pool()).await?;
    let cli = Cli::new(server_binary!(), &database)?;
    for command in [["tenant", "list"], ["doctor", "--json"]] {
        let output = cli.run(&command).await?;
        let said = output.stdout + &output.stderr;
        assert!(said.contains("the database has no tables of Rollcall yet: run `rollcall migrate`"), "{said}");
        assert!(!said.contains("None") && !said.contains("Some("), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn ids_and_numbers_that_cannot_be_are_told_with_what_they_should_be() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let cli = Cli::new(server_binary!(), &database)?;
    cli.json(&["tenant", "create", "acme"]).await?;
    cli.json(&["source", "create", "okta", "--profile", "okta"]).await?;
    let unknown = "0196f3a0-0000-7000-8000-000000000000";
    let no_client = format!("is {unknown}, which is no OAuth client of the tenant, or a revoked one");
    for (command, expected) in [
        ("token revoke x", "'x' for '<ID>': it must be an id, a UUID, as `list` shows it"),
        ("oauth-client revoke x", "'x' for '<ID>': it must be an id, a UUID, as `list` shows it"),
        ("oauth-client secret x", "'x' for '<CLIENT>': it must be an id, a UUID, as `list` shows it"),
        ("token revoke UNKNOWN", "tenant acme has no live token or credential 0196f3a0"),
        ("oauth-client revoke UNKNOWN", "tenant acme has no live OAuth client 0196f3a0"),
        ("oauth-client secret UNKNOWN", &no_client),
        ("token create --source nope", "tenant acme has no source \"nope\""),
        ("token create --days -1", "'-1' for '--days <DAYS>': -1 is not in 1..=3650"),
        ("token create --days 0", "'0' for '--days <DAYS>': 0 is not in 1..=3650"),
        ("token create --days soon", "'soon' for '--days <DAYS>'"),
        ("oauth-client create --source okta --token-minutes -1", "-1 is not in 60..=360"),
    ] {
        let command = command.replace("UNKNOWN", unknown);
        let output = cli.run(&command.split(' ').collect::<Vec<_>>()).await?;
        assert!(!output.status.success() && output.stderr.contains(expected), "{command}: {}", output.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn one_source_too_many_is_told_in_words() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let cli = Cli::new(server_binary!(), &database)?;
    cli.json(&["tenant", "create", "acme"]).await?;
    sqlx::raw_sql(
        "INSERT INTO sources (tenant_id, id, name, profile, created_at) \
         SELECT id, gen_random_uuid(), 's' || n, 'okta', now() FROM tenants, generate_series(1, 50) n",
    )
    .execute(database.pool())
    .await?;
    let output = cli.run(&["source", "create", "okta", "--profile", "okta"]).await?;
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    let told = "there are 50 sources of this tenant already, and more are not possible; use one again";
    assert!(output.stderr.contains(told), "{}", output.stderr);
    Ok(())
}

#[tokio::test]
async fn names_that_nobody_could_type_again_are_refused() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let cli = Cli::new(server_binary!(), &database)?;
    std::fs::write(cli.folder().join("secret"), "s")?;
    cli.json(&["tenant", "create", "acme"]).await?;
    let target = ["target", "create", "--app-key", "k", "--app-secret-file", "secret"];
    let long = "x".repeat(300);
    for create in [&["tenant", "create"][..], &["source", "create"], &["operator", "create"], &target] {
        for name in ["", " admin ", "a\nb", &long] {
            let output = cli.run(&[create, &[name]].concat()).await?;
            assert!(!output.status.success(), "{create:?} {name:?}");
            assert!(output.stderr.contains("a name m"), "{create:?} {name:?}: {}", output.stderr);
        }
    }
    let rows = "SELECT (SELECT count(*) FROM sources) + (SELECT count(*) FROM operators) + \
                (SELECT count(*) FROM targets) + (SELECT count(*) FROM tenants)";
    assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(database.pool()).await?, 1, "only the first tenant");
    Ok(())
}
