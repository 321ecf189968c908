//! The REST interface under `/api/v1`: how the projection stands, for people and their programs.
//!
//! The handlers read parameters and write answers; what they say comes from [`crate::services`].

mod adoption;
mod credentials;
mod deliveries;
mod docs;
mod groups;
mod guards;
mod held;
mod in_path;
mod invitations;
mod learning;
mod leavers;
mod links;
mod logs;
mod mapping;
mod mapping_drafts;
mod marks;
mod owners;
mod params;
mod plans;
mod preflight;
mod schemas;
mod sources;
mod stops;
mod target_settings;
mod targets;
mod undo;
mod users;

use crate::auth::Counted;
use crate::refusal::Refusal;
use crate::state::ApiState;
use axum::Router;
use axum::extract::OriginalUri;
use axum::routing::get;
use http::{Method, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Path of the REST interface.
pub const PATH: &str = "/api/v1";

/// The documented routes, relative to [`PATH`].
pub(crate) fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(targets::list, targets::create))
        .routes(routes!(targets::set_mode))
        .routes(routes!(groups::list))
        .routes(routes!(groups::show, groups::decide, groups::undecide))
        .routes(routes!(target_settings::read, target_settings::change))
        .routes(routes!(target_settings::set_secret))
        .routes(routes!(preflight::read))
        .routes(routes!(stops::try_now))
        .routes(routes!(stops::windows, stops::set_windows))
        .routes(routes!(guards::read, guards::replace))
        .routes(routes!(guards::trips))
        .routes(routes!(guards::close))
        .routes(routes!(learning::proposals))
        .routes(routes!(learning::accept))
        .routes(routes!(learning::try_limits))
        .routes(routes!(plans::make))
        .routes(routes!(undo::undo))
        .routes(routes!(undo::list))
        .routes(routes!(undo::lift))
        .routes(routes!(plans::list))
        .routes(routes!(plans::read))
        .routes(routes!(plans::changes))
        .routes(routes!(plans::apply))
        .routes(routes!(plans::request_release))
        .routes(routes!(plans::release))
        .routes(routes!(plans::reject))
        .routes(routes!(sources::profiles))
        .routes(routes!(sources::list))
        .routes(routes!(sources::read, sources::change))
        .routes(routes!(owners::list, owners::set))
        .routes(routes!(schemas::list, schemas::create))
        .routes(routes!(schemas::read, schemas::replace, schemas::delete))
        .routes(routes!(mapping::read, mapping::replace))
        .routes(routes!(mapping::versions, mapping::save))
        .routes(routes!(mapping::version))
        .routes(routes!(mapping::diff))
        .routes(routes!(mapping::revert))
        .routes(routes!(mapping_drafts::check))
        .routes(routes!(mapping_drafts::test))
        .routes(routes!(mapping_drafts::preview))
        .routes(routes!(credentials::access, credentials::replace_access))
        .routes(routes!(credentials::list, credentials::create))
        .routes(routes!(credentials::revoke))
        .routes(routes!(credentials::list_clients, credentials::create_client))
        .routes(routes!(credentials::revoke_client))
        .routes(routes!(adoption::read))
        .routes(routes!(adoption::scan, adoption::cancel))
        .routes(routes!(adoption::resume))
        .routes(routes!(adoption::correlate))
        .routes(routes!(adoption::restart))
        .routes(routes!(adoption::candidates))
        .routes(routes!(adoption::decide))
        .routes(routes!(adoption::by_rule))
        .routes(routes!(adoption::export, adoption::import))
        .routes(routes!(adoption::weights, adoption::set_weights))
        .routes(routes!(marks::list, marks::set))
        .routes(routes!(marks::lift))
        .routes(routes!(links::list, links::create))
        .routes(routes!(links::export))
        .routes(routes!(links::break_link))
        .routes(routes!(links::rematch))
        .routes(routes!(held::list))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::retry))
        .routes(routes!(users::by_user_name))
        .routes(routes!(users::by_id))
        .routes(routes!(users::explain))
        .routes(routes!(users::first_password))
        .routes(routes!(leavers::remove_at_once))
        .routes(routes!(invitations::invite_again))
        .routes(routes!(leavers::heritage))
        .routes(routes!(leavers::handovers))
        .routes(routes!(logs::attempts))
        .routes(routes!(logs::changes))
}

/// What is served besides: the OpenAPI document, and the answer to everything else.
pub(crate) fn undocumented() -> Router<ApiState> {
    Router::new().route("/openapi.json", get(crate::openapi::serve)).fallback(unknown)
}

async fn unknown(_: Counted, method: Method, OriginalUri(uri): OriginalUri) -> Refusal {
    Refusal::from_status(StatusCode::NOT_FOUND, &method, &uri)
}
