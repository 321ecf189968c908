//! From a filter, and from an order, to SQL.
//!
//! The result is a condition that no matching resource fails. Where every part of the filter is about a column that
//! is compared exactly as RFC 7644 §3.4.2.2 wants it, the condition is *exact* and the database's answer is the answer;
//! otherwise it only narrows down what is looked at, and the caller judges each resource. Either way the answer is
//! right; only its price differs.
//!
//! This is the only file that composes SQL. It does so from static pieces and numbered placeholders; a value is always
//! bound.

mod columns;
mod compile;
mod keys;
mod ranking;

use compile::part;
use rollcall_scim::filter::Filter;
use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{AssertSqlSafe, Postgres};
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) use columns::{Scope, Table};
pub(crate) use ranking::{Branch, Chosen, Ranking, Step};

/// Longest text kept in a column that is indexed, in bytes. An index entry holds 2,700 at most; longer values are cut
/// off there, and a comparison that could tell the cut from the whole is not exact.
const KEY_BYTES: usize = 1_000;
/// A cut text is at least this long, because the cut falls on a whole character.
const CUT_BYTES: usize = KEY_BYTES - 3;
/// How many values every list statement binds before those of the condition; `$1` is the tenant.
const FIXED: usize = 5;

/// The text in the form in which columns keep it: not longer than an index can hold.
pub(crate) fn clip(text: &str) -> &str {
    text.get(..text.floor_char_boundary(KEY_BYTES)).unwrap_or(text)
}

/// A value to be bound.
#[derive(Clone, PartialEq, Debug)]
enum Arg {
    Text(String),
    Id(Uuid),
    Moment(OffsetDateTime),
    Length(i32),
    Ids(Vec<Uuid>),
    Path(Vec<String>),
    Json(Value),
}

/// A piece of SQL: static text, or a value that becomes a placeholder.
#[derive(Clone, PartialEq, Debug)]
enum Piece {
    Sql(&'static str),
    Value(Arg),
}

impl From<&'static str> for Piece {
    fn from(sql: &'static str) -> Self {
        Self::Sql(sql)
    }
}

impl From<Arg> for Piece {
    fn from(arg: Arg) -> Self {
        Self::Value(arg)
    }
}

/// A compiled condition.
#[derive(Debug)]
pub(crate) struct Condition {
    sql: String,
    args: Vec<Arg>,
    /// True if what satisfies the condition also satisfies the filter.
    pub(crate) exact: bool,
    /// True if at most one resource can satisfy the condition.
    pub(crate) single: bool,
    /// How those are found who satisfy it.
    pub(crate) reach: Reach,
}

/// How those are found who satisfy a condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// Everybody does.
    All,
    /// By an index.
    Index,
    /// By looking at everybody.
    Scan,
}

impl Condition {
    /// The condition of a filter; without one, everything satisfies it.
    pub(crate) fn of(filter: Option<&Filter>, scope: Scope) -> Self {
        let Part { pieces, exact, single, indexed } = filter.map_or(Part::ALL, |filter| part(scope, filter));
        let reach = match pieces {
            None => Reach::All,
            Some(_) if indexed => Reach::Index,
            Some(_) => Reach::Scan,
        };
        let Composed { sql, args } = Composed::of(pieces.unwrap_or_else(|| vec![Piece::Sql("true")]));
        Self { sql, args, exact, single, reach }
    }

    /// The condition that a resource is one of these.
    pub(crate) fn one_of(ids: &[Uuid], table: Table) -> Self {
        let Composed { sql, args } = Composed::of(one_of(ids, table));
        Self { sql, args, exact: true, single: false, reach: Reach::Index }
    }

    /// The pieces of a statement with the condition in every gap between them.
    pub(crate) fn between(&self, pieces: &[&'static str]) -> AssertSqlSafe<String> {
        AssertSqlSafe(pieces.join(&format!("({})", self.sql)))
    }

    /// Binds the values of the condition, after exactly five others.
    pub(crate) fn bind<'q, R>(&'q self, query: Statement<'q, R>) -> Statement<'q, R> {
        bind(&self.args, query)
    }
}

/// Pieces put together.
struct Composed {
    sql: String,
    args: Vec<Arg>,
}

impl Composed {
    /// Numbers the placeholders.
    fn of(pieces: Vec<Piece>) -> Self {
        let (mut sql, mut args) = (String::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Sql(text) => sql.push_str(text),
                Piece::Value(arg) => {
                    args.push(arg);
                    sql.push('$');
                    sql.push_str(&(FIXED + args.len()).to_string());
                }
            }
        }
        Self { sql, args }
    }
}

