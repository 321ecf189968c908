//! From a filter to SQL.
//!
//! The result is a condition that no matching resource fails. Where every part of the filter is about a column that
//! is compared exactly as RFC 7644 §3.4.2.2 wants it, the condition is *exact* and the database's answer is the answer;
//! otherwise it only narrows down what is looked at, and the caller judges each resource. Either way the answer is
//! right; only its price differs.
//!
//! This is the only file that composes SQL. It does so from static pieces and numbered placeholders; a value is always
//! bound.

mod columns;

use columns::{Column, Text, column};
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::fold::fold;
use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{AssertSqlSafe, Postgres};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub(crate) use columns::Table;

/// Longest text kept in a column that is indexed, in bytes. An index entry holds 2,700 at most; longer values are cut
/// off there, and a comparison that could tell the cut from the whole is not exact.
const KEY_BYTES: usize = 1_000;
/// A cut text is at least this long, because the cut falls on a whole character.
const CUT_BYTES: usize = KEY_BYTES - 3;
/// How many values every list statement binds before those of the condition.
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
}

impl Condition {
    /// The condition of a filter; without one, everything satisfies it.
    pub(crate) fn of(filter: Option<&Filter>, table: Table) -> Self {
        let mut compiler = Compiler { table, args: Vec::new() };
        let part = filter.map_or(Part::ALL, |filter| compiler.part(filter));
        Self {
            sql: part.sql.unwrap_or_else(|| "true".to_owned()),
            args: compiler.args,
            exact: part.exact,
            single: part.single,
        }
    }

    /// The pieces of a statement with the condition in every gap between them.
    pub(crate) fn between(&self, pieces: &[&'static str]) -> AssertSqlSafe<String> {
        AssertSqlSafe(pieces.join(&format!("({})", self.sql)))
    }

    /// Binds the values of the condition, after exactly five others.
    pub(crate) fn bind<'q, R>(&'q self, query: Query<'q, R>) -> Query<'q, R> {
        self.args.iter().fold(query, |query, arg| match arg {
            Arg::Text(text) => query.bind(text),
            Arg::Id(id) => query.bind(id),
            Arg::Moment(moment) => query.bind(moment),
        })
    }
}

type Query<'q, R> = QueryAs<'q, Postgres, R, PgArguments>;

/// The condition of a part of a filter. Its SQL is never null, so that `NOT` is safe.
struct Part {
    /// `None` is satisfied by everything.
    sql: Option<String>,
    exact: bool,
    single: bool,
}

impl Part {
    const ALL: Self = Self { sql: None, exact: true, single: false };
    const UNKNOWN: Self = Self { sql: None, exact: false, single: false };

    fn exact(sql: impl Into<String>) -> Self {
        Self { sql: Some(sql.into()), exact: true, single: false }
    }

    fn wider(sql: impl Into<String>) -> Self {
        Self { sql: Some(sql.into()), exact: false, single: false }
    }

    /// The opposite; of a condition that is not exact nothing is known.
    fn not(self) -> Self {
        match self {
            Self { exact: false, .. } => Self::UNKNOWN,
            Self { sql: None, .. } => Self::exact("false"),
            Self { sql: Some(sql), .. } => Self::exact(format!("NOT ({sql})")),
        }
    }

    fn all(parts: Vec<Self>) -> Self {
        let exact = parts.iter().all(|part| part.exact);
        let single = parts.iter().any(|part| part.single);
        let sqls: Vec<String> = parts.into_iter().filter_map(|part| part.sql).collect();
        Self { sql: (!sqls.is_empty()).then(|| format!("({})", sqls.join(" AND "))), exact, single }
    }

