//! Sorting (RFC 7644 §3.4.2.3).
//!
//! The order is fixed here and a store must keep to it: texts by the code points of their first [`KEY_CHARS`]
//! characters, folded first unless case counts, so that a place in the order can be written down; moments by their whole
//! microseconds, because a database keeps no more; other values by size; of several values the primary one counts, else
//! the first. A resource without a value comes last, in descending order first. Equal ones are told apart by their id, so that pages never overlap.

use std::cmp::Ordering;

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::error::{Error, quoted};
use crate::fold::fold;
use crate::path::{AttributePath, Resolution, resolve};
use crate::schema::{Attribute, Kind, Mutability, ResourceType, Returned, Storage, base_attributes, sub};
use crate::value::{instant, is_primary};

/// How many characters of a text count for the order.
pub const KEY_CHARS: u16 = 256;

/// The order of a list, as far as one resource type is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// By what; `None` when the attribute belongs to another type that the query spans, so that no resource of this
    /// type has a value.
    pub by: Option<SortBy>,
    /// True if the greatest comes first.
    pub descending: bool,
}

/// What resources are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortBy {
    /// The attribute; never a complex one as a whole.
    pub path: AttributePath,
    /// True if the attribute before the dot has several values, of which one counts.
    pub multi_valued: bool,
    /// How values are compared.
    pub comparison: Comparison,
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// As texts, after [`fold`].
    Folded,
    /// As texts, exactly.
    Exact,
    /// As booleans, false before true, or as numbers.
    Plain,
    /// As moments.
    Moment,
}

/// A value in the form in which it is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A text, folded if case does not count.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A moment.
    Moment(OffsetDateTime),
}

impl Sort {
    /// Reads `sortBy` and `sortOrder` for one type of a query that spans `others` besides; `None` without `sortBy`.
    ///
    /// # Errors
    /// 400 `invalidValue` for an attribute that no type defines, that has several parts, or whose values are not
    /// kept with the resource; and for an order that is neither ascending nor descending.
    pub fn parse(
        rt: &ResourceType,
        others: &[&ResourceType],
        sort_by: Option<&str>,
        sort_order: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let given = |text: Option<&'_ str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let Some(name) = given(sort_by) else { return Ok(None) };
        let descending = match given(sort_order) {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(order) => {
                return Err(Error::invalid_value(format!(
                    "sortOrder must be \"ascending\" or \"descending\", not {}",
                    quoted(&order)
                )));
            }
        };
        let defined = |rt: &ResourceType| match resolve(rt, &name) {
            Resolution::Attribute(path) => Some(path),
            _ => None,
        };
        if let Some(path) = defined(rt) {
            return Ok(Some(Self { by: Some(SortBy::of(rt, path)?), descending }));
        }
        for other in others {
            if let Some(path) = defined(other) {
                SortBy::of(other, path)?;
                return Ok(Some(Self { by: None, descending }));
            }
        }
        Err(Error::invalid_value(format!(
            "sortBy names {}, which is not an attribute of {}; the attributes are listed at /Schemas",
            quoted(&name),
            others.iter().fold(rt.name.clone(), |names, other| format!("{names} or {}", other.name))
        )))
    }

    /// What a rendered resource is ordered by; `None` if it has no value.
    pub fn key(&self, resource: &Value) -> Option<Key> {
        self.by.as_ref()?.key(resource)
    }

    /// The order of two resources by their keys alone.
    pub fn compare(&self, one: Option<&Key>, two: Option<&Key>) -> Ordering {
        let order = match (one, two) {
            (Some(one), Some(two)) => one.compare(two),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if self.descending { order.reverse() } else { order }
    }
}

impl SortBy {
    fn of(rt: &ResourceType, path: AttributePath) -> Result<Self, Error> {
        let refused = |why: &str| Err(Error::invalid_value(format!("lists cannot be sorted by \"{path}\": {why}")));
        let Some(parent) = rt.parent(&path) else { return refused("it is not an attribute") };
        let value = || parent.sub_attribute(sub::VALUE).filter(|_| parent.multi_valued);
        let (path, attribute) = match (&path.sub_attribute, parent.kind) {
            (Some(name), _) => match parent.sub_attribute(name) {
                Some(part) => (path, part),
                None => return refused("it is not an attribute"),
            },
            (None, Kind::Complex) => match value() {
                Some(value) => (path.sub(&value.name), value),
                None => return refused(&format!("it has several parts, so name one, such as \"{}\"", part(parent))),
            },
            (None, _) => (path, parent),
        };
        let refused = |why: &str| Err(Error::invalid_value(format!("lists cannot be sorted by \"{path}\": {why}")));
        if parent.returned == Returned::Never || attribute.returned == Returned::Never {
            return refused("it is never shown");
        }
        // What every resource has is known without its values; anything else must be kept inside the resource.
        let base = path.schema.is_none() && base_attributes().iter().any(|base| base.name == path.attribute);
        let kept = |attribute: &Attribute| {
            attribute.mutability != Mutability::ReadOnly && attribute.storage == Storage::Inline
        };
        if !base && (!kept(parent) || !kept(attribute)) {
            return refused("its values are not kept with the resource; choose another attribute");
        }
        let comparison = match attribute.kind {
            Kind::DateTime => Comparison::Moment,
            Kind::Boolean | Kind::Integer | Kind::Decimal => Comparison::Plain,
            Kind::String | Kind::Binary | Kind::Reference if attribute.case_exact => Comparison::Exact,
            Kind::String | Kind::Binary | Kind::Reference | Kind::Complex => Comparison::Folded,
        };
        Ok(Self { path, multi_valued: parent.multi_valued, comparison })
    }

    fn key(&self, resource: &Value) -> Option<Key> {
        let home = match &self.path.schema {
            Some(urn) => resource.get(urn)?,
            None => resource,
        };
        let mut value = home.get(&self.path.attribute)?;
        if self.multi_valued {
            let elements = value.as_array()?;
            value = elements.iter().find(|element| is_primary(element)).or_else(|| elements.first())?;
        }
        if let Some(name) = &self.path.sub_attribute {
            value = value.get(name)?;
        }
        match self.comparison {
            Comparison::Folded => Some(Key::Text(clip(&fold(value.as_str()?)))),
            Comparison::Exact => Some(Key::Text(clip(value.as_str()?))),
            Comparison::Plain => value.as_bool().map(Key::Boolean).or_else(|| value.as_f64().map(Key::Number)),
            Comparison::Moment => instant(value.as_str()?).map(|at| Key::Moment(in_microseconds(at))),
        }
    }
}

impl Key {
    /// Keys of one list are of one kind; those of different kinds count as equal.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Boolean(one), Self::Boolean(two)) => one.cmp(two),
            (Self::Number(one), Self::Number(two)) => one.total_cmp(two),
            (Self::Moment(one), Self::Moment(two)) => one.cmp(two),
            _ => Ordering::Equal,
        }
    }
}

fn in_microseconds(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::nanoseconds(i64::from(at.nanosecond() % 1_000))
}

fn clip(text: &str) -> String {
    text.chars().take(usize::from(KEY_CHARS)).collect()
}

fn part(attribute: &Attribute) -> String {
    let part = attribute.sub_attributes.first().map_or(sub::VALUE, |part| part.name.as_str());
    format!("{}.{part}", attribute.name)
}
