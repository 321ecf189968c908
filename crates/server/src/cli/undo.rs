//! The words for taking back what was done, and for what is held by that.

use super::TenantArg;
use super::plans::ByArg;
use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;
use uuid::Uuid;

/// What is undone.
#[derive(Args, Debug, Clone)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["plan", "users", "from", "to", "mapping_version"]))]
pub(crate) struct UndoArgs {
    /// What this plan has sent
    pub(crate) plan: Option<Uuid>,
    /// What was done to these people, by userName or SCIM id; may be repeated. Needs a plan, --from or --mapping-version
    #[arg(long = "user", value_name = "NAME")]
    pub(crate) users: Vec<String>,
    /// What was done from this moment on, such as 2026-11-23T09:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// What was done before this moment
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// What followed from this version of the mapping
    #[arg(long, value_name = "VERSION")]
    pub(crate) mapping_version: Option<i32>,
    /// Why; kept with the plan and with everything that is held by it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The day on which somebody is to ask whether what is held must still be held, such as 2026-12-31
    #[arg(long, value_name = "DAY")]
    pub(crate) review_on: Option<String>,
    /// The target; may be left out when there is only one, or when a plan is undone
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// File that gets the whole plan: CSV if its name ends with .csv, else JSON
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Who makes it.
    #[command(flatten)]
    pub(crate) by: ByArg,
    /// Whose.
    #[command(flatten)]
    pub(crate) tenant: TenantArg,
}

/// What to do with overrides.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum OverrideCommand {
    /// List what is held against the rules: since when, by whom, why, and when to ask again
    List {
        /// Only of this person, by userName or SCIM id
        #[arg(long = "user", value_name = "NAME")]
        user: Option<String>,
        /// Also those that have ended
        #[arg(long)]
        ended: bool,
        /// The most that are shown
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1_000))]
        limit: i64,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// Lift one: the rules count again
    Lift {
        /// Its number
        number: i64,
        /// Who lifts it.
        #[command(flatten)]
        by: ByArg,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
}
