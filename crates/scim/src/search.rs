//! The body of `.search` (RFC 7644 §3.4.3): what otherwise stands in the query part of a URL.

use serde_json::Value;

use crate::error::Error;
use crate::resource::{check_keys, member};

/// Schema URN of a search body.
pub const SEARCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// A search body, taken apart. What is absent, `null` or empty is `None` or an empty list; the texts are judged by
/// those who use them, exactly as if they came from a URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchRequest {
    /// Only these attributes are wanted.
    pub attributes: Vec<String>,
    /// All but these attributes are wanted.
    pub excluded_attributes: Vec<String>,
    /// Which resources are wanted.
    pub filter: Option<String>,
    /// By which attribute they are ordered.
    pub sort_by: Option<String>,
    /// Whether the least or the greatest comes first.
    pub sort_order: Option<String>,
    /// Position of the first resource wanted, as a text.
    pub start_index: Option<String>,
    /// How many are wanted at most, as a text.
    pub count: Option<String>,
    /// Where paging by cursor goes on (RFC 9865 §2); an empty text asks for the first page.
    pub cursor: Option<String>,
}

impl SearchRequest {
    /// Reads a search body. Names are compared without regard to case; unknown members are ignored, as unknown
    /// parameters of a URL are (RFC 7644 §3.4.2). A list may also be one text with commas, a number a text.
    ///
    /// # Errors
    /// 400 `invalidSyntax` when `schemas` does not hold [`SEARCH_SCHEMA`] or a name is there twice, 400
    /// `invalidFilter` or `invalidValue` that names the member which has the wrong type.
    pub fn parse(body: &Value) -> Result<Self, Error> {
        let Some(object) = body.as_object() else {
            return Err(Error::invalid_syntax("the body must be a JSON object that describes a search"));
        };
        check_keys(object)?;
        let schemas = member(object, "schemas").and_then(Value::as_array);
        let mut named = schemas.into_iter().flatten().filter_map(Value::as_str);
        if !named.any(|urn| urn.eq_ignore_ascii_case(SEARCH_SCHEMA)) {
            return Err(Error::invalid_syntax(format!("\"schemas\" must be an array that holds \"{SEARCH_SCHEMA}\"")));
        }
        let get = |name: &'static str| Member { name, value: member(object, name).unwrap_or(&Value::Null) };
        Ok(Self {
            attributes: get("attributes").names()?,
            excluded_attributes: get("excludedAttributes").names()?,
            filter: get("filter").text()?,
            sort_by: get("sortBy").text()?,
            sort_order: get("sortOrder").text()?,
            start_index: get("startIndex").integer()?,
            count: get("count").integer()?,
            cursor: get("cursor").text_or_empty()?,
        })
    }
}

/// One member of the body.
struct Member<'b> {
    name: &'static str,
    value: &'b Value,
}

impl Member<'_> {
    fn text(&self) -> Result<Option<String>, Error> {
        Ok(self.text_or_empty()?.filter(|text| !text.trim().is_empty()))
    }

    fn text_or_empty(&self) -> Result<Option<String>, Error> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(self.wrong("a string")),
        }
    }

    fn integer(&self) -> Result<Option<String>, Error> {
        match self.value {
            Value::Number(number) => Ok(Some(number.to_string())),
            Value::Null | Value::String(_) => self.text(),
            _ => Err(self.wrong("an integer")),
        }
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        let name = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| self.wrong("an array of strings"));
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::String(list) => Ok(list.split(',').map(str::to_owned).collect()),
            Value::Array(items) => items.iter().map(name).collect(),
            _ => Err(self.wrong("an array of strings")),
        }
    }

    fn wrong(&self, wanted: &str) -> Error {
        let detail = format!("\"{}\" in the search must be {wanted}", self.name);
        if self.name == "filter" { Error::invalid_filter(detail) } else { Error::invalid_value(detail) }
    }
}
