//! Lists that are read from one page to the next, without a position: each page begins where another one ended.
//!
//! In the order of the ids a page costs the same wherever it lies. For a filter that few satisfy, those few are found
//! by an index first: a walk would pass by everybody else. In an order that the client chose every page puts all hits
//! in order, as in [`crate::sorted`].

use crate::filter_sql::{Branch, Condition, Ranking, Scope, Step};
use crate::groups::{GroupView, StoredGroup};
use crate::listing::{Edge, List, Listed, Matching};
use crate::sorted::AnyResource;
use crate::users::{StoredUser, UserView};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceKind, TenantId};
use rollcall_scim::sort::Sort;
use std::collections::HashMap;
use std::fmt;
use uuid::Uuid;

/// Up to how many resources are counted for the sake of a page; of more it is only known that they are more.
pub const COUNTED: i64 = counted!();

/// A place in a list: that of a resource which was shown there, also when it is gone or elsewhere since.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The type of the resource.
    pub kind: ResourceKind,
    /// Its id.
    pub id: Uuid,
    /// What it was ordered by, as the database writes it; `None` without an order or without a value.
    pub key: Option<String>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key holds personal data.
        f.debug_struct("Place").field("kind", &self.kind).field("id", &self.id).finish_non_exhaustive()
    }
}

/// What of a list is wanted next.
pub struct Walk<'a, T, V> {
    /// Which resources; `None` for all.
    pub matching: Option<Matching<'a, T>>,
    /// The place to leave behind; `None` for the beginning, or for the end when walking backward.
    pub from: Option<&'a Place>,
    /// True if those before the place are wanted.
    pub backward: bool,
    /// How many at most; 0 asks whether there is anything.
    pub count: i64,
    /// What to load beside each.
    pub view: V,
}

impl<T, V: fmt::Debug> fmt::Debug for Walk<'_, T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A filter holds personal data.
        f.debug_struct("Walk")
            .field("from", &self.from)
            .field("backward", &self.backward)
            .field("count", &self.count)
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}

/// Which users are wanted next.
pub type UserWalk<'a> = Walk<'a, StoredUser, UserView>;

/// Which groups are wanted next.
pub type GroupWalk<'a> = Walk<'a, StoredGroup, GroupView>;

/// A part of a list, in the order of the list, whichever way it was reached.
#[derive(Clone, PartialEq, Debug)]
pub struct Stretch<T> {
    /// Those wanted.
    pub items: Vec<T>,
    /// The places of the first and the last of them.
    pub ends: Option<[Place; 2]>,
    /// True if there is more to find in the direction of the walk.
    pub more: bool,
    /// How many resources the whole list has, if that is known without much ado. In the order of the ids it is only
    /// looked for at the beginning, and not above [`COUNTED`].
    pub total: Option<i64>,
}

impl<T> Stretch<T> {
    /// Of what was found in the direction of the walk, with one more than wanted where there is more. A resource that
    /// is gone since its place was found is missing; its place is not.
    fn of(mut found: Vec<(Place, Option<T>)>, count: i64, backward: bool, total: Option<i64>) -> Self {
        let count = usize::try_from(count).unwrap_or(0);
        let more = found.len() > count;
        found.truncate(count);
        if backward {
            found.reverse();
        }
        let ends = found.first().zip(found.last()).map(|((first, _), (last, _))| [first.clone(), last.clone()]);
        Self { items: found.into_iter().filter_map(|(_, item)| item).collect(), ends, more, total }
    }

    fn map<U>(self, change: impl FnMut(T) -> U) -> Stretch<U> {
        let Self { items, ends, more, total } = self;
        Stretch { items: items.into_iter().map(change).collect(), ends, more, total }
    }

    /// This and what follows it in the direction of the walk.
    fn and(self, other: Self, backward: bool) -> Self {
        let more = self.more || other.more;
        let [earlier, later] = if backward { [other, self] } else { [self, other] };
        let total = earlier.total.zip(later.total).map(|(earlier, later)| earlier + later);
        let ends = match (earlier.ends, later.ends) {
            (Some([first, _]), Some([_, last])) => Some([first, last]),
            (ends, None) | (None, ends) => ends,
        };
        Self { items: earlier.items.into_iter().chain(later.items).collect(), ends, more, total }
    }
}

