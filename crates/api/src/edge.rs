//! What every request passes on its way in and out: an id, a trace span, limits of size and time, a net under panics,
//! error bodies in the right dialect, metrics and security headers.

pub(crate) mod arrival;
pub(crate) mod counts;
pub mod health;
mod host;
mod observe;
pub mod request_id;

use crate::error::INTERNAL;
use crate::refusal::Refusal;
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use rollcall_provisioning::ids::IdSource;
use rollcall_provisioning::time::Clock;
use std::any::Any;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

pub use observe::Notes;

/// The edge of one server.
#[derive(Clone)]
pub struct Edge {
    /// Tells when a source was last heard of.
    pub clock: Arc<dyn Clock>,
    /// Makes request ids.
    pub ids: Arc<dyn IdSource>,
}

impl Edge {
    /// Puts the edge around the routes of `router`. Routes that are added or merged afterwards are outside of it.
    pub fn apply(&self, router: Router) -> Router {
        router
            .layer(CatchPanicLayer::custom(caught))
            .layer(axum::middleware::from_fn_with_state(self.clone(), observe::observe))
    }
}

/// What a client is told when a handler panicked. The panic hook has written the place to the log by then.
#[expect(clippy::needless_pass_by_value, reason = "tower-http hands the panic over by value")]
fn caught(panic: Box<dyn Any + Send>) -> Response<Body> {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = message, "a handler panicked");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL).into_response()
}
