//! `/held`: what waits for a person, and what to do about it.

use crate::auth::ApiClient;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::params::Params;
use crate::services::held::{self, HeldView};
use crate::services::page::Page;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// What is held at every target, by what holds it: tripped guards with their arithmetic, adoption, versions of the mapping,
/// rehearsal; plans that wait for a second person; stops, deny windows and used-up calls. Each with what to do.
#[utoipa::path(
    get, path = "/held", tag = "projection", operation_id = "listHeld",
    responses((status = 200, description = "All targets, by name", body = Page<HeldView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Page<HeldView>>, ApiError> {
    params.end()?;
    Ok(Json(Page::whole(held::read(state.store(), client.tenant, state.clock().now()).await?)))
}
