//! Reads a document, table by table, and gathers all that is wrong with it.

use super::error::{Flaw, MappingError};
use super::expression::{self, Expression, Scope};
use super::metered::Options;
use super::model::Word;
use super::near;
use super::shape::Shapes;
use serde_json::{Map, Value};

/// The most characters of a name.
pub const MOST_NAME_CHARS: usize = 200;

/// What is read with, and what was found to be wrong.
pub(super) struct Reader<'a> {
    pub(super) shapes: &'a Shapes,
    pub(super) options: Options,
    pub(super) errors: Vec<MappingError>,
}

/// A table and the place where it stands.
#[derive(Clone)]
pub(super) struct Table<'a> {
    pub(super) pointer: String,
    pub(super) members: &'a Map<String, Value>,
}

/// A pointer to a member (RFC 6901 section 4).
pub(super) fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl<'a> Reader<'a> {
    pub(super) fn wrong(&mut self, pointer: impl Into<String>, message: impl Into<String>, advice: impl Into<String>) {
        self.errors.push(MappingError {
            pointer: pointer.into(),
            position: None,
            attribute: None,
            message: message.into(),
            advice: advice.into(),
        });
    }

    fn mistyped(&mut self, pointer: String, value: &Value, wanted: &str) {
        let got = expression::kind(value);
        self.wrong(pointer, format!("This is {got}."), format!("It must be {wanted}."));
    }

    /// A table, in which there may be members of these names.
    pub(super) fn table(&mut self, value: &'a Value, pointer: String, known: &[&str]) -> Option<Table<'a>> {
        let Some(members) = value.as_object() else {
            self.mistyped(pointer, value, "a table");
            return None;
        };
        for stranger in members.keys().filter(|name| !known.contains(&name.as_str())) {
            let otherwise = format!("Here there can be {}.", known.join(", "));
            let advice = near::advice(stranger, known.iter().copied(), &otherwise);
            self.wrong(below(&pointer, stranger), format!("\"{stranger}\" means nothing here."), advice);
        }
        Some(Table { pointer, members })
    }

    /// The elements of a list member, each with its pointer.
    pub(super) fn list(&mut self, table: &Table<'a>, name: &str, most: usize) -> Vec<(&'a Value, String)> {
        let pointer = below(&table.pointer, name);
        match table.members.get(name) {
            None => Vec::new(),
            Some(Value::Array(elements)) => {
                if elements.len() > most {
                    self.wrong(&*pointer, format!("There are {}; {most} is the most.", elements.len()), "Use fewer.");
                    return Vec::new();
                }
                elements.iter().enumerate().map(|(n, value)| (value, format!("{pointer}/{n}"))).collect()
            }
            Some(other) => {
                self.mistyped(pointer, other, "a list");
                Vec::new()
            }
        }
    }

    pub(super) fn text(&mut self, table: &Table<'a>, name: &str) -> Option<&'a str> {
        match table.members.get(name)? {
            Value::String(text) => Some(text),
            other => {
                self.mistyped(below(&table.pointer, name), other, "a text");
                None
            }
        }
    }

    /// A name for people, which must be there.
    pub(super) fn name(&mut self, table: &Table<'a>) -> Option<String> {
        let pointer = below(&table.pointer, "name");
        let Some(name) = self.text(table, "name").map(str::trim) else {
            if !table.members.contains_key("name") {
                self.wrong(pointer, "The rule has no name.", "Give it one; findings and counts are told by it.");
            }
            return None;
        };
        if name.is_empty() || name.chars().count() > MOST_NAME_CHARS {
            let message = format!("The name must have 1 to {MOST_NAME_CHARS} characters.");
            self.wrong(pointer, message, "Choose a short one.");
            return None;
        }
        Some(name.to_owned())
    }

    pub(super) fn flag(&mut self, table: &Table<'a>, name: &str) -> Option<bool> {
        match table.members.get(name)? {
            Value::Bool(flag) => Some(*flag),
            other => {
                self.mistyped(below(&table.pointer, name), other, "true or false");
                None
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(&mut self, table: &Table<'a>, name: &str, least: u32, most: u32) -> Option<u32> {
        let value = table.members.get(name)?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let fits = number.filter(|number| (least..=most).contains(number));
        if fits.is_none() {
            let pointer = below(&table.pointer, name);
            self.wrong(pointer, "The number does not fit.", format!("It must be a whole one from {least} to {most}."));
        }
        fits
    }

    pub(super) fn word<T: Word>(&mut self, table: &Table<'a>, name: &str) -> Option<T> {
        let text = self.text(table, name)?;
        let found = T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
            let advice = near::advice(text, words.iter().copied(), &format!("It can be {}.", words.join(", ")));
            self.wrong(below(&table.pointer, name), format!("\"{text}\" means nothing here."), advice);
        }
        found
    }

    /// An expression, if there is one.
    pub(super) fn expression(&mut self, table: &Table<'a>, name: &str, scope: Scope) -> Option<Expression> {
        let text = self.text(table, name)?;
        match Expression::compile(text, scope, self.shapes, &self.options) {
            Ok(expression) => Some(expression),
            Err(flaws) => {
                let pointer = below(&table.pointer, name);
                self.errors.extend(flaws.into_iter().map(|flaw| {
                    let Flaw { position, attribute, message, advice } = flaw;
                    MappingError { pointer: pointer.clone(), position, attribute, message, advice }
                }));
                None
            }
        }
    }

    /// An expression that must be there.
    pub(super) fn needed(&mut self, table: &Table<'a>, name: &str, scope: Scope) -> Option<Expression> {
        if !table.members.contains_key(name) {
            let pointer = below(&table.pointer, name);
            self.wrong(pointer, format!("\"{name}\" is missing."), "Write an expression.");
        }
        self.expression(table, name, scope)
    }

    /// Two rules of one name could not be told apart.
    pub(super) fn unlike<'n>(&mut self, names: impl IntoIterator<Item = (&'n str, String)>) {
        let mut seen = std::collections::BTreeSet::new();
        for (name, pointer) in names {
            if !seen.insert(name) {
                let message = format!("There is another rule named \"{name}\".");
                self.wrong(pointer, message, "Give each rule of a section a name of its own.");
            }
        }
    }
}
