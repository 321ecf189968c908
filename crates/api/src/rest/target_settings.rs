//! `/targets/{id}/settings` and `/targets/{id}/secret`: how a target is reached and treated.

use crate::auth::ApiClient;
use crate::body::{JsonBody, MergePatchBody};
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::in_path::InPath;
use crate::services::target_settings::{self, TargetSettingsView};
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use rollcall_provisioning::ids::TargetId;
use rollcall_store::sources::SetUpBy;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Every setting of a target, with what it is for. The secret is not among them.
#[utoipa::path(
    get, path = "/targets/{id}/settings", tag = "set-up", operation_id = "readTargetSettings",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "The settings", body = TargetSettingsView), Refusals),
)]
pub(super) async fn read(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<TargetSettingsView>, ApiError> {
    Ok(Json(target_settings::read(state.store(), state.kinds(), client.tenant, target).await?))
}

/// Settings with their values, as a JSON merge patch (RFC 7396); `null` gives a setting back the value that it has when nobody
/// says anything.
#[derive(ToSchema)]
#[schema(example = json!({ "enterprise_accounts": true, "role_group": "Provisioned", "chat_template_id": null }))]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct TargetSettingsPatch(BTreeMap<String, Value>);

/// Changes settings of a target. Every worker uses them from its next delivery on, and what failed is looked at again. What
/// was changed, by whom, is in the change log.
#[utoipa::path(
    patch, path = "/targets/{id}/settings", tag = "set-up", operation_id = "changeTargetSettings",
    params(("id" = Uuid, Path, description = "The target's id")),
    request_body(content(
        (TargetSettingsPatch = "application/merge-patch+json"),
        (TargetSettingsPatch = "application/json"),
    )),
    responses((status = 200, description = "The settings as they are now", body = TargetSettingsView), Refusals),
)]
pub(super) async fn change(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(target): InPath<TargetId>,
    MergePatchBody(body): MergePatchBody,
) -> Result<Json<TargetSettingsView>, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let patch = body.as_object().cloned().unwrap_or_default();
    let whose = (client.tenant, target);
    Ok(Json(target_settings::change(state.store(), state.kinds(), whose, by, &patch).await?))
}

/// The secret of the application by which a target is reached.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewTargetSecret {
    /// The secret (Client Secret), as DingTalk's developer console shows it. It is sealed, and never shown again.
    #[schema(format = Password)]
    app_secret: String,
}

/// Gives a target another application secret. Every worker uses it from its next delivery on; no restart is needed. The change
/// log says who did it.
#[utoipa::path(
    put, path = "/targets/{id}/secret", tag = "set-up", operation_id = "setTargetSecret", request_body = NewTargetSecret,
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "The settings of the target, without the secret", body = TargetSettingsView), Refusals),
)]
pub(super) async fn set_secret(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<TargetSettingsView>, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let secret = app_secret(&body.as_object().cloned().unwrap_or_default())?;
    let whose = (client.tenant, target);
    Ok(Json(target_settings::set_secret(state.store(), state.kinds(), whose, by, &secret).await?))
}

/// The secret of a body. What is wrong with a body is told without repeating any of it.
fn app_secret(body: &Map<String, Value>) -> Result<SecretString, ApiError> {
    if body.keys().any(|name| name != "app_secret") {
        return Err(ApiError::parameter("body", "may hold app_secret and nothing else"));
    }
    match body.get("app_secret") {
        Some(Value::String(secret)) => Ok(secret.trim().into()),
        Some(_) => Err(ApiError::parameter("app_secret", "must be a string")),
        None => Err(ApiError::parameter("app_secret", "is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    #[test]
    fn a_wrong_body_is_not_repeated() {
        let read = |body: Value| app_secret(body.as_object().expect("an object"));
        assert_eq!(read(json!({ "app_secret": " s3cret\n" })).expect("a secret").expose_secret(), "s3cret");
        for body in
            [json!({}), json!({ "app_secret": 12345 }), json!({ "appSecret": "s3cret" }), json!({ "s3cret": 1 })]
        {
            let error = read(body.clone()).expect_err("a refusal").to_string();
            assert!(!error.contains("s3cret") && !error.contains("12345"), "{error}");
        }
    }
}
