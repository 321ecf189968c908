//! The parameters of a call, read as leniently as DingTalk's gateway does.
//!
//! The official Java SDK posts forms whose scalars are text and whose objects are JSON text, so numbers and booleans
//! may be strings and objects may be JSON strings. Whatever does not fit its type is 400002, naming the parameter.

use serde_json::{Map, Value};

use crate::errcode::{INVALID_ARGUMENT, Refusal};

/// Named parameters from the query, a form or a JSON object. An explicit `null` counts as absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Map<String, Value>);

impl Params {
    /// Parameters from name and value pairs: a query string or a form.
    pub(crate) fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
    }

    /// Parameters from a JSON object.
    pub(crate) fn from_object(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// These parameters, completed by those of `other` that are missing here.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// The raw value, unless absent or `null`.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text. Numbers and booleans are taken as their text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.value(name).map(|value| scalar_text(value).ok_or_else(|| wrong(name))).transpose()
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required_text(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| wrong(name))
    }

    /// A whole number, or its text.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.value(name).map(|value| scalar_integer(value).ok_or_else(|| wrong(name))).transpose()
    }

    /// A whole number that must be there.
    pub(crate) fn required_integer(&self, name: &str) -> Result<i64, Refusal> {
        self.integer(name)?.ok_or_else(|| wrong(name))
    }

    /// A boolean, or the texts `true` and `false`.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.value(name).map(|value| scalar_boolean(value).ok_or_else(|| wrong(name))).transpose()
    }

    /// A comma-separated list, without blanks and empty parts. A single number is a list of one.
    pub(crate) fn comma_list(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
        Ok(Some(parts.collect()))
    }

    /// A comma-separated list of ids; `refusal` tells that one of them is no number.
    pub(crate) fn id_list(&self, name: &str, refusal: impl Fn() -> Refusal) -> Result<Option<Vec<i64>>, Refusal> {
        let parts = self.comma_list(name).map_err(|_| refusal())?;
        parts.map(|parts| parts.iter().map(|part| part.parse().map_err(|_| refusal())).collect()).transpose()
    }

    /// A list of scalars as texts, or a JSON text of one.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        match self.value(name).map(unwrap_json_text) {
            None => Ok(None),
            Some(Some(Value::Array(items))) => {
                let texts: Option<Vec<String>> = items.iter().map(scalar_text).collect();
                texts.map(Some).ok_or_else(|| wrong(name))
            }
            Some(_) => Err(wrong(name)),
        }
    }

    /// An object, or a JSON text of one.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => match unwrap_json_text(value) {
                Some(Value::Object(object)) => Ok(Some(object)),
                _ => Err(wrong(name)),
            },
        }
    }

    /// A list of objects, or a JSON text of one. A lone object is a list of one.
    pub(crate) fn objects(&self, name: &str) -> Result<Option<Vec<Params>>, Refusal> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let items = match unwrap_json_text(value) {
            Some(Value::Array(items)) => items,
            Some(object @ Value::Object(_)) => vec![object],
            _ => return Err(wrong(name)),
        };
        let entries = items.into_iter().map(|item| match item {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(wrong(name)),
        });
        entries.collect::<Result<_, _>>().map(Some)
    }
}

/// The text of a scalar; `None` for lists and objects.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn scalar_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn scalar_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn unwrap_json_text(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    }
}

fn wrong(name: &str) -> Refusal {
    INVALID_ARGUMENT.about(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Params;

    fn params() -> Params {
        let value = json!({
            "number": 7, "number_text": "7", "flag": true, "flag_text": "FALSE", "nothing": null, "list": [1],
            "object": {"a": 1}, "object_text": "{\"a\":1}", "ids": "1, 2,,3", "bad_ids": "1,x"
        });
        Params::from_object(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn scalars_may_be_text() {
        let params = params();
        assert_eq!(params.integer("number"), Ok(Some(7)));
        assert_eq!(params.integer("number_text"), Ok(Some(7)));
        assert_eq!(params.boolean("flag"), Ok(Some(true)));
        assert_eq!(params.boolean("flag_text"), Ok(Some(false)));
        assert_eq!(params.text("number"), Ok(Some("7".to_owned())));
        assert_eq!(params.text("nothing"), Ok(None));
        assert!(params.text("list").is_err());
        assert!(params.boolean("number").is_err());
    }

    #[test]
    fn objects_may_be_json_text() {
        let params = params();
        assert_eq!(params.texts("list"), Ok(Some(vec!["1".to_owned()])));
        assert!(params.texts("ids").is_err());
        assert_eq!(params.object("object"), params.object("object_text"));
        assert_eq!(params.objects("object_text").map(|list| list.map(|list| list.len())), Ok(Some(1)));
        assert!(params.object("number").is_err());
    }

    #[test]
    fn lists_are_comma_separated() {
        let params = params();
        let refusal = || crate::errcode::INVALID_DEPARTMENT_LIST.plain();
        assert_eq!(params.id_list("ids", refusal), Ok(Some(vec![1, 2, 3])));
        assert_eq!(params.id_list("bad_ids", refusal), Err(refusal()));
        assert_eq!(params.id_list("number", refusal), Ok(Some(vec![7])));
        assert_eq!(params.id_list("list", refusal), Err(refusal()));
    }
}
