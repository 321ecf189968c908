//! Whether this process can work, for whoever starts and stops it.

use crate::error::ApiError;
use crate::state::ApiState;
use axum::Router;
use axum::extract::State;
use axum::routing::get;

/// `/livez` and `/readyz`.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/livez", get(live)).route("/readyz", get(ready))
}

/// The process answers.
async fn live() -> &'static str {
    "ok\n"
}

/// The database can be reached and has the schema that this program knows. A target that is down does not count: the
/// directory keeps on taking what sources push.
async fn ready(State(state): State<ApiState>) -> Result<&'static str, ApiError> {
    state.store().check_schema().await?;
    Ok("ok\n")
}
