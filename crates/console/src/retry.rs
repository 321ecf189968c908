//! Looking again at what stands still, because a person wants it.

use crate::operator::Operator;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::{ours, with_retried};
use crate::words::standing::choice;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, State};
use axum::response::Redirect;
use rollcall_api::edge::request_id::RequestId;
use rollcall_api::services::standings::{self, Wanted};
use rollcall_provisioning::ids::{ResourceId, TargetId};
use serde::Deserialize;
use uuid::Uuid;

/// What the form names. Texts that are empty are as good as absent.
#[derive(Deserialize)]
pub(crate) struct Asked {
    resource: Option<String>,
    target: Option<String>,
    state: Option<String>,
    back: Option<String>,
}

impl Asked {
    /// What is meant; `None` when that is nothing in particular, which would be everything.
    fn wanted(&self) -> Option<Wanted> {
        let id = |text: &Option<String>| match text.as_deref() {
            None | Some("") => Some(None),
            Some(text) => Uuid::try_parse(text).ok().map(Some),
        };
        let (resource, target) = (id(&self.resource)?, id(&self.target)?);
        let states = match self.state.as_deref() {
            None | Some("") => Vec::new(),
            Some(word) => choice(word)?.states.to_vec(),
        };
        let particular = resource.is_some() || !states.is_empty();
        particular.then(|| Wanted {
            resource: resource.map(ResourceId),
            target: target.map(TargetId),
            states,
            ..Wanted::default()
        })
    }
}

/// `POST /console/retry`.
pub(crate) async fn again(
    State(state): State<ConsoleState>,
    operator: Operator,
    Extension(request): Extension<RequestId>,
    asked: Result<Form<Asked>, FormRejection>,
) -> Result<Redirect, Trouble> {
    let Form(asked) = asked.map_err(|_| Trouble::NoSuchPage)?;
    let wanted = asked.wanted().ok_or(Trouble::NoSuchPage)?;
    let marked = standings::look_again(state.api().store(), operator.tenant, &wanted, request.as_str()).await?;
    tracing::info!(tenant = %operator.tenant, marked, "an operator wants deliveries looked at again");
    state.overviews().forget(operator.tenant);
    Ok(Redirect::to(&with_retried(ours(asked.back.as_deref()), marked)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_provisioning::delivery::DeliveryState;

    const ID: &str = "00000000-0000-0000-0000-000000000007";

    fn asked(resource: &str, target: &str, state: &str) -> Option<Wanted> {
        let text = |text: &str| Some(text.to_owned());
        Asked { resource: text(resource), target: text(target), state: text(state), back: None }.wanted()
    }

    #[test]
    fn a_retry_is_always_of_something_in_particular() {
        let id = Uuid::from_u128(7);
        let one = asked(ID, ID, "").expect("one person");
        assert_eq!((one.resource, one.target), (Some(ResourceId(id)), Some(TargetId(id))));
        assert_eq!(asked("", "", "held").map(|wanted| wanted.states), Some(vec![DeliveryState::Held]));
        for (resource, target, state) in
            [("", "", ""), ("", ID, ""), ("x", "", "held"), ("", "x", "held"), ("", "", "synced")]
        {
            assert_eq!(asked(resource, target, state), None, "{resource} {target} {state}");
        }
    }
}
