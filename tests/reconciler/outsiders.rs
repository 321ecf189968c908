//! People outside, who are external contacts: in no department, role or chat.

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity;
use rollcall_provisioning::mapping::Mapping;
use rollcall_store::mappings::NewMapping;
use serde_json::{Value, json};

use crate::fake::{Fate, refusal};
use crate::world::World;

/// The document that all begin with, in which partners are contacts, and groups what `groups` says.
async fn partners_are_contacts(world: &World, groups: Value) -> anyhow::Result<()> {
    let mut document = Mapping::default_document();
    if let Some(sections) = document.as_object_mut() {
        let kind = json!({ "name": "partners", "when": "user.userType == \"Partner\"", "kind": "contact" });
        let contact = json!({
            "name": { "value": "user.displayName" },
            "mobile": { "value": "dingTalkPhone(typed(user.phoneNumbers, \"mobile\"))" },
            "title": { "value": "user.title", "blank": "clear" },
        });
        sections.insert("kinds".to_owned(), json!([kind]));
        sections.insert("contact".to_owned(), contact);
        sections.insert("groups".to_owned(), groups);
    }
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    Ok(())
}

#[tokio::test]
async fn somebody_who_waits_for_a_department_and_becomes_a_contact_belongs_in_none() -> anyhow::Result<()> {
    let world = World::new().await?;
    partners_are_contacts(&world, json!([])).await?;
    world.fake.on("create org_unit Sales", 100, Fate::Refused(refusal(ErrorClass::Transient, "-1", None)));
    let ann = world.person("ann", json!({ "department": "Sales" })).await?;
    world
        .work(World::options("worker"), async {
            world.until("unit Sales", "retrying").await?;
            world.until("ann", "waiting").await
        })
        .await?;
    world.set(ann, json!({ "userType": "Partner" })).await?;
    world.work(World::options("worker"), world.until("ann", "in_step")).await?;
    world.fake.heal();
    world.settle().await?;
    assert_eq!(world.picture().await?.departments, Vec::<String>::new(), "{:?}", world.standings().await?);
    assert_eq!(world.fake.holdings(|held| (held.contacts.len(), held.accounts.len())), (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_group_with_a_contact_in_it_comes_to_rest() -> anyhow::Result<()> {
    let world = World::new().await?;
    partners_are_contacts(&world, json!([{ "name": "all", "when": "true", "becomes": "role" }])).await?;
    let ann = world.person("ann", json!({})).await?;
    let guest = world.person("guest", json!({ "userType": "Partner" })).await?;
    world.settle().await?;
    world.group("Readers", &[ann, guest]).await?;
    world.settle().await?;
    let roles = world.circles();
    assert_eq!(roles.iter().map(|role| role.members.clone()).collect::<Vec<_>>(), [vec!["ann".to_owned()]]);
    Ok(())
}

#[tokio::test]
async fn whoever_reports_to_a_contact_waits_until_that_one_has_an_account() -> anyhow::Result<()> {
    let world = World::new().await?;
    partners_are_contacts(&world, json!([])).await?;
    let boss = world.person("boss", json!({ "userType": "Partner" })).await?;
    world.settle().await?;
    world.person("ann", json!({ "manager": boss.0.to_string() })).await?;
    world.settle().await?;
    assert_eq!(world.states_of(&["ann", "boss"]).await?, ["in_step", "waiting"]);
    world.set(boss, json!({ "userType": null })).await?;
    world.settle().await?;
    assert_eq!(world.states_of(&["ann", "boss"]).await?, ["in_step", "in_step"]);
    let managers: Vec<String> =
        world.picture().await?.people.remove("ann").into_iter().flatten().map(|seen| seen.manager).collect();
    assert_eq!(managers, ["boss"]);
    Ok(())
}

/// A contact that somebody made by hand, with this number.
fn by_hand(world: &World, number: &str) {
    let texts = [(entity::NAME, "Guest"), (entity::MOBILE, number), (entity::ACCOUNT_KIND, "contact")];
    let attributes = texts.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect();
    world.fake.holdings(|held| held.contacts.insert("guest".to_owned(), attributes));
}

#[tokio::test]
async fn a_contact_of_the_same_number_is_left_alone_also_when_the_refusal_was_lost() -> anyhow::Result<()> {
    let world = World::new().await?;
    partners_are_contacts(&world, json!([])).await?;
    by_hand(&world, "13800000001");
    world.fake.on("create contact", 1, Fate::Lost { done: true });
    world.person("ann", json!({ "userType": "Partner", "mobile": "13800000001" })).await?;
    world.settle().await?;
    let standing = world.standing("ann").await?;
    assert_eq!((standing.state.as_str(), standing.error_code.as_deref()), ("needs_attention", Some("22005")));
    assert_eq!(world.fake.count("update contact"), 0);
    Ok(())
}

#[tokio::test]
async fn whose_number_another_contact_of_ours_had_follows_when_that_one_goes() -> anyhow::Result<()> {
    let world = World::new().await?;
    partners_are_contacts(&world, json!([])).await?;
    let ann = world.person("ann", json!({ "userType": "Partner", "mobile": "13800000001" })).await?;
    world.settle().await?;
    world.person("bob", json!({ "userType": "Partner", "mobile": "13800000001" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("bob").await?.state, "needs_attention");
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.states_of(&["ann", "bob"]).await?, ["gone", "in_step"]);
    Ok(())
}
