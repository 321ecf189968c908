//! Values that are not complex (RFC 7643 §2.3).

use serde_json::{Number, Value};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::Place;
use crate::error::Error;
use crate::fold::fold;
use crate::limits::{MAX_KEY_BYTES, MAX_STRING_BYTES};
use crate::profile::Profile;
use crate::schema::{Attribute, Kind, Uniqueness};

/// From here on, 2⁵³, doubles leave whole numbers out.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// The canonical value; `None` for `null`, for `""`, and for blanks where a value is required.
pub(super) fn read(
    attribute: &Attribute,
    value: &Value,
    place: Place<'_>,
    profile: &Profile,
) -> Result<Option<Value>, Error> {
    match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) if attribute.required && text.trim().is_empty() => return Ok(None),
        _ => {}
    }
    let fits = match (attribute.kind, value) {
        (Kind::Boolean, Value::Bool(_)) => true,
        (Kind::Decimal, Value::Number(number)) => {
            check_precision(number, place)?;
            true
        }
        (Kind::Boolean, Value::String(text)) if profile.string_booleans => {
            return boolean(text).map(|read| Some(read.into())).ok_or_else(|| wrong_type(attribute, value, place));
        }
        // Filters compare these exactly, whatever parses them (RFC 7643 §2.3.4 sets no bound).
        (Kind::Integer, Value::Number(number)) => number.is_i64(),
        (Kind::String, Value::String(text)) => {
            check_text(attribute, text, place)?;
            true
        }
        (Kind::Reference, Value::String(text)) => {
            check_text(attribute, text, place)?;
            profile.text_references || is_uri_reference(text)
        }
        (Kind::DateTime, Value::String(text)) => instant(text).is_some(),
        (Kind::Binary, Value::String(text)) => {
            check_text(attribute, text, place)?;
            is_base64(text)
        }
        _ => false,
    };
    if fits { Ok(Some(value.clone())) } else { Err(wrong_type(attribute, value, place)) }
}

/// `true` and `false` in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The instant of an `xsd:dateTime`, in UTC; one without a zone is taken as UTC. `None` also for an instant whose
/// offset carries it beyond the years that a date can have, such as 9999-12-31T23:00:00-05:00.
pub(crate) fn instant(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339))
        .ok()?
        .checked_to_offset(UtcOffset::UTC)
}

/// The error for a value of another type than the attribute has.
pub(super) fn wrong_type(attribute: &Attribute, value: &Value, place: Place<'_>) -> Error {
    let wanted = match attribute.kind {
        Kind::String => "a string",
        Kind::Reference => "a URI as a string",
        Kind::Boolean => "true or false",
        Kind::Decimal => "a number",
        Kind::Integer => "a whole number",
        Kind::DateTime => "a date and time such as \"2026-01-31T08:00:00Z\"",
        Kind::Binary => "base64 as a string",
        Kind::Complex => "an object",
    };
    Error::invalid_value(format!("{place} must be {wanted}, not {}", shown(value)))
}

/// A value as it is quoted in an error: short ones in full, others by what they are.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) if text.chars().count() > 60 => "such a string".into(),
        Value::String(text) => format!("the string {}", Value::String(text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Refuses text that no store could keep or index. Control characters are refused in names, as PRECIS refuses them
/// (RFC 8264 §9.7): they would make two names look the same.
fn check_text(attribute: &Attribute, text: &str, place: Place<'_>) -> Result<(), Error> {
    if text.len() > MAX_STRING_BYTES {
        return Err(Error::invalid_value(format!("{place} is longer than {MAX_STRING_BYTES} bytes")));
    }
    if text.contains('\0') {
        return Err(Error::invalid_value(format!("{place} holds a NUL character: remove it")));
    }
    let unique = attribute.uniqueness != Uniqueness::None;
    if unique || attribute.name == "displayName" {
        check_control(text, place)?;
    }
    if !unique {
        return Ok(());
    }
    if fold(text).len() > MAX_KEY_BYTES {
        return Err(Error::invalid_value(format!(
            "{place} must be unique and is longer than {MAX_KEY_BYTES} bytes: shorten it"
        )));
    }
    Ok(())
}

fn check_control(text: &str, place: Place<'_>) -> Result<(), Error> {
    match text.chars().enumerate().find(|(_, character)| character.is_control()) {
        None => Ok(()),
        Some((index, character)) => Err(Error::invalid_value(format!(
            "{place} holds the control character U+{:04X} at position {}: remove it",
            u32::from(character),
            index + 1
        ))),
    }
}

/// Refuses a number that was rounded when it was read, because it has more digits than a double holds before the
/// fraction (RFC 8259 §6). Whole numbers of 64 bits are exact.
fn check_precision(number: &Number, place: Place<'_>) -> Result<(), Error> {
    match number.as_f64() {
        Some(read) if number.is_f64() && read.abs() >= EXACT_BELOW => Err(Error::invalid_value(format!(
            "{place} is too large to be kept as it is written: a number with a fraction or an exponent must be smaller \
             than {EXACT_BELOW}, one without them must fit into 64 bits"
        ))),
        _ => Ok(()),
    }
}

/// True for a URI, whole or relative (RFC 3986 §4.1). Inside its parts only the characters are looked at.
fn is_uri_reference(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let mut codes = text.split('%').skip(1);
    let escaped = codes.all(|rest| rest.get(..2).is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit())));
    // What stands before the first colon is the scheme, unless a path, query or fragment has begun.
    let scheme = text.split_once(':').filter(|(scheme, _)| !scheme.contains(['/', '?', '#']));
    let schemed = scheme.is_none_or(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    text.bytes().all(is_allowed) && escaped && schemed && text.matches('#').count() <= 1
}

/// True for the characters of base64 in either alphabet, padded or not (RFC 7643 §2.3.6).
fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len() - body.len() <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
}
