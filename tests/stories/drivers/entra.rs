//! What Entra does in both dialects: test connection, look-ups, creations.

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ENTERPRISE, GROUP, USER};
use crate::company::{Group, Person};
use crate::endpoint::Endpoint;

/// The second URN that Entra gives its groups; it means nothing to anybody else.
const ADSCIM_GROUP: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

/// Entra looks for a user and a group that cannot exist, and wants two empty lists.
pub(super) async fn test_connection(scim: &Endpoint) -> anyhow::Result<()> {
    let nobody = "userName eq \"8f5f2d9c-1f0e-4b4e-9c55-4f1c1c6f8d0a\"";
    ensure!(scim.find("/Users", "", nobody).await?.is_none(), "somebody has a random name");
    let nothing = "displayName eq \"0b6f3c2e-5a39-4dd1-8a4a-0b5d6d2a9f11\"";
    ensure!(scim.find("/Groups", "excludedAttributes=members&", nothing).await?.is_none(), "a group has a random name");
    Ok(())
}

/// Unmapped attributes come as nulls, some of the enterprise extension at the top level. The manager comes later.
pub(super) async fn create(scim: &Endpoint, person: &Person) -> anyhow::Result<Option<String>> {
    let body = json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": format!("person.{:04}", person.number),
        "userName": person.user_name,
        "active": true,
        "addresses": null,
        "displayName": person.display_name(),
        "emails": [{ "primary": true, "type": "work", "value": person.user_name }],
        "meta": { "resourceType": "User" },
        "name": {
            "formatted": person.display_name(), "familyName": person.family, "givenName": person.given,
        },
        "phoneNumbers": [{ "type": "mobile", "value": person.mobile() }],
        "preferredLanguage": null,
        "roles": [],
        "title": person.title,
        "department": null,
        "manager": null,
        ENTERPRISE: {
            "employeeNumber": person.job_number(),
            "division": person.department.0,
            "department": person.department.1,
        },
    });
    let reply = scim.send(Method::POST, "/Users", &body).await?;
    if reply.status == StatusCode::CONFLICT {
        return Ok(None);
    }
    ensure!(reply.status == StatusCode::CREATED, "{body} answered {} {}", reply.status, reply.body);
    ensure!(reply.body["userName"] == person.user_name.as_str(), "the name is not as it was sent: {}", reply.body);
    ensure!(reply.body["active"] == true, "not active: {}", reply.body);
    Ok(Some(reply.text("/id")?.to_owned()))
}

pub(super) async fn create_group(scim: &Endpoint, group: &Group) -> anyhow::Result<String> {
    let filter = format!("displayName eq {}", Value::from(group.name.as_str()));
    let look_up = async || -> anyhow::Result<Option<String>> {
        let found = scim.find("/Groups", "excludedAttributes=members&", &filter).await?;
        ensure!(found.as_ref().is_none_or(|group| group.get("members").is_none()), "members although excluded");
        Ok(found.and_then(|group| Some(group["id"].as_str()?.to_owned())))
    };
    if let Some(id) = look_up().await? {
        return Ok(id);
    }
    let body = json!({
        "schemas": [GROUP, ADSCIM_GROUP],
        "externalId": format!("object of {}", group.name),
        "displayName": group.name,
        "meta": { "resourceType": "Group" },
    });
    let reply = scim.send(Method::POST, "/Groups", &body).await?;
    if reply.status == StatusCode::CONFLICT {
        // The answer to an earlier try was lost.
        return look_up().await?.with_context(|| format!("409, but {filter} finds nothing"));
    }
    ensure!(reply.status == StatusCode::CREATED, "{body} answered {} {}", reply.status, reply.body);
    Ok(reply.text("/id")?.to_owned())
}
