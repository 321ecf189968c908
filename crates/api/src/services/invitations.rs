//! Invitations that nobody answers: how they stand, and inviting one person again at once.

use crate::error::ApiError;
use crate::services::explain::clock;
use crate::services::person::{self, PersonView, StandingView};
use crate::services::reason;
use crate::services::targets::no_target;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::invitation::{Invited, Rules};
use rollcall_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most characters of a reason.
const MAX_REASON: usize = 500;

/// An invitation that a person has not accepted.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct InvitationView {
    /// When the person was invited first, under the number that they have now.
    #[serde(with = "time::serde::rfc3339")]
    pub first_at: OffsetDateTime,
    /// When the last invitation was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub last_at: OffsetDateTime,
    /// How many were sent, counting those whose answer was lost.
    pub times: u32,
    /// How many are sent at most without somebody asking for more.
    pub at_most: u32,
    /// When the next one is sent if nobody answers; absent when none is.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub next_at: Option<OffsetDateTime>,
    /// Who has asked for one more, which is not sent yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// From when on somebody may ask for one more.
    #[serde(with = "time::serde::rfc3339")]
    pub again_from: OffsetDateTime,
}

impl InvitationView {
    /// An invitation of a target that has these settings.
    pub(crate) fn of(invited: Invited, settings: &Value) -> Self {
        let rules = Rules::of(settings);
        // Without days between them there is one.
        let at_most = if rules.after_days.is_some() { rules.at_most } else { 1 };
        Self {
            first_at: invited.first_at,
            last_at: invited.last_at,
            times: invited.times,
            at_most,
            next_at: rules.next(&invited),
            again_from: invited.again_from(),
            asked_by: invited.asked_by,
        }
    }
}

/// Why a person is invited again.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct InviteAgainRequest {
    /// The reason; it is kept in the change log.
    #[schema(example = "She has deleted the first one.")]
    pub reason: String,
    /// Only at this target; where it is left out, at all at which an invitation is open.
    #[serde(default)]
    pub target: Option<Uuid>,
}

/// What becomes of it.
#[derive(Serialize, ToSchema, Clone, Copy, PartialEq, Eq, Debug)]
pub struct InviteAgainView {
    /// At how many targets the person is invited again.
    pub targets: u64,
}

/// Lets a person who has not answered an invitation be invited once more at once, whatever the settings of the target say
/// about how often: at most once a day. A target that is not live sends it when it is.
///
/// # Errors
/// 404; 400 for the reason; 409 when the person has left, has no open invitation, or was invited less than a day ago.
pub async fn invite_again(
    store: &Store,
    tenant: TenantId,
    id: ResourceId,
    request: &InviteAgainRequest,
    by: &str,
) -> Result<InviteAgainView, ApiError> {
    let reason = reason::within(&request.reason, MAX_REASON)?;
    let target = request.target.map(TargetId);
    if let Some(target) = target
        && !store.targets(tenant).await?.iter().any(|known| known.id == target)
    {
        return Err(no_target(&target.to_string()));
    }
    // Also says whether there is such a person.
    let person = person::by_id(store, tenant, id).await?;
    match store.invite_again(tenant, (id, target), by, reason).await? {
        0 => Err(ApiError::Conflict(why_not(&person, target))),
        targets => Ok(InviteAgainView { targets }),
    }
}

/// Why a person is not invited again.
fn why_not(person: &PersonView, target: Option<TargetId>) -> String {
    if !person.active {
        return "The person has left. Nobody is invited who is to have no account.".to_owned();
    }
    let asked_for = |standing: &&StandingView| target.is_none_or(|target| target.0 == standing.delivery.target_id);
    let open = person.standings.iter().filter(asked_for).filter_map(|standing| {
        let invitation = standing.link.as_ref()?.invitation.as_ref()?;
        Some((standing.delivery.target.as_str(), invitation))
    });
    match open.min_by_key(|(_, invitation)| invitation.again_from) {
        None => {
            "The person has no open invitation: they have an account, or DingTalk was never asked for one or has not \
                 asked them. The reason is in the explanation of the person."
                .to_owned()
        }
        Some((target, InvitationView { asked_by: Some(by), .. })) => {
            format!(
                "{by} has asked for it already; the person is invited again as soon as the target {target} is live."
            )
        }
        Some((target, invitation)) => format!(
            "The person was invited at {} by the target {target}, and nobody is invited more than once a day. It can be \
             done from {} on.",
            clock(invitation.last_at),
            clock(invitation.again_from)
        ),
    }
}
