//! Groups for tests: pushing them, changing who is in them, saying what they become, and seeing what they became.

use std::collections::BTreeSet;

use anyhow::Context;
use rollcall_provisioning::entity;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::{Choice, Mapping};
use rollcall_scim::patch::{Detached, DetachedChange};
use rollcall_scim::resource::Resource;
use rollcall_store::groups::{GroupUpdate, StoredGroup};
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::GroupChoice;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::fake::text;
use crate::world::{Never, World};

/// A role or chat at the target, by names instead of ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SeenCircle {
    pub(crate) is_chat: bool,
    pub(crate) name: String,
    pub(crate) role_group: String,
    pub(crate) owner: String,
    pub(crate) members: Vec<String>,
}

/// Groups `Role …` become roles, `Chat …` chats and `Unit …` departments.
pub(crate) fn rules() -> Value {
    let rule = |becomes: &str| {
        let word = match becomes {
            "role" => "Role ",
            "chat" => "Chat ",
            _ => "Unit ",
        };
        let name = format!("replace(group.displayName, \"{word}\", \"\")");
        let (member, name) =
            if becomes == "department" { ("path", format!("[\"Teams\", {name}]")) } else { ("called", name) };
        json!({
            "name": format!("{becomes}s"), "becomes": becomes, member: name,
            "when": format!("group.displayName.startsWith(\"{word}\")"),
        })
    };
    json!([rule("role"), rule("chat"), rule("department")])
}

fn resource(name: &str) -> Resource {
    let mut map = Map::new();
    map.insert("displayName".to_owned(), json!(name));
    Resource::from_map(map)
}

fn elements(members: &[ResourceId]) -> Vec<Value> {
    members.iter().map(|id| json!({ "value": id.0.to_string() })).collect()
}

impl World {
    /// Saves the default document with these rules for groups, the members of each changed by `edit`.
    pub(crate) async fn group_rules(&self, edit: impl Fn(&mut Value)) -> anyhow::Result<()> {
        let mut rules = rules();
        rules.as_array_mut().into_iter().flatten().for_each(edit);
        self.save_rules(&rules).await
    }

    pub(crate) async fn save_rules(&self, rules: &Value) -> anyhow::Result<()> {
        let mut document = Mapping::default_document();
        if let Some(sections) = document.as_object_mut() {
            sections.insert("groups".to_owned(), rules.clone());
        }
        let new = NewMapping { document: &document, note: "", by: "ann", after: None };
        self.store.save_mapping(self.tenant, &new).await?;
        Ok(())
    }

    pub(crate) async fn group(&self, name: &str, members: &[ResourceId]) -> anyhow::Result<ResourceId> {
        let members: Vec<String> = members.iter().map(|id| id.0.to_string()).collect();
        Ok(self.store.create_group(&self.actor(), resource(name), &members).await?.id)
    }

