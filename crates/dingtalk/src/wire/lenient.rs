//! Reading values that come in more than one form.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A string or a number, as a string. Missing, null and empty are the same: DingTalk omits what is empty.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok((!text.is_empty()).then_some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("neither text nor number")),
    }
}

/// A whole number that may be written as a string.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let text = text(from)?;
    text.map(|text| text.trim().parse().map_err(|_| D::Error::custom("not a whole number"))).transpose()
}

/// Texts in a list, alone, or joined by commas, with or without the brackets of a JSON text.
pub(super) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let mut found = Vec::new();
    match Value::deserialize(from)? {
        Value::Null => {}
        Value::Number(number) => found.push(number.to_string()),
        Value::String(text) => {
            let items = text.trim().trim_matches(['[', ']']).split(',');
            let items = items.map(|item| item.trim().trim_matches('"').to_owned());
            found.extend(items.filter(|item| !item.is_empty()));
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::String(text) => found.push(text),
                    Value::Number(number) => found.push(number.to_string()),
                    _ => return Err(D::Error::custom("a list of something else than text")),
                }
            }
        }
        _ => return Err(D::Error::custom("neither list nor text")),
    }
    Ok(found)
}

/// Objects in a list, or one alone.
pub(super) fn objects<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let items = match Value::deserialize(from)? {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    };
    items.into_iter().map(|item| serde_json::from_value(item).map_err(D::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_and_numbers() {
        for (value, expected) in [
            (json!("a"), Ok(Some("a"))),
            (json!(""), Ok(None)),
            (json!(null), Ok(None)),
            (json!(176_352_449_285_043_512_u64), Ok(Some("176352449285043512"))),
            (json!(-7), Ok(Some("-7"))),
            (json!({"a": 1}), Err(())),
        ] {
            let found = text(value.clone()).map_err(drop);
            assert_eq!(found, expected.map(|text| text.map(str::to_owned)), "{value}");
        }
        assert_eq!(number(json!(" 7200 ")).ok(), Some(Some(7200)));
        assert!(number(json!("soon")).is_err());
    }

    #[test]
    fn lists_in_every_form() {
        for (value, expected) in [
            (json!([1, "2"]), Some(vec!["1", "2"])),
            (json!("1,2"), Some(vec!["1", "2"])),
            (json!("[1, 2]"), Some(vec!["1", "2"])),
            (json!("[\"mobile\"]"), Some(vec!["mobile"])),
            (json!(3), Some(vec!["3"])),
            (json!([]), Some(vec![])),
            (json!(null), Some(vec![])),
            (json!([{}]), None),
        ] {
            let found = texts(value.clone()).ok();
            let expected: Option<Vec<String>> = expected.map(|list| list.into_iter().map(str::to_owned).collect());
            assert_eq!(found, expected, "{value}");
        }
    }
}
