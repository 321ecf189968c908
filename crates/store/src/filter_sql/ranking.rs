//! The statement that puts resources in an order: their ids alone, of one table or of both.

use super::keys::{KeyType, key};
use super::{Arg, Composed, Part, Piece, Scope, Statement, Table, bind, one_of, part};
use crate::walk::Place;
use rollcall_scim::filter::Filter;
use rollcall_scim::sort::{KEY_CHARS, Sort};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// Which resources of a table are to be put in order.
#[derive(Debug)]
pub(crate) enum Chosen<'a> {
    /// Those that satisfy a filter which the database judges alone, or all.
    Exactly(Option<&'a Filter>),
    /// These.
    OneOf(Vec<Uuid>),
}

/// One table of a ranking.
#[derive(Debug)]
pub(crate) struct Branch<'a> {
    /// The table, and who looks.
    pub(crate) scope: Scope,
    /// Its resources.
    pub(crate) chosen: Chosen<'a>,
    /// Their order.
    pub(crate) sort: &'a Sort,
}

/// Where in an order to go on, and which way.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// The place to leave behind; `None` for the outermost one from which all others lie ahead.
    pub(crate) from: Option<&'a Place>,
    /// True if what comes before the place is wanted.
    pub(crate) backward: bool,
    /// How many at most.
    pub(crate) limit: i64,
}

/// A compiled ranking. `$1` tenant, `$2` offset, `$3` limit, two more that are not used, then its own values.
#[derive(Debug)]
pub(crate) struct Ranking {
    sql: String,
    args: Vec<Arg>,
}