    fn any(parts: Vec<Self>) -> Self {
        if parts.iter().any(|part| part.exact && part.sql.is_none()) {
            return Self::ALL;
        }
        let exact = parts.iter().all(|part| part.exact);
        let sqls: Option<Vec<String>> = parts.into_iter().map(|part| part.sql).collect();
        Self { sql: sqls.map(|sqls| format!("({})", sqls.join(" OR "))), exact, single: false }
    }
}

struct Compiler {
    table: Table,
    args: Vec<Arg>,
}

impl Compiler {
    fn part(&mut self, filter: &Filter) -> Part {
        match filter {
            Filter::And(parts) => Part::all(parts.iter().map(|part| self.part(part)).collect()),
            Filter::Or(parts) => Part::any(parts.iter().map(|part| self.part(part)).collect()),
            Filter::Not(part) => self.part(part).not(),
            Filter::Compare { path, op, value } => {
                column(self.table, path).map_or(Part::UNKNOWN, |column| self.compare(&column, *op, value))
            }
            Filter::Present(path) => column(self.table, path).map_or(Part::UNKNOWN, |column| Self::present(&column)),
            Filter::ValuePath { filter, .. } => self.element(filter),
        }
    }

    /// What follows for the whole attribute when one of its elements satisfies a filter.
    fn element(&mut self, filter: &Filter) -> Part {
        match filter {
            Filter::Compare { op: CompareOp::Eq, .. } => self.part(filter),
            Filter::Or(parts) => Part::any(parts.iter().map(|part| self.element(part)).collect()),
            // Each part could be satisfied by another element.
            Filter::And(parts) => {
                Part { exact: false, ..Part::all(parts.iter().map(|part| self.element(part)).collect()) }
            }
            _ => Part::UNKNOWN,
        }
    }

    fn compare(&mut self, column: &Column, op: CompareOp, value: &Value) -> Part {
        match (column, value) {
            (Column::Text(text), Value::String(literal)) => self.text(text, op, literal),
            (Column::Id { alias }, Value::String(literal)) => self.id(alias, op, literal),
            (Column::Any(exists), Value::String(literal)) if op == CompareOp::Eq => self.any_value(*exists, literal),
            (Column::Active, Value::Bool(active)) => match (op, active) {
                (CompareOp::Eq, true) => Part::exact(ACTIVE),
                (CompareOp::Eq, false) => Part::exact(NOT_ACTIVE),
                (CompareOp::Ne, true) => Part::exact(ACTIVE).not(),
                (CompareOp::Ne, false) => Part::exact(NOT_ACTIVE).not(),
                _ => Part::UNKNOWN,
            },
            (Column::Moment(name), Value::String(literal)) => self.moment(name, op, literal),
            _ => Part::UNKNOWN,
        }
    }

    fn text(&mut self, text: &Text, op: CompareOp, literal: &str) -> Part {
        // Postgres holds no null characters, so nothing that is stored has one.
        let impossible = literal.contains('\0');
        let key = if text.fold { fold(literal) } else { literal.to_owned() };
        let name = text.name;
        let decided = !text.cut || key.len() < CUT_BYTES;
        match op {
            CompareOp::Eq if impossible => Part::exact("false"),
            CompareOp::Ne => self.text(text, CompareOp::Eq, literal).not(),
            _ if impossible => Part::UNKNOWN,
            CompareOp::Eq => {
                let key = if text.cut { clip(&key).to_owned() } else { key };
                let sql = format!("{name} IS NOT NULL AND {name} = {}", self.bind(Arg::Text(key)));
                Part { single: text.unique, ..if decided { Part::exact(sql) } else { Part::wider(sql) } }
            }
            CompareOp::Sw if decided => {
                Part::exact(format!("{name} IS NOT NULL AND starts_with({name}, {})", self.bind(Arg::Text(key))))
            }
            CompareOp::Co if !text.cut => {
                Part::exact(format!("{name} IS NOT NULL AND strpos({name}, {}) > 0", self.bind(Arg::Text(key))))
            }
            // What was cut off might contain it.
            CompareOp::Co => Part::wider(format!(
                "{name} IS NOT NULL AND (strpos({name}, {}) > 0 OR octet_length({name}) >= {CUT_BYTES})",
                self.bind(Arg::Text(key))
            )),
            _ => Part::UNKNOWN,
        }
    }

