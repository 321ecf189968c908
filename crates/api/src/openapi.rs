//! The OpenAPI document: made from the annotations beside the handlers, so that no list can drift.

use crate::refusal::{Extras, Moved, PartProblem, Problem};
use crate::routes;
use crate::scim::ScimError;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathsBuilder, SecurityRequirement,
};

/// Names of the security schemes.
const BEARER: &str = "bearer";
const BASIC: &str = "basic";

const TAGS: [(&str, &str); 12] = [
    ("projection", "Where the directory stands towards each target"),
    ("plans", "What is held, and the decision about it: guards, plans, releases"),
    ("adoption", "An organisation that is there already: what is in it, who is who, and what must not be touched"),
    ("sources", "How each SCIM client is understood: profiles and their switches"),
    ("schemas", "What a tenant adds to users and groups"),
    ("mapping", "From people and groups to what targets should have: the document, its versions, and trying a draft"),
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

/// Says of every operation that needs a credential that HTTP Basic is one, too.
pub(crate) fn take_basic(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.security.get_or_insert_with(|| [BEARER, BASIC].map(required).to_vec());
        }
    }
}

fn required(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, Vec::<String>::new())
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
    let basic = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some(
            "A user name and a password of a source (RFC 7617), for SCIM operations alone. Off until the source allows it \
             (`PUT /api/v1/sources/{id}/access`).",
        ))
        .build();
    // Responses only refer to these.
    let components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(scheme))
        .security_scheme(BASIC, SecurityScheme::Http(basic))
        .schema_from::<Problem>()
        .schema_from::<Extras>()
        .schema_from::<Moved>()
        .schema_from::<PartProblem>()
        .schema_from::<ScimError>()
        .build();
    OpenApiBuilder::new()
        .info(info)
        .paths(PathsBuilder::new().build())
        .components(Some(components))
        .security(Some([required(BEARER)]))
        .tags(Some(TAGS.map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build())))
        .build()
}
