//! Pages of a list: what comes after, as an opaque cursor.

use crate::error::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A part of a list.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub data: Vec<T>,
    /// Where the next page begins: send it as `cursor`. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// The only page of a list that is always shown whole.
    pub(crate) const fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None, has_more: false }
    }

    /// A page of at most `limit` of `rows`, which hold one more than that if there is a next page. `cursor` names
    /// the place after an item.
    pub(crate) fn of<R>(mut rows: Vec<R>, limit: i64, cursor: impl Fn(&R) -> Cursor, item: impl FnMut(R) -> T) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| cursor(row).encode());
        Self { data: rows.into_iter().map(item).collect(), next_cursor, has_more }
    }
}

/// A place in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cursor {
    /// After this number, in a list by number.
    Number(i64),
    /// After these ids, in a list by two ids.
    Ids(Uuid, Uuid),
}

impl Cursor {
    /// The opaque text.
    pub fn encode(self) -> String {
        match self {
            Self::Number(number) => URL_SAFE_NO_PAD.encode(number.to_be_bytes()),
            Self::Ids(first, second) => URL_SAFE_NO_PAD.encode([first.into_bytes(), second.into_bytes()].concat()),
        }
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        if let Ok(number) = <[u8; 8]>::try_from(bytes.as_slice()) {
            return Some(Self::Number(i64::from_be_bytes(number)));
        }
        let (first, second) = bytes.split_first_chunk::<16>()?;
        let second = <[u8; 16]>::try_from(second).ok()?;
        Some(Self::Ids(Uuid::from_bytes(*first), Uuid::from_bytes(second)))
    }

    /// The number behind an opaque text.
    ///
    /// # Errors
    /// 400 when the text is no cursor of such a list.
    pub fn number(text: Option<&str>) -> Result<Option<i64>, ApiError> {
        match text.map(Self::decode) {
            None => Ok(None),
            Some(Some(Self::Number(number))) => Ok(Some(number)),
            Some(_) => Err(foreign()),
        }
    }

    /// The ids behind an opaque text.
    ///
    /// # Errors
    /// 400 when the text is no cursor of such a list.
    pub fn ids(text: Option<&str>) -> Result<Option<(Uuid, Uuid)>, ApiError> {
        match text.map(Self::decode) {
            None => Ok(None),
            Some(Some(Self::Ids(first, second))) => Ok(Some((first, second))),
            Some(_) => Err(foreign()),
        }
    }
}

fn foreign() -> ApiError {
    ApiError::parameter("cursor", "is not one of this list; begin without a cursor")
}
