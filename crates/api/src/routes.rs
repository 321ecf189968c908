//! The one place where all routes meet.

use crate::edge::health;
use crate::scim::BulkRoutes;
use crate::state::ApiState;
use crate::{oauth, openapi, rest, scim};
use axum::{Extension, Router};
use utoipa_axum::router::OpenApiRouter;

/// All routes: `/scim/v2`, `/api/v1`, `/oauth/token`, `/livez`, `/readyz`, with the edge around them.
///
/// Other routers can be merged with it; to put the same edge around them, see [`crate::edge::Edge::apply`].
pub fn router(state: ApiState) -> Router {
    let (documented, _) = documented().split_for_parts();
    // What one operation of a bulk request goes through; the edge is passed by the whole.
    let bulk = BulkRoutes(documented.clone().with_state(state.clone()));
    let undocumented = Router::new()
        .nest(scim::base::PATH, scim::undocumented())
        .merge(scim::at_root())
        .nest(rest::PATH, rest::undocumented())
        .merge(health::routes());
    let edge = state.edge();
    edge.apply(documented.merge(undocumented).layer(Extension(bulk)).with_state(state))
}

/// The health routes alone, for a process that answers no other requests.
pub fn health_router(state: ApiState) -> Router {
    let edge = state.edge();
    edge.apply(health::routes().with_state(state))
}

/// The routes that the OpenAPI document describes.
pub(crate) fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(openapi::frame())
        .nest(scim::base::PATH, scim::documented())
        .nest(rest::PATH, rest::documented())
        .merge(oauth::documented())
}
