//! Lists of users, of groups, and of both (RFC 7644 §3.4.2), whether asked for in a URL or in the body of `.search`, and
//! whether read by index (§3.4.2.4) or by cursor (RFC 9865).

use crate::error::ApiError;
use crate::scim::answer;
use crate::scim::call::Call;
use crate::scim::cursor::{Listed, Pages};
use crate::scim::group_json::{self, GroupJson};
use crate::scim::large_groups::Writer;
use crate::scim::query::Query;
use crate::scim::user_json::{self, UserJson};
use crate::state::ApiState;
use axum::response::Response;
use rollcall_scim::filter::Filter;
use rollcall_scim::list::{Page, Paging, cursor_response, list_response};
use rollcall_scim::projection::Projection;
use rollcall_scim::schema::ResourceType;
use rollcall_scim::sort::Sort;
use rollcall_store::groups::{GroupQuery, StoredGroup};
use rollcall_store::listing::Matching;
use rollcall_store::sorted::AnyResource;
use rollcall_store::users::{StoredUser, UserQuery};
use rollcall_store::walk::{GroupWalk, Stretch, UserWalk};
use serde_json::Value;

/// Answers with users.
pub(super) async fn users(call: &Call, state: &ApiState, query: &Query) -> Result<Response, ApiError> {
    let types = call.types();
    let wanted = Wanted::read(call, query, types.user(), &[])?;
    let json = UserJson { types, base: &call.base };
    let judge = |user: &StoredUser| wanted.judge(|whole| json.render(user, whole));
    let (tenant, store, matching) = (call.client.tenant, state.store(), wanted.matching(&judge));
    let view = user_json::view(&wanted.projection, call.source());
    let render = |user: &StoredUser| json.render(user, &wanted.projection);
    match query.paging()? {
        Paging::Index(Page { start_index, count }) => {
            let query = UserQuery { matching, start_index, count, view };
            let found = match &wanted.sort {
                None => store.list_users(tenant, &query).await?,
                Some(sort) => store.list_users_sorted(tenant, &query, sort).await?,
            };
            let resources = found.items.iter().map(render).collect();
            Ok(answer::document(&list_response(resources, found.total, start_index)))
        }
        Paging::Cursor(page) => {
            let pages = Pages::open(call, state, Listed::Users, (query, wanted.sort.as_ref()), &page)?;
            let (from, backward, count) = (pages.from(), pages.backward(), pages.count());
            let walk = UserWalk { matching, from, backward, count, view };
            let found = store.walk_users(tenant, &walk, wanted.sort.as_ref()).await?;
            Ok(answer::document(&by_cursor(&pages, &found, render)?))
        }
    }
}

/// Answers with groups.
pub(super) async fn groups(call: &Call, state: &ApiState, query: &Query) -> Result<Response, ApiError> {
    let types = call.types();
    let wanted = Wanted::read(call, query, types.group(), &[])?;
    let json = GroupJson { types, base: &call.base };
    let judge = |group: &StoredGroup| wanted.judge(|whole| json.render(group, whole));
    let (tenant, store, matching) = (call.client.tenant, state.store(), wanted.matching(&judge));
    let view = group_json::view(&wanted.projection, call.source());
    let render = |group: &StoredGroup| json.in_list(group, &wanted.projection);
    match query.paging()? {
        Paging::Index(Page { start_index, count }) => {
            let groups = GroupQuery { matching, start_index, count, view };
            let found = match &wanted.sort {
                None => store.list_groups(tenant, &groups).await?,
                Some(sort) => store.list_groups_sorted(tenant, &groups, sort).await?,
            };
            let resources = found.items.iter().map(render).collect();
            let body = list_response(resources, found.total, start_index);
            Ok(with_groups(body, found.items, Writer::new(call, state, query)))
        }
        Paging::Cursor(page) => {
            let pages = Pages::open(call, state, Listed::Groups, (query, wanted.sort.as_ref()), &page)?;
            let (from, backward, count) = (pages.from(), pages.backward(), pages.count());
            let walk = GroupWalk { matching, from, backward, count, view };
            let found = store.walk_groups(tenant, &walk, wanted.sort.as_ref()).await?;
            let body = by_cursor(&pages, &found, render)?;
            Ok(with_groups(body, found.items, Writer::new(call, state, query)))
        }
    }
}

