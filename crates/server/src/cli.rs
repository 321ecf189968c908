//! The command line. Results go to standard output, messages to standard error; `--json` gives one JSON document.

mod adopt;
mod credentials;
mod groups;
mod invitations;
mod leavers;
mod links;
mod mapping;
mod plans;
mod targets;
mod undo;

pub(crate) use adopt::{AdoptCommand, MarkArgs};
pub(crate) use credentials::{AccessCommand, NewArgs, OauthClientCommand, TokenCommand, TrustArgs};
pub(crate) use groups::{GroupArgs, GroupCommand, NewDecision};
pub(crate) use invitations::InviteAgainArgs;
pub(crate) use leavers::{HandoversArgs, RemoveArgs};
pub(crate) use links::{LinkFilters, LinksCommand, PartArgs};
pub(crate) use mapping::MappingCommand;
pub(crate) use plans::{
    ApplyArgs, ByArg, GuardsArgs, GuardsCommand, NewPlanArgs, PlanArgs, PlanCommand, ReleaseArgs, VerbArg,
};
pub(crate) use targets::{ModeArg, NewTargetArgs, SecretsCommand, TargetCommand};
pub(crate) use undo::{OverrideCommand, UndoArgs};

use crate::config::{Flags, ServeFlags};
use clap::{Args, Parser, Subcommand};
use rollcall_api::names;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A SCIM 2.0 provisioning server that keeps DingTalk in step with Okta, Entra ID or Workday.
#[derive(Parser, Debug)]
#[command(name = "rollcall", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run the whole product on this machine, with a DingTalk simulator and a sample organisation
    Demo(DemoArgs),
    /// Run the server
    Serve(ServeFlags),
    /// Run the DingTalk simulator alone
    Simulator(SimulatorArgs),
    /// Bring the database to this version's schema
    Migrate,
    /// Check configuration, database and targets
    Doctor,
    /// Show what is received, waiting, applied and in need of attention
    Status(TenantArg),
    /// Say why a person is (not) in DingTalk
    Explain {
        /// The person's userName; of the past also the SCIM id
        user_name: String,
        /// Only of this attribute of the account, such as mobile
        #[arg(long, value_name = "ATTRIBUTE")]
        field: Option<String>,
        /// What was so at this moment, such as 2026-11-23T09:00:00Z
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Whose directory.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Look again at deliveries that retry, wait or need attention
    Retry {
        /// Only this person's, by userName
        user_name: Option<String>,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Show the first password of a person's DingTalk account, once, where DingTalk does not tell it itself
    FirstPassword {
        /// The person's userName
        user_name: String,
        /// Whose directory.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Make a plan of what is held; ends with 0 if there is nothing to do, 2 if there are changes, 3 if a guard holds some
    Plan(PlanArgs),
    /// Apply a plan, or a part of it: exactly what it says, or nothing
    Apply(ApplyArgs),
    /// Ask for the release of what guards hold of a plan, or grant it; that takes two people
    Release(ReleaseArgs),
    /// Make a plan that undoes what was done: by a plan, to people, in a time, or because of a version of the mapping; ends as `plan` does
    Undo(UndoArgs),
    /// What is held against the rules since something was undone
    #[command(subcommand)]
    Override(OverrideCommand),
    /// Show or set how much is too much at once
    Guards(GuardsArgs),
    /// Let the account of one person who has left go at once, whatever rules and guards say
    Remove(RemoveArgs),
    /// Let one person who has not answered DingTalk's invitation be invited once more, at once; at most once a day
    InviteAgain(InviteAgainArgs),
    /// Show what leavers hand over: reports, departments, and who takes over
    Handovers(HandoversArgs),
    /// What groups become at a target, by rule and by hand
    Group(GroupArgs),
    /// Stop sending to a target
    Pause(TargetArg),
    /// Send to a target again
    Resume(TargetArg),
    /// Print the OpenAPI document
    Openapi,
    /// Organisations
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// SCIM clients of a tenant
    #[command(subcommand)]
    Source(SourceCommand),
    /// Bearer tokens, for SCIM and for the REST API, and what else lets somebody in
    #[command(subcommand)]
    Token(TokenCommand),
    /// OAuth 2.0 clients of a source, which fetch access tokens at /oauth/token
    #[command(subcommand)]
    OauthClient(OauthClientCommand),
    /// From where, how fast, and whether with HTTP Basic a source may call
    #[command(subcommand)]
    Access(AccessCommand),
    /// The document that makes accounts of people, and its versions
    #[command(subcommand)]
    Mapping(MappingCommand),
    /// People who sign in to the console
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// DingTalk organisations of a tenant
    #[command(subcommand)]
    Target(TargetCommand),
    /// The master keys that seal the secrets of targets
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// An organisation that is there already: who is who in it, and what must not be touched
    #[command(subcommand)]
    Adopt(AdoptCommand),
    /// Which person, department or group is what at a target, and mending it
    #[command(subcommand)]
    Links(LinksCommand),
}

/// Which tenant.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct TenantArg {
    /// The tenant; may be left out when there is only one
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

/// Which target.
#[derive(Args, Debug, Clone)]
pub(crate) struct TargetArg {
    /// The target; may be left out when there is only one
    pub(crate) target: Option<String>,
    /// Whose.
    #[command(flatten)]
    pub(crate) tenant: TenantArg,
}

/// How the demo runs.
#[derive(Args, Debug, Clone)]
pub(crate) struct DemoArgs {
    /// Address of SCIM, REST API and console.
    #[command(flatten)]
    pub(crate) serve: ServeFlags,
    /// Address of the DingTalk simulator
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) simulator_listen: SocketAddr,
    /// How many people the sample organisation has
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) people: u32,
    /// No sample organisation
    #[arg(long)]
    pub(crate) empty: bool,
}

