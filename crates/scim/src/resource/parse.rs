//! Reading a whole resource: the body of a POST, and the first half of a PUT.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Resource;
use crate::error::{Error, quoted};
use crate::limits::check_depth;
use crate::path::{AttributePath, Resolution, resolve};
use crate::profile::Profile;
use crate::schema::{Attribute, ResourceType, Schema};
use crate::value::{self, Place};

/// Start of the core URNs of SCIM 1.x; the request templates of `OneLogin` still carry them.
const SCIM_1_CORE: &str = "urn:scim:schemas:core:1.";

pub(super) fn parse(rt: &ResourceType, body: &Value, profile: &Profile) -> Result<Resource, Error> {
    Draft::read(rt, body, profile)?.finish()
}

/// A resource while it is being read.
pub(super) struct Draft<'a> {
    rt: &'a ResourceType,
    profile: &'a Profile,
    attributes: Map<String, Value>,
    /// What the body names, also with `null`.
    mentioned: HashSet<AttributePath>,
}

/// One key of the body with the attribute it names.
struct Field<'a> {
    path: AttributePath,
    value: &'a Value,
    /// The key found its extension without naming it. Entra sends such keys with `null` next to the real ones.
    guessed: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn read(rt: &'a ResourceType, body: &Value, profile: &'a Profile) -> Result<Self, Error> {
        check_depth(body)?;
        let Some(object) = body.as_object() else {
            return Err(Error::invalid_syntax(format!("the body must be a JSON object that describes a {}", rt.name)));
        };
        check_schemas(rt, object, profile)?;
        let mut draft = Self { rt, profile, attributes: Map::new(), mentioned: HashSet::new() };
        let mut fields = draft.fields(object)?;
        // What was named best is set last: a guess gives way, and a part goes into the value it belongs to.
        fields.sort_by_key(|field| (!field.guessed, field.path.sub_attribute.is_some()));
        for field in &fields {
            draft.set(field)?;
        }
        Ok(draft)
    }

    fn fields<'b>(&self, object: &'b Map<String, Value>) -> Result<Vec<Field<'b>>, Error> {
        check_keys(object)?;
        let mut found = Vec::new();
        for (key, value) in object {
            match resolve(self.rt, key) {
                Resolution::Attribute(path) => {
                    let guessed = path.schema.is_some() && !key.contains(':');
                    found.push(Field { path, value, guessed });
                }
                Resolution::Schema(schema) => self.extension_fields(schema, value, &mut found)?,
                Resolution::Unknown { .. } | Resolution::Malformed => self.unknown(key)?,
            }
        }
        Ok(found)
    }

    /// The fields of the object under the URN of an extension.
    fn extension_fields<'b>(&self, schema: &Schema, value: &'b Value, found: &mut Vec<Field<'b>>) -> Result<(), Error> {
        let object = match value {
            Value::Null => return Ok(()),
            Value::Object(object) => object,
            _ => return Err(Error::invalid_value(format!("\"{}\" must be an object", schema.id))),
        };
        check_keys(object)?;
        for (key, value) in object.iter().filter(|(key, _)| !schema.is_own_mark(key)) {
            match resolve(self.rt, &format!("{}:{key}", schema.id)) {
                Resolution::Attribute(path) => found.push(Field { path, value, guessed: false }),
                _ => self.unknown(key)?,
            }
        }
        Ok(())
    }

    fn unknown(&self, key: &str) -> Result<(), Error> {
        if self.profile.unknown_attributes_ignored {
            return Ok(());
        }
        Err(Error::invalid_syntax(format!(
            "{} is not an attribute of {}: the attributes are listed at /Schemas",
            quoted(key),
            self.rt.name
        )))
    }

    fn set(&mut self, field: &Field<'_>) -> Result<(), Error> {
        let Some(parent) = self.rt.parent(&field.path) else { return Ok(()) };
        let Some(attribute) = self.rt.attribute(&field.path) else { return Ok(()) };
        if !parent.is_kept() {
            if parent.sub_attributes.is_empty() && !is_server_written(parent) {
                value::whole(parent, field.value, Place::of(&field.path), self.profile)?;
            }
            return Ok(());
        }
        if !attribute.is_kept() {
            return Ok(());
        }
        if field.path.sub_attribute.is_some() && parent.multi_valued {
            return self.unknown(&field.path.to_string());
        }
        let read = value::whole(attribute, field.value, Place::of(&field.path), self.profile)?;
        if let Some(read) = read {
            insert(&mut self.attributes, &field.path, read);
        }
        self.mentioned.insert(field.path.parent());
        Ok(())
    }

    /// True if the body names the attribute.
    pub(super) fn mentions(&self, path: &AttributePath) -> bool {
        self.mentioned.contains(path)
    }

    /// The value read for an attribute.
    pub(super) fn get(&self, path: &AttributePath) -> Option<&Value> {
        top_level(&self.attributes, path)
    }

    /// Sets an attribute that the body does not name.
    pub(super) fn put(&mut self, path: &AttributePath, value: Value) {
        insert(&mut self.attributes, path, value);
    }

    /// Fills in defaults, and checks that nothing required is missing.
    pub(super) fn finish(mut self) -> Result<Resource, Error> {
        fill_defaults(self.rt, &mut self.attributes);
        check_complete(self.rt, &self.attributes, None)?;
        Ok(Resource::from_map(self.attributes))
    }
}

