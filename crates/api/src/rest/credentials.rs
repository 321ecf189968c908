//! `/credentials` and `/oauth-clients`: by what sources and programs may come in. And `/sources/{id}/access`: from where and
//! how fast.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::InPath;
use crate::rest::params::Params;
use crate::services::credentials::{self, CreatedCredential, CredentialRequest, CredentialView};
use crate::services::given;
use crate::services::oauth_clients::{self, OauthClientRequest, OauthClientView};
use crate::services::page::Page;
use crate::services::source_access::{self, AccessView};
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use rollcall_provisioning::ids::{CredentialId, OauthClientId, SourceId};
use rollcall_store::sources::SetUpBy;

/// Every credential, without its secret: tokens, passwords, secrets and keys of OAuth clients, trusted issuers. The newest
/// first; of those that are refused by now the 200 newest.
#[utoipa::path(
    get, path = "/credentials", tag = "set-up", operation_id = "listCredentials",
    responses((status = 200, description = "All credentials", body = Page<CredentialView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Page<CredentialView>>, ApiError> {
    params.end()?;
    Ok(Json(Page::whole(credentials::list(state.store(), client.tenant).await?)))
}

/// Makes a credential. What is secret of it is in this answer and never shown again.
#[utoipa::path(
    post, path = "/credentials", tag = "set-up", operation_id = "createCredential",
    request_body = CredentialRequest,
    responses((status = 201, description = "The credential with its secret", body = CreatedCredential), Refusals, ConflictRefusal),
)]
pub(super) async fn create(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<CreatedCredential>), ApiError> {
    params.end()?;
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let now = state.clock().now();
    let made = credentials::create(state.store(), client.tenant, by, given::body(body)?, now).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Refuses a credential from now on, in all processes. Access tokens that it has fetched are refused too.
#[utoipa::path(
    delete, path = "/credentials/{id}", tag = "set-up", operation_id = "revokeCredential",
    params(("id" = Uuid, Path, description = "The credential's id")),
    responses((status = 204, description = "It is refused from now on"), Refusals),
)]
pub(super) async fn revoke(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(id): InPath<CredentialId>,
) -> Result<StatusCode, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let revoked = credentials::revoke(state.store(), client.tenant, by, id).await?;
    state.credentials().invalidate_all();
    gone(revoked, || format!("the live credential {id}"))
}

/// Every OAuth client, the newest first; of the revoked ones the 200 newest.
#[utoipa::path(
    get, path = "/oauth-clients", tag = "set-up", operation_id = "listOauthClients",
    responses((status = 200, description = "All clients", body = Page<OauthClientView>), Refusals),
)]
pub(super) async fn list_clients(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Page<OauthClientView>>, ApiError> {
    params.end()?;
    Ok(Json(Page::whole(oauth_clients::list(state.store(), client.tenant).await?)))
}

/// Makes an OAuth client of a source. It needs a credential before it can fetch tokens.
#[utoipa::path(
    post, path = "/oauth-clients", tag = "set-up", operation_id = "createOauthClient",
    request_body = OauthClientRequest,
    responses((status = 201, description = "The client", body = OauthClientView), Refusals, ConflictRefusal),
)]
pub(super) async fn create_client(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<OauthClientView>), ApiError> {
    params.end()?;
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let made = oauth_clients::create(state.store(), client.tenant, by, &given::body(body)?).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Refuses an OAuth client from now on, with its credentials and the access tokens that it has fetched.
#[utoipa::path(
    delete, path = "/oauth-clients/{id}", tag = "set-up", operation_id = "revokeOauthClient",
    params(("id" = Uuid, Path, description = "The client's id")),
    responses((status = 204, description = "It is refused from now on"), Refusals),
)]
pub(super) async fn revoke_client(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(id): InPath<OauthClientId>,
) -> Result<StatusCode, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let revoked = oauth_clients::revoke(state.store(), client.tenant, by, id).await?;
    state.credentials().invalidate_all();
    gone(revoked, || format!("the live OAuth client {id}"))
}

/// From where, how fast, and whether with HTTP Basic a source may call.
#[utoipa::path(
    get, path = "/sources/{id}/access", tag = "set-up", operation_id = "readSourceAccess",
    params(("id" = Uuid, Path, description = "The source's id")),
    responses((status = 200, description = "What the source allows", body = AccessView), Refusals),
)]
pub(super) async fn access(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(id): InPath<SourceId>,
) -> Result<Json<AccessView>, ApiError> {
    Ok(Json(source_access::read(state.store(), client.tenant, id).await?))
}

/// Replaces from where, how fast, and whether with HTTP Basic a source may call. Its next request is judged by it, in all
/// processes. What is left out has its default again.
#[utoipa::path(
    put, path = "/sources/{id}/access", tag = "set-up", operation_id = "replaceSourceAccess",
    params(("id" = Uuid, Path, description = "The source's id")), request_body = AccessView,
    responses((status = 200, description = "What the source allows now", body = AccessView), Refusals),
)]
pub(super) async fn replace_access(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(id): InPath<SourceId>,
    JsonBody(body): JsonBody,
) -> Result<Json<AccessView>, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let replaced = source_access::replace(state.store(), client.tenant, id, by, &given::body(body)?).await?;
    state.credentials().invalidate_all();
    Ok(Json(replaced))
}

fn gone(revoked: bool, what: impl FnOnce() -> String) -> Result<StatusCode, ApiError> {
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound { what: what() }) }
}
