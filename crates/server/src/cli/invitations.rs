//! The words for people who have not answered an invitation.

use super::{ByArg, TenantArg};
use clap::Args;

/// Who is invited again.
#[derive(Args, Debug, Clone)]
pub(crate) struct InviteAgainArgs {
    /// The person's userName
    pub(crate) person: String,
    /// Only at this target; where it is left out, at all at which an invitation is open
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Option<String>,
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
