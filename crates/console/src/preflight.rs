//! What the application of a target may do, as the target itself says.

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::InPath;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::age::{When, moment};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rollcall_api::services::preflight::{self, PointView};
use rollcall_provisioning::ids::TargetId;

#[derive(Template)]
#[template(path = "preflight.html")]
struct Preflight {
    as_of: String,
    target: String,
    looked: When,
    points: Vec<Point>,
}

struct Point {
    check: String,
    text: String,
    class: &'static str,
    label: &'static str,
}

impl Point {
    fn of(point: &PointView) -> Self {
        let (class, label) = match point.state {
            "ok" => ("on", "In order"),
            "warning" => ("held", "Warning"),
            "problem" => ("needs_attention", "Problem"),
            _ => ("", "Unknown"),
        };
        Self { check: point.check.clone(), text: point.text.clone(), class, label }
    }
}

/// `GET /console/targets/{id}/preflight`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    InPath(target): InPath,
) -> Result<Response, Trouble> {
    let found = preflight::read(state.api(), operator.tenant, TargetId(target)).await?;
    let now = state.now();
    let body = Preflight {
        as_of: moment(now),
        target: found.target.clone(),
        looked: When::past(found.looked_at, now),
        points: found.points.iter().map(Point::of).collect(),
    };
    // Each look costs calls, so it is not repeated by itself.
    page(&view.still(), &operator, ("What the application may do", Section::Home), &body)
}
