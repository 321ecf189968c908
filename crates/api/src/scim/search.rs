//! `.search` (RFC 7644 §3.4.3): a query in the body of a POST, for filters that must not stand in a URL; and the
//! base URL itself, which lists users and groups together (§3.4.2.1).

use crate::body::JsonBody;
use crate::error::ApiError;
use crate::scim::call::Call;
use crate::scim::docs::SearchRefusals;
use crate::scim::lists;
use crate::scim::messages::{ScimList, ScimSearch};
use crate::scim::query::Query;
use crate::state::ApiState;
use axum::extract::State;
use axum::response::Response;
use rollcall_scim::search::SearchRequest;

/// `POST /Users/.search`.
#[utoipa::path(
    post, path = "/Users/.search", tag = "scim", operation_id = "scimSearchUsers",
    request_body(content = ScimSearch, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "A ListResponse", content_type = "application/scim+json", body = ScimList),
        SearchRefusals,
    ),
)]
pub(super) async fn users(
    call: Call,
    State(state): State<ApiState>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    lists::users(&call, &state, &Query::from(SearchRequest::parse(&body)?)).await
}

/// `POST /Groups/.search`.
#[utoipa::path(
    post, path = "/Groups/.search", tag = "scim", operation_id = "scimSearchGroups",
    request_body(content = ScimSearch, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "A ListResponse", content_type = "application/scim+json", body = ScimList),
        SearchRefusals,
    ),
)]
pub(super) async fn groups(
    call: Call,
    State(state): State<ApiState>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    lists::groups(&call, &state, &Query::from(SearchRequest::parse(&body)?)).await
}

/// `POST /.search`. Attributes that one type does not have, have no value there.
#[utoipa::path(
    post, path = "/.search", tag = "scim", operation_id = "scimSearch",
    request_body(content = ScimSearch, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "A ListResponse of users and then groups, or of both in one order", content_type = "application/scim+json",
            body = ScimList),
        SearchRefusals,
    ),
)]
pub(super) async fn everything(
    call: Call,
    State(state): State<ApiState>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    lists::everything(&call, &state, &Query::from(SearchRequest::parse(&body)?)).await
}

/// `GET` of the base URL: the same with the query part of a URL.
pub(super) async fn root(call: Call, State(state): State<ApiState>) -> Result<Response, ApiError> {
    lists::everything(&call, &state, &call.query).await
}