/// Answers with users and then groups, as one list; or with both in one order.
pub(super) async fn everything(call: &Call, state: &ApiState, query: &Query) -> Result<Response, ApiError> {
    let types = call.types();
    let users = Wanted::read(call, query, types.user(), &[types.group()])?;
    let groups = Wanted::read(call, query, types.group(), &[types.user()])?;
    let user_json = UserJson { types, base: &call.base };
    let group_json = GroupJson { types, base: &call.base };
    let judge_user = |user: &StoredUser| users.judge(|whole| user_json.render(user, whole));
    let judge_group = |group: &StoredGroup| groups.judge(|whole| group_json.render(group, whole));
    let (tenant, store) = (call.client.tenant, state.store());
    let source = call.source();
    let views = (user_json::view(&users.projection, source), group_json::view(&groups.projection, source));
    let matching = (users.matching(&judge_user), groups.matching(&judge_group));
    let sorts = users.sort.as_ref().zip(groups.sort.as_ref());
    let render = |item: &AnyResource| match item {
        AnyResource::User(user) => user_json.render(user, &users.projection),
        AnyResource::Group(group) => group_json.in_list(group, &groups.projection),
    };
    match query.paging()? {
        Paging::Index(page) => {
            let Page { start_index, count } = page;
            let user_query = UserQuery { matching: matching.0, start_index, count, view: views.0 };
            let group_query = GroupQuery { matching: matching.1, start_index, count, view: views.1 };
            if let Some((of_users, of_groups)) = sorts {
                let sorts = [of_users, of_groups];
                let found = store.list_everything_sorted(tenant, &user_query, &group_query, sorts).await?;
                let resources = found.items.iter().map(render).collect();
                let body = list_response(resources, found.total, start_index);
                return Ok(with_groups(body, groups_of(found.items), Writer::new(call, state, query)));
            }
            let first = store.list_users(tenant, &user_query).await?;
            let rest = page.after(first.total, first.items.len());
            let group_query = GroupQuery { start_index: rest.start_index, count: rest.count, ..group_query };
            let second = store.list_groups(tenant, &group_query).await?;
            let users = first.items.iter().map(|user| user_json.render(user, &users.projection));
            let groups = second.items.iter().map(|group| group_json.in_list(group, &groups.projection));
            let resources = users.chain(groups).collect();
            let body = list_response(resources, first.total + second.total, start_index);
            Ok(with_groups(body, second.items, Writer::new(call, state, query)))
        }
        Paging::Cursor(page) => {
            let pages = Pages::open(call, state, Listed::Everything, (query, users.sort.as_ref()), &page)?;
            let (from, backward, count) = (pages.from(), pages.backward(), pages.count());
            let user_walk = UserWalk { matching: matching.0, from, backward, count, view: views.0 };
            let group_walk = GroupWalk { matching: matching.1, from, backward, count, view: views.1 };
            let sorts = sorts.map(|(of_users, of_groups)| [of_users, of_groups]);
            let found = store.walk_everything(tenant, &user_walk, &group_walk, sorts).await?;
            let body = by_cursor(&pages, &found, render)?;
            Ok(with_groups(body, groups_of(found.items), Writer::new(call, state, query)))
        }
    }
}

/// Answers with a list, in which a large group is written member by member.
fn with_groups(body: Value, groups: impl IntoIterator<Item = StoredGroup>, writer: Writer) -> Response {
    let large: Vec<StoredGroup> = groups.into_iter().filter(|group| group.more_members).collect();
    if large.is_empty() { answer::document(&body) } else { writer.list(body, large) }
}

fn groups_of(items: Vec<AnyResource>) -> impl Iterator<Item = StoredGroup> {
    items.into_iter().filter_map(|item| match item {
        AnyResource::User(_) => None,
        AnyResource::Group(group) => Some(*group),
    })
}

/// The body of a page that was reached by cursor.
fn by_cursor<T>(pages: &Pages<'_>, found: &Stretch<T>, render: impl Fn(&T) -> Value) -> Result<Value, ApiError> {
    let resources = found.items.iter().map(render).collect();
    let (total, onward) = pages.onward(found)?;
    Ok(cursor_response(resources, total, onward))
}

/// What a client wants to see of one type.
struct Wanted<'a> {
    rt: &'a ResourceType,
    filter: Option<Filter>,
    sort: Option<Sort>,
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
            projection: query.projection(rt)?,
            whole: Projection::complete(rt),
        })
    }

    /// True if a resource, rendered as a whole, is wanted.
    fn judge(&self, render: impl FnOnce(&Projection<'_>) -> Value) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(self.rt, &render(&self.whole)))
    }

    /// The filter for the store.
    fn matching<'q, T>(&'q self, judge: &'q (dyn Fn(&T) -> bool + Send + Sync)) -> Option<Matching<'q, T>> {
        self.filter.as_ref().map(|filter| Matching { filter, judge })
    }
}
