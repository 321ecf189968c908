//! Lists in an order that the client chose.
//!
//! The database puts ids in order, and the resources of one page are then read by their ids. What it cannot judge alone
//! is judged first, batch after batch as in any list (see [`crate::listing`]), and only the ids of what satisfies the
//! filter are kept: sixteen bytes each. More than [`crate::listing::SCAN_LIMIT`] are not put in order.

use crate::filter_sql::{Branch, Chosen, Condition, Ranking, Scope};
use crate::groups::{GroupQuery, GroupView, StoredGroup};
use crate::listing::{List, Listed, Listing, Matching, Query};
use crate::users::{StoredUser, UserQuery, UserView};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::TenantId;
use rollcall_scim::sort::Sort;
use std::collections::HashMap;
use uuid::Uuid;

/// A resource of a list that spans both types.
#[derive(Clone, PartialEq, Debug)]
pub enum AnyResource {
    /// A user.
    User(Box<StoredUser>),
    /// A group.
    Group(Box<StoredGroup>),
}

/// Whose ids are wanted, after everything is in order.
#[derive(Clone, Copy)]
struct Window {
    start_index: i64,
    count: i64,
}

impl Store {
    /// The live users that match, in the given order. [`StoreError::TooMany`] as for [`Store::list_users`].
    pub async fn list_users_sorted(
        &self,
        tenant: TenantId,
        query: &UserQuery<'_>,
        sort: &Sort,
    ) -> Result<Listing<StoredUser>, StoreError> {
        self.list_sorted(tenant, query, sort).await
    }

    /// The live groups that match, in the given order. [`StoreError::TooMany`] as for [`Store::list_groups`].
    pub async fn list_groups_sorted(
        &self,
        tenant: TenantId,
        query: &GroupQuery<'_>,
        sort: &Sort,
    ) -> Result<Listing<StoredGroup>, StoreError> {
        self.list_sorted(tenant, query, sort).await
    }

    /// The live users and groups that match, in one order; of equal ones the users come first. `sorts` is that order
    /// as users and as groups see it. The page is that of `users`.
    pub async fn list_everything_sorted(
        &self,
        tenant: TenantId,
        users: &UserQuery<'_>,
        groups: &GroupQuery<'_>,
        sorts: [&Sort; 2],
    ) -> Result<Listing<AnyResource>, StoreError> {
        let [of_users, of_groups] = sorts;
        let branches = [
            self.branch(tenant, users.matching, users.view, of_users).await?,
            self.branch(tenant, groups.matching, groups.view, of_groups).await?,
        ];
        let window = Window { start_index: users.start_index, count: users.count };
        let (total, ids) = self.ranked(tenant, &branches, window).await?;
        let found = self.everything_by_ids(tenant, &ids, users.view, groups.view).await?;
        Ok(Listing { total, items: in_order(&ids, found) })
    }

    /// Those of these resources that live, by their ids.
    pub(crate) async fn everything_by_ids(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
        users: UserView,
        groups: GroupView,
    ) -> Result<HashMap<Uuid, AnyResource>, StoreError> {
        let users = self.list_by_ids::<StoredUser>(tenant, ids, users).await?;
        let groups = self.list_by_ids::<StoredGroup>(tenant, ids, groups).await?;
        let users = users.into_iter().map(|user| (user.id.0, AnyResource::User(Box::new(user))));
        let groups = groups.into_iter().map(|group| (group.id.0, AnyResource::Group(Box::new(group))));
        Ok(users.chain(groups).collect())
    }

    async fn list_sorted<T: Listed>(
        &self,
        tenant: TenantId,
        query: &Query<'_, T, T::View>,
        sort: &Sort,
    ) -> Result<Listing<T>, StoreError> {
        let branch = self.branch(tenant, query.matching, query.view, sort).await?;
        let window = Window { start_index: query.start_index, count: query.count };
        let (total, ids) = self.ranked(tenant, &[branch], window).await?;
        let found = self.list_by_ids::<T>(tenant, &ids, query.view).await?;
        Ok(Listing { total, items: in_order(&ids, found.into_iter().map(|item| (item.id(), item)).collect()) })
    }

    /// What a ranking puts in order.
    pub(crate) async fn branch<'a, T: Listed>(
        &self,
        tenant: TenantId,
        matching: Option<Matching<'a, T>>,
        view: T::View,
        sort: &'a Sort,
    ) -> Result<Branch<'a>, StoreError> {
        let scope = Scope { table: T::TABLE, viewer: T::viewer(view) };
        let condition = Condition::of(matching.map(|matching| matching.filter), scope);
        let chosen = match matching {
            Some(matching) if !condition.exact => Chosen::OneOf(self.matching_ids(tenant, matching, view).await?),
            matching => {
                let list = List { store: self, tenant, condition: &condition };
                list.check::<T>().await?;
                list.check_size::<T>().await?;
                Chosen::Exactly(matching.map(|matching| matching.filter))
            }
        };
        Ok(Branch { scope, chosen, sort })
    }

    async fn ranked(
        &self,
        tenant: TenantId,
        branches: &[Branch<'_>],
        window: Window,
    ) -> Result<(i64, Vec<Uuid>), StoreError> {
        let ranking = Ranking::of(branches);
        let statement = sqlx::query_as(ranking.statement())
            .bind(tenant.0)
            .bind(window.start_index.saturating_sub(1).max(0))
            .bind(window.count)
            .bind(false)
            .bind(false);
        Ok(ranking.bind(statement).fetch_one(self.pool()).await?)
    }
}

/// The resources in the order of their ids in the list; one that was deleted meanwhile is left out.
fn in_order<T>(ids: &[Uuid], mut found: HashMap<Uuid, T>) -> Vec<T> {
    ids.iter().filter_map(|id| found.remove(id)).collect()
}
