//! `/_simulator/…`: what tests and people do that DingTalk has no API for: look inside, break things, act as the
//! invited person or as an admin in DingTalk's console.

mod edit;
mod faults;
mod page;
mod settings;
mod state;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::calls::CallQuery;
use crate::corp::chat_lifecycle::ChatRefusal;
use crate::errcode::Refusal;
use crate::mobile::Mobile;
use crate::simulator::Simulator;

/// Records that `/_simulator/calls` returns unless told otherwise.
const CALLS_PER_ANSWER: usize = 1_000;

/// Why something asked of the simulator itself cannot be done.
#[derive(Debug, Error)]
pub(crate) enum ControlError {
    /// The request makes no sense; the text says what is wrong with it.
    #[error("{0}")]
    Senseless(String),
    /// There is no such thing.
    #[error("there is no {0}")]
    Missing(String),
    /// The organisation's rules forbid it.
    #[error("errcode {errcode}: {message}")]
    Refused {
        /// The number the API would have answered.
        errcode: i64,
        /// Its text.
        message: String,
    },
}

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { errcode: refusal.code.number, message: refusal.message }
    }
}

impl From<ChatRefusal> for ControlError {
    fn from(refusal: ChatRefusal) -> Self {
        Self::Senseless(format!("the chat cannot be changed so: {refusal:?}"))
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, errcode) = match &self {
            Self::Senseless(_) => (StatusCode::BAD_REQUEST, None),
            Self::Missing(_) => (StatusCode::NOT_FOUND, None),
            Self::Refused { errcode, .. } => (StatusCode::CONFLICT, Some(*errcode)),
        };
        (status, Json(json!({ "error": self.to_string(), "errcode": errcode }))).into_response()
    }
}

/// The routes of the control paths.
pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_simulator", get(page::show))
        .route("/_simulator/", get(page::show))
        .route("/_simulator/state", get(state::show))
        .route("/_simulator/calls", get(calls))
        .route("/_simulator/stats", get(stats))
        .route("/_simulator/faults", get(faults::list).put(faults::replace).post(faults::add).delete(faults::clear))
        .route("/_simulator/faults/{id}", delete(faults::remove))
        .route("/_simulator/people", post(edit::register_person))
        .route("/_simulator/invitations/{mobile}/accept", post(accept))
        .route("/_simulator/invitations/{mobile}/decline", post(decline))
        .route("/_simulator/users/{userid}/login", post(log_in))
        .route("/_simulator/edit", post(edit::edit))
        .route("/_simulator/tokens/revoke", post(settings::revoke_tokens))
        .route("/_simulator/apps", get(settings::apps).put(settings::put_app))
        .route("/_simulator/switches", get(settings::switches).patch(settings::change_switches))
        .route("/_simulator/organisation", get(settings::organisation).patch(settings::change_organisation))
        .route("/_simulator/clock", post(settings::advance_clock))
        .route("/_simulator/reset", post(reset))
        .route("/_simulator/{*rest}", get(unknown).put(unknown).post(unknown).patch(unknown).delete(unknown))
}

#[derive(Debug, Deserialize)]
struct CallFilter {
    #[serde(default)]
    after: u64,
    api: Option<String>,
    limit: Option<usize>,
}

async fn calls(State(simulator): State<Simulator>, Query(filter): Query<CallFilter>) -> Json<Value> {
    let query =
        CallQuery { after: filter.after, api: filter.api.as_deref(), limit: filter.limit.unwrap_or(CALLS_PER_ANSWER) };
    let (calls, first_seq, last_seq) =
        simulator.with(|world| (world.calls.find(query), world.calls.first_seq(), world.calls.last_seq()));
    Json(json!({ "calls": calls, "first_seq": first_seq, "last_seq": last_seq }))
}

async fn stats(State(simulator): State<Simulator>) -> Json<Value> {
    simulator.with(|world| {
        let apis = world.calls.tallies().iter().map(|(api, tally)| {
            let sums = json!({
                "calls": tally.calls,
                "throttled": tally.throttled,
                "committed": tally.committed,
                "failed": tally.failed,
                "highest_per_second": world.throttle.highest_per_second(api),
            });
            (api.clone(), sums)
        });
        let apis: serde_json::Map<String, Value> = apis.collect();
        let sum = |pick: fn(&crate::calls::Tally) -> u64| world.calls.tallies().values().map(pick).sum::<u64>();
        Json(json!({
            "elapsed_ms": world.clock.elapsed_ms(),
            "qps": world.limits.qps,
            "counted_this_month": world.quota.used(),
            "calls": sum(|tally| tally.calls),
            "throttled": sum(|tally| tally.throttled),
            "committed": sum(|tally| tally.committed),
            "failed": sum(|tally| tally.failed),
            "apis": apis,
        }))
    })
}

async fn accept(State(simulator): State<Simulator>, Path(mobile): Path<String>) -> Result<Json<Value>, ControlError> {
    let number = read_mobile(&mobile)?;
    simulator.with(|world| {
        if !world.corp.invitations.contains_key(&number) {
            return Err(ControlError::Missing(format!("invitation of {number}")));
        }
        let now_ms = world.clock.wall_ms();
        let userid = world.change(|corp| corp.accept_invitation(&number, now_ms))?;
        Ok(Json(json!({ "userid": userid })))
    })
}

async fn decline(State(simulator): State<Simulator>, Path(mobile): Path<String>) -> Result<StatusCode, ControlError> {
    let number = read_mobile(&mobile)?;
    let declined = simulator.with(|world| world.change(|corp| corp.decline_invitation(&number)));
    if declined { Ok(StatusCode::NO_CONTENT) } else { Err(ControlError::Missing(format!("invitation of {number}"))) }
}

async fn log_in(State(simulator): State<Simulator>, Path(userid): Path<String>) -> Result<StatusCode, ControlError> {
    simulator.with(|world| world.change(|corp| corp.log_in(&userid)))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(State(simulator): State<Simulator>) -> StatusCode {
    simulator.reset();
    StatusCode::NO_CONTENT
}

async fn unknown(Path(rest): Path<String>) -> ControlError {
    ControlError::Missing(format!("control path /_simulator/{rest}"))
}

/// Reads a number that a person has typed.
fn read_mobile(text: &str) -> Result<Mobile, ControlError> {
    Mobile::parse_any(text).ok_or_else(|| {
        ControlError::Senseless(format!("{text:?} is no mobile number: write 13800000001 or +1-4155550100"))
    })
}
