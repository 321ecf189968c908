//! What is wrong with a mapping document, in words for the person who wrote it.

use std::fmt;

/// A place in the text of an expression, both counted from one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Position {
    /// The position of the character that begins at a byte of a text.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let mut place = Self { line: 1, column: 1 };
        for (_, letter) in text.char_indices().take_while(|(start, _)| *start < offset) {
            if letter == '\n' {
                place = Self { line: place.line + 1, column: 1 };
            } else {
                place.column += 1;
            }
        }
        place
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// One thing that is wrong with a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappingError {
    /// JSON pointer (RFC 6901) to what is wrong, such as `/account/title/value`.
    pub pointer: String,
    /// Where in the expression that stands there.
    pub position: Option<Position>,
    /// The attribute of the target or of the resource, if one is to blame.
    pub attribute: Option<String>,
    /// What is wrong. A sentence.
    pub message: String,
    /// What to do about it. A sentence.
    pub advice: String,
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        write!(f, "{place}")?;
        if let Some(position) = self.position {
            write!(f, ", {position}")?;
        }
        write!(f, ": {} {}", self.message, self.advice)
    }
}

impl std::error::Error for MappingError {}

/// What is wrong with an expression, or went wrong in it, without the place of the expression itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Flaw {
    pub(super) position: Option<Position>,
    pub(super) attribute: Option<String>,
    pub(super) message: String,
    pub(super) advice: String,
}

impl Flaw {
    pub(super) fn new(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { position: None, attribute: None, message: message.into(), advice: advice.into() }
    }

    pub(super) fn at(self, position: Option<Position>) -> Self {
        Self { position, ..self }
    }

    pub(super) fn about(self, attribute: impl Into<String>) -> Self {
        Self { attribute: Some(attribute.into()), ..self }
    }
}
