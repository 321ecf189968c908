//! Schemas that a tenant defines for itself, as RFC 7643 §7 writes them.
//!
//! What the document says must be true afterwards, so a characteristic that this server would not honour is refused
//! instead of stored.

use serde_json::{Map, Value};

use super::{Attribute, Kind, Mutability, Returned, Schema, Uniqueness, sub};
use crate::error::{Error, quoted};
use crate::resource::{check_keys, member};

/// Most attributes of one schema, sub-attributes counted.
pub const MAX_ATTRIBUTES: usize = 200;

/// Longest URN, name or keyword, in bytes.
pub const MAX_NAME_BYTES: usize = 200;

/// Longest description, in bytes.
pub const MAX_DESCRIPTION_BYTES: usize = 2_000;

/// Most canonical values of one attribute.
pub const MAX_CANONICAL_VALUES: usize = 100;

/// What URNs of schemas begin with that are not a tenant's to define.
const RESERVED: [&str; 2] = ["urn:ietf:params:scim:", "urn:rollcall:"];

/// A namespace below [`RESERVED`] that is free: administrators of Entra are told to name their schemas so.
const FREE: &str = "urn:ietf:params:scim:schemas:extension:";

impl Schema {
    /// Reads the document of an extension schema. `id`, `name` and `attributes` must be there; `description`, `schemas`
    /// and `meta` may be.
    ///
    /// # Errors
    /// 400 `invalidValue` that names the attribute and what is wrong with it.
    pub fn define(document: &Value) -> Result<Self, Error> {
        let object = document.as_object().ok_or_else(|| wrong("the schema", "must be a JSON object"))?;
        check_keys(object)?;
        let get = Members { of: "the schema".to_owned(), object };
        get.known(&["schemas", "id", "name", "description", "attributes", "meta"])?;
        let id = get.name("id")?.ok_or_else(|| wrong("\"id\"", "must be the URN of the schema"))?;
        check_urn(&id)?;
        let name = get.name("name")?.ok_or_else(|| wrong("\"name\"", "must say what people call the schema"))?;
        let description = get.description()?;
        let mut budget = MAX_ATTRIBUTES;
        let attributes = get.attributes("attributes", false, &mut budget)?;
        if attributes.is_empty() {
            return Err(wrong("\"attributes\"", "must hold at least one attribute"));
        }
        Ok(Self { id, name, description, attributes })
    }

    /// What must not change while resources may hold values: an attribute that `self` and `next` both have must keep its
    /// type and the number of its values. `None` if nothing stands in the way.
    pub fn obstacle(&self, next: &Self) -> Option<String> {
        obstacle(&self.attributes, &next.attributes, "")
    }
}

fn obstacle(old: &[Attribute], new: &[Attribute], prefix: &str) -> Option<String> {
    old.iter().find_map(|old| {
        let new = new.iter().find(|new| new.name.eq_ignore_ascii_case(&old.name))?;
        let name = format!("{prefix}{}", old.name);
        if new.name != old.name {
            return Some(format!("\"{name}\" cannot be spelt anew, as \"{prefix}{}\"", new.name));
        }
        if (old.kind, old.multi_valued) != (new.kind, new.multi_valued) {
            return Some(format!(
                "\"{name}\" is defined as {} and would become {}; give the new attribute another name",
                shape(old),
                shape(new)
            ));
        }
        obstacle(&old.sub_attributes, &new.sub_attributes, &format!("{name}."))
    })
}

fn shape(attribute: &Attribute) -> String {
    let many = if attribute.multi_valued { "many values of type" } else { "one value of type" };
    format!("{many} {}", attribute.kind.as_str())
}

fn wrong(what: &str, problem: &str) -> Error {
    Error::invalid_value(format!("{what} {problem}"))
}

