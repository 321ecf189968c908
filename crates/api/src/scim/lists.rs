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
use rollcall_scim::sort::Sort;
use rollcall_store::groups::StoredGroup;
use rollcall_store::listing::{Matching, Query as StoreQuery};
use rollcall_store::sorted::AnyResource;
use rollcall_store::users::StoredUser;
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

/// Answers with users and then groups, as one list; or with both in one order.
pub(super) async fn everything(call: &Call, state: &ApiState, query: &Query) -> Result<Response, ApiError> {
    let (user, group) = (state.types().user(), state.types().group());
    let users = Wanted::read(call, query, user, &[group])?;
    let groups = Wanted::read(call, query, group, &[user])?;
    if let (Some(of_users), Some(of_groups)) = (&users.sort, &groups.sort) {
        let found = both_sorted(call, state, [&users, &groups], [of_users, of_groups]).await?;
        return Ok(found.answer(users.page));
    }
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
    sort: Option<Sort>,
    page: Page,
    projection: Projection<'a>,
    /// What SQL cannot decide alone is judged on the whole resource, whatever the client wants to see of it.
    whole: Projection<'a>,
}

impl<'a> Wanted<'a> {
    /// Reads the query for a type, when it spans `others` besides.
    fn read(call: &Call, query: &Query, rt: &'a ResourceType, others: &[&ResourceType]) -> Result<Self, ApiError> {
        Ok(Self {
            rt,
            filter: query.parse_filter(rt, others, &call.client.source.profile)?,
            sort: query.sort(rt, others)?,
            page: query.page()?,
            projection: query.projection(rt)?,
            whole: Projection::complete(rt),
        })
    }

    /// True if a resource, rendered as a whole, is wanted.
    fn judge(&self, render: impl FnOnce(&Projection<'_>) -> Value) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(self.rt, &render(&self.whole)))
    }

    /// What to ask the store for.
    fn query<'q, T, V>(&'q self, judge: &'q (dyn Fn(&T) -> bool + Send + Sync), view: V) -> StoreQuery<'q, T, V> {
        let matching = self.filter.as_ref().map(|filter| Matching { filter, judge });
        StoreQuery { matching, start_index: self.page.start_index, count: self.page.count, view }
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
    let json = UserJson { types: state.types(), base: &call.base };
    let judge = |user: &StoredUser| wanted.judge(|whole| json.render(user, whole));
    let query = wanted.query(&judge, user_json::view(&wanted.projection));
    let found = match &wanted.sort {
        None => state.store().list_users(call.client.tenant, &query).await?,
        Some(sort) => state.store().list_users_sorted(call.client.tenant, &query, sort).await?,
    };
    let resources = found.items.iter().map(|user| json.render(user, &wanted.projection)).collect();
    Ok(Found { resources, total: found.total })
}

async fn group_page(call: &Call, state: &ApiState, wanted: &Wanted<'_>) -> Result<Found, ApiError> {
    let json = GroupJson { types: state.types(), base: &call.base };
    let judge = |group: &StoredGroup| wanted.judge(|whole| json.render(group, whole));
    let query = wanted.query(&judge, group_json::view(&wanted.projection));
    let found = match &wanted.sort {
        None => state.store().list_groups(call.client.tenant, &query).await?,
        Some(sort) => state.store().list_groups_sorted(call.client.tenant, &query, sort).await?,
    };
    let resources = found.items.iter().map(|group| json.render(group, &wanted.projection)).collect();
    Ok(Found { resources, total: found.total })
}

async fn both_sorted(
    call: &Call,
    state: &ApiState,
    [users, groups]: [&Wanted<'_>; 2],
    sorts: [&Sort; 2],
) -> Result<Found, ApiError> {
    let user_json = UserJson { types: state.types(), base: &call.base };
    let group_json = GroupJson { types: state.types(), base: &call.base };
    let judge_user = |user: &StoredUser| users.judge(|whole| user_json.render(user, whole));
    let judge_group = |group: &StoredGroup| groups.judge(|whole| group_json.render(group, whole));
    let user_query = users.query(&judge_user, user_json::view(&users.projection));
    let group_query = groups.query(&judge_group, group_json::view(&groups.projection));
    let tenant = call.client.tenant;
    let found = state.store().list_everything_sorted(tenant, &user_query, &group_query, sorts).await?;
    let render = |item: &AnyResource| match item {
        AnyResource::User(user) => user_json.render(user, &users.projection),
        AnyResource::Group(group) => group_json.render(group, &groups.projection),
    };
    Ok(Found { resources: found.items.iter().map(render).collect(), total: found.total })
}
