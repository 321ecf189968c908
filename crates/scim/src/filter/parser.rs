//! The grammar (RFC 7644 figure 1), by recursive descent with a bounded depth.
//!
//! `or` binds weaker than `and`, which binds weaker than `not`. Tolerated beyond the grammar: no space around
//! operators and after `not`, words in any case, a sub-attribute behind brackets (`emails[type eq "work"].value
//! eq "x"`, which Entra sends) and brackets compared directly (taken as the `value` of the element).

use serde_json::Value;

use super::lexer::{self, Placed, Token};
use super::literal::Comparison;
use super::{CompareOp, Filter};
use crate::error::{Error, quoted};
use crate::limits::{MAX_FILTER_BYTES, MAX_FILTER_DEPTH};
use crate::path::{AttributePath, Resolution, resolve};
use crate::profile::Profile;
use crate::schema::{Attribute, Kind, ResourceType, Returned, sub};

/// Parses a whole filter.
pub(super) fn parse(
    text: &str,
    rt: &ResourceType,
    others: &[&ResourceType],
    profile: &Profile,
) -> Result<Filter, Error> {
    let mut parser = Parser { others, ..Parser::new(text, rt, profile)? };
    let filter = parser.disjunction()?;
    match parser.ahead.take() {
        None => Ok(filter),
        Some(placed) => Err(unexpected(&placed, "the end, \"and\" or \"or\"")),
    }
}

/// Parses what follows `[` after `path`, up to the closing bracket; gives the filter and the text behind it.
pub(super) fn parse_bracketed<'t>(
    text: &'t str,
    rt: &ResourceType,
    profile: &Profile,
    path: &AttributePath,
) -> Result<(Filter, &'t str), Error> {
    let mut parser = Parser::new(text, rt, profile)?;
    parser.scope = Some(path.clone());
    let filter = parser.disjunction()?;
    // What follows the bracket is not part of a filter, so it must not be read as one.
    match parser.ahead.take() {
        Some(Placed { token: Token::CloseBracket, end, .. }) => Ok((filter, text.get(end..).unwrap_or_default())),
        Some(placed) => Err(unexpected(&placed, "\"]\"")),
        None => Err(Error::invalid_filter("the filter ends before its \"]\"")),
    }
}

