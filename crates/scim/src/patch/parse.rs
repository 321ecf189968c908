//! Reading a PATCH body.

use serde_json::{Map, Value};

use super::operation::{Blame, Change, Matching, Operation, Verb};
use super::{PATCH_SCHEMA, PatchRequest};
use crate::error::Error;
use crate::filter::Filter;
use crate::limits::{MAX_PATCH_OPERATIONS, check_depth};
use crate::path::{AttributePath, PatchPath, PatchTarget};
use crate::profile::Profile;
use crate::resource::{check_keys, member};
use crate::schema::{Attribute, Kind, Mutability, ResourceType, Schema};
use crate::value::{self, Place};

pub(super) fn parse(rt: &ResourceType, body: &Value, profile: &Profile) -> Result<PatchRequest, Error> {
    check_depth(body)?;
    let Some(object) = body.as_object() else {
        return Err(Error::invalid_syntax("the body must be a JSON object with \"schemas\" and \"Operations\""));
    };
    check_keys(object)?;
    let mut schemas = member(object, "schemas").and_then(Value::as_array).into_iter().flatten();
    if !schemas.any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_SCHEMA))) {
        return Err(Error::invalid_syntax(format!("\"schemas\" must be an array that holds \"{PATCH_SCHEMA}\"")));
    }
    let Some(operations) = member(object, "Operations").and_then(Value::as_array).filter(|list| !list.is_empty())
    else {
        return Err(Error::invalid_syntax("\"Operations\" must be an array of at least one operation"));
    };
    let mut reader = Reader { rt, profile, number: 0, verb: Verb::Add, request: PatchRequest::default() };
    for (index, operation) in operations.iter().enumerate() {
        reader.number = index + 1;
        reader.operation(operation)?;
    }
    Ok(reader.request)
}

/// The request while it is being read, with the operation at hand.
struct Reader<'a> {
    rt: &'a ResourceType,
    profile: &'a Profile,
    number: usize,
    verb: Verb,
    request: PatchRequest,
}

