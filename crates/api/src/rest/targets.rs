//! `/targets`.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::InPath;
use crate::rest::params::Params;
use crate::services::new_target::{self, TargetModeView, TargetRequest};
use crate::services::page::Page;
use crate::services::targets::{self, TargetView};
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use rollcall_provisioning::ids::TargetId;
use rollcall_store::sources::SetUpBy;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How every target stands: mode, counts by state, what has waited for the longest time.
#[utoipa::path(
    get, path = "/targets", tag = "projection", operation_id = "listTargets",
    responses((status = 200, description = "All targets, by name", body = Page<TargetView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Page<TargetView>>, ApiError> {
    params.end()?;
    let data = targets::list(state.store(), client.tenant, state.clock().now()).await?;
    Ok(Json(Page::whole(data)))
}

/// A target to be set up.
#[derive(ToSchema)]
#[schema(example = json!({ "name": "hq", "settings": { "app_key": "dingx7q2" }, "app_secret": "…" }))]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewTargetBody {
    /// Its name, unique in the tenant.
    name: String,
    /// The kind of connector; left out: `dingtalk`.
    kind: Option<String>,
    /// Its settings, as `GET /targets/{id}/settings` names them; what is left out is as usual.
    settings: BTreeMap<String, Value>,
    /// The secret (Client Secret) of the application. It is sealed, and never shown again.
    #[schema(format = Password)]
    app_secret: String,
    /// `rehearsal` (if left out), `live` or `paused`.
    mode: Option<String>,
}

/// Sets up a target. It starts in rehearsal unless told otherwise: plans are made, and nothing is sent. Its addresses can only be
/// DingTalk's, unless the installation permits others. The change log says who did it.
#[utoipa::path(
    post, path = "/targets", tag = "set-up", operation_id = "createTarget", request_body = NewTargetBody,
    responses((status = 201, description = "The target", body = TargetModeView), Refusals, ConflictRefusal),
)]
pub(super) async fn create(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<TargetModeView>), ApiError> {
    params.end()?;
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let request = new_target(body)?;
    let made = new_target::create(state.store(), state.kinds(), client.tenant, by, request).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Whether changes are sent.
#[derive(ToSchema)]
#[schema(example = json!({ "mode": "live" }))]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewMode {
    /// `rehearsal` (plans are made, nothing is sent), `live` or `paused` (nothing is looked at).
    mode: String,
}

/// Changes whether changes are sent. Going live looks again at everything that was held. The change log says who did it.
#[utoipa::path(
    put, path = "/targets/{id}/mode", tag = "set-up", operation_id = "setTargetMode", request_body = NewMode,
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "The target as it is now", body = TargetModeView), Refusals),
)]
pub(super) async fn set_mode(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<TargetModeView>, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let mut body = members(body, &["mode"])?;
    let mode = text(&mut body, "mode")?.ok_or_else(|| ApiError::parameter("mode", "is missing"))?;
    Ok(Json(new_target::set_mode(state.store(), (client.tenant, target), by, &mode).await?))
}

/// The body, read by hand: what is wrong with it is told without repeating any of it, since it holds a secret.
fn new_target(body: Value) -> Result<TargetRequest, ApiError> {
    let mut body = members(body, &["name", "kind", "settings", "app_secret", "mode"])?;
    let missing = |name| ApiError::parameter(name, "is missing");
    let settings = match body.remove("settings") {
        Some(Value::Object(settings)) => settings,
        Some(_) => return Err(ApiError::parameter("settings", "must be an object")),
        None => return Err(missing("settings")),
    };
    let secret = text(&mut body, "app_secret")?.ok_or_else(|| missing("app_secret"))?;
    Ok(TargetRequest {
        name: text(&mut body, "name")?.ok_or_else(|| missing("name"))?,
        kind: text(&mut body, "kind")?,
        settings,
        secret: SecretString::from(secret.trim()),
        mode: text(&mut body, "mode")?,
    })
}

fn members(body: Value, known: &[&str]) -> Result<Map<String, Value>, ApiError> {
    match body {
        Value::Object(body) if body.keys().all(|name| known.contains(&name.as_str())) => Ok(body),
        _ => Err(ApiError::parameter("body", format!("must be an object with {} and nothing else", known.join(", ")))),
    }
}

fn text(body: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, ApiError> {
    match body.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::parameter(name, "must be a string")),
    }
}
