//! Inviting one person again.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::InPath;
use crate::services::invitations::{self, InviteAgainRequest, InviteAgainView};
use crate::services::{given, who};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use rollcall_provisioning::ids::ResourceId;

/// Lets one person who has not answered DingTalk's invitation be invited once more at once, whatever the settings
/// `invite_again_after_days` and `invitations_at_most` of the target say; at most once a day. A target that is not live sends
/// it when it is. It is kept in the change log as `invited_again`, with the reason and who decided it.
#[utoipa::path(
    post, path = "/users/{id}/invite-again", tag = "people", operation_id = "inviteAgain",
    params(("id" = Uuid, Path, description = "The SCIM id")), request_body = InviteAgainRequest,
    responses(
        (status = 202, description = "The person is invited again", body = InviteAgainView), Refusals, ConflictRefusal,
    ),
)]
pub(super) async fn invite_again(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(id): InPath<ResourceId>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<InviteAgainView>), ApiError> {
    let request: InviteAgainRequest = given::body(body)?;
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    let done = invitations::invite_again(state.store(), client.tenant, id, &request, &by).await?;
    Ok((StatusCode::ACCEPTED, Json(done)))
}