fn one_of(ids: &[Uuid], table: Table) -> Vec<Piece> {
    let open = match table {
        Table::Users => "u.id = ANY(",
        Table::Groups => "g.id = ANY(",
    };
    vec![open.into(), Arg::Ids(ids.to_vec()).into(), ")".into()]
}

fn bind<'q, R>(args: &'q [Arg], query: Statement<'q, R>) -> Statement<'q, R> {
    args.iter().fold(query, |query, arg| match arg {
        Arg::Text(text) => query.bind(text),
        Arg::Id(id) => query.bind(id),
        Arg::Moment(moment) => query.bind(moment),
        Arg::Length(bytes) => query.bind(bytes),
        Arg::Ids(ids) => query.bind(ids),
        Arg::Path(path) => query.bind(path),
        Arg::Json(value) => query.bind(value),
    })
}

/// A statement whose values are being bound.
pub(crate) type Statement<'q, R> = QueryAs<'q, Postgres, R, PgArguments>;

/// The condition of a part of a filter. Its SQL is never null, so that `NOT` is safe.
struct Part {
    /// `None` is satisfied by everything.
    pieces: Option<Vec<Piece>>,
    exact: bool,
    single: bool,
    indexed: bool,
}

impl Part {
    const ALL: Self = Self { pieces: None, exact: true, single: false, indexed: false };
    const UNKNOWN: Self = Self { exact: false, ..Self::ALL };

    fn exact<const N: usize>(pieces: [Piece; N]) -> Self {
        Self { pieces: Some(pieces.into()), ..Self::ALL }
    }

    /// Of a condition that an index answers.
    fn indexed(self) -> Self {
        Self { indexed: true, ..self }
    }

    /// Satisfied also by some who do not satisfy the filter.
    fn wider<const N: usize>(pieces: [Piece; N]) -> Self {
        Self { exact: false, ..Self::exact(pieces) }
    }

    fn none() -> Self {
        Self::exact(["false".into()]).indexed()
    }

    /// The opposite; of a condition that is not exact nothing is known.
    fn not(self) -> Self {
        match self {
            Self { exact: false, .. } => Self::UNKNOWN,
            Self { pieces: None, .. } => Self::none(),
            Self { pieces: Some(pieces), .. } => Self { pieces: Some(joined(vec![pieces], "NOT (", "")), ..Self::ALL },
        }
    }

    fn all(parts: Vec<Self>) -> Self {
        let exact = parts.iter().all(|part| part.exact);
        let single = parts.iter().any(|part| part.single);
        let indexed = parts.iter().any(|part| part.indexed);
        let pieces: Vec<_> = parts.into_iter().filter_map(|part| part.pieces).collect();
        Self { pieces: (!pieces.is_empty()).then(|| joined(pieces, "(", " AND ")), exact, single, indexed }
    }

    fn any(parts: Vec<Self>) -> Self {
        if parts.iter().any(|part| part.exact && part.pieces.is_none()) {
            return Self::ALL;
        }
        if parts.is_empty() {
            return Self::none();
        }
        let exact = parts.iter().all(|part| part.exact);
        let indexed = parts.iter().all(|part| part.indexed);
        let pieces: Option<Vec<_>> = parts.into_iter().map(|part| part.pieces).collect();
        Self { pieces: pieces.map(|pieces| joined(pieces, "(", " OR ")), exact, single: false, indexed }
    }
}

fn joined(parts: Vec<Vec<Piece>>, open: &'static str, between: &'static str) -> Vec<Piece> {
    let mut pieces = vec![Piece::Sql(open)];
    for (number, part) in parts.into_iter().enumerate() {
        pieces.extend((number > 0).then_some(Piece::Sql(between)));
        pieces.extend(part);
    }
    pieces.push(Piece::Sql(")"));
    pieces
}
