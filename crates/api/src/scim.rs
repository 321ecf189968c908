//! The SCIM interface under `/scim/v2` (RFC 7644).
//!
//! Rules of SCIM live in `rollcall_scim`, what is kept lives in `rollcall_store`; the files here bring a request to
//! both and the result back. Each path is also served with a slash at its end and with two at its start, because clients
//! glue their paths to whatever base URL an administrator has typed.

mod answer;
pub mod base;
mod bulk;
mod call;
mod cursor;
mod discovery;
mod docs;
mod failure;
mod group_json;
mod groups;
mod large_groups;
mod link_again;
mod lists;
mod me;
mod messages;
pub mod query;
mod restore;
mod search;
mod strict_members;
mod user_json;
mod users;

pub(crate) use bulk::BulkRoutes;
pub use cursor::CursorKey;
pub(crate) use docs::ScimError;

use crate::auth::Counted;
use crate::openapi;
use crate::refusal::Refusal;
use crate::state::ApiState;
use axum::Router;
use axum::extract::OriginalUri;
use axum::routing::{any, get, post};
use http::{Method, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The documented routes, relative to [`base::PATH`].
pub(crate) fn documented() -> OpenApiRouter<ApiState> {
    let mut router = OpenApiRouter::new()
        .routes(routes!(discovery::config))
        .routes(routes!(discovery::schemas))
        .routes(routes!(discovery::schema))
        .routes(routes!(discovery::resource_types))
        .routes(routes!(discovery::resource_type))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::read, users::replace, users::patch, users::delete))
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::read, groups::replace, groups::patch, groups::delete))
        .routes(routes!(search::users))
        .routes(routes!(search::groups))
        .routes(routes!(search::everything))
        .routes(routes!(bulk::bulk));
    openapi::take_basic(router.get_openapi_mut());
    router
}

/// What is served besides: the same paths with more slashes around them, features that are refused by name, and the
/// answer to everything else. Relative to [`base::PATH`].
pub(crate) fn undocumented() -> Router<ApiState> {
    let user = get(users::read).put(users::replace).patch(users::patch).delete(users::delete);
    let group = get(groups::read).put(groups::replace).patch(groups::patch).delete(groups::delete);
    // The base URL itself; with a slash it is served beside the nested routes, see `at_root`.
    let mut router = Router::new().route("/", get(search::root));
    for (before, after) in [("", ""), ("", "/"), ("/", ""), ("/", "/")] {
        let path = |name: &str| format!("{before}/{name}{after}");
        router = router.route(&path("Me"), any(me::me));
        if (before, after) == ("", "") {
            continue; // These are the documented ones.
        }
        router = router
            .route(&path("ServiceProviderConfig"), get(discovery::config))
            .route(&path("Schemas"), get(discovery::schemas))
            .route(&path("Schemas/{urn}"), get(discovery::schema))
            .route(&path("ResourceTypes"), get(discovery::resource_types))
            .route(&path("ResourceTypes/{name}"), get(discovery::resource_type))
            .route(&path("Users"), get(users::list).post(users::create))
            .route(&path("Users/{id}"), user.clone())
            .route(&path("Groups"), get(groups::list).post(groups::create))
            .route(&path("Groups/{id}"), group.clone())
            .route(&path(".search"), post(search::everything))
            .route(&path("Bulk"), post(bulk::bulk))
            .route(&path("Users/.search"), post(search::users))
            .route(&path("Groups/.search"), post(search::groups));
    }
    router.fallback(unknown)
}

/// The base URL with a slash at its end, which nesting cannot serve. Not relative to [`base::PATH`].
pub(crate) fn at_root() -> Router<ApiState> {
    Router::new().route(&format!("{}/", base::PATH), get(search::root))
}

async fn unknown(_: Counted, method: Method, OriginalUri(uri): OriginalUri) -> Refusal {
    Refusal::from_status(StatusCode::NOT_FOUND, &method, &uri)
}
