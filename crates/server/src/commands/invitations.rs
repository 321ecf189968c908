//! People who have not answered an invitation: inviting one of them again.

use super::leavers::named;
use super::output::{Output, count_of};
use super::who::decides;
use super::{chosen_tenant, targets};
use crate::cli::InviteAgainArgs;
use anyhow::Result;
use rollcall_api::services::invitations::{self, InviteAgainRequest};
use rollcall_store::Store;

/// Lets a person be invited once more at once.
pub(super) async fn invite_again(args: InviteAgainArgs, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, args.tenant.tenant.as_deref()).await?.id;
    let id = named(store, tenant, &args.person).await?;
    let target = match args.target.as_deref() {
        Some(name) => Some(targets::chosen(store, tenant, Some(name)).await?.id.0),
        None => None,
    };
    let request = InviteAgainRequest { reason: args.reason, target };
    let done = invitations::invite_again(store, tenant, id, &request, &decides(&args.by)).await?;
    // This process has no workers and ends at once, so the others are told before it does.
    store.tell_workers().await?;
    output.result(&serde_json::to_value(done)?, || {
        let at = count_of(done.targets, "target", "targets");
        format!("{} is invited again at {at}; `rollcall explain {}` says how it stands.", args.person, args.person)
    })?;
    Ok(())
}
