//! The statement that puts resources in an order: their ids alone, of one table or of both.

use super::keys::{KeyType, key};
use super::{Arg, Composed, Part, Piece, Query, Table, bind, one_of, part};
use rollcall_scim::filter::Filter;
use rollcall_scim::sort::Sort;
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
    /// The table.
    pub(crate) table: Table,
    /// Its resources.
    pub(crate) chosen: Chosen<'a>,
    /// Their order.
    pub(crate) sort: &'a Sort,
}

/// A compiled ranking. `$1` tenant, `$2` offset, `$3` limit, two more that are not used, then its own values. It selects
/// one row: how many there are, and the ids wanted.
#[derive(Debug)]
pub(crate) struct Ranking {
    sql: String,
    args: Vec<Arg>,
}

impl Ranking {
    /// The order of the first branch is that of all. Of equal resources those of an earlier branch come first, then
    /// those with the smaller id.
    pub(crate) fn of(branches: &[Branch<'_>]) -> Self {
        let types = || branches.iter().filter_map(|branch| branch.sort.by.as_ref()).map(KeyType::of);
        let key_type = types().next().unwrap_or(KeyType::Text);
        let mut pieces = vec![Piece::Sql("WITH hits AS MATERIALIZED (")];
        for (number, branch) in branches.iter().enumerate() {
            pieces.push(if number == 0 { "SELECT 0" } else { " UNION ALL SELECT 1" }.into());
            pieces.extend(branch.select(key_type));
        }
        pieces.push(") SELECT (SELECT count(*) FROM hits) AS total, ARRAY(SELECT hits.id FROM hits ORDER BY ".into());
        let descending = branches.first().is_some_and(|branch| branch.sort.descending);
        // The order of code points, whatever the locale of the database. No value counts as the greatest, which is
        // how Postgres sees it, too.
        pieces.push(match (key_type, descending) {
            (KeyType::Text, false) => "hits.key COLLATE \"C\" ASC NULLS LAST".into(),
            (KeyType::Text, true) => "hits.key COLLATE \"C\" DESC NULLS FIRST".into(),
            (_, false) => "hits.key ASC NULLS LAST".into(),
            (_, true) => "hits.key DESC NULLS FIRST".into(),
        });
        pieces.push(", hits.branch, hits.id LIMIT $3 OFFSET $2) AS ids".into());
        let Composed { sql, args } = Composed::of(pieces);
        Self { sql, args }
    }

    /// The statement.
    pub(crate) fn statement(&self) -> AssertSqlSafe<String> {
        AssertSqlSafe(self.sql.clone())
    }

    /// Binds the values of the ranking, after exactly five others.
    pub(crate) fn bind<'q, R>(&'q self, query: Query<'q, R>) -> Query<'q, R> {
        bind(&self.args, query)
    }
}

impl Branch<'_> {
    /// What follows the number of the branch.
    fn select(&self, key_type: KeyType) -> Vec<Piece> {
        let (id, from) = match self.table {
            Table::Users => {
                (" AS branch, u.id, ", " AS key FROM users u WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND (")
            }
            Table::Groups => {
                (" AS branch, g.id, ", " AS key FROM groups g WHERE g.tenant_id = $1 AND g.deleted_at IS NULL AND (")
            }
        };
        let condition = match &self.chosen {
            Chosen::Exactly(filter) => filter.map_or(Part::ALL, |filter| part(self.table, filter)).pieces,
            Chosen::OneOf(ids) => Some(one_of(ids, self.table)),
        };
        let by = self.sort.by.as_ref().filter(|by| KeyType::of(by) == key_type);
        let mut pieces = vec![Piece::Sql(id)];
        pieces.extend(by.map_or_else(|| vec![key_type.nothing().into()], |by| key(self.table, by)));
        pieces.push(from.into());
        pieces.extend(condition.unwrap_or_else(|| vec![Piece::Sql("true")]));
        pieces.push(")".into());
        pieces
    }
}
