//! Elements whose `value` is a JSON object written as text.
//!
//! Entra's mapping `AppRoleAssignmentsComplex` sends a role as `{"value": "{\"id\":…,\"value\":\"Admin\",
//! \"displayName\":\"Admin\"}"}`. What is inside is kept in its place, so that filters, mappings and people see the role.
//! Values are otherwise kept as they were sent, so that a client which compares finds what it wrote. Here that is given
//! up, at no cost: Entra only ever adds or replaces roles, and the same text read again gives the same element, so a
//! second push changes nothing, moves no version and marks nobody.

use serde_json::Value;

use super::Parts;
use crate::schema::sub;

/// The name of the role for people, inside the text.
const DISPLAY_NAME: &str = "displayName";
/// The part that holds it outside.
const DISPLAY: &str = "display";

/// Puts what a wrapped `value` holds into `value` and `display`. A text that is no object, or that names nothing, stays
/// as it is. A `display` beside the text is the client's own word and stays.
pub(super) fn unwrap(parts: &mut Parts) {
    let text = parts.get(sub::VALUE).and_then(Value::as_str).map(str::trim_start);
    // Nearly every value ends here, without being parsed.
    let Some(text) = text.filter(|text| text.starts_with('{')) else { return };
    let Ok(Value::Object(inner)) = serde_json::from_str::<Value>(text) else { return };
    // An escape inside the text may stand for the one character that no store takes.
    let usable = |text: &&str| !text.is_empty() && !text.contains('\0');
    let named = |name: &str| inner.get(name).and_then(Value::as_str).filter(usable);
    let display = named(DISPLAY_NAME);
    // The default role of an application has no value in Entra, only a name.
    let Some(value) = named(sub::VALUE).or(display) else { return };
    let (value, display) = (Value::from(value), display.map(Value::from));
    parts.insert(sub::VALUE.to_owned(), value);
    if let Some(display) = display
        && parts.get(DISPLAY).is_none_or(Value::is_null)
    {
        parts.insert(DISPLAY.to_owned(), display);
    }
}