    /// Ids are compared with regard to case, and are written in one way only: another spelling names nobody.
    fn id(&mut self, alias: &str, op: CompareOp, literal: &str) -> Part {
        match op {
            CompareOp::Eq => match canonical_id(literal) {
                Some(id) => Part { single: true, ..Part::exact(format!("{alias}.id = {}", self.bind(Arg::Id(id)))) },
                None => Part::exact("false"),
            },
            CompareOp::Ne => self.id(alias, CompareOp::Eq, literal).not(),
            _ => Part::UNKNOWN,
        }
    }

    /// Some value of a multi-valued attribute equals the literal.
    fn any_value(&mut self, exists: columns::AnyValue, literal: &str) -> Part {
        use columns::AnyValue;
        if literal.contains('\0') {
            return Part::exact("false");
        }
        match exists {
            AnyValue::Email => {
                let key = fold(literal);
                let sql = format!("u.email_keys @> ARRAY[{}]", self.bind(Arg::Text(clip(&key).to_owned())));
                if key.len() < CUT_BYTES { Part::exact(sql) } else { Part::wider(sql) }
            }
            AnyValue::GroupOfUser => match canonical_id(literal) {
                None => Part::exact("false"),
                Some(id) => Part::exact(format!(
                    "EXISTS (SELECT 1 FROM memberships m WHERE m.tenant_id = u.tenant_id AND m.group_id = {} \
                     AND m.member_id = u.id::text)",
                    self.bind(Arg::Id(id))
                )),
            },
            AnyValue::MemberOfGroup => {
                let member = self.bind(Arg::Text(literal.to_owned()));
                let sql = format!(
                    "EXISTS (SELECT 1 FROM memberships m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id \
                     AND m.member_id = {member})"
                );
                match canonical_id(literal) {
                    None => Part::exact(sql),
                    // A member who was deleted is not seen any more (see `members`).
                    Some(id) => {
                        let id = self.bind(Arg::Id(id));
                        Part::exact(format!(
                            "{sql} AND NOT EXISTS (SELECT 1 FROM users d WHERE d.tenant_id = g.tenant_id \
                             AND d.id = {id} AND d.deleted_at IS NOT NULL) \
                             AND NOT EXISTS (SELECT 1 FROM groups d WHERE d.tenant_id = g.tenant_id \
                             AND d.id = {id} AND d.deleted_at IS NOT NULL)"
                        ))
                    }
                }
            }
        }
    }

    /// Columns keep microseconds and literals may have more, so a comparison only narrows down.
    fn moment(&mut self, name: &str, op: CompareOp, literal: &str) -> Part {
        let Ok(moment) = OffsetDateTime::parse(literal, &Rfc3339) else {
            return Part::UNKNOWN;
        };
        let bound = match op {
            CompareOp::Gt | CompareOp::Ge => moment.checked_sub(Duration::MILLISECOND).map(|from| (">=", from)),
            CompareOp::Lt | CompareOp::Le => moment.checked_add(Duration::MILLISECOND).map(|to| ("<=", to)),
            _ => None,
        };
        bound.map_or(Part::UNKNOWN, |(comparison, moment)| {
            Part::wider(format!("{name} {comparison} {}", self.bind(Arg::Moment(moment))))
        })
    }

    fn present(column: &Column) -> Part {
        match column {
            Column::Text(text) => Part::exact(format!("{} IS NOT NULL", text.name)),
            Column::Id { .. } | Column::Moment(_) => Part::ALL,
            Column::Active | Column::Any(_) => Part::UNKNOWN,
        }
    }

    fn bind(&mut self, arg: Arg) -> String {
        self.args.push(arg);
        format!("${}", FIXED + self.args.len())
    }
}

/// The column also says "active" of a user who has no such attribute, but to a filter no value is no value.
const ACTIVE: &str = "u.active AND jsonb_exists(u.attributes, 'active')";
const NOT_ACTIVE: &str = "NOT u.active";

/// The id that a text names, if it is spelt as ids are.
fn canonical_id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}
