//! The directory as the SCIM interface shows it, without what differs between two runs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::Value;

use crate::dingtalk::differences_of_maps;
use crate::drivers::ENTERPRISE;
use crate::endpoint::Endpoint;

/// Everybody and every group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    /// By employee number.
    pub(crate) people: BTreeMap<String, Entry>,
    /// Employee numbers of members, by the group's name.
    pub(crate) groups: BTreeMap<String, BTreeSet<String>>,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) user_name: String,
    pub(crate) display_name: String,
    /// Given, family.
    pub(crate) name: (String, String),
    pub(crate) active: bool,
    pub(crate) title: String,
    /// The only one, of type `work`.
    pub(crate) email: String,
    /// The only telephone number, of type `mobile`.
    pub(crate) mobile: String,
    /// Division, department.
    pub(crate) department: (String, String),
    /// The manager's employee number.
    pub(crate) manager: Option<String>,
}

impl Directory {
    /// Reads everything page by page, as an import does.
    pub(crate) async fn read(scim: &Endpoint) -> anyhow::Result<Self> {
        let users = pages(scim, "/Users").await?;
        let number = |user: &Value| Some(user[ENTERPRISE]["employeeNumber"].as_str()?.to_owned());
        let numbers: BTreeMap<&str, String> =
            users.iter().filter_map(|user| Some((user["id"].as_str()?, number(user)?))).collect();
        ensure!(numbers.len() == users.len(), "somebody has no employee number, or is listed twice");
        let mut people = BTreeMap::new();
        for user in &users {
            let id = user["id"].as_str().unwrap_or_default();
            let entry = read_entry(user, &numbers)?;
            let number = numbers.get(id).cloned().unwrap_or_default();
            ensure!(people.insert(number, entry).is_none(), "there is somebody twice: {user}");
        }
        let mut groups = BTreeMap::new();
        for group in pages(scim, "/Groups").await? {
            let name = group["displayName"].as_str().context("a group without a name")?.to_owned();
            let members = group["members"].as_array().into_iter().flatten();
            let known = |member: &Value| numbers.get(member["value"].as_str()?).cloned();
            let members: Option<BTreeSet<String>> = members.map(known).collect();
            let members = members.with_context(|| format!("a member who is nobody: {group}"))?;
            ensure!(groups.insert(name, members).is_none(), "a group is there twice: {group}");
        }
        Ok(Self { people, groups })
    }

    /// Where two states differ, line by line; empty when they agree.
    pub(crate) fn differences(&self, found: &Self) -> String {
        let mut lines = differences_of_maps(&self.people, &found.people);
        lines.extend(differences_of_maps(&self.groups, &found.groups));
        lines.join("\n")
    }
}

async fn pages(scim: &Endpoint, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    loop {
        let reply = scim.get(&format!("{path}?startIndex={}&count=100", all.len() + 1)).await?;
        ensure!(reply.status == StatusCode::OK, "{path} answered {} {}", reply.status, reply.body);
        let page = reply.body["Resources"].as_array().context("a page without Resources")?.clone();
        let total = reply.body["totalResults"].as_u64().context("a page without a total")?;
        ensure!(!page.is_empty() || u64::try_from(all.len())? >= total, "{path} stops before its total");
        all.extend(page);
        if u64::try_from(all.len())? >= total {
            return Ok(all);
        }
    }
}

fn read_entry(user: &Value, numbers: &BTreeMap<&str, String>) -> anyhow::Result<Entry> {
    let text = |pointer: &str| -> anyhow::Result<String> {
        let text = user.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned).with_context(|| format!("no {pointer} in {user}"))
    };
    let only = |attribute: &str, kind: &str| -> anyhow::Result<String> {
        let values = user[attribute].as_array().with_context(|| format!("no {attribute} in {user}"))?;
        match values.as_slice() {
            [value] if value["type"] == kind => Ok(value["value"].as_str().unwrap_or_default().to_owned()),
            _ => anyhow::bail!("{attribute} of {user} is not one value of type {kind}"),
        }
    };
    let manager = &user[ENTERPRISE]["manager"];
    let manager = (!manager.is_null()).then(|| {
        let id = manager["value"].as_str().with_context(|| format!("the manager is no complex value: {user}"))?;
        numbers.get(id).cloned().with_context(|| format!("the manager is nobody: {user}"))
    });
    Ok(Entry {
        user_name: text("/userName")?,
        display_name: text("/displayName")?,
        name: (text("/name/givenName")?, text("/name/familyName")?),
        active: user["active"].as_bool().with_context(|| format!("active is no boolean: {user}"))?,
        title: text("/title")?,
        email: only("emails", "work")?,
        mobile: only("phoneNumbers", "mobile")?,
        department: (
            user[ENTERPRISE]["division"].as_str().unwrap_or_default().to_owned(),
            user[ENTERPRISE]["department"].as_str().unwrap_or_default().to_owned(),
        ),
        manager: manager.transpose()?,
    })
}