impl Store {
    /// The live users that match, from a place on, in the order of `sort` or of their creation.
    /// [`StoreError::TooMany`] as for [`Store::list_users`].
    pub async fn walk_users(
        &self,
        tenant: TenantId,
        walk: &UserWalk<'_>,
        sort: Option<&Sort>,
    ) -> Result<Stretch<StoredUser>, StoreError> {
        self.walk(tenant, walk, sort).await
    }

    /// The live groups that match, from a place on, in the order of `sort` or of their creation.
    /// [`StoreError::TooMany`] as for [`Store::list_groups`].
    pub async fn walk_groups(
        &self,
        tenant: TenantId,
        walk: &GroupWalk<'_>,
        sort: Option<&Sort>,
    ) -> Result<Stretch<StoredGroup>, StoreError> {
        self.walk(tenant, walk, sort).await
    }

    /// The live users that match and then the live groups that match, or both in one order, from a place on. The place,
    /// the direction and the number wanted are those of `users`. `sorts` is the order as users and as groups see it.
    pub async fn walk_everything(
        &self,
        tenant: TenantId,
        users: &UserWalk<'_>,
        groups: &GroupWalk<'_>,
        sorts: Option<[&Sort; 2]>,
    ) -> Result<Stretch<AnyResource>, StoreError> {
        if let Some([of_users, of_groups]) = sorts {
            let branches = [
                self.branch(tenant, users.matching, users.view, of_users).await?,
                self.branch(tenant, groups.matching, groups.view, of_groups).await?,
            ];
            let (total, places) = self.step(tenant, &branches, users.step()).await?;
            let mut found = self.everything_by_ids(tenant, &ids(&places), users.view, groups.view).await?;
            let found = places.into_iter().map(|place| (place.clone(), found.remove(&place.id))).collect();
            return Ok(Stretch::of(found, users.count, users.backward, total));
        }
        let user = |user| AnyResource::User(Box::new(user));
        let group = |group| AnyResource::Group(Box::new(group));
        let rest = |taken: &Stretch<AnyResource>| users.count - i64::try_from(taken.items.len()).unwrap_or(i64::MAX);
        let among = |kind| users.from.filter(|from| from.kind == kind);
        if users.backward {
            let first = if among(ResourceKind::User).is_some() {
                Stretch { items: Vec::new(), ends: None, more: false, total: None }
            } else {
                let walk = GroupWalk { from: users.from, backward: true, count: users.count, ..*groups };
                self.walk(tenant, &walk, None).await?.map(group)
            };
            if first.more {
                // How many users there are besides was not asked.
                return Ok(Stretch { total: None, ..first });
            }
            let walk = UserWalk { from: among(ResourceKind::User), count: rest(&first), ..*users };
            let second = self.walk(tenant, &walk, None).await?.map(user);
            return Ok(first.and(second, true));
        }
        let first = if among(ResourceKind::Group).is_some() {
            Stretch { items: Vec::new(), ends: None, more: false, total: None }
        } else {
            self.walk(tenant, users, None).await?.map(user)
        };
        if first.more && users.from.is_some() {
            return Ok(Stretch { total: None, ..first });
        }
        let walk = GroupWalk { from: among(ResourceKind::Group), backward: false, count: rest(&first), ..*groups };
        let second = self.walk(tenant, &walk, None).await?.map(group);
        Ok(first.and(second, false))
    }

