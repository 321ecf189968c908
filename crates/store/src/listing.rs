//! Lists: of everything, or of what satisfies a filter.
//!
//! When the database can judge the filter alone, one statement counts and fetches. Otherwise it narrows down, and the
//! rest is judged here, batch after batch, so that memory stays bounded. Wherever more than [`SCAN_LIMIT`] resources would
//! have to be looked at that no index has found, by whom ever, that is refused (RFC 7644 §3.4.2, `tooMany`) before any of
//! them is read.
//!
//! The order is that of the ids, which grow with time: stable across pages, and what is created meanwhile comes last.

use crate::filter_sql::{Condition, Reach, Scope, Statement, Table};
use crate::walk::COUNTED;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::filter::Filter;
use sqlx::postgres::PgRow;
use std::fmt;
use uuid::Uuid;

/// The most resources that are looked at for a filter that no index answers, or for an order.
pub const SCAN_LIMIT: i64 = 200_000;

/// What of a list is wanted.
pub struct Query<'a, T, V> {
    /// Which resources; `None` for all.
    pub matching: Option<Matching<'a, T>>,
    /// Position of the first one wanted, from 1.
    pub start_index: i64,
    /// How many at most; 0 asks for the total alone.
    pub count: i64,
    /// What to load beside each.
    pub view: V,
}

/// A filter, and the caller's own judgement by it.
pub struct Matching<'a, T> {
    /// Narrows down in SQL.
    pub filter: &'a Filter,
    /// Decides what SQL cannot: whether a resource, as the caller renders it, satisfies the filter. It is given
    /// everything that the filter mentions, whatever the view.
    pub judge: &'a (dyn Fn(&T) -> bool + Send + Sync),
}

impl<T> Clone for Matching<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Matching<'_, T> {}

impl<T, V: fmt::Debug> fmt::Debug for Query<'_, T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A filter holds personal data.
        f.debug_struct("Query")
            .field("start_index", &self.start_index)
            .field("count", &self.count)
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}

/// A part of a list.
#[derive(Clone, PartialEq, Debug)]
pub struct Listing<T> {
    /// How many resources there are in all, on every page.
    pub total: i64,
    /// Those wanted.
    pub items: Vec<T>,
}

