//! Lists of users, of groups, and of both (RFC 7644 §3.4.2), whether asked for in a URL or in the body of `.search`.

use crate::error::ApiError;
use crate::scim::answer;
use crate::scim::call::Call;
use crate::scim::group_json::{self, GroupJson};
use crate::scim::query::Query;
use crate::scim::user_json::{self, UserJson};
use crate::state::ApiState;
use axum::response::Response;
use rollcall_scim::filter::Filter;
use rollcall_scim::list::{Page, list_response};
use rollcall_scim::projection::Projection;
use rollcall_scim::schema::ResourceType;
use rollcall_store::groups::{GroupQuery, StoredGroup};
use rollcall_store::listing::Matching;
use rollcall_store::users::{StoredUser, UserQuery};
use serde_json::Value;

/// Answers with users.
pub(super) async fn users(call: &Call, state: &ApiState, query: &Query) -> Result<Response, ApiError> {
    let wanted = Wanted::read(call, query, state.types().user(), &[])?;
    Ok(user_page(call, state, &wanted).await?.answer(wanted.page))
}

/// Answers with groups.
pub(super) async fn groups(call: &Call, state: &ApiState, query: &Query) -> Result<Response, ApiError> {
    let wanted = Wanted::read(call, query, state.types().group(), &[])?;
    Ok(group_page(call, state, &wanted).await?.answer(wanted.page))
}

/// Answers with users and then groups, as one list.
pub(super) async fn everything(call: &Call, state: &ApiState, query: &Query) -> Result<Response, ApiError> {
    let (user, group) = (state.types().user(), state.types().group());
    let users = Wanted::read(call, query, user, &[group])?;
    let groups = Wanted::read(call, query, group, &[user])?;
    let mut found = user_page(call, state, &users).await?;
    let groups = Wanted { page: groups.page.after(found.total, found.resources.len()), ..groups };
    let rest = group_page(call, state, &groups).await?;
    found.resources.extend(rest.resources);
    found.total += rest.total;
    Ok(found.answer(users.page))
}

/// What a client wants to see of one type.
struct Wanted<'a> {
    rt: &'a ResourceType,
    filter: Option<Filter>,
    page: Page,
    projection: Projection,
}

impl<'a> Wanted<'a> {
    /// Reads the query for a type, when it spans `others` besides.
    fn read(call: &Call, query: &Query, rt: &'a ResourceType, others: &[&ResourceType]) -> Result<Self, ApiError> {
        Ok(Self {
            rt,
            filter: query.parse_filter(rt, others, &call.client.source.profile)?,
            page: query.page()?,
            projection: query.projection(rt)?,
        })
    }
}

/// A page, ready to be written.
struct Found {
    resources: Vec<Value>,
    total: i64,
}

impl Found {
    fn answer(self, page: Page) -> Response {
        answer::document(&list_response(self.resources, self.total, page.start_index))
    }
}

async fn user_page(call: &Call, state: &ApiState, wanted: &Wanted<'_>) -> Result<Found, ApiError> {
    let Wanted { rt, filter, page, projection } = wanted;
    // What SQL cannot decide alone is judged on the whole resource, whatever the client wants to see of it.
    let whole = Projection::complete(rt);
    let json = UserJson { types: state.types(), base: &call.base };
    let judge = |user: &StoredUser| filter.as_ref().is_none_or(|filter| filter.matches(rt, &json.render(user, &whole)));
    let query = UserQuery {
        matching: filter.as_ref().map(|filter| Matching { filter, judge: &judge }),
        start_index: page.start_index,
        count: page.count,
        view: user_json::view(projection),
    };
    let found = state.store().list_users(call.client.tenant, &query).await?;
    let resources = found.items.iter().map(|user| json.render(user, projection)).collect();
    Ok(Found { resources, total: found.total })
}

async fn group_page(call: &Call, state: &ApiState, wanted: &Wanted<'_>) -> Result<Found, ApiError> {
    let Wanted { rt, filter, page, projection } = wanted;
    let whole = Projection::complete(rt);
    let json = GroupJson { types: state.types(), base: &call.base };
    let judge =
        |group: &StoredGroup| filter.as_ref().is_none_or(|filter| filter.matches(rt, &json.render(group, &whole)));
    let query = GroupQuery {
        matching: filter.as_ref().map(|filter| Matching { filter, judge: &judge }),
        start_index: page.start_index,
        count: page.count,
        view: group_json::view(projection),
    };
    let found = state.store().list_groups(call.client.tenant, &query).await?;
    let resources = found.items.iter().map(|group| json.render(group, projection)).collect();
    Ok(Found { resources, total: found.total })
}
