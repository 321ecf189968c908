//! Reading values that come in more than one form.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

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

/// A whole number, also one below zero or beyond 53 bits, that may be written as a string.
pub(super) fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let text = text(from)?;
    text.map(|text| text.trim().parse().map_err(|_| D::Error::custom("not a whole number"))).transpose()
}

/// A yes or no that may be written as a string or as 1 and 0.
pub(super) fn boolean<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::Bool(yes) => Ok(Some(yes)),
        Value::Number(number) if number.as_i64() == Some(1) => Ok(Some(true)),
        Value::Number(number) if number.as_i64() == Some(0) => Ok(Some(false)),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(None),
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(D::Error::custom("neither yes nor no")),
        },
        _ => Err(D::Error::custom("neither yes nor no")),
    }
}

/// As [`boolean`], but whatever else comes says nothing.
pub(super) fn perhaps_boolean<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(boolean(Value::deserialize(from)?).unwrap_or_default())
}

/// Texts by name: an object, or the JSON text of one. Whatever is no text is written as JSON.
pub(super) fn texts_by_name<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let object = match Value::deserialize(from)? {
        Value::Null => return Ok(BTreeMap::new()),
        Value::String(text) if text.trim().is_empty() => return Ok(BTreeMap::new()),
        Value::String(text) => serde_json::from_str(&text).map_err(|_| D::Error::custom("no JSON"))?,
        value => value,
    };
    let Value::Object(object) = object else { return Err(D::Error::custom("not an object")) };
    let text = |value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    let texts = object.into_iter().filter_map(|(name, value)| Some((name, text(value)?)));
    Ok(texts.filter(|(_, text)| !text.is_empty()).collect())
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

/// Whole numbers in every form that [`texts`] reads.
pub(super) fn integers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i64>, D::Error> {
    let texts = texts(from)?;
    texts.iter().map(|text| text.trim().parse().map_err(|_| D::Error::custom("not a whole number"))).collect()
}

/// Objects in a list, or one alone, or the JSON text of either.
pub(super) fn objects<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let items = match Value::deserialize(from)? {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => serde_json::from_str(&text).map_err(|_| D::Error::custom("no JSON"))?,
        value => value,
    };
    let items = match items {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    };
    items.into_iter().map(|item| serde_json::from_value(item).map_err(D::Error::custom)).collect()
}

/// As [`objects`], but no list is told from an empty one.
pub(super) fn some_objects<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Option<Vec<T>>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        value => objects(value).map(Some).map_err(D::Error::custom),
    }
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
    fn numbers_and_switches() {
        for (value, expected) in [
            (json!(176_352_449_285_043_512_u64), Some(Some(176_352_449_285_043_512))),
            (json!("-7"), Some(Some(-7))),
            (json!(""), Some(None)),
            (json!(1.5), None),
        ] {
            assert_eq!(integer(value.clone()).ok(), expected, "{value}");
        }
        for (value, expected) in [
            (json!(true), Some(Some(true))),
            (json!("False"), Some(Some(false))),
            (json!("1"), Some(Some(true))),
            (json!(0), Some(Some(false))),
            (json!(null), Some(None)),
            (json!("maybe"), None),
            (json!([]), None),
        ] {
            assert_eq!(boolean(value.clone()).ok(), expected, "{value}");
        }
    }

    #[test]
    fn custom_fields_in_every_form() {
        let expected = BTreeMap::from([("爱好".to_owned(), "旅游".to_owned()), ("n".to_owned(), "7".to_owned())]);
        for value in [json!("{\"爱好\":\"旅游\",\"n\":7,\"x\":\"\"}"), json!({"爱好": "旅游", "n": 7, "x": null})]
        {
            assert_eq!(texts_by_name(value.clone()).ok().as_ref(), Some(&expected), "{value}");
        }
        assert_eq!(texts_by_name(json!("")).ok(), Some(BTreeMap::new()));
        assert!(texts_by_name(json!("not json")).is_err() && texts_by_name(json!([1])).is_err());
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
