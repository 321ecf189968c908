//! The words for what is held: plans, releases, guards.

use super::TenantArg;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use rollcall_api::names;
use std::path::PathBuf;
use uuid::Uuid;

/// Who decides.
#[derive(Args, Debug, Clone)]
pub(crate) struct ByArg {
    /// Who decides, as it is kept with what is decided; left out: the name of the system's user
    #[arg(long, value_name = "NAME", value_parser = names::parse)]
    pub(crate) by: Option<String>,
}

/// Making a plan, or what to do with those that were made.
#[derive(Args, Debug, Clone)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct PlanArgs {
    /// What to do with plans that were made.
    #[command(subcommand)]
    pub(crate) command: Option<PlanCommand>,
    /// What goes into a new one.
    #[command(flatten)]
    pub(crate) new: NewPlanArgs,
}

/// What goes into a plan.
#[derive(Args, Debug, Clone)]
pub(crate) struct NewPlanArgs {
    /// The target; may be left out when there is only one
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// Only these people, by userName, and the departments that they need; may be repeated
    #[arg(long = "user", value_name = "NAME")]
    pub(crate) users: Vec<String>,
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

/// What a change does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum VerbArg {
    /// Something new
    Create,
    /// Something that is there
    Update,
    /// Something that goes
    Delete,
}

/// What to do with plans that were made.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum PlanCommand {
    /// Show a plan, each attribute before and after
    Show {
        /// Its id
        plan: Uuid,
        /// Only changes that do this
        #[arg(long, value_enum)]
        only: Option<VerbArg>,
        /// Only what a guard holds
        #[arg(long)]
        guarded: bool,
        /// The most changes that are shown
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(0..=100_000))]
        limit: i64,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
    /// List the newest plans
    List(TenantArg),
    /// Reject a plan: nothing more of it is applied
    Reject {
        /// Its id
        plan: Uuid,
        /// Who rejects it.
        #[command(flatten)]
        by: ByArg,
        /// Whose.
        #[command(flatten)]
        tenant: TenantArg,
    },
}

/// How much of a plan is applied.
#[derive(Args, Debug, Clone)]
#[command(group = ArgGroup::new("wave").multiple(false))]
pub(crate) struct ApplyArgs {
    /// The plan's id
    pub(crate) plan: Uuid,
    /// Only this many people
    #[arg(long, value_name = "NUMBER", group = "wave", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) people: Option<u32>,
    /// Only the people of this department and of those below it, such as "Sales / EMEA"
    #[arg(long, value_name = "PATH", group = "wave")]
    pub(crate) department: Option<String>,
    /// Only these people, by userName; may be repeated
    #[arg(long = "user", value_name = "NAME", group = "wave")]
    pub(crate) users: Vec<String>,
    /// Who applies it.
    #[command(flatten)]
    pub(crate) by: ByArg,
    /// Whose.
    #[command(flatten)]
    pub(crate) tenant: TenantArg,
}

/// Asking for a release, or granting it.
#[derive(Args, Debug, Clone)]
#[command(group = ArgGroup::new("act").required(true).multiple(false))]
pub(crate) struct ReleaseArgs {
    /// The plan's id
    pub(crate) plan: Uuid,
    /// Ask for the release, and say why
    #[arg(long, value_name = "TEXT", group = "act")]
    pub(crate) reason: Option<String>,
    /// Grant what somebody else has asked for
    #[arg(long, group = "act")]
    pub(crate) approve: bool,
    /// Who does it.
    #[command(flatten)]
    pub(crate) by: ByArg,
    /// Whose.
    #[command(flatten)]
    pub(crate) tenant: TenantArg,
}

/// Guards of a target.
#[derive(Args, Debug, Clone)]
pub(crate) struct GuardsArgs {
    /// What to do; left out: show them
    #[command(subcommand)]
    pub(crate) command: Option<GuardsCommand>,
    /// The target; may be left out when there is only one
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// The tenant; may be left out when there is only one
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

/// What to do with guards.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum GuardsCommand {
    /// Show every guard: its limit, what has passed it, what it holds
    Show,
    /// Show the limits that follow from what is usual, with the arithmetic; nothing is changed
    Propose,
    /// Set limits as they are proposed
    Accept {
        /// The guards
        #[arg(required_unless_present = "all")]
        guards: Vec<String>,
        /// All whose limit would change
        #[arg(long, conflicts_with = "guards")]
        all: bool,
        /// Who does it.
        #[command(flatten)]
        by: ByArg,
    },
    /// Say what limits would have held of the plans and the days of last week; nothing is changed
    Test {
        /// JSON file with limits as for `set`; without one those in force are tried
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Judge anew what a guard holds, by the limits in force: if it is not too much any more it goes on
    Close {
        /// The trip, as `rollcall guards` shows it
        trip: Uuid,
        /// Why, for the change log
        #[arg(long)]
        reason: Option<String>,
        /// Who does it.
        #[command(flatten)]
        by: ByArg,
    },
    /// Replace the target's own limits by those of a JSON file; a guard that is not in it gets back what all begin with
    Set {
        /// The file, such as {"people.remove": {"floor": 10, "share": 0.01, "day": 2, "week": 4}}
        file: PathBuf,
        /// Who does it.
        #[command(flatten)]
        by: ByArg,
    },
}
