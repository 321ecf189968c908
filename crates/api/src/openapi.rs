//! The OpenAPI document: made from the annotations beside the handlers, so that no list can drift.

use crate::refusal::Problem;
use crate::routes;
use crate::scim::ScimError;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathsBuilder, SecurityRequirement,
};

/// Name of the security scheme.
const BEARER: &str = "bearer";

const TAGS: [(&str, &str); 9] = [
    ("projection", "Where the directory stands towards each target"),
    ("sources", "How each SCIM client is understood: profiles and their switches"),
    ("schemas", "What a tenant adds to users and groups"),
    ("people", "One person, and why they stand where they stand"),
    ("directory", "What was changed in the directory"),
    ("set-up", "By what and from where sources may call"),
    ("oauth", "Access tokens for the OAuth clients of sources (RFC 6749)"),
    ("scim", "The SCIM 2.0 interface (RFC 7644), for the tokens of sources"),
    ("scim discovery", "What the SCIM interface supports; readable without a token"),
];

/// The document as pretty JSON, with a line feed at its end: what `rollcall openapi` prints and `openapi/rollcall.json`
/// holds.
pub fn openapi_document() -> String {
    let (_, document) = routes::documented().split_for_parts();
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// `GET /api/v1/openapi.json`. Needs no token: it says nothing about anybody.
pub(crate) async fn serve() -> Response {
    ([(CONTENT_TYPE, "application/json")], openapi_document()).into_response()
}

/// Everything but the routes.
pub(crate) fn frame() -> OpenApi {
    let licence = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Rollcall")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Rollcall takes people and groups over SCIM 2.0 and projects them onto DingTalk. The SCIM interface is \
             for identity providers, the REST interface tells where everybody stands and why.",
        ))
        .license(Some(licence))
        .build();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of Rollcall. SCIM operations take the token of a source, REST operations a token of the REST API.",
        ))
        .build();
    // Responses only refer to these two.
    let components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(scheme))
        .schema_from::<Problem>()
        .schema_from::<ScimError>()
        .build();
    OpenApiBuilder::new()
        .info(info)
        .paths(PathsBuilder::new().build())
        .components(Some(components))
        .security(Some([SecurityRequirement::new(BEARER, Vec::<String>::new())]))
        .tags(Some(TAGS.map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build())))
        .build()
}
