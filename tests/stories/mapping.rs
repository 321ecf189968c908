//! An admin changes the mapping: tries a draft, saves it, sees who is held, lets it through, goes back.

use std::fs;
use std::sync::Arc;

use anyhow::{Context, ensure};
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::{IdSource, TargetId, TenantId};
use rollcall_provisioning::time::ManualClock;
use rollcall_store::projection::{NewPlan, PlanScope, Wave};
use rollcall_store::{Ports, Store};
use rollcall_tests::{CliOutput, Reply};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::company::Company;
use crate::drivers::Driver;
use crate::idp::Idp;
use crate::setup::Setup;
use crate::staff::{replace, somebody};
use crate::world::World;

const HR: &str = "urn:example:hr:2.0:User";

/// Ids for one plan.
#[derive(Debug)]
struct OneId;

impl IdSource for OneId {
    fn new_id(&self) -> Uuid {
        Uuid::from_u128(0x5a)
    }
}

/// Makes a plan of what this holds, and applies it.
async fn apply(world: &World, held_by: &str) -> anyhow::Result<()> {
    let (tenant, target, now): (Uuid, Uuid, OffsetDateTime) =
        sqlx::query_as("SELECT tenant_id, id, now() FROM targets").fetch_one(world.database.pool()).await?;
    let ports = Ports { clock: Arc::new(ManualClock::new(now)), ids: Arc::new(OneId) };
    let store = Store::connect(world.database.url(), 1, ports).await?;
    let scope = PlanScope { resources: Vec::new(), held_by: Some(held_by.to_owned()) };
    let new = NewPlan { target: TargetId(target), scope: &scope, guards: &Guards::default(), by: "story" };
    let made = store.make_plan(TenantId(tenant), &new).await?;
    store.apply_plan(TenantId(tenant), made, &Wave::All, "story").await?;
    store.tell_workers().await?;
    Ok(())
}

/// Writes a document into the folder that commands run in.
fn write(world: &World, name: &str, text: &str) -> anyhow::Result<()> {
    Ok(fs::write(world.folder().join(name), text)?)
}

fn exit(what: &str, output: &CliOutput, code: i32) -> anyhow::Result<String> {
    let said = format!("{}{}", output.stdout, output.stderr);
    ensure!(output.status.code() == Some(code), "{what} ended with {}: {said}", output.status);
    Ok(said)
}

async fn title(world: &World, number: usize) -> anyhow::Result<Value> {
    Ok(world.member(number).await?.with_context(|| format!("{number} is at DingTalk"))?["title"].clone())
}

#[tokio::test]
async fn a_draft_is_tried_saved_let_through_and_taken_back() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 0..3 {
        let mut person = somebody(number);
        if number != 1 {
            person["title"] = json!("clerk");
        }
        ids.push(world.join(&person).await?);
    }
    world.settled().await?;

    // What is shown can be saved again, and says the same.
    let shown = world.shell(&["mapping", "show", "--toml"]).await?;
    write(&world, "mapping.toml", &shown.stdout)?;
    exit("diff", &world.shell(&["mapping", "diff", "mapping.toml"]).await?, 0)?;
    let same = world.cli(&["mapping", "save", "mapping.toml"]).await?;
    assert_eq!((&same["saved"], &same["version"]), (&json!(false), &json!(0)));

    let scope =
        "\n[[scope]]\nname = \"not the third\"\nwhen = 'user.userName.startsWith(\"somebody.2@\")'\ninclude = false\n";
    let draft = format!("{}{scope}", shown.stdout.replace("\"user.title\"", "\"upper(user.title)\""));
    write(&world, "draft.toml", &draft)?;
    // A title is asked for that nobody has: line and column of the value in the file.
    write(&world, "bad.toml", &draft.replace("upper(user.title)", "upper(user.titel)"))?;
    let line = draft.lines().position(|line| line.contains("upper(")).context("the rule is written")? + 1;
    for command in ["check", "save", "test", "preview"] {
        let said = exit(command, &world.shell(&["mapping", command, "bad.toml"]).await?, 1)?;
        assert!(said.contains(&format!("bad.toml:{line}:9: /account/title/value")), "{command}: {said}");
        assert!(said.contains("title"), "{command}: {said}");
    }
    write(&world, "broken.toml", "[account\n")?;
    let said = exit("check", &world.shell(&["mapping", "check", "broken.toml"]).await?, 1)?;
    assert!(said.contains("broken.toml:1:"), "{said}");
    assert_eq!(world.rest("/mapping").await?["version"], 0, "nothing was saved");

    let preview = ["mapping", "preview", "draft.toml", "--user", "somebody.0@corp.example"];
    let said = exit("preview", &world.shell(&preview).await?, 0)?;
    assert!(said.contains("title = \"CLERK\"") && said.contains("1 left out: not the third"), "{said}");
    let seen = world.cli(&preview).await?;
    let effect = &seen["targets"][0];
    let counted = (&effect["created"], &effect["changed"], &effect["removed"], &effect["unchanged"]);
    assert_eq!(counted, (&json!(0), &json!(1), &json!(1), &json!(1)), "{seen}");
    assert_eq!(effect["attributes"], json!({ "title": 1 }));
    exit("diff", &world.shell(&["mapping", "diff", "draft.toml"]).await?, 2)?;

    let calls = world.all_calls().await?.len();
    let saved = world.cli(&["mapping", "save", "draft.toml", "--note", "Capitals", "--after", "0"]).await?;
    assert_eq!((&saved["version"], &saved["plans"][0]["held_by"]), (&json!(1), &json!("mapping:1")));
    let late = world.shell(&["mapping", "save", "mapping.toml", "--after", "0"]).await?;
    assert!(exit("late", &late, 1)?.contains("version 1 of the mapping counts by now"));
    for id in [&ids[0], &ids[2]] {
        let held = world.until_state(id, "held").await?;
        assert!(held["reason"].as_str().is_some_and(|reason| reason.contains("Version 1")), "{held}");
    }
    world.until_state(&ids[1], "in_step").await?;
    let sent = world.all_calls().await?.into_iter().skip(calls).filter(|call| call["committed"] == true);
    assert_eq!(
        sent.map(|call| call["api"].clone()).collect::<Vec<_>>(),
        Vec::<Value>::new(),
        "nothing is sent by saving"
    );

    apply(&world, "mapping:1").await?;
    world.until_state(&ids[0], "in_step").await?;
    world.until_state(&ids[2], "gone").await?;
    assert_eq!(title(&world, 0).await?, "CLERK");
    assert!(world.member(2).await?.is_none(), "who is left out is gone");

    let back = world.cli(&["mapping", "revert", "0"]).await?;
    assert_eq!((&back["version"], &back["previous"]), (&json!(2), &json!(1)), "{back}");
    world.until_state(&ids[0], "held").await?;
    assert_eq!(title(&world, 0).await?, "CLERK", "going back waits for a plan too");
    let versions = world.cli(&["mapping", "versions"]).await?;
    let notes: Vec<&Value> = versions["data"].as_array().into_iter().flatten().map(|one| &one["note"]).collect();
    assert_eq!(notes, [&json!("Back to version 0"), &json!("Capitals")]);
    Ok(())
}