/// Refuses a resource that lacks something required. What an extension requires is required where the extension is there
/// at all.
///
/// What it lacked `before` it may go on to lack: a schema may have come to require more since the resource was written,
/// and that must not keep anybody from changing something else, such as deactivating a leaver.
pub(crate) fn check_complete(
    rt: &ResourceType,
    attributes: &Map<String, Value>,
    before: Option<&Map<String, Value>>,
) -> Result<(), Error> {
    for extension in &rt.extensions {
        let lacks = |attributes: &Map<String, Value>| !attributes.contains_key(&extension.schema.id);
        if extension.required && lacks(attributes) && !before.is_some_and(lacks) {
            return Err(Error::invalid_value(format!(
                "the {} has nothing under \"{}\": that extension is required",
                rt.name, extension.schema.id
            )));
        }
    }
    let mut required = kept_attributes(rt).filter(|(_, attribute)| attribute.required);
    let missing = required.find(|(path, _)| {
        let at_home =
            |attributes: &Map<String, Value>| path.schema.as_ref().is_none_or(|urn| attributes.contains_key(urn));
        let lacks = |attributes: &Map<String, Value>| at_home(attributes) && top_level(attributes, path).is_none();
        lacks(attributes) && !before.is_some_and(lacks)
    });
    missing.map_or(Ok(()), |(path, _)| {
        Err(Error::invalid_value(format!(
            "the {} has no \"{path}\": it is required. Send a value that is not empty",
            rt.name
        )))
    })
}

/// True for an attribute that is never without a value, since it has a default.
///
/// To clear one (leave it out of a PUT, send `null`, remove it) keeps the value it has; the default is for a resource
/// that has none yet. Left out, `null` and removed mean the same (RFC 7643 §2.5), and what is then in place of no value
/// is the provider's choice (RFC 7644 §3.5.1 permits a default). Ours could be the default only if it were harmless: but
/// that of `active` is true, so clearing it would bring somebody back who has left. Only `true` itself activates.
pub(crate) const fn outlives_clearing(attribute: &Attribute) -> bool {
    attribute.default.is_some()
}

/// Gives attributes without a value their default, in the core schema and in the extensions that are there.
///
/// Whoever writes a resource does so, so a person who counts as active is also found as active.
pub(crate) fn fill_defaults(rt: &ResourceType, attributes: &mut Map<String, Value>) {
    for (path, attribute) in kept_attributes(rt) {
        let Some(default) = &attribute.default else { continue };
        let at_home = path.schema.as_ref().is_none_or(|urn| attributes.contains_key(urn));
        if at_home && top_level(attributes, &path).is_none() {
            insert(attributes, &path, default.clone());
        }
    }
}

