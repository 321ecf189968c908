//! Lists and index paging (RFC 7644 §3.4.2.4).

use serde_json::{Map, Value, json};

use crate::error::{Error, quoted};

/// Schema URN of a list body.
pub const LIST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Which part of a result a client asked for.
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

/// Builds a `ListResponse`. `total` counts all results, not those of this page; `itemsPerPage` is what is in it.
/// `Resources` is always there, also when empty.
pub fn list_response(resources: Vec<Value>, total: i64, start_index: i64) -> Value {
    let mut body = Map::new();
    body.insert("schemas".into(), json!([LIST_SCHEMA]));
    body.insert("totalResults".into(), total.into());
    body.insert("startIndex".into(), start_index.into());
    body.insert("itemsPerPage".into(), resources.len().into());
    body.insert("Resources".into(), Value::Array(resources));
    Value::Object(body)
}
