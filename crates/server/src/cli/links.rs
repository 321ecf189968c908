//! The words for links.

use super::ByArg;
use super::adopt::TargetOption;
use clap::{Args, Subcommand};
use uuid::Uuid;

/// What to do with links.
#[derive(Subcommand, Debug)]
pub(crate) enum LinksCommand {
    /// List which person, department or group is what at a target
    List {
        /// To which the list is limited.
        #[command(flatten)]
        filters: LinkFilters,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=200))]
        limit: i64,
        /// Which organisation.
        #[command(flatten)]
        target: TargetOption,
    },
    /// Link a person to an account that was there before; what differs waits for a plan
    Create {
        /// The person's userName
        person: String,
        /// The account's id at the target
        account: String,
        /// Why it is theirs; it is kept in the change log
        #[arg(long)]
        reason: String,
        /// Who decides.
        #[command(flatten)]
        by: ByArg,
        /// Which organisation.
        #[command(flatten)]
        target: TargetOption,
    },
    /// Break a link; the target is left as it is, and nothing new is made there without a plan
    Break(PartArgs),
    /// Break a link, if there is one, and look for the account again in what the newest scan has found
    Rematch(PartArgs),
    /// Write all links as a CSV file to standard output
    Export {
        /// To which the file is limited.
        #[command(flatten)]
        filters: LinkFilters,
        /// Which organisation.
        #[command(flatten)]
        target: TargetOption,
    },
}

/// To which links a list is limited.
#[derive(Args, Debug, Clone)]
pub(crate) struct LinkFilters {
    /// Only of one kind: user, `org_unit` or group
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only to what was there before (adopted), or to what Rollcall made (made)
    #[arg(long)]
    pub(crate) origin: Option<String>,
    /// Only of which this is known: known, unknown or invited
    #[arg(long)]
    pub(crate) observed: Option<String>,
    /// Only to this entity, by its id at the target
    #[arg(long, value_name = "ID")]
    pub(crate) remote_id: Option<String>,
    /// Only of people with this userName or displayName
    #[arg(long, value_name = "NAME")]
    pub(crate) person: Option<String>,
    /// Only of what is marked as not to be touched
    #[arg(long)]
    pub(crate) marked: bool,
}

/// Whose link is broken.
#[derive(Args, Debug, Clone)]
pub(crate) struct PartArgs {
    /// The person's userName
    #[arg(required_unless_present = "department")]
    pub(crate) person: Option<String>,
    /// Instead of a person: this department, by its id as `links list` shows it
    #[arg(long, value_name = "ID", conflicts_with = "person")]
    pub(crate) department: Option<Uuid>,
    /// Why; it is kept in the change log
    #[arg(long)]
    pub(crate) reason: String,
    /// Who decides.
    #[command(flatten)]
    pub(crate) by: ByArg,
    /// Which organisation.
    #[command(flatten)]
    pub(crate) target: TargetOption,
}
