//! The groups that were received.

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::Query;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::count::count_of;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rollcall_api::services::roster;
use serde::Deserialize;

/// Rows of a page.
const ROWS: i64 = 50;

/// Where the page begins.
#[derive(Deserialize)]
pub(crate) struct Asked {
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "groups.html")]
struct Groups {
    as_of: String,
    rows: Vec<Group>,
    first: bool,
    next: Option<String>,
}

struct Group {
    key: String,
    name: String,
    members: String,
    changed: When,
}

/// `GET /console/groups`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let found = roster::groups(state.api().store(), operator.tenant, ROWS, asked.after.as_deref()).await?;
    let now = state.now();
    let rows = found.data.into_iter().map(|group| Group {
        key: format!("row-{}", group.id),
        members: count_of(group.members, "member", "members"),
        name: group.display_name,
        changed: When::past(group.modified_at, now),
    });
    let groups =
        Groups { as_of: moment(now), rows: rows.collect(), first: asked.after.is_some(), next: found.next_cursor };
    page(&view, &operator, ("Groups received", Section::Groups), &groups)
}
