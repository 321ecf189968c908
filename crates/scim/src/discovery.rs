//! The discovery documents (RFC 7644 §4).

use serde_json::{Value, json};

use crate::error::Error;
use crate::limits::MAX_BULK_OPERATIONS;
use crate::list::list_response;
use crate::schema::{ResourceType, Schema, meta};

/// What this server can do, with its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Most resources in one page.
    pub max_results: i64,
    /// Resources in a page whose size the client does not name.
    pub default_page_size: i64,
    /// How long a cursor can be used, in seconds.
    pub cursor_timeout: i64,
    /// Largest request body, in bytes.
    pub max_payload_size: i64,
    /// Whether user name and password are taken beside bearer tokens.
    pub basic_authentication: bool,
    /// Where people read about the API.
    pub documentation_uri: Option<String>,
}

/// The body of `GET /ServiceProviderConfig` (RFC 7643 §5, RFC 9865 §4). `base_url` has no slash at its end.
pub fn service_provider_config(capabilities: &Capabilities, base_url: &str) -> Value {
    let mut body = json!({
        "schemas": [meta::CONFIG_URN],
        "patch": { "supported": true },
        "bulk": {
            "supported": true,
            "maxOperations": MAX_BULK_OPERATIONS,
            "maxPayloadSize": capabilities.max_payload_size,
        },
        "filter": { "supported": true, "maxResults": capabilities.max_results },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": capabilities.default_page_size,
            "maxPageSize": capabilities.max_results,
            "cursorTimeout": capabilities.cursor_timeout,
        },
        "authenticationSchemes": authentication_schemes(capabilities.basic_authentication),
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base_url}/ServiceProviderConfig"),
        },
    });
    if let (Some(uri), Some(map)) = (&capabilities.documentation_uri, body.as_object_mut()) {
        map.insert("documentationUri".into(), uri.as_str().into());
    }
    body
}

/// The ways to authenticate (RFC 7643 §5).
fn authentication_schemes(basic: bool) -> Vec<Value> {
    let scheme = |kind: &str, name: &str, description: &str, rfc: u16| {
        json!({
            "type": kind, "name": name, "description": description,
            "specUri": format!("https://www.rfc-editor.org/info/rfc{rfc}"), "primary": kind == "oauthbearertoken",
        })
    };
    let mut schemes = vec![
        scheme(
            "oauthbearertoken",
            "OAuth Bearer Token",
            "A token of the source, sent in the Authorization header",
            6750,
        ),
        scheme(
            "oauth2",
            "OAuth 2.0 client credentials",
            "An access token, fetched by an OAuth client of the source",
            6749,
        ),
    ];
    if basic {
        schemes.push(scheme("httpbasic", "HTTP Basic", "User name and password that were made for the source", 7617));
    }
    schemes
}

/// The body of `GET /Schemas`: every schema of the resource types, then those of the discovery documents.
pub fn schemas(base_url: &str, types: &[ResourceType]) -> Value {
    let documents = meta::schemas();
    let bodies: Vec<Value> = all(types, &documents).iter().map(|schema| schema.to_json(base_url)).collect();
    whole_list(bodies)
}

/// The body of `GET /Schemas/{urn}`; the URN is compared without regard to case.
///
/// # Errors
/// 404 for a URN nobody defines.
pub fn schema(base_url: &str, types: &[ResourceType], urn: &str) -> Result<Value, Error> {
    let documents = meta::schemas();
    all(types, &documents)
        .into_iter()
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .map(|schema| schema.to_json(base_url))
        .ok_or_else(|| Error::not_found("Schema", urn))
}

/// The body of `GET /ResourceTypes`.
pub fn resource_types(base_url: &str, types: &[ResourceType]) -> Value {
    whole_list(types.iter().map(|rt| rt.to_json(base_url)).collect())
}

/// The body of `GET /ResourceTypes/{name}`; the name is compared without regard to case.
///
/// # Errors
/// 404 for a name nobody defines.
pub fn resource_type(base_url: &str, types: &[ResourceType], name: &str) -> Result<Value, Error> {
    types
        .iter()
        .find(|rt| rt.name.eq_ignore_ascii_case(name))
        .map(|rt| rt.to_json(base_url))
        .ok_or_else(|| Error::not_found("ResourceType", name))
}

/// Each schema once, in order of first use.
fn all<'a>(types: &'a [ResourceType], documents: &'a [Schema]) -> Vec<&'a Schema> {
    let of_types = types.iter().flat_map(|rt| {
        std::iter::once(rt.schema.as_ref()).chain(rt.extensions.iter().map(|extension| extension.schema.as_ref()))
    });
    let mut found: Vec<&Schema> = Vec::new();
    for schema in of_types.chain(documents) {
        if !found.iter().any(|known| known.id.eq_ignore_ascii_case(&schema.id)) {
            found.push(schema);
        }
    }
    found
}

fn whole_list(bodies: Vec<Value>) -> Value {
    let total = i64::try_from(bodies.len()).unwrap_or(i64::MAX);
    list_response(bodies, total, 1)
}
