//! What the command line takes about targets and their secrets.

use super::{TargetArg, TenantArg};
use clap::{Args, Subcommand, ValueEnum};
use rollcall_api::names;
use std::path::PathBuf;

/// What a target starts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ModeArg {
    /// Plans are made and shown, nothing is sent
    Rehearsal,
    /// Changes are sent
    Live,
    /// Nothing is planned or sent
    Paused,
}

/// The target to be made.
#[derive(Args, Debug)]
pub(crate) struct NewTargetArgs {
    /// Its name, unique in the tenant
    #[arg(value_parser = names::parse)]
    pub(crate) name: String,
    /// Key (Client ID) of the internal application
    #[arg(long)]
    pub(crate) app_key: String,
    /// File that holds the application's secret (Client Secret)
    #[arg(long, value_name = "FILE")]
    pub(crate) app_secret_file: PathBuf,
    /// Base URL of DingTalk's old host
    #[arg(long, value_name = "URL", default_value = "https://oapi.dingtalk.com")]
    pub(crate) oapi_url: String,
    /// Base URL of DingTalk's new host
    #[arg(long, value_name = "URL", default_value = "https://api.dingtalk.com")]
    pub(crate) api_url: String,
    /// Calls per second that DingTalk permits per application and API
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) calls_per_second: u32,
    /// Another setting of `rollcall target show`; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// What it starts as
    #[arg(long, value_enum, default_value = "rehearsal")]
    pub(crate) mode: ModeArg,
    /// Whose.
    #[command(flatten)]
    pub(crate) tenant: TenantArg,
}

/// What to do with targets.
#[derive(Subcommand, Debug)]
pub(crate) enum TargetCommand {
    /// Add a DingTalk organisation; it starts in rehearsal unless told otherwise
    Create(NewTargetArgs),
    /// List the targets
    List(TenantArg),
    /// Show the settings of a target, and what each is for; never its secret
    Show(TargetArg),
    /// Change settings of a target; workers use them from their next delivery on
    Set {
        /// The target's name
        name: String,
        /// A setting; may be repeated. Lists have commas between their members
        #[arg(long = "set", value_name = "NAME=VALUE")]
        settings: Vec<String>,
        /// Give a setting back the value that it begins with; may be repeated
        #[arg(long = "reset", value_name = "NAME")]
        resets: Vec<String>,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Give a target another application secret; workers use it from their next delivery on
    Secret {
        /// The target's name
        name: String,
        /// File that holds the application's secret (Client Secret)
        #[arg(long, value_name = "FILE")]
        app_secret_file: PathBuf,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Try everything that is stopped of a target now, instead of when its clock says so
    Try(TargetArg),
    /// Show the times at which nothing is sent to a target, or replace them
    Windows {
        /// The target's name
        name: String,
        /// JSON file with all windows; without one they are shown
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Change whether changes are sent
    Mode {
        /// The target's name
        name: String,
        /// What it becomes
        #[arg(value_enum)]
        mode: ModeArg,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
}

/// What to do with the keys.
#[derive(Subcommand, Debug)]
pub(crate) enum SecretsCommand {
    /// Show the master keys, and how many secrets each has sealed
    List,
    /// Add a new master key to the file and seal every secret with it, while servers run
    Rotate,
    /// Seal every secret with the newest master key of the file, while servers run
    Reseal,
}
