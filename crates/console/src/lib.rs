//! The console: HTML pages, rendered on the server.
//!
//! Every control is a link or a form and works without a script; the one script asks for a page's changing part again
//! and puts it in place. Pages are written by templates that escape what they are given; names are isolated, so that
//! text of either direction cannot disturb what is around it. Nothing is fetched from another host, and nothing is
//! inline, so that the content policy can forbid both.
//!
//! A handler reads services of `rollcall_api`, turns what they return into words ([`words`], pure) and renders a
//! template. Everything is read for the tenant of the signed-in operator.

mod assets;
mod credentials;
mod frame;
mod groups;
mod guards;
mod held;
mod history;
mod home;
mod links;
mod mapping;
mod operator;
mod overrides;
mod people;
mod person;
mod plan;
mod plans;
mod preflight;
mod protect;
mod query;
mod recent;
mod retry;
mod row;
#[cfg(test)]
mod sample;
mod session;
mod sign_in;
mod signed_out;
mod sources;
mod state;
mod targets;
mod trouble;
mod view;
pub mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::response::Redirect;
use axum::routing::{any, get, post};
use rollcall_api::ApiState;
use rollcall_api::signing::SigningKeys;
use session::SessionKey;
use state::ConsoleState;
use trouble::Trouble;

/// Largest form, in bytes.
const MAX_FORM_BYTES: usize = 16 * 1024;
/// Largest form that holds a document of the mapping, in bytes: signs take up to three times their place in it.
const MAX_DRAFT_BYTES: usize = 1024 * 1024;

/// The console at `/console`, with the edge around it; `/` leads there. `session_keys` sign sessions: processes
/// that share them share their sessions, and a key that is taken away ends those which it has signed.
pub fn router(state: ApiState, session_keys: SigningKeys) -> Router {
    let edge = state.edge();
    let console = ConsoleState::new(state, SessionKey::new(session_keys));
    let pages = Router::new()
        .route("/", get(Redirect::to("/console")))
        .route("/console", get(home::show))
        .route("/console/", get(Redirect::permanent("/console")))
        .route("/console/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/console/sign-out", post(sign_in::leave))
        .route("/console/people", get(people::people))
        .route("/console/people/{id}", get(person::person))
        .route("/console/people/{id}/invite-again", post(person::invite_again))
        .route("/console/departments", get(people::departments))
        .route("/console/departments/{id}", get(person::department))
        .route("/console/resources/{id}", get(person::resource))
        .route("/console/groups", get(groups::show))
        .route("/console/guards", get(guards::show))
        .route("/console/targets/{id}/guards", post(guards::set))
        .route("/console/targets/{id}/guards/accept", post(guards::accept))
        .route("/console/held", get(held::show))
        .route("/console/targets/{id}/trips/{trip}/close", post(held::close))
        .route("/console/targets/{id}/try", post(held::try_now))
        .route("/console/links", get(links::show))
        .route("/console/targets", get(targets::list).post(targets::create))
        .route("/console/targets/{id}", get(targets::show))
        .route("/console/targets/{id}/mode", post(targets::set_mode))
        .route("/console/targets/{id}/settings", post(targets::set))
        .route("/console/targets/{id}/secret", post(targets::set_secret))
        .route("/console/targets/{id}/links", post(links::create))
        .route("/console/targets/{id}/links.csv", get(links::export))
        .route("/console/targets/{id}/links/{kind}/{resource}/break", post(links::break_link))
        .route("/console/targets/{id}/links/{kind}/{resource}/rematch", post(links::rematch))
        .route("/console/mapping", get(mapping::list))
        .route("/console/mapping/compare", get(mapping::compare))
        .route(
            "/console/mapping/draft",
            get(mapping::draft::show).post(mapping::draft::act).layer(DefaultBodyLimit::max(MAX_DRAFT_BYTES)),
        )
        .route("/console/mapping/versions/{version}", get(mapping::version))
        .route("/console/mapping/versions/{version}/preview", post(mapping::preview_version))
        .route("/console/mapping/versions/{version}/revert", post(mapping::revert))
        .route("/console/sources", get(sources::list))
        .route("/console/sources/{id}", get(sources::show).post(sources::change))
        .route("/console/sources/{id}/token", get(credentials::form).post(credentials::make))
        .route("/console/sources/{id}/revoke", post(credentials::revoke))
        .route("/console/plans", get(plans::list))
        .route("/console/targets/{id}/plans", post(plans::make))
        .route("/console/targets/{id}/preflight", get(preflight::show))
        .route("/console/plans/{id}", get(plan::show))
        .route("/console/plans/{id}/undo", post(plan::decide::undo))
        .route("/console/overrides", get(overrides::list))
        .route("/console/overrides/{id}/lift", post(overrides::lift))
        .route("/console/plans/{id}/apply", post(plan::decide::apply))
        .route("/console/plans/{id}/request-release", post(plan::decide::request_release))
        .route("/console/plans/{id}/release", post(plan::decide::release))
        .route("/console/plans/{id}/reject", post(plan::decide::reject))
        .route("/console/retry", post(retry::again))
        .route("/console/assets/{name}", get(assets::serve))
        .route("/console/{*rest}", any(async || Trouble::NoSuchPage))
        .method_not_allowed_fallback(async || Trouble::WrongMethod)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(protect::own_forms_only())
        .layer(from_fn(protect::headers))
        .with_state(console);
    edge.apply(pages)
}
