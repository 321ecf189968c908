//! The query parameters of a REST request.
//!
//! An unknown parameter is refused, other than in SCIM: a filter with a typing error would otherwise list, or retry,
//! everything.

use crate::error::ApiError;
use crate::limits::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::query_text::decode;
use axum::extract::FromRequestParts;
use http::request::Parts;
use rollcall_scim::error::quoted;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Every parameter that some REST operation takes.
const KNOWN: [&str; 26] = [
    "state",
    "target",
    "kind",
    "resource",
    "userName",
    "verb",
    "guarded",
    "from",
    "to",
    "limit",
    "cursor",
    "bucket",
    "undecided",
    "open",
    "ended",
    "hindered",
    "at",
    "attribute",
    "origin",
    "observed",
    "remote_id",
    "person",
    "marked",
    "reason",
    "held_by",
    "code",
];

/// The parameters of one request, decoded. Each is used up by reading it; see [`Params::end`].
#[derive(Debug)]
pub(super) struct Params(BTreeMap<&'static str, String>);

impl Params {
    fn parse(raw: Option<&str>) -> Result<Self, ApiError> {
        let mut params = BTreeMap::new();
        for pair in raw.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = decode(name).ok().and_then(|name| KNOWN.into_iter().find(|known| *known == name));
            let known =
                known.ok_or_else(|| ApiError::parameter("query", format!("holds the unknown parameter {name:?}")))?;
            let value = decode(value).map_err(|problem| ApiError::parameter(known, problem))?;
            if params.insert(known, value).is_some() {
                return Err(ApiError::parameter(known, "is given twice"));
            }
        }
        Ok(Self(params))
    }

    /// A text; an empty one counts as absent.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    /// An id.
    pub(super) fn id(&mut self, name: &'static str) -> Result<Option<Uuid>, ApiError> {
        let parse = |text: String| {
            let wrong = |_| ApiError::parameter(name, format!("must be an id, a UUID, and is {}", quoted(&text)));
            Uuid::try_parse(&text).map_err(wrong)
        };
        self.text(name).map(parse).transpose()
    }

    /// The number of a version, from 0.
    pub(super) fn version(&mut self, name: &'static str) -> Result<Option<i32>, ApiError> {
        let parse = |text: String| {
            let number = text.parse().ok().filter(|number| *number >= 0);
            number.ok_or_else(|| {
                ApiError::parameter(name, format!("must be the number of a version, and is {}", quoted(&text)))
            })
        };
        self.text(name).map(parse).transpose()
    }

    /// One of a few words.
    pub(super) fn word<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let parse = |text: String| {
            parse(&text).ok_or_else(|| {
                ApiError::parameter(name, format!("cannot be {text:?}; the OpenAPI document lists its values"))
            })
        };
        self.text(name).map(parse).transpose()
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, ApiError> {
        self.word(name, |word| match word {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }

    /// The size of a page, from 1 to [`MAX_LIMIT`].
    pub(super) fn limit(&mut self) -> Result<i64, ApiError> {
        let Some(text) = self.text("limit") else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| ApiError::parameter("limit", format!("must be a number from 1 to {MAX_LIMIT}")))
    }

    /// Refuses parameters that the operation has not read.
    pub(super) fn end(self) -> Result<(), ApiError> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(ApiError::parameter(name, "has no meaning for this operation")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query())
    }
}
