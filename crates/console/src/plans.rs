//! The plans that were made, and making one.

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::{InPath, Query};
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::plan::{size, state as state_of};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{Redirect, Response};
use rollcall_api::services::plans::{self, NewPlanRequest, PlanView};
use rollcall_api::services::{targets, who};
use rollcall_provisioning::ids::TargetId;
use serde::Deserialize;
use time::OffsetDateTime;

/// Plans of a page.
const ROWS: i64 = 50;

#[derive(Template)]
#[template(path = "plans.html")]
struct Plans {
    as_of: String,
    targets: Vec<MakeFor>,
    rows: Vec<Listed>,
    first: bool,
    next: Option<String>,
}

/// Where the list begins.
#[derive(Deserialize)]
pub(crate) struct Asked {
    after: Option<String>,
}

/// A target that a plan can be made for.
struct MakeFor {
    name: String,
    address: String,
    held: i64,
}

struct Listed {
    key: String,
    href: String,
    size: String,
    target: String,
    badge: (&'static str, &'static str),
    made: When,
    by: String,
    decided: Vec<String>,
}

/// What the form that makes a plan names.
#[derive(Deserialize, Default)]
pub(crate) struct Chosen {
    /// Only what this holds.
    held_by: Option<String>,
}

/// `GET /console/plans`.
pub(crate) async fn list(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (store, now) = (state.api().store(), state.now());
    let found = plans::list(store, operator.tenant, None, (ROWS, asked.after.as_deref()), now).await?;
    let held = |view: &targets::TargetView| {
        view.counts.iter().filter(|count| count.state == "held").map(|count| count.count).sum()
    };
    let targets = targets::list(store, operator.tenant, now).await?;
    let body = Plans {
        as_of: moment(now),
        targets: targets
            .into_iter()
            .map(|target| MakeFor {
                address: format!("/console/targets/{}/plans", target.id),
                held: held(&target),
                name: target.name,
            })
            .collect(),
        rows: found.data.iter().map(|plan| Listed::of(plan, now)).collect(),
        first: asked.after.is_none(),
        next: found.next_cursor,
    };
    page(&view, &operator, ("Plans", Section::Plans), &body)
}

/// `POST /console/targets/{id}/plans`: a plan of everything that is held, or of what one thing holds.
pub(crate) async fn make(
    State(state): State<ConsoleState>,
    operator: Operator,
    InPath(target): InPath,
    form: Result<Form<Chosen>, FormRejection>,
) -> Result<Redirect, Trouble> {
    // What cannot be read is not taken for a plan of everything.
    let Form(Chosen { held_by }) = form.map_err(|_| Trouble::NoSuchPage)?;
    let request = NewPlanRequest { users: None, held_by: held_by.filter(|held_by| !held_by.is_empty()) };
    let by = who::operator(&operator.name);
    let store = state.api().store();
    let made = plans::make(store, operator.tenant, TargetId(target), request.scope()?, (&by, state.now())).await?;
    Ok(Redirect::to(&format!("/console/plans/{}", made.id)))
}

impl Listed {
    fn of(plan: &PlanView, now: OffsetDateTime) -> Self {
        let mut decided = Vec::new();
        if let Some(release) = &plan.release {
            decided.push(match &release.approved_by {
                Some(by) => format!("Released by {by}; {} had asked for it.", release.requested_by),
                None => format!("{} asks for its release.", release.requested_by),
            });
        }
        decided.extend(plan.applied_by.as_ref().map(|by| format!("Applied by {by}.")));
        Self {
            key: format!("plan-{}", plan.id),
            href: format!("/console/plans/{}", plan.id),
            size: size(plan),
            target: plan.target.clone(),
            badge: state_of(plan),
            made: When::past(plan.created_at, now),
            by: plan.created_by.clone(),
            decided,
        }
    }
}