    async fn walk<T: Listed>(
        &self,
        tenant: TenantId,
        walk: &Walk<'_, T, T::View>,
        sort: Option<&Sort>,
    ) -> Result<Stretch<T>, StoreError> {
        if let Some(sort) = sort {
            let branch = self.branch(tenant, walk.matching, walk.view, sort).await?;
            let (total, places) = self.step(tenant, &[branch], walk.step()).await?;
            let found = self.list_by_ids::<T>(tenant, &ids(&places), walk.view).await?;
            let mut found: HashMap<Uuid, T> = found.into_iter().map(|item| (item.id(), item)).collect();
            let found = places.into_iter().map(|place| (place.clone(), found.remove(&place.id))).collect();
            return Ok(Stretch::of(found, walk.count, walk.backward, total));
        }
        let condition = Condition::of(
            walk.matching.map(|matching| matching.filter),
            Scope { table: T::TABLE, viewer: T::viewer(walk.view) },
        );
        let list = List { store: self, tenant, condition: &condition };
        list.check::<T>().await?;
        let (total, items) = list.stretch(walk).await?;
        let place = |item: &T| Place { kind: T::TABLE.kind(), id: item.id(), key: None };
        let found = items.into_iter().map(|item| (place(&item), Some(item))).collect();
        Ok(Stretch::of(found, walk.count, walk.backward, total))
    }

    /// The places of a page in an order, one more than wanted where there is more, and how many there are in all.
    async fn step(
        &self,
        tenant: TenantId,
        branches: &[Branch<'_>],
        step: Step<'_>,
    ) -> Result<(Option<i64>, Vec<Place>), StoreError> {
        let ranking = Ranking::step(branches, &step);
        let statement =
            sqlx::query_as(ranking.statement()).bind(tenant.0).bind(0_i64).bind(step.limit).bind(false).bind(false);
        let rows: Vec<(i64, i32, Uuid, Option<String>)> = ranking.bind(statement).fetch_all(self.pool()).await?;
        let total = rows.first().map(|(total, ..)| *total).or(step.from.is_none().then_some(0));
        let kind = |branch: i32| {
            let branch = usize::try_from(branch).ok().and_then(|branch| branches.get(branch));
            branch.map_or(ResourceKind::User, |branch| branch.scope.table.kind())
        };
        Ok((total, rows.into_iter().map(|(_, branch, id, key)| Place { kind: kind(branch), id, key }).collect()))
    }
}

impl<T, V> Walk<'_, T, V> {
    fn step(&self) -> Step<'_> {
        Step { from: self.from, backward: self.backward, limit: self.count.saturating_add(1) }
    }
}

impl List<'_> {
    /// What is found in the direction of a walk in the order of the ids, one more than wanted where there is more; and
    /// how many there are in all, as far as it is known.
    async fn stretch<T: Listed>(&self, walk: &Walk<'_, T, T::View>) -> Result<(Option<i64>, Vec<T>), StoreError> {
        let limit = walk.count.saturating_add(1);
        let beginning = walk.from.is_none() && !walk.backward;
        let edge = Edge::of(walk.from.map(|from| from.id), walk.backward);
        let whole = |found: &[T]| beginning && i64::try_from(found.len()).is_ok_and(|found| found < limit);
        let Some(matching) = walk.matching else {
            let found = self.batch(edge, limit, (walk.view, T::load(walk.view, None))).await?;
            let total = if beginning { self.count::<T>(Some(COUNTED + 1)).await? } else { COUNTED + 1 };
            return Ok((Some(total).filter(|total| *total <= COUNTED), found));
        };
        let Condition { exact, single, .. } = *self.condition;
        if exact && !single {
            let load = (walk.view, T::load(walk.view, None));
            return match self.few(edge, limit, load).await? {
                Some((total, found)) => Ok((Some(total), found)),
                None => Ok((None, self.batch(edge, limit, load).await?)),
            };
        }
        let mut found = Vec::new();
        self.visit(edge, walk.view, matching, |item| {
            found.push(item);
            i64::try_from(found.len()).is_ok_and(|held| held < limit)
        })
        .await?;
        let total = whole(&found).then(|| i64::try_from(found.len()).unwrap_or(i64::MAX));
        Ok((total, found))
    }
}

fn ids(places: &[Place]) -> Vec<Uuid> {
    places.iter().map(|place| place.id).collect()
}