struct Parser<'t> {
    text: &'t str,
    rt: &'t ResourceType,
    /// Types that the query spans besides.
    others: &'t [&'t ResourceType],
    profile: &'t Profile,
    /// The next token, not yet used.
    ahead: Option<Placed<'t>>,
    depth: usize,
    /// Inside brackets: the attribute before them.
    scope: Option<AttributePath>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, rt: &'t ResourceType, profile: &'t Profile) -> Result<Self, Error> {
        if text.len() > MAX_FILTER_BYTES {
            return Err(Error::invalid_filter(format!("the filter is longer than {MAX_FILTER_BYTES} bytes")));
        }
        let ahead = lexer::next(text, 0)?;
        Ok(Self { text, rt, others: &[], profile, ahead, depth: 0, scope: None })
    }

    /// Uses the next token.
    fn take(&mut self) -> Result<Option<Placed<'t>>, Error> {
        let taken = self.ahead.take();
        if let Some(placed) = &taken {
            self.ahead = lexer::next(self.text, placed.end)?;
        }
        Ok(taken)
    }

    fn expect(&mut self, token: &Token<'_>) -> Result<(), Error> {
        match self.take()? {
            Some(placed) if placed.token == *token => Ok(()),
            Some(placed) => Err(unexpected(&placed, &token.shown())),
            None => Err(Error::invalid_filter(format!("the filter ends before its {}", token.shown()))),
        }
    }

    /// Uses the next token if it is that word.
    fn accept(&mut self, word: &str) -> Result<bool, Error> {
        let is_next =
            matches!(&self.ahead, Some(Placed { token: Token::Word(next), .. }) if next.eq_ignore_ascii_case(word));
        if is_next {
            self.take()?;
        }
        Ok(is_next)
    }

    fn disjunction(&mut self) -> Result<Filter, Error> {
        let first = self.conjunction()?;
        let mut parts = vec![first];
        while self.accept("or")? {
            parts.push(self.conjunction()?);
        }
        Ok(joined(parts, Filter::Or))
    }

    fn conjunction(&mut self) -> Result<Filter, Error> {
        let first = self.unary()?;
        let mut parts = vec![first];
        while self.accept("and")? {
            parts.push(self.unary()?);
        }
        Ok(joined(parts, Filter::And))
    }

    fn unary(&mut self) -> Result<Filter, Error> {
        let Some(placed) = self.take()? else {
            return Err(Error::invalid_filter("the filter ends where an attribute is expected"));
        };
        match placed.token {
            Token::Open => self.group(),
            Token::Word(word) if word.eq_ignore_ascii_case("not") && self.is_ahead(&Token::Open) => {
                self.take()?;
                Ok(Filter::Not(Box::new(self.group()?)))
            }
            Token::Word(word) => self.expression(word, placed.position),
            _ => Err(unexpected(&placed, "an attribute")),
        }
    }

    fn is_ahead(&self, token: &Token<'_>) -> bool {
        self.ahead.as_ref().is_some_and(|placed| placed.token == *token)
    }

    /// What stands between parentheses, the opening one being used already.
    fn group(&mut self) -> Result<Filter, Error> {
        self.deeper()?;
        let filter = self.disjunction()?;
        self.expect(&Token::Close)?;
        self.depth -= 1;
        Ok(filter)
    }

    fn deeper(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            return Err(Error::invalid_filter(format!("the filter is nested deeper than {MAX_FILTER_DEPTH} levels")));
        }
        Ok(())
    }

    fn expression(&mut self, word: &str, position: usize) -> Result<Filter, Error> {
        let foreign = self.others.iter().find(|other| self.scope.is_none() && defines(other, word));
        let Some(foreign) = foreign.filter(|_| !defines(self.rt, word)) else {
            return self.own_expression(word, position);
        };
        let own = std::mem::replace(&mut self.rt, foreign);
        let filter = self.own_expression(word, position)?;
        self.rt = own;
        // A resource without any value says what holds where the attribute has none.
        let holds = filter.matches(foreign, &Value::Null);
        Ok(if holds { Filter::And(Vec::new()) } else { Filter::Or(Vec::new()) })
    }

    fn own_expression(&mut self, word: &str, position: usize) -> Result<Filter, Error> {
        let path = self.path(word, position)?;
        if self.is_ahead(&Token::OpenBracket) {
            return self.value_path(path);
        }
        if self.accept("pr")? {
            return Ok(Filter::Present(path));
        }
        self.comparison(path)
    }

    fn comparison(&mut self, path: AttributePath) -> Result<Filter, Error> {
        let op = match self.take()? {
            Some(Placed { token: Token::Word(word), position, .. }) => CompareOp::named(word).ok_or_else(|| {
                Error::invalid_filter(format!(
                    "{} at position {position} of the filter is not an operator: use eq, ne, co, sw, ew, gt, ge, lt, le \
                     or pr",
                    quoted(word)
                ))
            })?,
            Some(placed) => return Err(unexpected(&placed, "an operator")),
            None => return Err(Error::invalid_filter(format!("the filter ends after \"{path}\", before an operator"))),
        };
        let path = self.significant(path);
        let Some(literal) = self.take()? else {
            return Err(Error::invalid_filter(format!("the filter ends after \"{}\", before a value", op.as_str())));
        };
        let attribute = self.attribute(&path)?;
        let comparison = Comparison { path: &path, attribute, op, profile: self.profile };
        Ok(match comparison.literal(&literal.token)? {
            Some(value) => Filter::Compare { path, op, value },
            None if op == CompareOp::Eq => Filter::Not(Box::new(Filter::Present(path))),
            None => Filter::Present(path),
        })
    }

    /// The path that a comparison with a bare complex attribute means: its `value` (RFC 7644 §3.4.2.2; Entra's
    /// `manager eq "id"`).
    fn significant(&self, path: AttributePath) -> AttributePath {
        let value = match (&path.sub_attribute, self.rt.attribute(&path)) {
            (None, Some(attribute)) if attribute.kind == Kind::Complex => attribute.sub_attribute(sub::VALUE),
            _ => None,
        };
        match value {
            Some(value) => path.sub(&value.name),
            None => path,
        }
    }

    /// `attribute[…]`, the attribute being used already, with what may follow the brackets.
    fn value_path(&mut self, path: AttributePath) -> Result<Filter, Error> {
        let nested = self.scope.is_some();
        let splittable = self.attribute(&path)?;
        if nested || path.sub_attribute.is_some() || !(splittable.multi_valued || splittable.kind == Kind::Complex) {
            return Err(Error::invalid_filter(format!("\"{path}\" takes no filter in brackets")));
        }
        self.deeper()?;
        self.take()?;
        self.scope = Some(path.clone());
        let inner = self.disjunction()?;
        self.scope = None;
        self.expect(&Token::CloseBracket)?;
        self.depth -= 1;
        let filter = match self.behind_brackets(&path)? {
            Some(outer) => both(inner, outer),
            None => inner,
        };
        Ok(Filter::ValuePath { path, filter: Box::new(filter) })
    }

    /// What the element must satisfy besides the brackets: `.value eq "x"`, `eq "x"` or `.value pr`.
    fn behind_brackets(&mut self, path: &AttributePath) -> Result<Option<Filter>, Error> {
        let Some(Placed { token: Token::Word(word), position, .. }) = self.ahead else {
            return Ok(None);
        };
        let path = if let Some(part) = word.strip_prefix('.') {
            self.take()?;
            self.scope = Some(path.clone());
            let path = self.path(part, position)?;
            self.scope = None;
            path
        } else if CompareOp::named(word).is_some() {
            path.clone()
        } else {
            return Ok(None);
        };
        if self.accept("pr")? {
            return Ok(Some(Filter::Present(path)));
        }
        self.comparison(path).map(Some)
    }

    /// Resolves a name, inside brackets as a part of the attribute before them.
    fn path(&self, word: &str, position: usize) -> Result<AttributePath, Error> {
        let path = match &self.scope {
            None => match resolve(self.rt, word) {
                Resolution::Attribute(path) => Some(path),
                _ => None,
            },
            Some(scope) => part_of(self.rt, scope, word),
        };
        let Some(path) = path else {
            return Err(self.unknown(word, position));
        };
        let secret = |attribute: Option<&Attribute>| attribute.is_some_and(|found| found.returned == Returned::Never);
        if secret(self.rt.parent(&path)) || secret(self.rt.attribute(&path)) {
            return Err(Error::invalid_filter(format!("\"{path}\" is never shown, so it cannot be in a filter")));
        }
        Ok(path)
    }

    fn unknown(&self, word: &str, position: usize) -> Error {
        let word: String = word.chars().take(100).collect();
        let types =
            || self.others.iter().fold(self.rt.name.clone(), |names, other| format!("{names} or {}", other.name));
        let of = self
            .scope
            .as_ref()
            .map_or_else(|| format!("an attribute of {}", types()), |scope| format!("a part of \"{scope}\""));
        Error::invalid_filter(format!(
            "\"{word}\" at position {position} of the filter is not {of}: check the name and that values are in double \
             quotes; the attributes are listed at /Schemas"
        ))
    }

    fn attribute(&self, path: &AttributePath) -> Result<&'t Attribute, Error> {
        self.rt
            .attribute(path)
            .ok_or_else(|| Error::invalid_filter(format!("\"{path}\" is not an attribute of {}", self.rt.name)))
    }
}