/// A URN of RFC 8141 that is nobody else's.
fn check_urn(urn: &str) -> Result<(), Error> {
    let lower = urn.to_ascii_lowercase();
    let what = format!("the URN {}", quoted(urn));
    let specific = lower.strip_prefix("urn:").and_then(|rest| rest.split_once(':'));
    let formed = specific.is_some_and(|(namespace, specific)| {
        let named = namespace.len() >= 2 && namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        named && !specific.is_empty() && specific.bytes().all(is_urn_byte) && !specific.ends_with(':')
    });
    if !formed {
        return Err(wrong(&what, "must look like urn:example:hr:2.0:User (letters, digits and .:_-)"));
    }
    let reserved = RESERVED.iter().any(|prefix| lower.starts_with(prefix));
    let free = lower.strip_prefix(FREE).is_some_and(|rest| !rest.starts_with("enterprise:"));
    if reserved && !free {
        return Err(wrong(&what, &format!("belongs to a standard or to Rollcall; take your own, or one under {FREE}")));
    }
    Ok(())
}

const fn is_urn_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'_' | b'-')
}

/// The members of an object, and what it describes.
struct Members<'b> {
    of: String,
    object: &'b Map<String, Value>,
}

impl Members<'_> {
    /// A word that nobody reads here would be lost without a sound.
    fn known(&self, names: &[&str]) -> Result<(), Error> {
        let stranger = self.object.keys().find(|key| !names.iter().any(|name| name.eq_ignore_ascii_case(key)));
        stranger.map_or(Ok(()), |key| {
            Err(wrong(&format!("{} in {}", quoted(key), self.of), &format!("is not one of {}", names.join(", "))))
        })
    }

    fn value(&self, name: &str) -> Option<&Value> {
        member(self.object, name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, problem: &str) -> Error {
        wrong(&format!("\"{name}\" of {}", self.of), problem)
    }

    fn text(&self, name: &str, longest: usize) -> Result<Option<String>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() > longest => {
                Err(self.wrong(name, &format!("must not be longer than {longest} bytes")))
            }
            Some(Value::String(text)) if text.chars().any(char::is_control) => {
                Err(self.wrong(name, "must not hold control characters"))
            }
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(name, "must be a string")),
        }
    }

    /// Names are compared as they are written, so none is trimmed in one place and looked for with its blanks in another.
    fn name(&self, name: &str) -> Result<Option<String>, Error> {
        match self.text(name, MAX_NAME_BYTES)? {
            Some(text) if text.trim() != text => Err(self.wrong(name, "must not begin or end with blanks")),
            text => Ok(text),
        }
    }

    fn description(&self) -> Result<String, Error> {
        Ok(self.text("description", MAX_DESCRIPTION_BYTES)?.unwrap_or_default())
    }

    fn boolean(&self, name: &str) -> Result<bool, Error> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(self.wrong(name, "must be true or false")),
        }
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let problem = || {
            let most = format!("must be an array of at most {MAX_CANONICAL_VALUES} strings of {MAX_NAME_BYTES} bytes");
            self.wrong(name, &most)
        };
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let items = value.as_array().filter(|items| items.len() <= MAX_CANONICAL_VALUES).ok_or_else(problem)?;
        let text = |item: &Value| item.as_str().filter(|text| text.len() <= MAX_NAME_BYTES).map(str::to_owned);
        items.iter().map(|item| text(item).ok_or_else(problem)).collect()
    }

    /// One of some keywords, in any case; the first one when nothing is said.
    fn keyword<T: Copy>(&self, name: &str, words: &[(T, &str)]) -> Result<Option<T>, Error> {
        let Some(word) = self.name(name)? else { return Ok(None) };
        let found = words.iter().find(|(_, known)| known.eq_ignore_ascii_case(&word));
        found.map(|(value, _)| Some(*value)).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(_, known)| *known).collect();
            self.wrong(name, &format!("is {} and can only be {}", quoted(&word), known.join(", ")))
        })
    }

    fn attributes(&self, name: &str, inner: bool, budget: &mut usize) -> Result<Vec<Attribute>, Error> {
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(|| self.wrong(name, "must be an array of attributes"))?;
        let mut found: Vec<Attribute> = Vec::new();
        for item in items {
            *budget = budget
                .checked_sub(1)
                .ok_or_else(|| wrong("the schema", &format!("must not have more than {MAX_ATTRIBUTES} attributes")))?;
            let object = item.as_object().ok_or_else(|| self.wrong(name, "must hold objects"))?;
            check_keys(object)?;
            let attribute = attribute(object, &self.of, inner, budget)?;
            if found.iter().any(|known| known.name.eq_ignore_ascii_case(&attribute.name)) {
                return Err(self.wrong(name, &format!("has {} twice; case does not count", quoted(&attribute.name))));
            }
            found.push(attribute);
        }
        Ok(found)
    }
}

