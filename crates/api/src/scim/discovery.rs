//! What this server can do: `/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes` (RFC 7644 §4).
//!
//! They can be read without a token, so that a client can learn how to authenticate. A token that is sent is
//! checked all the same: some administrators test their token here, and a wrong one must not look right. With a token the
//! schemas of its tenant are among them.

use crate::auth::ScimClient;
use crate::error::ApiError;
use crate::limits::{CURSOR_TIMEOUT, DEFAULT_COUNT, MAX_BODY_BYTES, MAX_COUNT};
use crate::rules::Rules;
use crate::scim::answer;
use crate::scim::base::BaseUrl;
use crate::scim::call::IdInPath;
use crate::scim::docs::{DiscoveryRefusals, ScimError};
use crate::scim::query::Query;
use crate::state::ApiState;
use axum::extract::FromRequestParts;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::request::Parts;
use rollcall_scim::Error;
use rollcall_scim::discovery::{self, Capabilities};
use std::sync::Arc;

/// A request for a discovery document: with a valid token or none, and without a filter, which RFC 7644 §4 wants
/// refused.
pub(super) struct Discovery {
    base: BaseUrl,
    /// Of the tenant whose token came along.
    rules: Arc<Rules>,
    /// Whether the source may use HTTP Basic; of no source, whether any may.
    basic: bool,
}

impl FromRequestParts<ApiState> for Discovery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let (rules, basic) = if parts.headers.contains_key(AUTHORIZATION) {
            let client = ScimClient::from_request_parts(parts, state).await?;
            (state.rules_of(client.tenant).await?, client.source.access.basic)
        } else {
            let now = state.clock().now();
            (Rules::built_in(), state.credentials().is_basic_allowed_anywhere(state.store(), now).await)
        };
        let Ok(base) = BaseUrl::from_request_parts(parts, state).await;
        if Query::parse(parts.uri.query())?.filter.is_some() {
            let detail = "discovery documents cannot be filtered (RFC 7644 section 4); leave the filter out";
            return Err(Error::status(403, detail).into());
        }
        Ok(Self { base, rules, basic })
    }
}

/// `GET /ServiceProviderConfig`.
#[utoipa::path(
    get, path = "/ServiceProviderConfig", tag = "scim discovery", operation_id = "scimServiceProviderConfig",
    responses(
        (status = 200, description = "What this server supports (RFC 7643 section 5)", content_type = "application/scim+json", body = Object),
        DiscoveryRefusals,
    ),
    security(()),
)]
pub(super) async fn config(Discovery { base, basic, .. }: Discovery) -> Response {
    let capabilities = Capabilities {
        max_results: MAX_COUNT,
        default_page_size: DEFAULT_COUNT,
        cursor_timeout: CURSOR_TIMEOUT.as_secs().cast_signed(),
        max_payload_size: i64::try_from(MAX_BODY_BYTES).unwrap_or(i64::MAX),
        basic_authentication: basic,
        documentation_uri: None,
    };
    answer::document(&discovery::service_provider_config(&capabilities, base.as_str()))
}

/// `GET /Schemas`.
#[utoipa::path(
    get, path = "/Schemas", tag = "scim discovery", operation_id = "scimSchemas",
    responses(
        (status = 200, description = "Every schema (RFC 7643 section 7)", content_type = "application/scim+json", body = Object),
        DiscoveryRefusals,
    ),
    security(()),
)]
pub(super) async fn schemas(Discovery { base, rules, .. }: Discovery) -> Response {
    answer::document(&discovery::schemas(base.as_str(), rules.types().all()))
}

/// `GET /Schemas/{urn}`.
#[utoipa::path(
    get, path = "/Schemas/{urn}", tag = "scim discovery", operation_id = "scimSchema",
    params(("urn" = String, Path, description = "The URN of the schema, in any case")),
    responses(
        (status = 200, description = "One schema", content_type = "application/scim+json", body = Object),
        (status = 404, description = "No schema has this URN", content_type = "application/scim+json", body = ScimError),
        DiscoveryRefusals,
    ),
    security(()),
)]
pub(super) async fn schema(Discovery { base, rules, .. }: Discovery, urn: IdInPath) -> Result<Response, ApiError> {
    Ok(answer::document(&discovery::schema(base.as_str(), rules.types().all(), urn.as_str())?))
}

/// `GET /ResourceTypes`.
#[utoipa::path(
    get, path = "/ResourceTypes", tag = "scim discovery", operation_id = "scimResourceTypes",
    responses(
        (status = 200, description = "Every resource type (RFC 7643 section 6)", content_type = "application/scim+json", body = Object),
        DiscoveryRefusals,
    ),
    security(()),
)]
pub(super) async fn resource_types(Discovery { base, rules, .. }: Discovery) -> Response {
    answer::document(&discovery::resource_types(base.as_str(), rules.types().all()))
}

/// `GET /ResourceTypes/{name}`.
#[utoipa::path(
    get, path = "/ResourceTypes/{name}", tag = "scim discovery", operation_id = "scimResourceType",
    params(("name" = String, Path, description = "The name of the resource type, in any case")),
    responses(
        (status = 200, description = "One resource type", content_type = "application/scim+json", body = Object),
        (status = 404, description = "No resource type has this name", content_type = "application/scim+json", body = ScimError),
        DiscoveryRefusals,
    ),
    security(()),
)]
pub(super) async fn resource_type(
    Discovery { base, rules, .. }: Discovery,
    name: IdInPath,
) -> Result<Response, ApiError> {
    Ok(answer::document(&discovery::resource_type(base.as_str(), rules.types().all(), name.as_str())?))
}
