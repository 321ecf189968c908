//! Entra's two dialects of PATCH: without a flag, and with `aadOptscim062020`.

use anyhow::ensure;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{ENTERPRISE, GroupChange, Known, PATCH_OP};
use crate::endpoint::Endpoint;

/// The attributes that differ, by path. Those whose path has a filter are in the second list.
type Changes = (Vec<(String, String)>, Vec<(String, String)>);

fn changes(before: &Known, after: &Known) -> Changes {
    let (old, new) = (&before.person, &after.person);
    let plain = [
        ("userName".to_owned(), old.user_name.clone(), new.user_name.clone()),
        ("displayName".to_owned(), old.display_name(), new.display_name()),
        ("name.givenName".to_owned(), old.given.clone(), new.given.clone()),
        ("name.familyName".to_owned(), old.family.clone(), new.family.clone()),
        ("name.formatted".to_owned(), old.display_name(), new.display_name()),
        ("title".to_owned(), old.title.clone(), new.title.clone()),
        (format!("{ENTERPRISE}:division"), old.department.0.to_owned(), new.department.0.to_owned()),
        (format!("{ENTERPRISE}:department"), old.department.1.to_owned(), new.department.1.to_owned()),
    ];
    let filtered = [
        ("emails[type eq \"work\"].value".to_owned(), old.user_name.clone(), new.user_name.clone()),
        ("phoneNumbers[type eq \"mobile\"].value".to_owned(), old.mobile(), new.mobile()),
    ];
    let differing = |list: &[(String, String, String)]| {
        let list = list.iter().filter(|(_, old, new)| old != new);
        list.map(|(path, _, new)| (path.clone(), new.clone())).collect()
    };
    (differing(&plain), differing(&filtered))
}

/// One capitalised operation for each attribute. The manager is added in a request of its own, under its bare name and
/// as an array.
pub(super) async fn update(scim: &Endpoint, before: &Known, after: &Known) -> anyhow::Result<()> {
    let (plain, filtered) = changes(before, after);
    let operation = |(path, value)| json!({ "op": "Replace", "path": path, "value": value });
    let operations: Vec<Value> = plain.into_iter().chain(filtered).map(operation).collect();
    patch_user(scim, &after.id, operations).await?;
    let Some(manager) = after.manager_id.as_ref().filter(|_| after.manager_id != before.manager_id) else {
        return Ok(());
    };
    let value = json!([{ "$ref": format!("https://rollcall.example/scim/v2/Users/{manager}"), "value": manager }]);
    patch_user(scim, &after.id, vec![json!({ "op": "Add", "path": "manager", "value": value })]).await?;
    // The reference check of older clients, with bare names.
    let filter = format!("id eq \"{}\" and manager eq \"{manager}\"", after.id);
    let found = scim.find("/Users", "attributes=id&", &filter).await?;
    ensure!(found.is_some(), "the manager of {} was accepted and is not found", after.id);
    Ok(())
}

/// Attributes with plain paths together in one replace without a path, with dotted and URN keys.
pub(super) async fn update_with_flag(scim: &Endpoint, before: &Known, after: &Known) -> anyhow::Result<()> {
    let (plain, filtered) = changes(before, after);
    let mut operations = Vec::new();
    if !plain.is_empty() {
        let value: Map<String, Value> = plain.into_iter().map(|(path, value)| (path, json!(value))).collect();
        operations.push(json!({ "op": "replace", "value": value }));
    }
    let operation = |(path, value)| json!({ "op": "replace", "path": path, "value": value });
    operations.extend(filtered.into_iter().map(operation));
    if let Some(manager) = after.manager_id.as_ref().filter(|_| after.manager_id != before.manager_id) {
        operations.push(json!({ "op": "add", "path": format!("{ENTERPRISE}:manager"), "value": manager }));
    }
    patch_user(scim, &after.id, operations).await
}

async fn patch_user(scim: &Endpoint, id: &str, operations: Vec<Value>) -> anyhow::Result<()> {
    if operations.is_empty() {
        return Ok(());
    }
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    let reply = scim.expect(StatusCode::OK, Method::PATCH, &format!("/Users/{id}"), &body).await?;
    ensure!(reply.body["id"] == id, "another user: {}", reply.body);
    Ok(())
}

/// A string without the flag, a boolean with it.
pub(super) async fn set_active(scim: &Endpoint, id: &str, active: bool, flag: bool) -> anyhow::Result<()> {
    let operation = match (flag, active) {
        (true, _) => json!({ "op": "replace", "path": "active", "value": active }),
        (false, true) => json!({ "op": "Replace", "path": "active", "value": "True" }),
        (false, false) => json!({ "op": "Replace", "path": "active", "value": "False" }),
    };
    let body = json!({ "schemas": [PATCH_OP], "Operations": [operation] });
    let reply = scim.expect(StatusCode::OK, Method::PATCH, &format!("/Users/{id}"), &body).await?;
    ensure!(reply.body["active"] == active, "active is not as it was sent: {}", reply.body);
    Ok(())
}

/// Renames, then adds members, then removes them. Without the flag a removal carries its members as a value; with it
/// they stand in the path.
pub(super) async fn change_group(scim: &Endpoint, change: &GroupChange, flag: bool) -> anyhow::Result<()> {
    if change.before.name != change.after.name {
        let name = &change.after.name;
        let operation = if flag {
            json!({ "op": "replace", "value": { "displayName": name } })
        } else {
            json!({ "op": "Replace", "path": "displayName", "value": name })
        };
        patch_group(scim, change, vec![operation]).await?;
    }
    let add = |(id, _): &(String, String)| {
        if flag {
            json!({ "op": "add", "path": "members", "value": [{ "value": id }] })
        } else {
            json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": id }] })
        }
    };
    let remove = |(id, _): &(String, String)| {
        if flag {
            json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
        } else {
            json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": id }] })
        }
    };
    // Several operations in a request, as Entra does when many members change.
    for pairs in change.added.chunks(20) {
        patch_group(scim, change, pairs.iter().map(add).collect()).await?;
    }
    for pairs in change.removed.chunks(20) {
        patch_group(scim, change, pairs.iter().map(remove).collect()).await?;
    }
    if let Some((id, _)) = change.members.first() {
        let filter = format!("id eq \"{}\" and members eq \"{id}\"", change.id);
        let found = scim.find("/Groups", "excludedAttributes=members&", &filter).await?;
        ensure!(found.is_some(), "member {id} of group {} was accepted and is not found", change.id);
    }
    Ok(())
}

async fn patch_group(scim: &Endpoint, change: &GroupChange, operations: Vec<Value>) -> anyhow::Result<()> {
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    let reply = scim.expect(StatusCode::NO_CONTENT, Method::PATCH, &format!("/Groups/{}", change.id), &body).await?;
    ensure!(reply.body == Value::Null, "204 with a body: {}", reply.body);
    Ok(())
}
