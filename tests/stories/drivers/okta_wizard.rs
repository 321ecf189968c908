//! What only apps of Okta's integration wizard do: groups by PUT, with all their members.

use anyhow::ensure;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::okta::members;
use super::{GROUP, GroupChange};
use crate::endpoint::Endpoint;

pub(super) async fn change_group(scim: &Endpoint, change: &GroupChange) -> anyhow::Result<()> {
    let path = format!("/Groups/{}", change.id);
    let body = json!({
        "schemas": [GROUP],
        "id": change.id,
        "displayName": change.after.name,
        "members": members(&change.members),
    });
    let reply = scim.expect(StatusCode::OK, Method::PUT, &path, &body).await?;
    ensure!(reply.body["displayName"] == change.after.name.as_str(), "another name: {}", reply.body);
    Ok(())
}
