//! What each command does.

mod adopt;
mod credentials;
mod diagnose;
mod explain;
mod groups;
mod guards;
mod invitations;
mod leavers;
mod links;
mod mapping;
mod output;
mod plans;
mod secrets;
mod setup;
mod show;
mod sources;
mod targets;
mod undo;
mod who;

use crate::cli::{Cli, Command};
use crate::config::{Config, Flags, Purpose, ServeFlags};
use crate::database::Database;
use crate::{demo, serve, simulate, telemetry};
use anyhow::{Context, Result, bail};
pub(crate) use output::{Output, visible};
use rollcall_store::Store;
use rollcall_store::tenants::Tenant;
pub(crate) use setup::{BY, make_operator, make_token, renew_password};
use std::process::ExitCode;
pub(crate) use targets::{Aim, create as create_target};

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    let Cli { flags, json, command } = cli;
    let output = Output::new(json);
    match command {
        Command::Demo(args) => {
            let config = config_with_logs(&flags, &args.serve, Purpose::Demo)?;
            demo::run(&config, &args, &output).await?;
        }
        Command::Serve(args) => serve::run(&config_with_logs(&flags, &args, Purpose::Work)?).await?,
        Command::Simulator(args) => simulate::run(&args).await?,
        Command::Openapi => output::print(rollcall_api::openapi_document().trim_end())?,
        Command::Migrate => {
            let database = Database::open_migrated(&config(&flags)?).await?;
            output.line("The database has this version's schema.")?;
            database.close().await?;
        }
        Command::Doctor => return diagnose::run(&config(&flags)?, &output).await,
        Command::Mapping(command) => {
            let database = Database::open(&config(&flags)?).await?;
            let done = match database.check_schema().await {
                Ok(()) => mapping::run(command, &database.store, output).await,
                Err(error) => Err(error),
            };
            database.close().await?;
            return done;
        }
        command => {
            let config = config(&flags)?;
            let database = Database::open(&config).await?;
            let done = with_database(command, &config, &database, &output).await;
            database.close().await?;
            return done;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn config(flags: &Flags) -> Result<Config> {
    Config::load(flags, &ServeFlags::default(), Purpose::Work)
}

fn config_with_logs(flags: &Flags, serve: &ServeFlags, purpose: Purpose) -> Result<Config> {
    let config = Config::load(flags, serve, purpose)?;
    telemetry::start_logs(&config)?;
    Ok(config)
}

async fn with_database(command: Command, config: &Config, database: &Database, output: &Output) -> Result<ExitCode> {
    database.check_schema().await?;
    let store = &database.store;
    match command {
        Command::Plan(args) => return plans::plan(args, store, output).await,
        Command::Apply(args) => return plans::apply(args, store, output).await,
        Command::Undo(args) => return undo::undo(args, store, output).await,
        Command::Override(command) => undo::run(command, store, output).await,
        Command::Tenant(command) => setup::tenant(command, store, output).await,
        Command::Source(command) => sources::source(command, store, output).await,
        Command::Token(command) => credentials::token(command, store, output).await,
        Command::OauthClient(command) => credentials::oauth_client(command, store, output).await,
        Command::Access(command) => credentials::access(command, store, output).await,
        Command::Operator(command) => setup::operator(command, store, output).await,
        Command::Target(command) => targets::run(command, config, store, output).await,
        Command::Secrets(command) => return secrets::run(&command, config, store, output).await,
        Command::Adopt(command) => adopt::run(command, store, output).await,
        Command::Links(command) => links::run(command, config, store, output).await,
        Command::Release(args) => plans::release(args, store, output).await,
        Command::Guards(args) => guards::run(args, store, output).await,
        Command::Remove(args) => leavers::remove(args, store, output).await,
        Command::InviteAgain(args) => invitations::invite_again(args, store, output).await,
        Command::Handovers(args) => leavers::handovers(args, store, output).await,
        Command::Group(args) => groups::run(args, store, output).await,
        Command::Pause(which) => targets::set_mode(&which, crate::cli::ModeArg::Paused, store, output).await,
        Command::Resume(which) => targets::set_mode(&which, crate::cli::ModeArg::Live, store, output).await,
        Command::FirstPassword { user_name, tenant } => {
            targets::first_password(&user_name, &tenant, config, store, output).await
        }
        Command::Status(which) => show::status(&which, store, output).await,
        Command::Explain { user_name, field, at, tenant } => {
            let about = explain::About { person: &user_name, field: field.as_deref(), at: at.as_deref() };
            explain::run(&about, &tenant, store, output).await
        }
        Command::Retry { user_name, tenant } => show::retry(user_name.as_deref(), &tenant, store, output).await,
        Command::Demo(_)
        | Command::Serve(_)
        | Command::Simulator(_)
        | Command::Migrate
        | Command::Doctor
        | Command::Mapping(_)
        | Command::Openapi => bail!("this command opens its database itself, or needs none"),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The tenant of that name; without a name the only one there is.
async fn chosen_tenant(store: &Store, name: Option<&str>) -> Result<Tenant> {
    if let Some(name) = name {
        let found = store.tenant_by_name(name).await?;
        return found.with_context(|| format!("there is no tenant {name:?}; `rollcall tenant list` shows them"));
    }
    let mut tenants = store.tenants().await?;
    match (tenants.pop(), tenants.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => bail!("there is no tenant yet; make one with `rollcall tenant create <name>`"),
        (Some(_), false) => bail!("there are several tenants; say which with --tenant"),
    }
}
