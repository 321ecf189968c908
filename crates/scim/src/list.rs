//! Lists, and the two ways of paging through them: by index (RFC 7644 §3.4.2.4) and by cursor (RFC 9865).

use serde_json::{Map, Value, json};

use crate::error::{Error, quoted};

/// Schema URN of a list body.
pub const LIST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// How a client goes through a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// By position.
    Index(Page),
    /// From page to page, by what the last page said.
    Cursor(CursorPage),
}

/// What a client that pages by cursor asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorPage {
    /// The cursor that another page gave; `None` asks for the first page.
    pub cursor: Option<String>,
    /// How many resources at most, if the client says so. Never negative, never above the maximum.
    pub count: Option<i64>,
}

impl Paging {
    /// Reads the three parameters as they stand in the query. A `cursor` that is there, even an empty one, means paging
    /// by cursor (RFC 9865 §2); without it, by index.
    ///
    /// # Errors
    /// 400 `invalidValue` when `cursor` and `startIndex` are both given, or a parameter is not an integer; when paging
    /// by cursor 400 `invalidCount` for a `count` that is none or that is above `max`.
    pub fn parse(
        cursor: Option<&str>,
        start_index: Option<&str>,
        count: Option<&str>,
        default: i64,
        max: i64,
    ) -> Result<Self, Error> {
        let Some(cursor) = cursor.map(str::trim) else {
            return Page::parse(start_index, count, default, max).map(Self::Index);
        };
        if start_index.is_some_and(|text| !text.trim().is_empty()) {
            return Err(Error::invalid_value("\"cursor\" and \"startIndex\" are two ways of paging; send one of them"));
        }
        let count = integer("count", count).map_err(|error| Error::invalid_count(error.detail))?;
        if let Some(count) = count.filter(|count| *count > max) {
            return Err(Error::invalid_count(format!("count must be between 0 and {max} with a cursor, not {count}")));
        }
        let cursor = (!cursor.is_empty()).then(|| cursor.to_owned());
        Ok(Self::Cursor(CursorPage { cursor, count: count.map(|count| count.max(0)) }))
    }
}

/// Which part of a result a client asked for by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Position of the first resource wanted; 1 or more.
    pub start_index: i64,
    /// How many resources at most; 0 asks for the total alone. Never negative, never above the maximum.
    pub count: i64,
}

impl Page {
    /// Reads `startIndex` and `count` as they stand in the query. Absent: 1 and `default`. A start under 1 is 1,
    /// a negative count is 0, a count above `max` is `max`; an empty text counts as absent.
    ///
    /// # Errors
    /// 400 `invalidValue` when a parameter is not an integer.
    pub fn parse(start_index: Option<&str>, count: Option<&str>, default: i64, max: i64) -> Result<Self, Error> {
        let start_index = integer("startIndex", start_index)?.unwrap_or(1).max(1);
        let count = integer("count", count)?.unwrap_or(default).clamp(0, max.max(0));
        Ok(Self { start_index, count })
    }

    /// What is still wanted from a second list that follows a first one: the first has `total` resources, of which
    /// `taken` are in the page already.
    #[must_use]
    pub fn after(&self, total: i64, taken: usize) -> Self {
        let taken = i64::try_from(taken).unwrap_or(i64::MAX);
        Self {
            start_index: self.start_index.saturating_sub(total).max(1),
            count: self.count.saturating_sub(taken).max(0),
        }
    }

    /// How many resources to skip before the first one wanted; 0 or more.
    pub const fn offset(&self) -> i64 {
        self.start_index.saturating_sub(1)
    }
}

/// An integer parameter. Digits beyond the range of `i64` stand for its end: the client means "very many".
fn integer(name: &str, text: Option<&str>) -> Result<Option<i64>, Error> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let (digits, negative) = match text.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid_value(format!("{name} must be an integer, not {}", quoted(text))));
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX);
    Ok(Some(if negative { -size } else { size }))
}

/// Builds a `ListResponse` of a page by index. `total` counts all results, not those of this page; `itemsPerPage` is
/// what is in it. `Resources` is always there, also when empty.
pub fn list_response(resources: Vec<Value>, total: i64, start_index: i64) -> Value {
    let mut body = Map::new();
    body.insert("schemas".into(), json!([LIST_SCHEMA]));
    body.insert("totalResults".into(), total.into());
    body.insert("startIndex".into(), start_index.into());
    body.insert("itemsPerPage".into(), resources.len().into());
    body.insert("Resources".into(), Value::Array(resources));
    Value::Object(body)
}

/// What leads on from a page by cursor (RFC 9865 §2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Onward {
    /// The cursor of the page after it; `None` on the last page.
    pub next: Option<String>,
    /// The cursor of the page before it; `None` on the first page.
    pub previous: Option<String>,
}

/// Builds a `ListResponse` of a page by cursor. `total` is left out when counting would cost more than the page
/// (RFC 9865 §2); there is no `startIndex`.
pub fn cursor_response(resources: Vec<Value>, total: Option<i64>, onward: Onward) -> Value {
    let mut body = Map::new();
    body.insert("schemas".into(), json!([LIST_SCHEMA]));
    let mut insert = |name: &str, value: Option<Value>| value.map(|value| body.insert(name.into(), value));
    insert("totalResults", total.map(Value::from));
    insert("itemsPerPage", Some(resources.len().into()));
    insert("nextCursor", onward.next.map(Value::from));
    insert("previousCursor", onward.previous.map(Value::from));
    insert("Resources", Some(Value::Array(resources)));
    Value::Object(body)
}