/// What the statements of a list select.
pub(crate) trait Listed: Sized + Send {
    /// One resource as the database gives it.
    type Row: for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin;
    /// What can be loaded beside it.
    type View: Copy + Default + Send + Sync;
    /// The table that conditions are about.
    const TABLE: Table;
    /// Selects `total` and the row's columns, of everything. `$1` tenant, `$2` offset, `$3` limit, `$4` and `$5` what to
    /// load.
    const PAGE: &'static str;
    /// The same of what satisfies a condition. The matching ids are found once, for total and page together, and
    /// before they are ordered: otherwise the planner may hope to meet them early on a walk in the order of ids.
    const MATCHING_PAGE: [&'static str; 2];
    /// Counts. `$1` tenant, `$3` where to stop.
    const COUNT: [&'static str; 2];
    /// The same in the order of the ids, for a condition that everything satisfies: whoever stops before the end has
    /// read the beginning of an index, and none of the other tenants' rows.
    const COUNT_FIRST: [&'static str; 2];
    /// Selects the row's columns, forward and backward. `$1` tenant, `$2` the last id seen, `$3` limit, `$4` and `$5`
    /// what to load.
    const BATCH: [[&'static str; 2]; 2];
    /// The same with the total, for a condition that no more than [`COUNTED`] satisfy: they are found before any is
    /// passed by. If the total is greater, the rows mean nothing.
    const FEW: [[&'static str; 2]; 2];

    /// The two switches of the statements: what the view wants and what a judge of the filter would need.
    fn load(view: Self::View, judged: Option<&Filter>) -> [bool; 2];
    /// Counts what is loaded for a judge beside the resources, where that can be very much, and how much is too much. `$1`
    /// tenant, `$3` where to stop.
    fn weigh(load: [bool; 2]) -> Option<(&'static [&'static str; 2], i64)>;
    /// How many are judged at a time.
    fn batch_size(load: [bool; 2]) -> i64;
    /// The resource of a row, as the source of a view sees it.
    fn from_row(row: Self::Row, view: Self::View, load: [bool; 2]) -> Result<Self, StoreError>;
    /// The resource without what was only loaded to judge it.
    fn shown(self, view: Self::View) -> Self;
    /// The source that looks.
    fn viewer(view: Self::View) -> Option<SourceId>;
    /// The resource's id.
    fn id(&self) -> Uuid;
}

#[derive(sqlx::FromRow)]
struct PageRow<T> {
    total: i64,
    #[sqlx(flatten)]
    row: T,
}

impl Store {
    pub(crate) async fn list<T: Listed>(
        &self,
        tenant: TenantId,
        query: &Query<'_, T, T::View>,
    ) -> Result<Listing<T>, StoreError> {
        let filter = query.matching.map(|matching| matching.filter);
        let condition = Condition::of(filter, Scope { table: T::TABLE, viewer: T::viewer(query.view) });
        let list = List { store: self, tenant, condition: &condition };
        list.check::<T>().await?;
        match query.matching.filter(|_| !condition.exact || condition.single) {
            None => list.page(query).await,
            Some(matching) => list.scan(query, matching).await,
        }
    }

    /// The ids of everything that satisfies a filter which the database cannot judge alone.
    pub(crate) async fn matching_ids<T: Listed>(
        &self,
        tenant: TenantId,
        matching: Matching<'_, T>,
        view: T::View,
    ) -> Result<Vec<Uuid>, StoreError> {
        let condition = Condition::of(Some(matching.filter), Scope { table: T::TABLE, viewer: T::viewer(view) });
        let list = List { store: self, tenant, condition: &condition };
        list.check::<T>().await?;
        let mut ids = Vec::new();
        list.visit(Edge::FIRST, view, matching, |item: T| {
            ids.push(item.id());
            true
        })
        .await?;
        Ok(ids)
    }

    /// Those of these resources that live, in the order of their ids.
    pub(crate) async fn list_by_ids<T: Listed>(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
        view: T::View,
    ) -> Result<Vec<T>, StoreError> {
        let limit = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let condition = Condition::one_of(ids, T::TABLE);
        let list = List { store: self, tenant, condition: &condition };
        list.batch(Edge::FIRST, limit, (view, T::load(view, None))).await
    }
}

/// Where in the order of the ids to begin, and which way to go.
#[derive(Clone, Copy)]
pub(crate) struct Edge {
    /// The id that was seen last.
    seen: Uuid,
    backward: bool,
}

impl Edge {
    /// The beginning of the list.
    pub(crate) const FIRST: Self = Self { seen: Uuid::nil(), backward: false };

    /// Behind or before an id, or at the end from which all others lie ahead.
    pub(crate) fn of(seen: Option<Uuid>, backward: bool) -> Self {
        let outermost = if backward { Uuid::max() } else { Uuid::nil() };
        Self { seen: seen.unwrap_or(outermost), backward }
    }

    fn choose<T>(self, [forward, backward]: [T; 2]) -> T {
        if self.backward { backward } else { forward }
    }
}

/// A list of a tenant, narrowed down by a condition.
pub(crate) struct List<'a> {
    pub(crate) store: &'a Store,
    pub(crate) tenant: TenantId,
    pub(crate) condition: &'a Condition,
}

impl List<'_> {
    /// Refuses a filter that no index answers in a directory that is too large to look at everybody.
    ///
    /// # Errors
    /// [`StoreError::TooMany`].
    pub(crate) async fn check<T: Listed>(&self) -> Result<(), StoreError> {
        if self.condition.reach == Reach::Index || (self.condition.reach == Reach::All && self.condition.exact) {
            return Ok(());
        }
        let everything = Condition::of(None, Scope { table: T::TABLE, viewer: None });
        let everything = List { condition: &everything, ..*self };
        everything.check_size::<T>().await
    }

    /// Refuses if more satisfy the condition than may be looked at.
    ///
    /// # Errors
    /// [`StoreError::TooMany`].
    pub(crate) async fn check_size<T: Listed>(&self) -> Result<(), StoreError> {
        match self.count::<T>(Some(SCAN_LIMIT + 1)).await? {
            ..=SCAN_LIMIT => Ok(()),
            _ => Err(StoreError::TooMany { limit: SCAN_LIMIT }),
        }
    }

    /// The database judges alone.
    async fn page<T: Listed>(&self, query: &Query<'_, T, T::View>) -> Result<Listing<T>, StoreError> {
        let offset = query.start_index.saturating_sub(1).max(0);
        if query.count > 0 {
            let load = T::load(query.view, None);
            let statement = match query.matching {
                None => sqlx::query_as(T::PAGE),
                Some(_) => sqlx::query_as(self.condition.between(&T::MATCHING_PAGE)),
            };
            let statement = statement.bind(self.tenant.0).bind(offset).bind(query.count).bind(load[0]).bind(load[1]);
            let rows: Vec<PageRow<T::Row>> = self.condition.bind(statement).fetch_all(self.store.pool()).await?;
            // Every row carries the total; an empty first page says it too.
            match rows.first() {
                Some(first) => {
                    let total = first.total;
                    let items = rows
                        .into_iter()
                        .map(|page| T::from_row(page.row, query.view, load))
                        .collect::<Result<_, _>>()?;
                    return Ok(Listing { total, items });
                }
                None if offset == 0 => return Ok(Listing { total: 0, items: Vec::new() }),
                None => {}
            }
        }
        Ok(Listing { total: self.count::<T>(None).await?, items: Vec::new() })
    }

    /// The database narrows down, the caller judges. Also for at most one resource: nothing to count.
    async fn scan<T: Listed>(
        &self,
        query: &Query<'_, T, T::View>,
        matching: Matching<'_, T>,
    ) -> Result<Listing<T>, StoreError> {
        let mut listing = Listing { total: 0, items: Vec::new() };
        self.visit(Edge::FIRST, query.view, matching, |item| {
            listing.total += 1;
            let room = i64::try_from(listing.items.len()).is_ok_and(|held| held < query.count);
            if listing.total >= query.start_index && room {
                listing.items.push(item);
            }
            true
        })
        .await?;
        Ok(listing)
    }

    /// Shows everything that satisfies the filter, in the order of the ids, a batch at a time in memory, until `show`
    /// has seen enough.
    pub(crate) async fn visit<T: Listed>(
        &self,
        mut edge: Edge,
        view: T::View,
        matching: Matching<'_, T>,
        mut show: impl FnMut(T) -> bool + Send,
    ) -> Result<(), StoreError> {
        let Condition { exact, single, reach, .. } = *self.condition;
        // Whatever else is looked at was checked before.
        if reach == Reach::Index && !single {
            self.check_size::<T>().await?;
        }
        let load = T::load(view, Some(matching.filter).filter(|_| !exact));
        if let Some((count, limit)) = T::weigh(load)
            && self.counted(count, limit + 1).await? > limit
        {
            return Err(StoreError::TooMany { limit });
        }
        let limit = T::batch_size(load);
        loop {
            let batch: Vec<T> = self.batch(edge, limit, (view, load)).await?;
            let full = i64::try_from(batch.len()) == Ok(limit);
            if let Some(last) = batch.last() {
                edge.seen = last.id();
            }
            let matches = batch.into_iter().filter(|item| exact || (matching.judge)(item));
            let enough = !matches.map(|item| item.shown(view)).all(&mut show);
            if enough || !full || single {
                return Ok(());
            }
        }
    }

    /// The next ones in a direction, whether few or many satisfy the condition.
    pub(crate) async fn batch<T: Listed>(
        &self,
        edge: Edge,
        limit: i64,
        (view, load): (T::View, [bool; 2]),
    ) -> Result<Vec<T>, StoreError> {
        let statement = sqlx::query_as(self.condition.between(&edge.choose(T::BATCH)));
        let rows: Vec<T::Row> = self.bound(statement, edge, limit, load).fetch_all(self.store.pool()).await?;
        rows.into_iter().map(|row| T::from_row(row, view, load)).collect()
    }

    /// How many satisfy the condition, and the next ones in a direction; `None` if they are more than [`COUNTED`].
    pub(crate) async fn few<T: Listed>(
        &self,
        edge: Edge,
        limit: i64,
        (view, load): (T::View, [bool; 2]),
    ) -> Result<Option<(i64, Vec<T>)>, StoreError> {
        let statement = sqlx::query_as(self.condition.between(&edge.choose(T::FEW)));
        let rows: Vec<PageRow<T::Row>> = self.bound(statement, edge, limit, load).fetch_all(self.store.pool()).await?;
        let total = match rows.first() {
            Some(row) => row.total,
            None => self.count::<T>(Some(COUNTED + 1)).await?,
        };
        if total > COUNTED {
            return Ok(None);
        }
        let items = rows.into_iter().map(|page| T::from_row(page.row, view, load)).collect::<Result<_, _>>()?;
        Ok(Some((total, items)))
    }

    fn bound<'q, R>(
        &'q self,
        statement: Statement<'q, R>,
        edge: Edge,
        limit: i64,
        load: [bool; 2],
    ) -> Statement<'q, R> {
        let statement = statement.bind(self.tenant.0).bind(edge.seen).bind(limit).bind(load[0]).bind(load[1]);
        self.condition.bind(statement)
    }

    /// How many satisfy the condition; counting ends at `stop`, if there is one.
    pub(crate) async fn count<T: Listed>(&self, stop: Option<i64>) -> Result<i64, StoreError> {
        let first = stop.is_some() && self.condition.reach == Reach::All;
        let statement = if first { &T::COUNT_FIRST } else { &T::COUNT };
        self.counted(statement, stop.unwrap_or(i64::MAX)).await
    }

    async fn counted(&self, count: &[&'static str; 2], stop: i64) -> Result<i64, StoreError> {
        let statement = sqlx::query_as(self.condition.between(count))
            .bind(self.tenant.0)
            .bind(0_i64)
            .bind(stop)
            .bind(false)
            .bind(false);
        let (total,): (i64,) = self.condition.bind(statement).fetch_one(self.store.pool()).await?;
        Ok(total)
    }
}
