//! `/_simulator/faults`: what is to break.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::faults::{FaultRule, Faults};
use crate::simulator::Simulator;

use super::ControlError;

/// The rules in force, with how often each has fired.
pub(super) async fn list(State(simulator): State<Simulator>) -> Json<Value> {
    simulator.with(|world| Json(shown(&world.faults)))
}

/// Puts a list of rules in place of those in force.
pub(super) async fn replace(
    State(simulator): State<Simulator>,
    Json(rules): Json<Vec<FaultRule>>,
) -> Result<Json<Value>, ControlError> {
    rules.iter().try_for_each(check)?;
    Ok(simulator.with(|world| {
        world.faults.clear();
        for rule in rules {
            world.faults.add(rule, world.seed);
        }
        Json(shown(&world.faults))
    }))
}

/// Adds one rule after those in force.
pub(super) async fn add(
    State(simulator): State<Simulator>,
    Json(rule): Json<FaultRule>,
) -> Result<Json<Value>, ControlError> {
    check(&rule)?;
    let id = simulator.with(|world| world.faults.add(rule, world.seed));
    Ok(Json(json!({ "id": id })))
}

/// Removes one rule.
pub(super) async fn remove(
    State(simulator): State<Simulator>,
    Path(id): Path<u64>,
) -> Result<StatusCode, ControlError> {
    let removed = simulator.with(|world| world.faults.remove(id));
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(ControlError::Missing(format!("fault {id}"))) }
}

/// Removes every rule: all is well again.
pub(super) async fn clear(State(simulator): State<Simulator>) -> StatusCode {
    simulator.with(|world| world.faults.clear());
    StatusCode::NO_CONTENT
}

fn check(rule: &FaultRule) -> Result<(), ControlError> {
    rule.complaint().map_or(Ok(()), |complaint| Err(ControlError::Senseless(complaint.to_owned())))
}

fn shown(faults: &Faults) -> Value {
    json!({ "faults": faults.rules() })
}
