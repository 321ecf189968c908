//! Which attributes a reply holds (RFC 7644 §3.4.2.5, §3.9; RFC 7643 §7 `returned`).
//!
//! A projection is worked out once per request: for every attribute of the resource type it says whether the
//! reply has it, whole or in parts. Rendering follows it, and so does a caller who wants to know whether it must
//! load members at all.

use crate::error::Error;
use crate::path::{AttributePath, Resolution, resolve};
use crate::schema::{Attribute, ResourceType, Returned};

/// What of each attribute goes into a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection<'a> {
    entries: Vec<Entry<'a>>,
}

/// One attribute of the reply. Attributes that are left out have no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) schema: Option<&'a str>,
    pub(crate) attribute: &'a str,
    pub(crate) parts: Parts<'a>,
}

/// How much of an attribute goes into a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parts<'a> {
    /// All of it.
    Whole,
    /// These sub-attributes.
    Only(Vec<&'a str>),
}

/// What the client asked for.
enum Wish {
    Default,
    Everything,
    Only(Vec<Name>),
    Except(Vec<Name>),
}

/// One name of the client's list; names nobody knows are left out (RFC 7644 §3.4.2.5).
enum Name {
    Schema(Option<String>),
    Path(AttributePath),
}

impl<'a> Projection<'a> {
    /// What a reply holds when the client asks for nothing in particular.
    pub fn standard(rt: &'a ResourceType) -> Self {
        Self::plan(rt, &Wish::Default)
    }

    /// Everything that a client can ever see, also what a reply holds only when asked: what a filter is judged by.
    pub fn complete(rt: &'a ResourceType) -> Self {
        Self::plan(rt, &Wish::Everything)
    }

    /// Reads the query parameters `attributes` and `excludedAttributes`; an empty one counts as absent.
    ///
    /// # Errors
    /// 400 `invalidValue` when both are given.
    pub fn parse(rt: &'a ResourceType, attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, Error> {
        let split = |text: Option<&str>| -> Vec<String> {
            text.map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default()
        };
        Self::from_lists(rt, &split(attributes), &split(excluded))
    }

    /// Takes the lists of a `.search` request; empty names and empty lists count as absent.
    ///
    /// # Errors
    /// 400 `invalidValue` when both are given.
    pub fn from_lists(rt: &'a ResourceType, attributes: &[String], excluded: &[String]) -> Result<Self, Error> {
        let given = |list: &[String]| list.iter().any(|name| !name.trim().is_empty());
        match (given(attributes), given(excluded)) {
            (true, true) => Err(Error::invalid_value(
                "\"attributes\" and \"excludedAttributes\" cannot be used in one request: name what you want, or what \
                 you do not want",
            )),
            (true, false) => Ok(Self::plan(rt, &Wish::Only(names(rt, attributes)))),
            (false, true) => Ok(Self::plan(rt, &Wish::Except(names(rt, excluded)))),
            (false, false) => Ok(Self::standard(rt)),
        }
    }

    /// True if the reply holds the attribute outside extensions, or a part of it.
    pub fn wants(&self, attribute: &str) -> bool {
        self.entries.iter().any(|entry| entry.schema.is_none() && entry.attribute.eq_ignore_ascii_case(attribute))
    }

    /// True if the reply holds something of the extension.
    pub fn wants_extension(&self, urn: &str) -> bool {
        self.entries.iter().any(|entry| entry.schema.is_some_and(|schema| schema.eq_ignore_ascii_case(urn)))
    }

    pub(crate) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    fn plan(rt: &'a ResourceType, wish: &Wish) -> Self {
        let core = rt.top_level().map(|attribute| (None, attribute));
        let extensions = rt.extensions.iter().flat_map(|extension| {
            let schema = &extension.schema;
            schema.attributes.iter().map(|attribute| (Some(schema.id.as_str()), attribute))
        });
        let entries = core
            .chain(extensions)
            .filter_map(|(schema, attribute)| {
                Some(Entry { schema, attribute: &attribute.name, parts: wish.parts(schema, attribute)? })
            })
            .collect();
        Self { entries }
    }
}

fn names(rt: &ResourceType, list: &[String]) -> Vec<Name> {
    list.iter()
        .filter_map(|text| match resolve(rt, text) {
            Resolution::Attribute(path) => Some(Name::Path(path)),
            Resolution::Schema(schema) => {
                let core = std::ptr::eq(schema, rt.schema.as_ref());
                Some(Name::Schema((!core).then(|| schema.id.clone())))
            }
            Resolution::Unknown { .. } | Resolution::Malformed => None,
        })
        .collect()
}

impl Wish {
    /// How much of an attribute the reply holds; `None` for nothing.
    fn parts<'a>(&self, schema: Option<&str>, attribute: &'a Attribute) -> Option<Parts<'a>> {
        match attribute.returned {
            Returned::Never => return None,
            Returned::Always => return Some(Parts::Whole),
            Returned::Default | Returned::Request => {}
        }
        let own: Vec<&Name> = self.names().iter().filter(|name| name.is_about(schema, attribute)).collect();
        let whole = own.iter().any(|name| name.part().is_none());
        let named = |sub: &Attribute| own.iter().any(|name| name.part() == Some(sub.name.as_str()));
        match self {
            Self::Everything => select(attribute, |_| true),
            Self::Only(_) if own.is_empty() => None,
            Self::Only(_) if whole => select(attribute, |sub| sub.returned != Returned::Request || named(sub)),
            Self::Only(_) => select(attribute, named),
            Self::Default | Self::Except(_) if whole || attribute.returned == Returned::Request => None,
            Self::Default | Self::Except(_) => {
                select(attribute, |sub| sub.returned == Returned::Default && !named(sub))
            }
        }
    }

    fn names(&self) -> &[Name] {
        match self {
            Self::Default | Self::Everything => &[],
            Self::Only(names) | Self::Except(names) => names,
        }
    }
}

impl Name {
    fn is_about(&self, schema: Option<&str>, attribute: &Attribute) -> bool {
        match self {
            Self::Schema(urn) => urn.as_deref() == schema,
            Self::Path(path) => path.schema.as_deref() == schema && path.attribute == attribute.name,
        }
    }

    fn part(&self) -> Option<&str> {
        match self {
            Self::Schema(_) => None,
            Self::Path(path) => path.sub_attribute.as_deref(),
        }
    }
}

/// The parts of an attribute that pass, plus those that are always or never returned. `None` if nothing is left of
/// a complex attribute.
fn select(attribute: &Attribute, wanted: impl Fn(&Attribute) -> bool) -> Option<Parts<'_>> {
    if attribute.sub_attributes.is_empty() {
        return Some(Parts::Whole);
    }
    let keep = |sub: &&Attribute| match sub.returned {
        Returned::Always => true,
        Returned::Never => false,
        Returned::Default | Returned::Request => wanted(sub),
    };
    let kept: Vec<&str> = attribute.sub_attributes.iter().filter(keep).map(|sub| sub.name.as_str()).collect();
    if kept.len() == attribute.sub_attributes.len() {
        Some(Parts::Whole)
    } else if kept.is_empty() {
        None
    } else {
        Some(Parts::Only(kept))
    }
}
