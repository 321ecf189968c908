//! Mapping documents as files: TOML or JSON, with the place in the file of everything that is wrong.

use anyhow::{Context, Result, bail};
use rollcall_api::refusal::PartProblem;
use serde_json::{Map, Number, Value};
use std::fs;
use std::path::{Path, PathBuf};
use toml_edit::{ImDocument, Item, TableLike};

/// A document as somebody wrote it.
#[derive(Debug)]
pub(super) struct DocumentFile {
    path: PathBuf,
    /// The text of a TOML file with the places of its parts.
    toml: Option<ImDocument<String>>,
    /// What it says.
    pub(super) document: Value,
}

impl DocumentFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is neither TOML nor JSON; says in which line and column.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
        let is = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
        if is("json") {
            let document = serde_json::from_str(&text).with_context(|| format!("{shown} is not JSON"))?;
            return Ok(Self { path: path.to_owned(), toml: None, document });
        }
        if !is("toml") {
            bail!("{shown} ends neither in .toml nor in .json");
        }
        let toml = ImDocument::parse(text.clone()).map_err(|error| {
            let (line, column) = line_and_column(&text, error.span().map_or(0, |span| span.start));
            anyhow::anyhow!("{shown}:{line}:{column}: this is not TOML: {}", error.message())
        })?;
        let document = json(toml.as_item()).with_context(|| format!("{shown} cannot be used"))?;
        Ok(Self { path: path.to_owned(), toml: Some(toml), document })
    }

    /// Where something is wrong: `mapping.toml:12:9`, or the file alone.
    pub(super) fn place(&self, error: &PartProblem) -> String {
        let shown = self.path.display();
        let Some(toml) = &self.toml else { return shown.to_string() };
        let mut found = toml.as_item();
        let mut span = found.span();
        for segment in error.pointer.split('/').skip(1) {
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
        match span {
            Some(span) => {
                let (line, column) = line_and_column(toml.raw(), span.start);
                format!("{shown}:{line}:{column}")
            }
            None => shown.to_string(),
        }
    }
}

/// The line and the character of a byte, both from 1.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

fn json(item: &Item) -> Result<Value> {
    Ok(match item {
        Item::None => Value::Null,
        Item::Value(value) => plain(value)?,
        Item::Table(parts) => table(parts)?,
        Item::ArrayOfTables(tables) => tables.iter().map(|parts| table(parts)).collect::<Result<_>>()?,
    })
}

fn table(parts: &dyn TableLike) -> Result<Value> {
    let parts = parts.iter().map(|(name, item)| Ok((name.to_owned(), json(item)?)));
    Ok(Value::Object(parts.collect::<Result<Map<_, _>>>()?))
}

fn plain(value: &toml_edit::Value) -> Result<Value> {
    use toml_edit::Value as Toml;
    Ok(match value {
        Toml::String(text) => Value::String(text.value().clone()),
        Toml::Integer(number) => Value::Number((*number.value()).into()),
        Toml::Float(number) => {
            Value::Number(Number::from_f64(*number.value()).context("a number is infinite, or none at all")?)
        }
        Toml::Boolean(flag) => Value::Bool(*flag.value()),
        Toml::Datetime(moment) => Value::String(moment.value().to_string()),
        Toml::Array(items) => items.iter().map(plain).collect::<Result<_>>()?,
        Toml::InlineTable(parts) => table(parts)?,
    })
}

/// A document as TOML.
///
/// # Errors
/// It holds `null`, which TOML cannot write; says where.
pub(super) fn to_toml(document: &Value) -> Result<String> {
    if let Some(place) = null(document, String::new()) {
        bail!(
            "the document holds null at {place}, which TOML cannot write; use --json, and save a file that ends in .json"
        );
    }
    toml_edit::ser::to_string_pretty(document).context("the document cannot be written as TOML; use --json")
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

    fn file(text: &str) -> DocumentFile {
        let toml = ImDocument::parse(text.to_owned()).expect("TOML");
        let document = json(toml.as_item()).expect("plain values");
        DocumentFile { path: "m.toml".into(), toml: Some(toml), document }
    }

    fn place(file: &DocumentFile, pointer: &str) -> String {
        let error = PartProblem {
            pointer: pointer.to_owned(),
            line: None,
            column: None,
            attribute: None,
            detail: String::new(),
            advice: None,
        };
        file.place(&error)
    }

    #[test]
    fn what_is_wrong_has_a_place_in_the_file() {
        let text =
            "[account.title]\nvalue = \"user.titel\"\n\n[[scope]]\nname = \"a\"\n[[scope]]\nname = \"b\"\nwhen = 'x'\n";
        let file = file(text);
        for (pointer, expected) in [
            ("/account/title/value", "m.toml:2:9"),
            ("/account/title", "m.toml:1:1"),
            ("/scope/1/when", "m.toml:8:8"),
            ("/scope/1/include", "m.toml:6:1"),
        ] {
            assert_eq!(place(&file, pointer), expected, "{pointer}");
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
        assert_eq!(file(&text).document, document, "{text}");
        let refused = to_toml(&json!({ "examples": [{ "expect": { "manager": null } }] })).expect_err("null");
        assert!(refused.to_string().contains("/examples/0/expect/manager"), "{refused}");
    }
}
