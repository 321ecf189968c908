//! From text to a canonical path.
//!
//! URNs hold dots and colons (`2.0`), so a path is never split blindly: the longest known URN at its start is
//! taken off first, then the rest is `attribute` or `attribute.sub`.

use super::AttributePath;
use crate::schema::{Attribute, ResourceType, Schema};

/// What a piece of text names.
#[derive(Debug, PartialEq)]
pub(crate) enum Resolution<'a> {
    /// An attribute or sub-attribute.
    Attribute(AttributePath),
    /// A whole schema: an extension, or the core schema.
    Schema(&'a Schema),
    /// Something well-formed that no schema of the resource type defines; true if it was named by a URN.
    Unknown {
        /// The text was qualified by a URN, so it is (or would be) an extension attribute.
        qualified: bool,
    },
    /// Not a path.
    Malformed,
}

/// Resolves `text` (without any filter) for a resource type.
///
/// A name without a URN that the core schema does not have is looked for among what clients may write in the
/// extensions: Entra sends `manager` and top-level `department`.
pub(crate) fn resolve<'a>(rt: &'a ResourceType, text: &str) -> Resolution<'a> {
    let text = text.trim();
    match longest_urn(rt, text) {
        Some((schema, "")) => Resolution::Schema(schema),
        Some((schema, rest)) => match rest.split_once('.') {
            _ if !is_path(rest) => Resolution::Malformed,
            Some((name, sub)) => within(rt, schema, name, Some(sub)),
            None => within(rt, schema, rest, None),
        },
        None if is_foreign_urn(text) => Resolution::Unknown { qualified: true },
        None if !is_path(text) => Resolution::Malformed,
        None => match text.split_once('.') {
            Some((name, sub)) => unqualified(rt, name, Some(sub)),
            None => unqualified(rt, text, None),
        },
    }
}

/// The schema whose URN is the longest prefix of `text`, and what follows the colon after it.
fn longest_urn<'a, 't>(rt: &'a ResourceType, text: &'t str) -> Option<(&'a Schema, &'t str)> {
    std::iter::once(&rt.schema)
        .chain(rt.extensions.iter().map(|extension| &extension.schema))
        .filter_map(|schema| Some((schema.as_ref(), strip_urn(text, &schema.id)?)))
        .min_by_key(|(_, rest)| rest.len())
}

fn strip_urn<'t>(text: &'t str, urn: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(urn.len())?;
    if !head.eq_ignore_ascii_case(urn) {
        return None;
    }
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(':') }
}

/// True for text that starts like a schema URI nobody registered.
fn is_foreign_urn(text: &str) -> bool {
    let starts = |prefix: &str| text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    !text.contains(char::is_whitespace) && (starts("urn:") || starts("http://") || starts("https://"))
}

fn within<'a>(rt: &ResourceType, schema: &'a Schema, name: &str, sub: Option<&str>) -> Resolution<'a> {
    let core = std::ptr::eq(schema, rt.schema.as_ref());
    let found = if core { rt.top_level_attribute(name) } else { schema.attribute(name) };
    let urn = (!core).then_some(schema.id.as_str());
    found
        .and_then(|attribute| path_to(urn, attribute, sub))
        .map_or(Resolution::Unknown { qualified: !core }, Resolution::Attribute)
}

fn unqualified<'a>(rt: &ResourceType, name: &str, sub: Option<&str>) -> Resolution<'a> {
    let core = rt.top_level_attribute(name).map(|attribute| (None, attribute));
    let found = core.or_else(|| {
        rt.extensions.iter().find_map(|extension| {
            let schema = &extension.schema;
            let attribute = schema.attribute(name).filter(|attribute| attribute.is_kept())?;
            Some((Some(schema.id.as_str()), attribute))
        })
    });
    found
        .and_then(|(urn, attribute)| path_to(urn, attribute, sub))
        .map_or(Resolution::Unknown { qualified: false }, Resolution::Attribute)
}

/// The canonical path, or `None` if the attribute has no such part.
fn path_to(urn: Option<&str>, attribute: &Attribute, sub: Option<&str>) -> Option<AttributePath> {
    let sub_attribute = match sub {
        Some(name) => Some(attribute.sub_attribute(name)?.name.clone()),
        None => None,
    };
    Some(AttributePath { schema: urn.map(str::to_owned), attribute: attribute.name.clone(), sub_attribute })
}

/// True for `name` or `name.name` (RFC 7643 §2.1 `ATTRNAME`; `$` as in `$ref`, erratum 8924).
fn is_path(text: &str) -> bool {
    let mut parts = text.split('.');
    let head = parts.next().is_some_and(is_name);
    let sub = parts.next().is_none_or(is_name);
    head && sub && parts.next().is_none()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$'))
}