#[tokio::test]
async fn an_attribute_of_ones_own_schema_reaches_dingtalk() -> anyhow::Result<()> {
    let world = World::start().await?;
    let api = world.rest_of(&world.tenant)?;
    let schema = json!({ "id": HR, "name": "HR", "attributes": [{ "name": "shirt", "type": "string" }] });
    let made = api.post("/schemas", &json!({ "resource_type": "User", "schema": schema })).await?;
    ensure!(made.status == 201, "{}", made.body);
    let mut document = world.rest("/mapping").await?["document"].clone();
    document["account"]["extension.shirt size"] =
        json!({ "value": format!("extensions[\"{HR}\"].shirt"), "blank": "clear" });
    let saved = api.put("/mapping", &json!({ "document": document })).await?;
    ensure!(saved.status == 200, "{}", saved.body);
    let mut person = somebody(0);
    person[HR] = json!({ "shirt": "XL" });
    let id = world.join(&person).await?;
    world.until_state(&id, "in_step").await?;
    let member = world.member(0).await?.context("they joined")?;
    assert!(member["extension"].to_string().contains("XL"), "{member}");
    world.change(&id, replace(&format!("{HR}:shirt"), "M")).await?;
    world.settled().await?;
    let member = world.member(0).await?.context("they stay")?;
    assert!(
        member["extension"].to_string().contains("\\\"M\\\"") || member["extension"]["shirt size"] == "M",
        "{member}"
    );
    Ok(())
}

#[tokio::test]
async fn of_two_authors_one_is_told_about_the_other() -> anyhow::Result<()> {
    let world = World::start().await?;
    let api = world.rest_of(&world.tenant)?.with_header("If-Match", "W/\"0\"")?;
    let document = world.rest("/mapping").await?["document"].clone();
    let draft = |expression: &str| {
        let mut draft = document.clone();
        draft["account"]["title"]["value"] = json!(expression);
        json!({ "document": draft })
    };
    let (one, two) = (draft("upper(user.title)"), draft("lower(user.title)"));
    let (one, two): (Reply, Reply) = tokio::try_join!(api.put("/mapping", &one), api.put("/mapping", &two))?;
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{} {}", one.body, two.body);
    assert_eq!(world.rest("/mapping").await?["version"], 1);
    Ok(())
}

/// What the default document makes of people as Okta and Entra push them: what each is at the identity provider, and nothing
/// else.
#[tokio::test]
async fn the_default_document_maps_people_of_okta_and_of_entra() -> anyhow::Result<()> {
    for driver in [Driver::OktaWizard, Driver::OktaCatalogue, Driver::Entra, Driver::EntraWithFlag] {
        let setup = Setup { profile: driver.profile(), client: driver.client(), ..Setup::default() };
        let world = World::with(setup).await?;
        let mut idp = Idp::new(driver, world.scim()?);
        let [company, ..] = Company::chapters(24, 4);
        idp.push(&company).await?;
        for person in company.people.iter().take(12) {
            let found = world.rest(&format!("/users/{}/explain", idp.id(person.number)?)).await?;
            let mapping = &found["mapping"];
            let id = idp.id(person.number)?;
            let manager = person.manager.map(|number| idp.id(number)).transpose()?;
            let rows = [
                ("/attributes/name", json!(person.display_name())),
                ("/attributes/mobile", json!(person.mobile_at_dingtalk())),
                ("/attributes/email", json!(person.user_name)),
                ("/attributes/title", json!(person.title)),
                ("/attributes/job_number", json!(person.job_number())),
                ("/attributes/telephone", Value::Null),
                ("/places", json!([person.department.2.split('/').collect::<Vec<_>>()])),
                ("/userid", json!(id.replace('-', ""))),
                ("/kind", json!("normal")),
                ("/included", json!(true)),
                ("/blocked", json!(false)),
                ("/findings", json!([])),
            ];
            for (pointer, expected) in rows {
                let got = mapping.pointer(pointer).cloned().unwrap_or_default();
                assert_eq!(got, expected, "{driver:?} {} {pointer}: {mapping}", person.number);
            }
            assert_eq!(mapping["manager"].as_str(), manager, "{driver:?} {}: {mapping}", person.number);
        }
    }
    Ok(())
}