impl Reader<'_> {
    fn operation(&mut self, operation: &Value) -> Result<(), Error> {
        let numbered = |error: Error| error.within(format_args!("operation {}", self.number));
        let Some(object) = operation.as_object() else {
            return Err(numbered(Error::invalid_syntax("an operation must be an object")));
        };
        check_keys(object).map_err(numbered)?;
        let verb = member(object, "op").and_then(Value::as_str).and_then(Verb::named);
        let Some(verb) = verb else {
            return Err(numbered(Error::invalid_syntax("\"op\" must be \"add\", \"remove\" or \"replace\"")));
        };
        self.verb = verb;
        let value = member(object, "value");
        let result = match member(object, "path") {
            None | Some(Value::Null) => self.without_path(value),
            Some(Value::String(path)) if path.trim().is_empty() => self.without_path(value),
            Some(Value::String(path)) => self.with_path(path, value),
            Some(_) => Err(Error::invalid_path("\"path\" must be a string")),
        };
        result.map_err(|error| error.within(Blame(self.number, self.verb)))
    }

    fn without_path(&mut self, value: Option<&Value>) -> Result<(), Error> {
        match (self.verb, value) {
            (Verb::Remove, _) => Err(Error::no_target("remove needs a \"path\" that says what to remove")),
            (_, Some(Value::Object(object))) => self.resource_object(object),
            _ => Err(Error::invalid_syntax(
                "without a \"path\", \"value\" must be an object whose keys are the attributes to set",
            )),
        }
    }

    /// An object in place of a resource. Its keys are paths: Entra sends dotted names, URNs and filters as keys.
    fn resource_object(&mut self, object: &Map<String, Value>) -> Result<(), Error> {
        check_keys(object)?;
        for (key, value) in object {
            match PatchTarget::parse(key, self.rt, self.profile) {
                Ok(PatchTarget::Path(path)) if path.path == AttributePath::core("id") => {
                    self.push(path.path, Change::Claim(value.clone()))?;
                }
                Ok(PatchTarget::Path(path)) => self.at_path(&path, Some(value))?,
                Ok(PatchTarget::Schema(schema)) => self.at_schema(schema, Some(value))?,
                Ok(PatchTarget::Unknown { .. }) if self.profile.unknown_attributes_ignored => self.ignore(key),
                Ok(PatchTarget::Unknown { .. }) => return Err(self.unknown(key)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn with_path(&mut self, text: &str, value: Option<&Value>) -> Result<(), Error> {
        match PatchTarget::parse(text, self.rt, self.profile)? {
            PatchTarget::Path(path) => self.at_path(&path, value),
            PatchTarget::Schema(schema) => self.at_schema(schema, value),
            PatchTarget::Unknown { qualified: true } if self.profile.unknown_attributes_ignored => {
                self.ignore(text);
                Ok(())
            }
            PatchTarget::Unknown { .. } => Err(self.unknown(text)),
        }
    }

    /// A path that is the URN of a schema. The RFC does not have it; the value is an object of its attributes.
    fn at_schema(&mut self, schema: &Schema, value: Option<&Value>) -> Result<(), Error> {
        let is_core = schema.id == self.rt.schema.id;
        match (self.verb, value) {
            (Verb::Add | Verb::Replace, Some(Value::Object(object))) if is_core => self.resource_object(object),
            (Verb::Add | Verb::Replace, Some(Value::Object(object))) => {
                check_keys(object)?;
                for (key, value) in object.iter().filter(|(key, _)| !schema.is_own_mark(key)) {
                    self.with_path(&format!("{}:{key}", schema.id), Some(value))?;
                }
                Ok(())
            }
            (Verb::Remove, _) | (Verb::Replace, Some(Value::Null)) if !is_core => self.remove_extension(schema),
            (Verb::Add, Some(Value::Null)) => Ok(()),
            (Verb::Remove | Verb::Replace, _) if is_core => {
                Err(Error::mutability(format!("\"{}\" cannot be removed from a resource", schema.id)))
            }
            _ => Err(Error::invalid_value(format!("\"{}\" must be an object of its attributes", schema.id))),
        }
    }

    fn remove_extension(&mut self, schema: &Schema) -> Result<(), Error> {
        let required = self.rt.extension(&schema.id).is_some_and(|extension| extension.required);
        if required || schema.attributes.iter().all(|attribute| attribute.mutability == Mutability::ReadOnly) {
            return Err(Error::mutability(format!("\"{}\" cannot be removed", schema.id)));
        }
        for attribute in schema.attributes.iter().filter(|attribute| attribute.is_kept()) {
            self.push(AttributePath::extension(&schema.id, &attribute.name), Change::Clear)?;
        }
        Ok(())
    }

    /// An operation on an attribute that exists.
    fn at_path(&mut self, target: &PatchPath, value: Option<&Value>) -> Result<(), Error> {
        let (Some(parent), Some(attribute)) = (self.rt.parent(&target.path), self.rt.attribute(&target.path)) else {
            return Err(self.unknown(&target.path.to_string()));
        };
        for named in [parent, attribute] {
            if named.mutability == Mutability::ReadOnly {
                return Err(Error::mutability(format!(
                    "\"{}\" is read-only: the server sets it. Take it out of the request",
                    target.path
                )));
            }
        }
        let value = match (self.verb, value) {
            (Verb::Remove, value) => value.unwrap_or(&Value::Null),
            (_, Some(value)) => value,
            (_, None) => return Err(Error::invalid_value(format!("\"value\" for \"{}\" is missing", target.path))),
        };
        let change = match self.verb {
            Verb::Remove => self.removal(target, parent, value)?,
            Verb::Add | Verb::Replace => self.setting(target, parent, attribute, value)?,
        };
        match change {
            // `schemas` is computed and a password is dropped: accepted, without effect.
            Some(change) if parent.is_kept() && attribute.is_kept() => self.push(target.path.parent(), change),
            _ => Ok(()),
        }
    }

    fn removal(&self, target: &PatchPath, parent: &Attribute, value: &Value) -> Result<Option<Change>, Error> {
        let place = Place::of(&target.path);
        let required = self.rt.attribute(&target.path).is_some_and(|attribute| attribute.required);
        if let Some(part) = &target.path.sub_attribute {
            if required {
                return Err(cannot_remove(&target.path));
            }
            let parts = Map::from_iter([(part.clone(), Value::Null)]);
            return Ok(Some(merge(parent, target.filter.clone(), parts)));
        }
        if let Some(filter) = &target.filter {
            return Ok(Some(Change::RemoveWhere(filter.clone())));
        }
        let names_values = parent.multi_valued && !value.is_null() && value.as_str() != Some("");
        if names_values {
            // Entra and JumpCloud put the members to remove into the value; an empty list removes nobody.
            return value::wanted(parent, value, place, self.profile).map(|values| Some(Change::RemoveValues(values)));
        }
        if required {
            return Err(cannot_remove(&target.path));
        }
        Ok(Some(Change::Clear))
    }

    fn setting(
        &self,
        target: &PatchPath,
        parent: &Attribute,
        attribute: &Attribute,
        value: &Value,
    ) -> Result<Option<Change>, Error> {
        let place = Place::of(&target.path);
        if let Some(part) = &target.path.sub_attribute {
            let read = value::whole(attribute, value, place, self.profile)?;
            if read.is_none() && attribute.required {
                return Err(must_have_value(&target.path));
            }
            let parts = Map::from_iter([(part.clone(), read.unwrap_or(Value::Null))]);
            return Ok(Some(merge(parent, target.filter.clone(), parts)));
        }
        if let Some(filter) = &target.filter {
            return self.setting_elements(target, attribute, filter, value);
        }
        if attribute.multi_valued {
            let items = value::list(attribute, value, place, self.profile)?;
            return match (self.verb, items.is_empty()) {
                (Verb::Add, true) => Ok(None),
                (Verb::Add, false) => Ok(Some(Change::Append(items))),
                (_, true) if attribute.required => Err(must_have_value(&target.path)),
                _ => Ok(Some(Change::SetAll(items))),
            };
        }
        let change = if attribute.kind == Kind::Complex {
            value::parts(attribute, value, place, self.profile)?.map(Change::Merge)
        } else {
            value::whole(attribute, value, place, self.profile)?.map(Change::Set)
        };
        match change {
            None if attribute.required => Err(must_have_value(&target.path)),
            change => Ok(Some(change.unwrap_or(Change::Clear))),
        }
    }

    /// `path[filter]` without a part behind it: the value holds parts of the matching elements.
    fn setting_elements(
        &self,
        target: &PatchPath,
        attribute: &Attribute,
        filter: &Filter,
        value: &Value,
    ) -> Result<Option<Change>, Error> {
        if attribute.kind != Kind::Complex {
            return Err(Error::invalid_path(format!(
                "the values of \"{}\" have no parts to set: remove the old value and add the new one",
                target.path
            )));
        }
        let value = match value {
            Value::Array(items) => match items.as_slice() {
                [only] => only,
                _ => return Err(Error::invalid_value(format!("\"{}\" with a filter takes one object", target.path))),
            },
            other => other,
        };
        let parts = value::parts(attribute, value, Place::of(&target.path), self.profile)?;
        Ok(match (parts, self.verb) {
            (Some(parts), _) => {
                Some(Change::MergeWhere(Matching { filter: Some(filter.clone()), parts, names_part: false }))
            }
            (None, Verb::Replace) => Some(Change::RemoveWhere(filter.clone())),
            (None, _) => None,
        })
    }

    fn push(&mut self, path: AttributePath, change: Change) -> Result<(), Error> {
        if self.request.operations.len() >= MAX_PATCH_OPERATIONS {
            return Err(Error::payload_too_large(format!(
                "the request changes more than {MAX_PATCH_OPERATIONS} attributes: send several requests"
            )));
        }
        self.request.operations.push(Operation { number: self.number, verb: self.verb, path, change });
        Ok(())
    }

    fn ignore(&mut self, name: &str) {
        self.request.ignored.push(name.to_owned());
    }

    fn unknown(&self, name: &str) -> Error {
        let name: String = name.chars().take(200).collect();
        Error::invalid_path(format!(
            "\"{name}\" is not an attribute of {}: correct the attribute mapping; the attributes are listed at \
             /Schemas",
            self.rt.name
        ))
    }
}

/// Setting parts of the only value, or of elements.
fn merge(parent: &Attribute, filter: Option<Filter>, parts: Map<String, Value>) -> Change {
    if parent.multi_valued {
        Change::MergeWhere(Matching { filter, parts, names_part: true })
    } else {
        Change::Merge(parts)
    }
}

fn cannot_remove(path: &AttributePath) -> Error {
    Error::mutability(format!("\"{path}\" is required and cannot be removed"))
}

fn must_have_value(path: &AttributePath) -> Error {
    Error::invalid_value(format!("\"{path}\" is required: send a value that is not empty"))
}
