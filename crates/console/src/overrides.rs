//! Overrides: what people hold at targets against the rules, and lifting one.

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::{InPath, Query};
use crate::row::resource_href;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::{View, ours};
use crate::words::age::{When, moment};
use crate::words::plan::Line;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, State};
use axum::response::{Redirect, Response};
use rollcall_api::edge::request_id::RequestId;
use rollcall_api::services::overrides::{self, OverrideQuery, OverrideView};
use rollcall_api::services::{targets, who};
use rollcall_provisioning::ids::{ResourceId, TargetId};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows of a page.
const ROWS: i64 = 50;

/// What is listed.
#[derive(Deserialize, Clone, Default, Debug)]
pub(crate) struct Asked {
    target: Option<Uuid>,
    /// A person or a department.
    resource: Option<Uuid>,
    /// Also those of the past.
    ended: Option<bool>,
    /// Where the page begins.
    after: Option<String>,
}

impl Asked {
    fn address(&self, ended: bool, after: Option<&str>) -> String {
        let parts = [
            ("target", self.target.map(|id| id.to_string())),
            ("resource", self.resource.map(|id| id.to_string())),
            ("ended", ended.then(|| "true".to_owned())),
            ("after", after.map(str::to_owned)),
        ];
        let parts: Vec<String> =
            parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
        format!("/console/overrides?{}", parts.join("&"))
    }
}

#[derive(Template)]
#[template(path = "overrides.html")]
struct Overrides {
    as_of: String,
    /// Whether only those of one person or department are listed.
    of_one: bool,
    /// The addresses of the two lists, and which of them it is.
    counting: String,
    all: String,
    ended: bool,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
    back: String,
}

struct Row {
    key: String,
    href: String,
    name: String,
    target: String,
    line: Line,
    by: String,
    made: When,
    reason: String,
    review_on: Option<String>,
    plan: Option<String>,
    /// Where the form goes that lifts it; `None` when it has ended.
    lift: Option<String>,
    ended: Option<When>,
    ended_why: String,
}

/// Where the form was.
#[derive(Deserialize, Default)]
pub(crate) struct Back {
    back: Option<String>,
}

/// `GET /console/overrides`.
pub(crate) async fn list(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
    let ended = asked.ended.unwrap_or(false);
    let query = OverrideQuery {
        target: asked.target.map(TargetId),
        resource: asked.resource.map(ResourceId),
        ended,
        limit: ROWS,
        ..OverrideQuery::default()
    };
    let found = overrides::list(store, tenant, &query, asked.after.as_deref()).await?;
    let targets = targets::list(store, tenant, now).await?;
    let name_of =
        |id: Uuid| targets.iter().find(|target| target.id == id).map(|target| target.name.clone()).unwrap_or_default();
    let body = Overrides {
        as_of: moment(now),
        of_one: asked.resource.is_some(),
        counting: asked.address(false, None),
        all: asked.address(true, None),
        ended,
        rows: found.data.iter().map(|one| Row::of(one, name_of(one.target_id), now)).collect(),
        first: asked.after.as_ref().map(|_| asked.address(ended, None)),
        next: found.next_cursor.map(|after| asked.address(ended, Some(&after))),
        back: view.address(),
    };
    page(&view, &operator, ("Overrides", Section::Plans), &body)
}

/// `POST /console/overrides/{id}/lift`.
pub(crate) async fn lift(
    State(state): State<ConsoleState>,
    operator: Operator,
    Extension(request): Extension<RequestId>,
    InPath(id): InPath<i64>,
    form: Result<Form<Back>, FormRejection>,
) -> Result<Redirect, Trouble> {
    let Form(Back { back }) = form.unwrap_or_default();
    let by = who::operator(&operator.name);
    overrides::lift(state.api().store(), operator.tenant, id, &by, request.as_str()).await?;
    state.overviews().forget(operator.tenant);
    Ok(Redirect::to(ours(back.as_deref())))
}

impl Row {
    fn of(view: &OverrideView, target: String, now: OffsetDateTime) -> Self {
        let id = view.resource_id.to_string();
        Self {
            key: format!("override-{}", view.id),
            href: resource_href(&view.kind, &id),
            name: view.name.clone().unwrap_or(id),
            target,
            line: Line::of_override(view),
            by: view.made_by.clone(),
            made: When::past(view.made_at, now),
            reason: view.reason.clone(),
            review_on: view.review_on.clone(),
            plan: view.plan_id.map(|plan| format!("/console/plans/{plan}")),
            lift: view.ended_at.is_none().then(|| format!("/console/overrides/{}/lift", view.id)),
            ended: view.ended_at.map(|at| When::past(at, now)),
            ended_why: match (&view.ended_by, &view.ended_why) {
                (Some(by), _) => format!("Lifted by {by}."),
                (None, why) => why.clone().unwrap_or_default(),
            },
        }
    }
}