/// The value of an attribute as a whole.
fn top_level<'m>(attributes: &'m Map<String, Value>, path: &AttributePath) -> Option<&'m Value> {
    let home = match &path.schema {
        Some(urn) => attributes.get(urn)?.as_object()?,
        None => attributes,
    };
    home.get(&path.attribute)
}

/// All attributes whose values are kept, with their paths.
pub(super) fn kept_attributes(rt: &ResourceType) -> impl Iterator<Item = (AttributePath, &Attribute)> {
    let core = rt.top_level().map(|attribute| (AttributePath::core(&attribute.name), attribute));
    let extensions = rt.extensions.iter().flat_map(|extension| {
        let schema = &extension.schema;
        schema.attributes.iter().map(|attribute| (AttributePath::extension(&schema.id, &attribute.name), attribute))
    });
    core.chain(extensions).filter(|(_, attribute)| attribute.is_kept())
}

/// True for what the server writes itself, so that a client's value is not even looked at (RFC 7644 §3.3).
fn is_server_written(attribute: &Attribute) -> bool {
    use crate::schema::{Mutability, Storage};
    attribute.mutability == Mutability::ReadOnly || attribute.storage == Storage::Computed
}

/// Puts a value at a path, making the objects on the way.
fn insert(attributes: &mut Map<String, Value>, path: &AttributePath, value: Value) {
    let home = match &path.schema {
        Some(urn) => object_at(attributes, urn),
        None => Some(attributes),
    };
    let (home, name) = match &path.sub_attribute {
        Some(name) => (home.and_then(|home| object_at(home, &path.attribute)), name),
        None => (home, &path.attribute),
    };
    if let Some(home) = home {
        home.insert(name.clone(), value);
    }
}

fn object_at<'m>(map: &'m mut Map<String, Value>, key: &str) -> Option<&'m mut Map<String, Value>> {
    map.entry(key).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

/// Refuses an object that holds one name twice in different case (RFC 7643 §2.1).
pub(crate) fn check_keys(object: &Map<String, Value>) -> Result<(), Error> {
    let mut seen = HashSet::with_capacity(object.len());
    match object.keys().find(|key| !seen.insert(key.to_ascii_lowercase())) {
        None => Ok(()),
        Some(key) => Err(Error::invalid_syntax(format!(
            "{} is there twice, in different case: names are compared without regard to case",
            quoted(key)
        ))),
    }
}

/// The value of a key in any case.
pub(crate) fn member<'b>(object: &'b Map<String, Value>, name: &str) -> Option<&'b Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The same, to be changed.
pub(crate) fn member_mut<'b>(object: &'b mut Map<String, Value>, name: &str) -> Option<&'b mut Value> {
    let exact = object.contains_key(name);
    let is_it = |key: &str| if exact { key == name } else { key.eq_ignore_ascii_case(name) };
    object.iter_mut().find(|(key, _)| is_it(key)).map(|(_, value)| value)
}

/// `schemas` must be there and name the core schema. Other URIs are of no consequence: Entra sends some that
/// nobody defines and leaves out those of custom extensions.
fn check_schemas(rt: &ResourceType, object: &Map<String, Value>, profile: &Profile) -> Result<(), Error> {
    let listed = member(object, "schemas").and_then(Value::as_array);
    let names_core = listed.into_iter().flatten().filter_map(Value::as_str).any(|urn| {
        let old = urn.get(..SCIM_1_CORE.len()).is_some_and(|head| head.eq_ignore_ascii_case(SCIM_1_CORE));
        urn.eq_ignore_ascii_case(&rt.schema.id) || (old && profile.scim_1_schemas)
    });
    if names_core {
        return Ok(());
    }
    Err(Error::invalid_syntax(format!("\"schemas\" must be an array that holds \"{}\"", rt.schema.id)))
}