    async fn change_group(&self, id: ResourceId, name: Option<&str>, changes: Vec<Detached>) -> anyhow::Result<()> {
        let change = |group: &StoredGroup| {
            let renamed = name.map_or_else(|| group.resource.clone(), resource);
            let changes = changes.iter().cloned();
            let changes = changes.map(|change| DetachedChange { attribute: "members".to_owned(), change });
            Ok::<_, Never>((renamed, changes.collect::<Vec<_>>()))
        };
        let done = self.store.update_group(&self.actor(), id, GroupUpdate::default(), change).await;
        done.map(drop).map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    pub(crate) async fn rename_group(&self, id: ResourceId, name: &str) -> anyhow::Result<()> {
        self.change_group(id, Some(name), Vec::new()).await
    }

    pub(crate) async fn add(&self, id: ResourceId, members: &[ResourceId]) -> anyhow::Result<()> {
        self.change_group(id, None, vec![Detached::Add(elements(members))]).await
    }

    pub(crate) async fn remove(&self, id: ResourceId, members: &[ResourceId]) -> anyhow::Result<()> {
        self.change_group(id, None, vec![Detached::RemoveValues(elements(members))]).await
    }

    pub(crate) async fn delete_group(&self, id: ResourceId) -> anyhow::Result<()> {
        let end = self.store.delete_group(&self.actor(), id, |_| Ok::<_, Never>(())).await;
        end.map_err(|error| anyhow::anyhow!("{error:?}"))
    }

    pub(crate) async fn choose(&self, group: ResourceId, choice: Option<Value>) -> anyhow::Result<()> {
        let choice = choice.map(|choice| Choice::parse(&choice)).transpose()?;
        let new = GroupChoice { target: self.target, group, choice: choice.as_ref(), by: "ann", request_id: "by hand" };
        Ok(self.store.choose_group(self.tenant, &new).await?)
    }

    /// People of these names, each with an account.
    pub(crate) async fn people(&self, names: &[&str]) -> anyhow::Result<Vec<ResourceId>> {
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.person(name, json!({})).await?);
        }
        self.settle().await?;
        Ok(ids)
    }

    /// So many people who have had their accounts for long: written into the tables, because making that many takes long.
    pub(crate) async fn crowd_at_rest(&self, number: usize) -> anyhow::Result<Vec<ResourceId>> {
        let first = self.people(&["first"]).await?.into_iter().next().context("somebody is first")?;
        let more: Vec<(Uuid, String)> =
            (1..number).map(|n| (Uuid::from_u128((0x77 << 80) | n as u128), format!("copy{n}"))).collect();
        let (ids, names): (Vec<Uuid>, Vec<String>) = more.into_iter().unzip();
        for statement in [
            "INSERT INTO users (tenant_id, id, source_id, user_name_key, active, email_keys, attributes, version, created_at, modified_at)
             SELECT u.tenant_id, c.id, u.source_id, c.name, true, '{}',
                    u.attributes || jsonb_build_object('userName', c.name, 'displayName', c.name), 1, u.created_at, u.created_at
             FROM users u, unnest($3::uuid[], $4::text[]) AS c (id, name) WHERE u.tenant_id = $1 AND u.id = $2",
            "INSERT INTO links (tenant_id, target_id, resource_kind, resource_id, remote_id, observed, snapshot, updated_at)
             SELECT l.tenant_id, l.target_id, 'user', c.id, c.name, 'known', l.snapshot || jsonb_build_object('name', c.name), l.updated_at
             FROM links l, unnest($3::uuid[], $4::text[]) AS c (id, name) WHERE l.tenant_id = $1 AND l.resource_id = $2",
            "INSERT INTO deliveries (tenant_id, target_id, resource_kind, resource_id, done_mark, lane, state, mapping_version, updated_at)
             SELECT d.tenant_id, d.target_id, 'user', c.id, 1, 2, 'in_step', d.mapping_version, d.updated_at
             FROM deliveries d, unnest($3::uuid[], $4::text[]) AS c (id, name) WHERE d.tenant_id = $1 AND d.resource_id = $2",
        ] {
            sqlx::query(statement)
                .bind(self.tenant.0)
                .bind(first.0)
                .bind(&ids)
                .bind(&names)
                .execute(self.database.pool())
                .await?;
        }
        self.fake.holdings(|held| {
            let account = |name: &String| (name.clone(), [(entity::NAME.to_owned(), json!(name))].into());
            held.accounts.extend(names.iter().map(account));
        });
        Ok([first].into_iter().chain(ids.into_iter().map(ResourceId)).collect())
    }

    /// The roles and chats at the target, by their names.
    pub(crate) fn circles(&self) -> Vec<SeenCircle> {
        self.fake.holdings(|held| {
            let called = |id: &str| held.accounts.get(id).map_or(id, |account| text(account, entity::NAME)).to_owned();
            let mut seen: Vec<SeenCircle> = held
                .circles
                .values()
                .map(|circle| {
                    let names: BTreeSet<String> = circle.members.iter().map(|id| called(id)).collect();
                    SeenCircle {
                        is_chat: circle.is_chat,
                        name: text(&circle.attributes, entity::NAME).to_owned(),
                        role_group: text(&circle.attributes, entity::ROLE_GROUP).to_owned(),
                        owner: called(text(&circle.attributes, entity::OWNER)),
                        members: names.into_iter().collect(),
                    }
                })
                .collect();
            seen.sort_by(|one, other| one.name.cmp(&other.name));
            seen
        })
    }

    /// Who is in the only role or chat of this name.
    pub(crate) fn circle(&self, name: &str) -> anyhow::Result<SeenCircle> {
        let mut all = self.circles().into_iter().filter(|circle| circle.name == name);
        let found = all.next().with_context(|| format!("no role and no chat is called {name}"))?;
        anyhow::ensure!(all.next().is_none(), "there are two of the name {name}");
        Ok(found)
    }
}
