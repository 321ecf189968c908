//! Mapping documents as people write them: TOML or JSON, with the place in the text of everything that is wrong.

use crate::body::unambiguous::Unambiguous;
use rollcall_scim::error::quoted;
use serde_json::{Map, Number, Value};
use thiserror::Error;
use toml_edit::{ImDocument, Item, TableLike};

/// A document as somebody wrote it.
#[derive(Debug)]
pub struct Written {
    /// The text of a TOML document with the places of its parts.
    toml: Option<ImDocument<String>>,
    /// What it says.
    pub document: Value,
}

/// A text that is no document.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{problem}")]
pub struct NotADocument {
    /// The line and the character, both from 1; `None` where the place is not known.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub problem: String,
}

impl NotADocument {
    fn anywhere(problem: String) -> Self {
        Self { place: None, problem }
    }
}

impl Written {
    /// Reads TOML, or JSON if the text begins as an object of that does.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(text: &str) -> Result<Self, NotADocument> {
        if text.trim_start().starts_with('{') { Self::json(text) } else { Self::toml(text) }
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(text: &str) -> Result<Self, NotADocument> {
        let Unambiguous(document) = serde_json::from_str(text).map_err(|error| NotADocument {
            place: Some((error.line(), error.column())),
            problem: format!("this is not JSON that means one thing only: {error}"),
        })?;
        Ok(Self { toml: None, document })
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// It is none, or holds a number that JSON cannot write.
    pub fn toml(text: &str) -> Result<Self, NotADocument> {
        let toml = ImDocument::parse(text.to_owned()).map_err(|error| NotADocument {
            place: Some(line_and_column(text, error.span().map_or(0, |span| span.start))),
            problem: format!("this is not TOML: {}", error.message()),
        })?;
        let document = plain_item(toml.as_item())?;
        Ok(Self { toml: Some(toml), document })
    }

    /// The line and the character, both from 1, at which a part begins that a JSON pointer names; `None` of JSON, which keeps no
    /// places.
    pub fn place(&self, pointer: &str) -> Option<(usize, usize)> {
        let toml = self.toml.as_ref()?;
        let mut found = toml.as_item();
        let mut span = found.span();
        for segment in pointer.split('/').skip(1) {
            let name = segment.replace("~1", "/").replace("~0", "~");
            let next = match name.parse::<usize>() {
                Ok(number) if found.is_array() || found.is_array_of_tables() => found.get(number),
                _ => found.get(name.as_str()),
            };
            let Some(next) = next else { break };
            found = next;
            // The table above one that is only named by its parts has no place of its own.
            span = found.span().or(span);
        }
        span.map(|span| line_and_column(toml.raw(), span.start))
    }
}

/// The line and the character of a byte, both from 1.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

fn plain_item(item: &Item) -> Result<Value, NotADocument> {
    Ok(match item {
        Item::None => Value::Null,
        Item::Value(value) => plain(value)?,
        Item::Table(parts) => table(parts)?,
        Item::ArrayOfTables(tables) => tables.iter().map(|parts| table(parts)).collect::<Result<_, _>>()?,
    })
}

fn table(parts: &dyn TableLike) -> Result<Value, NotADocument> {
    let parts = parts.iter().map(|(name, item)| Ok((name.to_owned(), plain_item(item)?)));
    Ok(Value::Object(parts.collect::<Result<Map<_, _>, NotADocument>>()?))
}

fn plain(value: &toml_edit::Value) -> Result<Value, NotADocument> {
    use toml_edit::Value as Toml;
    let infinite = || NotADocument::anywhere("a number is infinite, or none at all".to_owned());
    Ok(match value {
        Toml::String(text) => Value::String(text.value().clone()),
        Toml::Integer(number) => Value::Number((*number.value()).into()),
        Toml::Float(number) => Value::Number(Number::from_f64(*number.value()).ok_or_else(infinite)?),
        Toml::Boolean(flag) => Value::Bool(*flag.value()),
        Toml::Datetime(moment) => Value::String(moment.value().to_string()),
        Toml::Array(items) => items.iter().map(plain).collect::<Result<_, _>>()?,
        Toml::InlineTable(parts) => table(parts)?,
    })
}

/// A document as TOML.
///
/// # Errors
/// It holds `null`, which TOML cannot write; says where.
pub fn to_toml(document: &Value) -> Result<String, NotADocument> {
    if let Some(place) = null(document, String::new()) {
        let problem = format!("the document holds null at {}, which TOML cannot write", quoted(&place));
        return Err(NotADocument::anywhere(problem));
    }
    toml_edit::ser::to_string_pretty(document)
        .map_err(|error| NotADocument::anywhere(format!("the document cannot be written as TOML: {error}")))
}

/// The place of the first `null`.
fn null(value: &Value, place: String) -> Option<String> {
    match value {
        Value::Null => Some(place),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(number, item)| null(item, format!("{place}/{number}")))
        }
        Value::Object(parts) => parts.iter().find_map(|(name, item)| null(item, format!("{place}/{name}"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_has_a_place_in_the_text() {
        let text =
            "[account.title]\nvalue = \"user.titel\"\n\n[[scope]]\nname = \"a\"\n[[scope]]\nname = \"b\"\nwhen = 'x'\n";
        let written = Written::read(text).expect("TOML");
        for (pointer, expected) in [
            ("/account/title/value", (2, 9)),
            ("/account/title", (1, 1)),
            ("/scope/1/when", (8, 8)),
            ("/scope/1/include", (6, 1)),
        ] {
            assert_eq!(written.place(pointer), Some(expected), "{pointer}");
        }
    }

    #[test]
    fn what_is_no_document_says_where() {
        for (text, place, problem) in
            [("[account\n", (1, 9), "this is not TOML"), ("{\n  \"account\": }", (2, 14), "this is not JSON")]
        {
            let refused = Written::read(text).expect_err("no document");
            assert!(refused.place == Some(place) && refused.problem.starts_with(problem), "{refused:?}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let document = json!({
            "account": { "title": { "value": "coalesce(user.title, \"none\", 'it''s')\n+ \"x\\y\"", "blank": "clear" } },
            "scope": [{ "name": "all", "include": true }, { "name": "两", "when": "a", "include": false }],
            "registered_abroad": true,
            "departments": { "special": [{ "path": ["A", "B"], "hidden": true }], "levels": { "most": 3 } },
            "examples": [],
        });
        let text = to_toml(&document).expect("TOML");
        assert_eq!(Written::read(&text).expect("TOML").document, document, "{text}");
        let json = serde_json::to_string_pretty(&document).expect("JSON");
        assert_eq!(Written::read(&json).expect("JSON").document, document, "{json}");
        let twice = Written::read(r#"{ "account": {}, "account": {} }"#).expect_err("a name twice");
        assert!(twice.problem.contains("account"), "{twice}");
        let refused = to_toml(&json!({ "examples": [{ "expect": { "manager": null } }] })).expect_err("null");
        assert!(refused.problem.contains("/examples/0/expect/manager"), "{refused}");
    }
}
