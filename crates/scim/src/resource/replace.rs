//! PUT: what a resource becomes (RFC 7644 §3.5.1).

use serde_json::Value;

use super::Resource;
use super::parse::{Draft, kept_attributes, outlives_clearing};
use crate::error::Error;
use crate::path::AttributePath;
use crate::profile::Profile;
use crate::schema::{Attribute, Mutability, ResourceType};

pub(super) fn replace(
    rt: &ResourceType,
    current: &Resource,
    body: &Value,
    profile: &Profile,
) -> Result<Resource, Error> {
    let mut draft = Draft::read(rt, body, profile)?;
    for (path, attribute) in kept_attributes(rt) {
        let Some(stored) = current.get(&path) else { continue };
        let has_no_value = draft.get(&path).is_none();
        if (outlives_clearing(attribute) && has_no_value) || (is_unchangeable(attribute) && !draft.mentions(&path)) {
            draft.put(&path, stored.clone());
        }
        check_immutable(attribute, stored, draft.get(&path), &path)?;
    }
    draft.finish()
}

/// True for attributes that the client may not change or cannot see: a body without them does not clear them.
const fn is_unchangeable(attribute: &Attribute) -> bool {
    matches!(attribute.mutability, Mutability::Immutable | Mutability::WriteOnly)
}

/// An immutable value that is stored must come back equal (RFC 7644 §3.5.1).
fn check_immutable(
    attribute: &Attribute,
    stored: &Value,
    sent: Option<&Value>,
    path: &AttributePath,
) -> Result<(), Error> {
    if attribute.mutability == Mutability::Immutable && sent != Some(stored) {
        return Err(changed(path));
    }
    if attribute.multi_valued {
        return Ok(());
    }
    let parts = attribute.sub_attributes.iter().filter(|part| part.mutability == Mutability::Immutable);
    for part in parts {
        let (old, new) = (stored.get(&part.name), sent.and_then(|sent| sent.get(&part.name)));
        if old.is_some() && new.is_some() && old != new {
            return Err(changed(&path.clone().sub(&part.name)));
        }
    }
    Ok(())
}

fn changed(path: &AttributePath) -> Error {
    Error::mutability(format!("\"{path}\" cannot change once it is set: send the value it has, or leave it out"))
}