/// How the simulator runs.
#[derive(Args, Debug, Clone)]
pub(crate) struct SimulatorArgs {
    /// Address that answers the paths of both DingTalk hosts
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) listen: SocketAddr,
    /// File that gets the address once the simulator is ready
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Key of the application that may call it
    #[arg(long, default_value = "dingsimulator")]
    pub(crate) app_key: String,
    /// Calls per second that it permits per application and API
    #[arg(long, default_value_t = 20)]
    pub(crate) calls_per_second: u16,
}

/// What to do with tenants.
#[derive(Subcommand, Debug)]
pub(crate) enum TenantCommand {
    /// Add an organisation
    Create {
        /// Its name, unique in the installation
        #[arg(value_parser = names::parse)]
        name: String,
    },
    /// List the organisations
    List,
}

/// What to do with sources.
#[derive(Subcommand, Debug)]
pub(crate) enum SourceCommand {
    /// Add a SCIM client
    Create {
        /// Its name, unique in the tenant
        #[arg(value_parser = names::parse)]
        name: String,
        /// How the client speaks SCIM: okta, entra, workday, generic or strict
        #[arg(long, default_value = "generic")]
        profile: String,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Change how a SCIM client is understood; its next request is served so
    Set {
        /// Its name
        name: String,
        /// Another profile: okta, entra, workday, generic or strict; overridden switches stay
        #[arg(long)]
        profile: Option<String>,
        /// Override a switch of the profile; may be repeated
        #[arg(long = "switch", value_name = "NAME=VALUE")]
        switches: Vec<String>,
        /// Give a switch back to the profile; may be repeated
        #[arg(long = "reset", value_name = "NAME")]
        resets: Vec<String>,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// List the SCIM clients with their profiles and overrides
    List(TenantArg),
}

/// What to do with operators.
#[derive(Subcommand, Debug)]
pub(crate) enum OperatorCommand {
    /// Let a person sign in to the console; the password is shown once
    Create {
        /// What they sign in with, unique in the installation
        #[arg(value_parser = names::parse)]
        name: String,
        /// Whose directory they see.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Give a person a new password; it is shown once
    Password {
        /// What they sign in with
        name: String,
    },
}
