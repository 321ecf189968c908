//! The one place where all routes meet.

use crate::auth::Counted;
use crate::edge::health;
use crate::refusal::Refusal;
use crate::scim::BulkRoutes;
use crate::state::ApiState;
use crate::{oauth, openapi, rest, scim};
use axum::extract::OriginalUri;
use axum::{Extension, Router};
use http::{Method, StatusCode};
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
    let routes = documented.merge(undocumented).method_not_allowed_fallback(not_allowed);
    edge.apply(routes.layer(Extension(bulk)).with_state(state))
}

/// What is said to a method that a path does not have. The router adds the header `Allow`.
async fn not_allowed(_: Counted, method: Method, OriginalUri(uri): OriginalUri) -> Refusal {
    Refusal::from_status(StatusCode::METHOD_NOT_ALLOWED, &method, &uri)
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
