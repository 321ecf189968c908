//! What only apps of Okta's catalogue do: `active` and groups by PATCH.

use anyhow::ensure;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::okta::members;
use super::{GroupChange, PATCH_OP};
use crate::endpoint::Endpoint;

/// A replace without a path.
pub(super) async fn set_active(scim: &Endpoint, id: &str, active: bool) -> anyhow::Result<()> {
    let body = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "value": { "active": active } }] });
    let reply = scim.expect(StatusCode::OK, Method::PATCH, &format!("/Users/{id}"), &body).await?;
    ensure!(reply.body["active"] == active, "active is not as it was sent: {}", reply.body);
    Ok(())
}

/// The name is sent with the read-only id, and again with every change of members. A group that is emptied, or that
/// changes altogether, is "pushed now": one replace of all members.
pub(super) async fn change_group(scim: &Endpoint, change: &GroupChange) -> anyhow::Result<()> {
    let path = format!("/Groups/{}", change.id);
    let name = json!({ "op": "replace", "value": { "id": change.id, "displayName": change.after.name } });
    let push_now = change.members.is_empty() || change.removed.len() > 1;
    let mut operations = vec![name];
    if push_now {
        operations.push(json!({ "op": "replace", "path": "members", "value": members(&change.members) }));
    } else {
        let remove = |id: &str| json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") });
        operations.extend(change.removed.iter().map(|(id, _)| remove(id)));
        if !change.added.is_empty() {
            operations.push(json!({ "op": "add", "path": "members", "value": members(&change.added) }));
        }
    }
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    let reply = scim.send(Method::PATCH, &path, &body).await?;
    ensure!(
        matches!(reply.status, StatusCode::OK | StatusCode::NO_CONTENT),
        "{body} answered {} {}",
        reply.status,
        reply.body
    );
    ensure!(reply.body == Value::Null || reply.body["id"] == change.id.as_str(), "another group: {}", reply.body);
    Ok(())
}
