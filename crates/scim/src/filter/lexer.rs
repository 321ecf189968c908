//! From text to tokens.
//!
//! Words end at space, quotes, brackets and parentheses, so `value eq"a"` and `not(…)` need no special care.

use crate::error::{Error, quoted};

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    /// A name, an operator, or a literal without quotes.
    Word(&'t str),
    /// A string literal, decoded.
    Text(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
}

impl Token<'_> {
    /// The token as an error quotes it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) => quoted(word),
            Self::Text(_) => "a string".into(),
            Self::Open => "\"(\"".into(),
            Self::Close => "\")\"".into(),
            Self::OpenBracket => "\"[\"".into(),
            Self::CloseBracket => "\"]\"".into(),
        }
    }
}

/// A token and where it stands in the filter, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed<'t> {
    pub(super) token: Token<'t>,
    /// Where it starts, from 1, for error texts.
    pub(super) position: usize,
    /// Where what follows it starts, from 0.
    pub(super) end: usize,
}

/// Takes the next token off `text`, from byte `from` on; `None` at the end.
pub(super) fn next(text: &str, from: usize) -> Result<Option<Placed<'_>>, Error> {
    let rest = text.get(from..).unwrap_or_default();
    let trimmed = rest.trim_start();
    let start = from + (rest.len() - trimmed.len());
    let Some(first) = trimmed.chars().next() else {
        return Ok(None);
    };
    let (token, length) = match first {
        '(' => (Token::Open, 1),
        ')' => (Token::Close, 1),
        '[' => (Token::OpenBracket, 1),
        ']' => (Token::CloseBracket, 1),
        '"' => string(trimmed, start + 1)?,
        _ => {
            let length = trimmed.find(ends_word).unwrap_or(trimmed.len());
            (Token::Word(trimmed.get(..length).unwrap_or_default()), length)
        }
    };
    Ok(Some(Placed { token, position: start + 1, end: start + length }))
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"')
}

/// A JSON string at the start of `text`, and its length with both quotes.
fn string(text: &str, position: usize) -> Result<(Token<'static>, usize), Error> {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let length = index + 1;
                let literal = text.get(..length).unwrap_or_default();
                let decoded: String = serde_json::from_str(literal).map_err(|_| {
                    Error::invalid_filter(format!(
                        "the string at position {position} of the filter has a bad escape: write a quote as \\\" and a \
                         backslash as \\\\"
                    ))
                })?;
                return Ok((Token::Text(decoded), length));
            }
            _ => {}
        }
    }
    Err(Error::invalid_filter(format!("the string at position {position} of the filter has no closing quote")))
}