/// True if the word names an attribute of the type.
fn defines(rt: &ResourceType, word: &str) -> bool {
    matches!(resolve(rt, word), Resolution::Attribute(_))
}

/// A part of the attribute before the brackets. The elements of an attribute that is not complex are their own
/// `value`.
fn part_of(rt: &ResourceType, scope: &AttributePath, word: &str) -> Option<AttributePath> {
    let attribute = rt.attribute(scope)?;
    if attribute.kind != Kind::Complex {
        return word.eq_ignore_ascii_case(sub::VALUE).then(|| scope.clone());
    }
    Some(scope.clone().sub(&attribute.sub_attribute(word)?.name))
}

fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            parts.push(last);
            join(parts)
        }
        (None, _) => join(parts),
    }
}

fn both(inner: Filter, outer: Filter) -> Filter {
    match inner {
        Filter::And(mut parts) => {
            parts.push(outer);
            Filter::And(parts)
        }
        inner => Filter::And(vec![inner, outer]),
    }
}

fn unexpected(placed: &Placed<'_>, wanted: &str) -> Error {
    Error::invalid_filter(format!(
        "{} at position {} of the filter is unexpected: {wanted} is expected there",
        placed.token.shown(),
        placed.position
    ))
}

/// The comparisons a filter consists of if it is `eq` joined by `and`, so that an element satisfying it can be
/// made; `None` for any other filter.
pub(super) fn equalities(filter: &Filter) -> Option<Vec<(&AttributePath, &Value)>> {
    match filter {
        Filter::Compare { path, op: CompareOp::Eq, value } => Some(vec![(path, value)]),
        Filter::And(parts) => {
            let lists: Option<Vec<_>> = parts.iter().map(equalities).collect();
            lists.map(|lists| lists.into_iter().flatten().collect())
        }
        _ => None,
    }
}
