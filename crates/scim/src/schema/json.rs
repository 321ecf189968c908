//! Schemas and resource types as a client reads them (RFC 7643 §6, §7).

use serde_json::{Map, Value, json};

use super::meta::{RESOURCE_TYPE_URN, SCHEMA_URN};
use super::{Attribute, Kind, Mutability, ResourceType, Returned, Schema, Uniqueness};

impl Kind {
    /// The keyword of RFC 7643 §7.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

impl Mutability {
    /// The keyword of RFC 7643 §7.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

impl Returned {
    /// The keyword of RFC 7643 §7.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
}

impl Uniqueness {
    /// The keyword of RFC 7643 §7.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Global => "global",
        }
    }
}

impl Attribute {
    /// The attribute definition of RFC 7643 §7; lists that do not apply are left out.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("name".into(), self.name.as_str().into());
        map.insert("type".into(), self.kind.as_str().into());
        map.insert("multiValued".into(), self.multi_valued.into());
        map.insert("description".into(), self.description.as_str().into());
        map.insert("required".into(), self.required.into());
        if !self.canonical_values.is_empty() {
            map.insert("canonicalValues".into(), json!(self.canonical_values));
        }
        map.insert("caseExact".into(), self.case_exact.into());
        map.insert("mutability".into(), self.mutability.as_str().into());
        map.insert("returned".into(), self.returned.as_str().into());
        map.insert("uniqueness".into(), self.uniqueness.as_str().into());
        if !self.reference_types.is_empty() {
            map.insert("referenceTypes".into(), json!(self.reference_types));
        }
        if !self.sub_attributes.is_empty() {
            let parts: Vec<Value> = self.sub_attributes.iter().map(Self::to_json).collect();
            map.insert("subAttributes".into(), parts.into());
        }
        Value::Object(map)
    }
}

impl Schema {
    /// The schema resource of RFC 7643 §7. `base_url` has no slash at its end.
    pub fn to_json(&self, base_url: &str) -> Value {
        let mut map = self.to_map();
        let location = format!("{base_url}/Schemas/{}", self.id);
        map.insert("meta".into(), json!({ "resourceType": "Schema", "location": location }));
        Value::Object(map)
    }

    /// The same without `meta`, which depends on the server: what [`Schema::define`] reads.
    pub fn document(&self) -> Value {
        Value::Object(self.to_map())
    }

    fn to_map(&self) -> Map<String, Value> {
        let attributes: Vec<Value> = self.attributes.iter().map(Attribute::to_json).collect();
        let mut map = Map::new();
        map.insert("schemas".into(), json!([SCHEMA_URN]));
        map.insert("id".into(), self.id.as_str().into());
        map.insert("name".into(), self.name.as_str().into());
        map.insert("description".into(), self.description.as_str().into());
        map.insert("attributes".into(), attributes.into());
        map
    }
}

impl ResourceType {
    /// The resource type of RFC 7643 §6. `base_url` has no slash at its end.
    pub fn to_json(&self, base_url: &str) -> Value {
        let extensions: Vec<Value> = self
            .extensions
            .iter()
            .map(|extension| json!({ "schema": extension.schema.id, "required": extension.required }))
            .collect();
        json!({
            "schemas": [RESOURCE_TYPE_URN],
            "id": self.name,
            "name": self.name,
            "description": self.description,
            "endpoint": self.endpoint,
            "schema": self.schema.id,
            "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": format!("{base_url}/ResourceTypes/{}", self.name) },
        })
    }
}
