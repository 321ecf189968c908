//! What an attribute may be compared with, and by which operator (RFC 7644 §3.4.2.2, table 3).

use serde_json::{Number, Value};

use super::CompareOp;
use super::lexer::Token;
use crate::error::{Error, quoted};
use crate::path::AttributePath;
use crate::profile::Profile;
use crate::schema::{Attribute, Kind};
use crate::value::{boolean, instant};

impl CompareOp {
    const ALL: [(&'static str, Self); 9] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("co", Self::Co),
        ("sw", Self::Sw),
        ("ew", Self::Ew),
        ("gt", Self::Gt),
        ("ge", Self::Ge),
        ("lt", Self::Lt),
        ("le", Self::Le),
    ];

    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, op)| *op)
    }

    /// True for operators that look inside a string.
    const fn is_textual(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }

    /// True for `eq` and `ne`.
    const fn is_equality(self) -> bool {
        matches!(self, Self::Eq | Self::Ne)
    }
}

/// A comparison that is not complex any more: `attribute` is what `path` names.
pub(super) struct Comparison<'a> {
    pub(super) path: &'a AttributePath,
    pub(super) attribute: &'a Attribute,
    pub(super) op: CompareOp,
    pub(super) profile: &'a Profile,
}

impl Comparison<'_> {
    /// Reads the literal; `None` stands for `null`.
    pub(super) fn literal(&self, token: &Token<'_>) -> Result<Option<Value>, Error> {
        self.check_operator()?;
        let value = match token {
            Token::Text(text) => Value::String(text.clone()),
            Token::Word(word) if word.eq_ignore_ascii_case("null") => return self.null(),
            Token::Word(word) => self.word(word)?,
            other => return Err(self.refused(&format!("cannot be compared with {}", other.shown()))),
        };
        self.fit(value).map(Some)
    }

    fn null(&self) -> Result<Option<Value>, Error> {
        if self.op.is_equality() {
            return Ok(None);
        }
        Err(self.refused("can be compared with null by eq and ne only"))
    }

    /// A literal without quotes. With a tolerant profile every word is a string where the attribute wants one:
    /// Entra's documents have `externalId eq jyoung`.
    fn word(&self, word: &str) -> Result<Value, Error> {
        let textual = matches!(self.attribute.kind, Kind::String | Kind::Reference | Kind::Binary | Kind::DateTime);
        if self.profile.bare_filter_words && textual && !word.starts_with('\'') {
            return Ok(Value::String(word.to_owned()));
        }
        if let Some(value) = boolean(word) {
            return Ok(value.into());
        }
        match number(word) {
            Some(number) => Ok(Value::Number(number)),
            None if !textual && is_endless(word) => Err(self.refused(&format!(
                "is compared with the number {}, which is larger than any that can be compared: it must lie between \
                 -1.7e308 and 1.7e308",
                quoted(word)
            ))),
            None => Err(self.refused(&format!("is compared with {}: put strings in double quotes", quoted(word)))),
        }
    }

    /// Checks that the literal has the attribute's type. NUL is in no value, and no database takes it.
    fn fit(&self, value: Value) -> Result<Value, Error> {
        if value.as_str().is_some_and(|text| text.contains('\0')) {
            return Err(self.refused("is compared with a string that holds a NUL character"));
        }
        let wanted = match (self.attribute.kind, &value) {
            (Kind::String | Kind::Reference | Kind::Binary, Value::String(_))
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Integer | Kind::Decimal, Value::Number(_)) => return Ok(value),
            (Kind::Boolean, Value::String(text)) if self.profile.string_booleans => match boolean(text) {
                Some(value) => return Ok(value.into()),
                None => "true or false",
            },
            (Kind::DateTime, Value::String(text)) if instant(text).is_some() => return Ok(value),
            (Kind::Boolean, _) => "true or false",
            (Kind::Integer | Kind::Decimal, _) => "a number",
            (Kind::DateTime, _) => "a date and time such as \"2026-01-31T08:00:00Z\"",
            _ => "a string in double quotes",
        };
        Err(self.refused(&format!("must be compared with {wanted}")))
    }

    fn check_operator(&self) -> Result<(), Error> {
        let allowed = match self.attribute.kind {
            Kind::String | Kind::Reference => true,
            Kind::Boolean | Kind::Binary => self.op.is_equality(),
            Kind::Integer | Kind::Decimal | Kind::DateTime => !self.op.is_textual(),
            Kind::Complex => false,
        };
        if allowed {
            return Ok(());
        }
        if self.attribute.kind == Kind::Complex {
            let part = self.attribute.sub_attributes.first().map_or("value", |part| part.name.as_str());
            return Err(
                self.refused(&format!("has several parts: name the one to compare, such as \"{}.{part}\"", self.path))
            );
        }
        Err(self.refused(&format!(
            "is of type {} and cannot be compared by {}",
            self.attribute.kind.as_str(),
            self.op.as_str()
        )))
    }

    fn refused(&self, why: &str) -> Error {
        Error::invalid_filter(format!("\"{}\" {why}", self.path))
    }
}

/// True for a number that is so large that it has no nearest value (RFC 8259 §6).
fn is_endless(word: &str) -> bool {
    let is_number = word.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit());
    is_number && word.parse().is_ok_and(f64::is_infinite)
}

/// A JSON number. Fractions are parsed by the standard library, which hits the nearest value exactly, so that a
/// printed filter reads back the same.
fn number(word: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(word).ok()?;
    if number.is_f64() { Number::from_f64(word.parse().ok()?) } else { Some(number) }
}