impl Ranking {
    /// One row: how many there are, and the ids wanted. The order of the first branch is that of all. Of equal
    /// resources those of an earlier branch come first, then those with the smaller id.
    pub(crate) fn of(branches: &[Branch<'_>]) -> Self {
        let (key_type, descending) = order(branches);
        let mut pieces = hits(branches, key_type);
        pieces.push(" SELECT (SELECT count(*) FROM hits) AS total, ARRAY(SELECT hits.id FROM hits ORDER BY ".into());
        pieces.push(by_key(key_type, descending).into());
        pieces.push(", hits.branch, hits.id LIMIT $3 OFFSET $2) AS ids".into());
        let Composed { sql, args } = Composed::of(pieces);
        Self { sql, args }
    }

    /// In the same order, a row for each that follows a place: how many there are in all, then the number of its branch,
    /// its id and its key as a text.
    pub(crate) fn step(branches: &[Branch<'_>], step: &Step<'_>) -> Self {
        let (key_type, descending) = order(branches);
        // Walking backward is walking forward through the opposite order.
        let falling = descending != step.backward;
        let mut pieces = hits(branches, key_type);
        pieces.push(
            " SELECT (SELECT count(*) FROM hits) AS total, hits.branch, hits.id, hits.key::text FROM hits WHERE "
                .into(),
        );
        match step.from {
            None => pieces.push("true".into()),
            Some(place) => pieces.extend(beyond(branches, key_type, place, [falling, step.backward])),
        }
        pieces.push(" ORDER BY ".into());
        pieces.push(by_key(key_type, falling).into());
        pieces.push(
            if step.backward { ", hits.branch DESC, hits.id DESC LIMIT $3" } else { ", hits.branch, hits.id LIMIT $3" }
                .into(),
        );
        let Composed { sql, args } = Composed::of(pieces);
        Self { sql, args }
    }

    /// The statement.
    pub(crate) fn statement(&self) -> AssertSqlSafe<String> {
        AssertSqlSafe(self.sql.clone())
    }

    /// Binds the values of the ranking, after exactly five others.
    pub(crate) fn bind<'q, R>(&'q self, query: Statement<'q, R>) -> Statement<'q, R> {
        bind(&self.args, query)
    }
}

/// The type of the keys, and whether the greatest comes first.
fn order(branches: &[Branch<'_>]) -> (KeyType, bool) {
    let types = || branches.iter().filter_map(|branch| branch.sort.by.as_ref()).map(KeyType::of);
    let descending = branches.first().is_some_and(|branch| branch.sort.descending);
    (types().next().unwrap_or(KeyType::Text), descending)
}

/// All that are put in order.
fn hits(branches: &[Branch<'_>], key_type: KeyType) -> Vec<Piece> {
    let mut pieces = vec![Piece::Sql("WITH hits AS MATERIALIZED (")];
    for (number, branch) in branches.iter().enumerate() {
        pieces.push(if number == 0 { "SELECT 0" } else { " UNION ALL SELECT 1" }.into());
        pieces.extend(branch.select(key_type));
    }
    pieces.push(")".into());
    pieces
}

/// The order of code points, whatever the locale of the database. No value counts as the greatest, which is how Postgres
/// sees it, too.
const fn by_key(key_type: KeyType, falling: bool) -> &'static str {
    match (key_type, falling) {
        (KeyType::Text, false) => "hits.key COLLATE \"C\" ASC NULLS LAST",
        (KeyType::Text, true) => "hits.key COLLATE \"C\" DESC NULLS FIRST",
        (_, false) => "hits.key ASC NULLS LAST",
        (_, true) => "hits.key DESC NULLS FIRST",
    }
}

/// The condition that a hit lies beyond a place.
fn beyond(branches: &[Branch<'_>], key_type: KeyType, place: &Place, [falling, backward]: [bool; 2]) -> Vec<Piece> {
    let later =
        branches.iter().position(|branch| branch.scope.table.kind() == place.kind).is_some_and(|number| number > 0);
    let mut pieces: Vec<Piece> = match &place.key {
        None if falling => vec!["(hits.key IS NOT NULL OR (hits.key IS NULL".into()],
        None => vec!["(false OR (hits.key IS NULL".into()],
        Some(key) => {
            let (typed, close) = match key_type {
                KeyType::Text => ("hits.key COLLATE \"C\"", "::text"),
                KeyType::Json => ("hits.key", "::jsonb"),
                KeyType::Moment => ("hits.key", "::timestamptz"),
            };
            let value = || [Arg::Text(key.clone()).into(), close.into()];
            let mut pieces: Vec<Piece> = vec!["(".into(), typed.into(), if falling { " < " } else { " > " }.into()];
            pieces.extend(value());
            pieces.push(if falling { " OR (" } else { " OR hits.key IS NULL OR (" }.into());
            pieces.extend([typed.into(), " = ".into()]);
            pieces.extend(value());
            pieces
        }
    };
    pieces.push(match (backward, later) {
        (false, false) => " AND (hits.branch, hits.id) > (0, ".into(),
        (false, true) => " AND (hits.branch, hits.id) > (1, ".into(),
        (true, false) => " AND (hits.branch, hits.id) < (0, ".into(),
        (true, true) => " AND (hits.branch, hits.id) < (1, ".into(),
    });
    pieces.extend([Arg::Id(place.id).into(), ")))".into()]);
    pieces
}

impl Branch<'_> {
    /// What follows the number of the branch.
    fn select(&self, key_type: KeyType) -> Vec<Piece> {
        let (id, from) = match self.scope.table {
            Table::Users => {
                (" AS branch, u.id, ", " AS key FROM users u WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND (")
            }
            Table::Groups => {
                (" AS branch, g.id, ", " AS key FROM groups g WHERE g.tenant_id = $1 AND g.deleted_at IS NULL AND (")
            }
        };
        let condition = match &self.chosen {
            Chosen::Exactly(filter) => filter.map_or(Part::ALL, |filter| part(self.scope, filter)).pieces,
            Chosen::OneOf(ids) => Some(one_of(ids, self.scope.table)),
        };
        let by = self.sort.by.as_ref().filter(|by| KeyType::of(by) == key_type);
        let mut pieces = vec![Piece::Sql(id)];
        let clips = by.is_some() && key_type == KeyType::Text;
        pieces.extend(clips.then_some("left(".into()));
        pieces.extend(by.map_or_else(|| vec![key_type.nothing().into()], |by| key(self.scope, by)));
        pieces.extend(clips.then_some(", ".into()));
        pieces.extend(clips.then(|| Arg::Length(i32::from(KEY_CHARS)).into()));
        pieces.extend(clips.then_some(")".into()));
        pieces.push(from.into());
        pieces.extend(condition.unwrap_or_else(|| vec![Piece::Sql("true")]));
        pieces.push(")".into());
        pieces
    }
}
