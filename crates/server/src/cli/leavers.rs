//! The words for people who leave.

use super::{ByArg, TenantArg};
use clap::Args;

/// Who goes at once.
#[derive(Args, Debug, Clone)]
pub(crate) struct RemoveArgs {
    /// The person's userName, or the SCIM id of somebody who was deleted
    pub(crate) person: String,
    /// Why; it is kept in the change log
    #[arg(long)]
    pub(crate) reason: String,
    /// Who decides.
    #[command(flatten)]
    pub(crate) by: ByArg,
    /// Whose directory.
    #[command(flatten)]
    pub(crate) tenant: TenantArg,
}

/// Which handovers are shown.
#[derive(Args, Debug, Clone)]
pub(crate) struct HandoversArgs {
    /// Only of this person, by userName or SCIM id, with all that they hand over
    pub(crate) person: Option<String>,
    /// Only where something is left to nobody
    #[arg(long, conflicts_with = "person")]
    pub(crate) open: bool,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=200))]
    pub(crate) limit: i64,
    /// Whose directory.
    #[command(flatten)]
    pub(crate) tenant: TenantArg,
}
