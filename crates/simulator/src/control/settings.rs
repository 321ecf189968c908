//! Changing the simulated world while it runs: apps and their grants, switches, the organisation, the clock.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::options::{App, Organisation, Switches};
use crate::simulator::Simulator;

use super::ControlError;

/// Makes every token invalid at once.
pub(super) async fn revoke_tokens(State(simulator): State<Simulator>) -> StatusCode {
    simulator.with(|world| world.tokens.revoke_all());
    StatusCode::NO_CONTENT
}

/// All apps, without their secrets.
pub(super) async fn apps(State(simulator): State<Simulator>) -> Json<Value> {
    simulator.with(|world| Json(json!({ "apps": world.apps().collect::<Vec<_>>() })))
}

/// Adds an app or replaces the one of the same key. Tokens keep the scopes they were issued with.
pub(super) async fn put_app(State(simulator): State<Simulator>, Json(app): Json<App>) -> StatusCode {
    simulator.with(|world| world.put_app(app));
    StatusCode::NO_CONTENT
}

/// The switches as they stand.
pub(super) async fn switches(State(simulator): State<Simulator>) -> Json<Switches> {
    simulator.with(|world| Json(world.corp.switches.clone()))
}

/// Changes the switches that the body names.
pub(super) async fn change_switches(
    State(simulator): State<Simulator>,
    Json(changes): Json<Map<String, Value>>,
) -> Result<Json<Switches>, ControlError> {
    simulator.with(|world| {
        world.corp.switches = merged(&world.corp.switches, changes)?;
        Ok(Json(world.corp.switches.clone()))
    })
}

/// The facts about the organisation as they stand.
pub(super) async fn organisation(State(simulator): State<Simulator>) -> Json<Organisation> {
    simulator.with(|world| Json(world.corp.organisation.clone()))
}

/// Changes the facts that the body names. The name of the root department stays.
pub(super) async fn change_organisation(
    State(simulator): State<Simulator>,
    Json(changes): Json<Map<String, Value>>,
) -> Result<Json<Organisation>, ControlError> {
    simulator.with(|world| {
        world.corp.organisation = merged(&world.corp.organisation, changes)?;
        Ok(Json(world.corp.organisation.clone()))
    })
}

/// How far the clock jumps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jump {
    advance_ms: u64,
}

/// Moves the simulator's clock forward: tokens expire, windows empty, bans end, days pass.
pub(super) async fn advance_clock(State(simulator): State<Simulator>, Json(jump): Json<Jump>) -> Json<Value> {
    simulator.with(|world| {
        world.clock.advance(jump.advance_ms);
        Json(json!({ "elapsed_ms": world.clock.elapsed_ms(), "wall_ms": world.clock.wall_ms() }))
    })
}

/// The present settings with the changes on top; unknown names are refused.
fn merged<T: Serialize + DeserializeOwned>(present: &T, changes: Map<String, Value>) -> Result<T, ControlError> {
    let senseless = |error: serde_json::Error| ControlError::Senseless(error.to_string());
    let mut settings = serde_json::to_value(present).map_err(senseless)?;
    if let Value::Object(fields) = &mut settings {
        fields.extend(changes);
    }
    serde_json::from_value(settings).map_err(senseless)
}
