//! The one place where all routes meet.

use crate::limits::MAX_BODY_BYTES;
use crate::state::ApiState;
use crate::{edge, openapi, rest, scim};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;

/// All routes: `/scim/v2`, `/api/v1`, `/livez`, `/readyz`, with the edge around them.
///
/// Other routers can be merged with it; to put the same edge around them, see [`edge::apply`].
pub fn router(state: ApiState) -> Router {
    let (documented, _) = documented().split_for_parts();
    let undocumented = Router::new()
        .nest(scim::base::PATH, scim::undocumented())
        .nest(rest::PATH, rest::undocumented())
        .merge(edge::health::routes());
    let routes = documented.merge(undocumented).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(state.clone());
    edge::apply(routes, &state)
}

/// The routes that the OpenAPI document describes.
pub(crate) fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(openapi::frame())
        .nest(scim::base::PATH, scim::documented())
        .nest(rest::PATH, rest::documented())
}
