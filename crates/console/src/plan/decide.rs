//! What an operator decides about a plan. A refusal is shown on the plan's own page.

use super::{Asked, shown};
use crate::operator::Operator;
use crate::query::InPath;
use crate::state::ConsoleState;
use crate::trouble::{Trouble, told_on_page};
use crate::view::View;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse as _, Redirect, Response};
use rollcall_api::ApiError;
use rollcall_api::services::plans::{self, UndoRequest, WaveRequest};
use rollcall_api::services::who;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::ids::TargetId;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// What the forms that apply a plan name.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Chosen {
    wave: String,
    people: String,
    department: String,
}

impl Chosen {
    /// As the REST interface takes it.
    fn to_value(&self) -> Value {
        match self.wave.as_str() {
            "all" => json!("all"),
            "people" => json!({ "people": self.people.trim().parse::<u32>().unwrap_or(0) }),
            "department" => json!({ "department": self.department }),
            _ => Value::Null,
        }
    }
}

/// What the form that asks for a release says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Reason {
    reason: String,
}

/// `POST /console/plans/{id}/apply`.
pub(crate) async fn apply(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(id): InPath,
    wave: Result<Form<Chosen>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(wave) = wave.unwrap_or_default();
    let (by, now) = (who::operator(&operator.name), state.now());
    let done = match WaveRequest::parse(&wave.to_value()) {
        Err(error) => Err(error),
        Ok(wave) => plans::apply(state.api().store(), operator.tenant, id, wave, (&by, now)).await.map(drop),
    };
    ended(&state, (operator, view), id, done).await
}

/// `POST /console/plans/{id}/request-release`.
pub(crate) async fn request_release(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(id): InPath,
    reason: Result<Form<Reason>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Reason { reason }) = reason.unwrap_or_default();
    let (by, now) = (Decider::new(&who::operator(&operator.name)), state.now());
    let done = plans::request_release(state.api().store(), operator.tenant, id, &reason, (&by, now)).await;
    ended(&state, (operator, view), id, done.map(drop)).await
}

/// `POST /console/plans/{id}/release`.
pub(crate) async fn release(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(id): InPath,
) -> Result<Response, Trouble> {
    let (by, now) = (Decider::new(&who::operator(&operator.name)), state.now());
    let done = plans::release(state.api().store(), operator.tenant, id, (&by, now)).await;
    ended(&state, (operator, view), id, done.map(drop)).await
}

/// What the form that undoes a plan says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Undone {
    reason: String,
    review_on: String,
}

/// `POST /console/plans/{id}/undo`: makes the plan that takes back what this one has sent. It sends nothing.
pub(crate) async fn undo(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(id): InPath,
    form: Result<Form<Undone>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Undone { reason, review_on }) = form.unwrap_or_default();
    let (api, by, now) = (state.api(), who::operator(&operator.name), state.now());
    let target = TargetId(plans::read(api.store(), operator.tenant, id, now).await?.target_id);
    let request = UndoRequest {
        plan: Some(id.to_string().into()),
        reason: Some(reason),
        review_on: Some(review_on).filter(|day| !day.is_empty()),
        ..UndoRequest::default()
    };
    let made = match request.undoing() {
        Err(error) => Err(error),
        Ok(undoing) => plans::undo(api.store(), api.target(), (operator.tenant, target), &undoing, (&by, now)).await,
    };
    match made {
        Ok(made) => Ok(Redirect::to(&format!("/console/plans/{}", made.id)).into_response()),
        Err(error) => ended(&state, (operator, view), id, Err(error)).await,
    }
}

/// `POST /console/plans/{id}/reject`.
pub(crate) async fn reject(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(id): InPath,
) -> Result<Response, Trouble> {
    let (by, now) = (who::operator(&operator.name), state.now());
    let done = plans::reject(state.api().store(), operator.tenant, id, (&by, now)).await;
    ended(&state, (operator, view), id, done.map(drop)).await
}

/// Leads back to the plan; a refusal is shown on its page.
async fn ended(
    state: &ConsoleState,
    (operator, view): (Operator, View),
    id: Uuid,
    done: Result<(), ApiError>,
) -> Result<Response, Trouble> {
    let Err(error) = done else {
        state.overviews().forget(operator.tenant);
        return Ok(Redirect::to(&format!("/console/plans/{id}")).into_response());
    };
    shown(state, (&operator, view), id, Asked::default(), Some(&told_on_page(error)?)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_say_what_the_rest_interface_is_told() {
        let wave = |wave: &str, people: &str, department: &str| Chosen {
            wave: wave.to_owned(),
            people: people.to_owned(),
            department: department.to_owned(),
        };
        for (given, expected) in [
            (wave("all", "", ""), Some(WaveRequest::All)),
            (wave("people", " 10 ", ""), Some(WaveRequest::People(10))),
            (wave("people", "ten", ""), None),
            (wave("department", "", "Sales / EMEA"), Some(WaveRequest::Department("Sales / EMEA".to_owned()))),
            (wave("department", "", ""), None),
            (wave("", "10", ""), None),
        ] {
            assert_eq!(WaveRequest::parse(&given.to_value()).ok(), expected);
        }
    }
}
