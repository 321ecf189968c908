//! How parts of a request's body are read, so that a wrong one is answered by what would be right, and not by what a type
//! of this program is called.

use crate::error::ApiError;
use rollcall_scim::error::quoted;
use serde::de::{Deserialize as _, DeserializeOwned, Deserializer, Error};
use serde_json::Value;
use uuid::Uuid;

/// A whole body.
///
/// # Errors
/// 400 that names the part which is wrong.
pub(crate) fn body<T: DeserializeOwned>(body: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let (path, problem) = (error.path().to_string(), error.inner().to_string());
        // A part that is missing, or that nobody knows, is named by the problem itself.
        let is_named = path == "." || problem.contains(&format!("`{path}`"));
        let place = if is_named { String::new() } else { format!("{path} ") };
        ApiError::parameter("body", format!("cannot be used: {place}{problem}"))
    })
}

/// An id.
pub(super) fn id<'de, D: Deserializer<'de>>(given: D) -> Result<Uuid, D::Error> {
    let value = Value::deserialize(given)?;
    let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
    id.ok_or_else(|| D::Error::custom(format_args!("must be the id of something, a UUID, and is {}", shown(&value))))
}

/// An id, or nothing.
pub(crate) fn optional_id<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Uuid>, D::Error> {
    let value = Option::<Value>::deserialize(given)?;
    value.map(|value| id(value).map_err(D::Error::custom)).transpose()
}

/// A whole number within limits, or nothing.
pub(super) fn within<'de, const LEAST: u32, const MOST: u32, D: Deserializer<'de>>(
    given: D,
) -> Result<Option<u32>, D::Error> {
    let Some(value) = Option::<Value>::deserialize(given)? else { return Ok(None) };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| (LEAST..=MOST).contains(number));
    let problem = || format!("must be a number from {LEAST} to {MOST}, and is {}", shown(&value));
    number.map(Some).ok_or_else(|| D::Error::custom(problem()))
}

/// A value as it was sent; of a long one the beginning.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}