fn attribute(object: &Map<String, Value>, of: &str, inner: bool, budget: &mut usize) -> Result<Attribute, Error> {
    let anonymous = Members { of: format!("an attribute of {of}"), object };
    let name = anonymous.name("name")?.ok_or_else(|| anonymous.wrong("name", "must be there"))?;
    let get = Members { of: format!("the attribute {}", quoted(&name)), object };
    check_name(&get, &name, inner)?;
    get.known(&[
        "name",
        "type",
        "multiValued",
        "description",
        "required",
        "canonicalValues",
        "caseExact",
        "mutability",
        "returned",
        "uniqueness",
        "referenceTypes",
        "subAttributes",
    ])?;
    let simple =
        [Kind::String, Kind::Boolean, Kind::Decimal, Kind::Integer, Kind::DateTime, Kind::Binary, Kind::Reference];
    let mut kinds: Vec<_> = simple.into_iter().map(|kind| (kind, kind.as_str())).collect();
    // RFC 7643 §2.3.8: complex attributes hold simple ones.
    kinds.extend((!inner).then_some((Kind::Complex, Kind::Complex.as_str())));
    let kind = get.keyword("type", &kinds)?.unwrap_or(Kind::String);
    let sub_attributes = get.attributes("subAttributes", true, budget)?;
    if (kind == Kind::Complex) == sub_attributes.is_empty() {
        let problem = "must be there when the type is complex, and only then";
        return Err(get.wrong("subAttributes", problem));
    }
    let described = Attribute::new(name, kind, get.description()?);
    let mutability = get.keyword(
        "mutability",
        &[
            (Mutability::ReadWrite, Mutability::ReadWrite.as_str()),
            // Nobody but a client can set a value here, and what is never read back serves nothing.
            (Mutability::Immutable, Mutability::Immutable.as_str()),
        ],
    )?;
    let returned = get.keyword(
        "returned",
        &[
            (Returned::Default, Returned::Default.as_str()),
            (Returned::Always, Returned::Always.as_str()),
            (Returned::Request, Returned::Request.as_str()),
        ],
    )?;
    // No index would keep values apart.
    get.keyword("uniqueness", &[(Uniqueness::None, Uniqueness::None.as_str())])?;
    let multi_valued = get.boolean("multiValued")?;
    if inner && multi_valued {
        return Err(get.wrong("multiValued", "must be false inside a complex attribute"));
    }
    Ok(Attribute {
        multi_valued,
        required: get.boolean("required")?,
        canonical_values: get.texts("canonicalValues")?,
        case_exact: described.case_exact || get.boolean("caseExact")?,
        mutability: mutability.unwrap_or(described.mutability),
        returned: returned.unwrap_or(described.returned),
        reference_types: get.texts("referenceTypes")?,
        sub_attributes,
        ..described
    })
}

/// The names of RFC 7643 §2.1: a letter, then letters, digits, `-` and `_`.
fn check_name(get: &Members<'_>, name: &str, inner: bool) -> Result<(), Error> {
    let mut bytes = name.bytes();
    let formed = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let reference = inner && name == sub::REF;
    if !formed && !reference {
        return Err(get.wrong("name", "must begin with a letter and go on with letters, digits, \"-\" and \"_\""));
    }
    if !inner && name.eq_ignore_ascii_case("schemas") {
        return Err(get.wrong("name", "must be another one; \"schemas\" has a meaning of its own"));
    }
    Ok(())
}
