//! What both kinds of Okta app do: look up, create, and PUT the whole profile that they have read.

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ENTERPRISE, GROUP, Known, USER};
use crate::company::{Group, Person};
use crate::endpoint::Endpoint;

/// Okta asks for the first page of each kind.
pub(super) async fn test_connection(scim: &Endpoint) -> anyhow::Result<()> {
    for path in ["/Users?startIndex=1&count=2", "/Groups?startIndex=1&count=100"] {
        let reply = scim.get(path).await?;
        ensure!(reply.status == StatusCode::OK, "{path} answered {} {}", reply.status, reply.body);
        for number in ["totalResults", "startIndex", "itemsPerPage"] {
            ensure!(reply.body[number].is_u64(), "{number} is no number in {}", reply.body);
        }
    }
    Ok(())
}

/// The person with everything that the admin has mapped, among it the manager's id.
fn profile(person: &Person, manager_id: Option<&str>) -> Value {
    let mut enterprise = json!({
        "employeeNumber": person.job_number(),
        "division": person.department.0,
        "department": person.department.1,
    });
    if let Some(id) = manager_id {
        enterprise["manager"] = json!({ "value": id });
    }
    json!({
        "userName": person.user_name,
        "name": { "givenName": person.given, "familyName": person.family },
        "emails": [{ "primary": true, "value": person.user_name, "type": "work" }],
        "displayName": person.display_name(),
        "title": person.title,
        "phoneNumbers": [{ "value": person.mobile(), "type": "mobile" }],
        ENTERPRISE: enterprise,
    })
}

pub(super) async fn create(
    scim: &Endpoint,
    person: &Person,
    manager_id: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let mut body = profile(person, manager_id);
    body["schemas"] = json!([USER, ENTERPRISE]);
    body["locale"] = json!("en-US");
    body["externalId"] = json!(format!("00ub0oNGTSWTBK{:06}", person.number));
    body["groups"] = json!([]);
    body["password"] = json!("1mz050nq");
    body["active"] = json!(true);
    let reply = scim.send(Method::POST, "/Users", &body).await?;
    if reply.status == StatusCode::CONFLICT {
        return Ok(None);
    }
    ensure!(reply.status == StatusCode::CREATED, "{body} answered {} {}", reply.status, reply.body);
    ensure!(reply.body["userName"] == person.user_name.as_str(), "the name is not as it was sent: {}", reply.body);
    ensure!(reply.body["active"] == true, "not active: {}", reply.body);
    ensure!(reply.body.get("password").is_none(), "the password comes back: {}", reply.body);
    Ok(Some(reply.text("/id")?.to_owned()))
}

/// Okta reads the user, changes what it manages, and puts everything back, `id`, `groups` and `meta` included.
pub(super) async fn put_profile(scim: &Endpoint, known: &Known, active: bool) -> anyhow::Result<()> {
    let path = format!("/Users/{}", known.id);
    let mut user = scim.expect(StatusCode::OK, Method::GET, &path, &Value::Null).await?.body;
    let body = user.as_object_mut().context("a user is an object")?;
    let changes = profile(&known.person, known.manager_id.as_deref());
    body.extend(changes.as_object().cloned().unwrap_or_default());
    body.insert("active".to_owned(), json!(active));
    let reply = scim.expect(StatusCode::OK, Method::PUT, &path, &user).await?;
    ensure!(reply.body["id"] == known.id.as_str(), "another id: {}", reply.body);
    ensure!(reply.body["active"] == active, "active is not as it was sent: {}", reply.body);
    ensure!(reply.body["userName"] == known.person.user_name.as_str(), "another name: {}", reply.body);
    Ok(())
}

pub(super) async fn create_group(scim: &Endpoint, group: &Group) -> anyhow::Result<String> {
    let filter = format!("displayName eq {}", Value::from(group.name.as_str()));
    let found = scim.find("/Groups", "startIndex=1&count=100&", &filter).await?;
    if let Some(id) = found.as_ref().and_then(|group| group["id"].as_str()) {
        return Ok(id.to_owned());
    }
    let body = json!({ "schemas": [GROUP], "displayName": group.name, "members": [] });
    let reply = scim.send(Method::POST, "/Groups", &body).await?;
    if reply.status == StatusCode::CONFLICT {
        // The answer to an earlier try was lost.
        let found = scim.find("/Groups", "startIndex=1&count=100&", &filter).await?;
        let id = found.as_ref().and_then(|group| group["id"].as_str());
        return id.map(str::to_owned).with_context(|| format!("409, but {filter} finds nothing"));
    }
    ensure!(reply.status == StatusCode::CREATED, "{body} answered {} {}", reply.status, reply.body);
    Ok(reply.text("/id")?.to_owned())
}

/// Members as Okta writes them.
pub(super) fn members(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(id, name)| json!({ "value": id, "display": name })).collect()
}
