//! The schemas of the discovery documents themselves (RFC 7643 §8.7.2, errata 5606, 7522 and 8415; RFC 9865 §4).
//!
//! Nothing in this crate reads them: they are published for clients that check a document against its schema.
//! The example in the RFC forgets `etag` and parts of `authenticationSchemes`; both are here.

use super::{Attribute, Kind, Schema};

/// URN of the schema of the service provider configuration.
pub const CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// URN of the schema of schemas.
pub const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// URN of the schema of resource types.
pub const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

/// The schemas of `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`.
pub fn schemas() -> Vec<Schema> {
    vec![config(), resource_type(), schema()]
}

fn config() -> Schema {
    let bulk = vec![
        supported(),
        count("maxOperations", "Most operations in one request."),
        count("maxPayloadSize", "Largest request body, in bytes."),
    ];
    let filter = vec![supported(), count("maxResults", "Most resources in one reply.")];
    fixed(
        CONFIG_URN,
        "Service Provider Configuration",
        "What this server can do",
        vec![
            Attribute::reference("documentationUri", "Where people read about the API.", &["external"]),
            Attribute::complex("patch", "Support of PATCH.", vec![supported()]).required(),
            Attribute::complex("bulk", "Support of bulk requests.", bulk).required(),
            Attribute::complex("filter", "Support of filters.", filter).required(),
            Attribute::complex("changePassword", "Support of password changes.", vec![supported()]).required(),
            Attribute::complex("sort", "Support of sorting.", vec![supported()]).required(),
            Attribute::complex("etag", "Support of versions and preconditions.", vec![supported()]).required(),
            Attribute::complex("pagination", "Ways of reading a list page by page.", pagination()),
            Attribute::complex("authenticationSchemes", "Ways for a client to authenticate.", authentication())
                .multi()
                .required(),
        ],
    )
}

fn pagination() -> Vec<Attribute> {
    vec![
        Attribute::new("cursor", Kind::Boolean, "Whether pages can be read by cursor.").required(),
        Attribute::new("index", Kind::Boolean, "Whether pages can be read by index.").required(),
        Attribute::string("defaultPaginationMethod", "The way used when a client names none.")
            .canonical(&["cursor", "index"]),
        Attribute::new("defaultPageSize", Kind::Integer, "Resources in a page when a client names no number."),
        Attribute::new("maxPageSize", Kind::Integer, "Most resources in a page."),
        Attribute::new("cursorTimeout", Kind::Integer, "How long a cursor lives, in seconds."),
    ]
}

fn authentication() -> Vec<Attribute> {
    vec![
        Attribute::string("type", "Kind of scheme.")
            .canonical(&["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"])
            .required(),
        Attribute::string("name", "Name of the scheme.").required(),
        Attribute::string("description", "What the scheme is.").required(),
        Attribute::reference("specUri", "The specification of the scheme.", &["external"]),
        Attribute::reference("documentationUri", "How the scheme is used here.", &["external"]),
        Attribute::new("primary", Kind::Boolean, "True for the preferred scheme."),
    ]
}

fn resource_type() -> Schema {
    let extension = vec![
        Attribute::reference("schema", "URN of the extension.", &["uri"]).required(),
        Attribute::new("required", Kind::Boolean, "Whether every resource must have the extension.").required(),
    ];
    fixed(
        RESOURCE_TYPE_URN,
        "Resource Type",
        "A kind of resource and its schemas",
        vec![
            Attribute::string("name", "Name, as in meta.resourceType.").case_exact().required(),
            Attribute::string("description", "What it is."),
            Attribute::reference("endpoint", "Path of the endpoint below the base URL.", &["uri"]).required(),
            Attribute::reference("schema", "URN of the core schema.", &["uri"]).required(),
            Attribute::complex("schemaExtensions", "Schemas that add attributes.", extension).multi(),
        ],
    )
}

fn schema() -> Schema {
    let mut attribute = characteristics();
    attribute
        .push(Attribute::complex("subAttributes", "What a complex attribute consists of.", characteristics()).multi());
    fixed(
        SCHEMA_URN,
        "Schema",
        "A URN and the attributes defined under it",
        vec![
            Attribute::string("name", "Name for people.").required(),
            Attribute::string("description", "What it describes."),
            Attribute::complex("attributes", "The attributes.", attribute).multi().required(),
        ],
    )
}

/// What RFC 7643 §7 says about an attribute.
fn characteristics() -> Vec<Attribute> {
    let kinds = [
        Kind::String,
        Kind::Boolean,
        Kind::Decimal,
        Kind::Integer,
        Kind::DateTime,
        Kind::Binary,
        Kind::Reference,
        Kind::Complex,
    ];
    vec![
        Attribute::string("name", "Name of the attribute.").case_exact().required(),
        Attribute::string("type", "Data type.").canonical(&kinds.map(Kind::as_str)).required(),
        Attribute::new("multiValued", Kind::Boolean, "Whether it holds many values.").required(),
        Attribute::string("description", "What it holds."),
        Attribute::new("required", Kind::Boolean, "Whether a resource must have it."),
        Attribute::string("canonicalValues", "Values to expect.").case_exact().multi(),
        Attribute::new("caseExact", Kind::Boolean, "Whether case counts in comparisons."),
        Attribute::string("mutability", "Who may write it.").canonical(&[
            "readOnly",
            "readWrite",
            "immutable",
            "writeOnly",
        ]),
        Attribute::string("returned", "When it is in a reply.").canonical(&["always", "never", "default", "request"]),
        Attribute::string("uniqueness", "How far a value must be unique.").canonical(&["none", "server", "global"]),
        Attribute::string("referenceTypes", "What a reference may point to.").case_exact().multi(),
    ]
}

fn supported() -> Attribute {
    Attribute::new("supported", Kind::Boolean, "Whether the server does it.").required()
}

fn count(name: &str, description: &str) -> Attribute {
    Attribute::new(name, Kind::Integer, description).required()
}

/// A schema of a document that only the server writes.
fn fixed(id: &str, name: &str, description: &str, attributes: Vec<Attribute>) -> Schema {
    Schema::new(id, name, description, attributes.into_iter().map(read_only).collect())
}

fn read_only(attribute: Attribute) -> Attribute {
    let sub_attributes = attribute.sub_attributes.clone().into_iter().map(read_only).collect();
    Attribute { sub_attributes, ..attribute.read_only() }
}
