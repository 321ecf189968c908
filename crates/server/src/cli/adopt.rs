//! The words for adopting an organisation that is there already.

use super::{ByArg, TargetArg};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use uuid::Uuid;

/// What to do about an organisation that is there already.
#[derive(Subcommand, Debug)]
pub(crate) enum AdoptCommand {
    /// Read the organisation, and find out who is who; nothing is written to it
    Scan {
        /// Go on with a scan that failed, where it was
        #[arg(long, conflicts_with_all = ["correlate", "cancel"])]
        resume: bool,
        /// Read nothing; only find out once more who is who
        #[arg(long, conflicts_with = "cancel")]
        correlate: bool,
        /// End the scan that is under way
        #[arg(long)]
        cancel: bool,
        /// Which organisation.
        #[command(flatten)]
        target: TargetOption,
    },
    /// Show how it stands, and what is left before going live
    Status(TargetOption),
    /// List who may be who
    Review {
        /// Only one of linked, suggested, contradiction, `only_in_target`, `only_in_directory`
        #[arg(long)]
        bucket: Option<String>,
        /// Only those nobody has decided about
        #[arg(long)]
        undecided: bool,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=200))]
        limit: i64,
        /// Which organisation.
        #[command(flatten)]
        target: TargetOption,
    },
    /// Decide about one of them, or accept all suggestions in which some keys agree
    Decide {
        /// The row, as `review` shows it
        #[arg(required_unless_present = "keys", requires = "decision")]
        row: Option<Uuid>,
        /// accepted, rejected, new or undecided
        decision: Option<String>,
        /// Accept every suggestion in which these agree, with commas between: `job_number`, mobile, `company_email`,
        /// `personal_email`, `name_and_department`, name
        #[arg(long, value_delimiter = ',', conflicts_with = "row")]
        keys: Option<Vec<String>>,
        /// With --keys: also where a key differs
        #[arg(long, requires = "keys")]
        despite_differences: bool,
        /// With --keys: only say how many there are
        #[arg(long, requires = "keys")]
        preview: bool,
        /// Which organisation.
        #[command(flatten)]
        target: TargetOption,
    },
    /// Write all rows as a CSV file to standard output
    Export(TargetOption),
    /// Take the decisions of a CSV file; if a line is wrong, none of them
    Import {
        /// The file, with the columns `row_id` and decision
        file: PathBuf,
        /// Which organisation.
        #[command(flatten)]
        target: TargetOption,
    },
    /// Say what must not be touched
    Mark(MarkArgs),
    /// Forget all links that adoption made, and all decisions; nothing changes in the organisation
    Restart(TargetOption),
}

/// Which target, of commands that take other words, too.
#[derive(Args, Debug, Clone)]
pub(crate) struct TargetOption {
    /// The target; may be left out when there is only one
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Whose.
    #[command(flatten)]
    tenant: super::TenantArg,
}

impl From<TargetOption> for TargetArg {
    fn from(option: TargetOption) -> Self {
        Self { target: option.target, tenant: option.tenant }
    }
}

/// A mark to be made, lifted, or, without any word, all of them shown.
#[derive(Args, Debug, Clone)]
pub(crate) struct MarkArgs {
    /// Of this account, by its id at the target
    #[arg(long, value_name = "ID", conflicts_with_all = ["department", "person", "lift"])]
    pub(crate) account: Option<String>,
    /// Of this department, by its id at the target
    #[arg(long, value_name = "ID", conflicts_with_all = ["person", "lift"])]
    pub(crate) department: Option<String>,
    /// Of whatever this person has, by SCIM id
    #[arg(long, value_name = "ID", conflicts_with = "lift")]
    pub(crate) person: Option<Uuid>,
    /// protected, `do_not_touch`, later or leaver
    #[arg(long, default_value = "protected")]
    pub(crate) kind: String,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// When somebody should look at it again, as in 2026-12-31
    #[arg(long, value_name = "DATE")]
    pub(crate) review_on: Option<String>,
    /// Lift this mark; one that forbids every step takes two people
    #[arg(long, value_name = "MARK")]
    pub(crate) lift: Option<Uuid>,
    /// Who decides.
    #[command(flatten)]
    pub(crate) by: ByArg,
    /// Which organisation.
    #[command(flatten)]
    pub(crate) target: TargetOption,
}
