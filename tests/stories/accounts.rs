//! The kinds of account: enterprise accounts that are turned off and on, first passwords that are handed over once, and people
//! outside who are external contacts.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use rollcall_tests::wait_until;
use serde_json::{Value, json};

use crate::staff::{mobile, replace, somebody};
use crate::world::World;

const RULES: &str = r#"
[[kinds]]
name = "employees"
when = 'user.userType == "Employee"'
kind = "sso"

[[kinds]]
name = "operators"
when = 'user.userType == "Operator"'
kind = "dingtalk"

[[kinds]]
name = "partners"
when = 'user.userType == "Partner"'
kind = "contact"

[account.login_id]
value = '"login-" + enterprise.employeeNumber'

[contact.name]
value = "user.displayName"

[contact.mobile]
value = 'dingTalkPhone(typed(user.phoneNumbers, "mobile"), "CN")'

[contact.title]
value = "user.title"
blank = "clear"

[[leavers]]
name = "kept for a month"
removed_after_days = 30
"#;

/// An organisation with enterprise accounts, and the rules above.
async fn organisation() -> anyhow::Result<World> {
    let world = World::start().await?;
    let about = json!({ "enterprise_accounts": true });
    world.simulator.control(Method::PATCH, "organisation", Some(&about)).await?;
    let shown = world.text(&["mapping", "show", "--toml"]).await?;
    std::fs::write(world.folder().join("mapping.toml"), shown + RULES)?;
    world.text(&["mapping", "save", "mapping.toml", "--note", "kinds of account"]).await?;
    world.text(&["target", "set", "dingtalk", "--set", "enterprise_accounts=true"]).await?;
    world.nothing_is_too_much().await?;
    Ok(world)
}

fn of_type(number: usize, user_type: &str) -> Value {
    let mut person = somebody(number);
    person["userType"] = json!(user_type);
    person
}

/// The enterprise part of a member.
async fn exclusive(world: &World, number: usize) -> anyhow::Result<Value> {
    Ok(world.member(number).await?.with_context(|| format!("{number} is at DingTalk"))?["exclusive"].clone())
}

#[tokio::test]
async fn an_sso_account_is_turned_off_with_its_sessions_and_on_again() -> anyhow::Result<()> {
    let world = organisation().await?;
    let id = world.join(&of_type(1, "Employee")).await?;
    world.until_state(&id, "in_step").await?;
    let made = exclusive(&world, 1).await?;
    ensure!(made["kind"] == "sso" && made["disabled"] == false, "{made}");

    world.set_active(&id, false).await?;
    let standing = world.until_state(&id, "waiting").await?;
    ensure!(standing["reason"].as_str().is_some_and(|reason| reason.contains("removed on")), "{standing}");
    ensure!(exclusive(&world, 1).await?["disabled"] == true, "nobody signs in with it any more");
    let calls = world.all_calls().await?;
    let signed_out =
        calls.iter().any(|call| call["api"].as_str().is_some_and(|api| api.contains("orgAccounts/signOut")));
    ensure!(signed_out, "and whoever was signed in is out");

    world.set_active(&id, true).await?;
    world.until_state(&id, "in_step").await?;
    ensure!(exclusive(&world, 1).await?["disabled"] == false, "back with the same account");
    ensure!(world.committed("/topapi/v2/user/create").await?.len() == 1, "none was made anew");
    Ok(())
}

#[tokio::test]
async fn a_first_password_is_handed_over_once_and_stands_nowhere() -> anyhow::Result<()> {
    let world = organisation().await?;
    world.text(&["target", "set", "dingtalk", "--set", "send_initial_password=false"]).await?;
    let id = world.join(&of_type(1, "Operator")).await?;
    world.until_state(&id, "in_step").await?;
    let made = exclusive(&world, 1).await?;
    ensure!(made["kind"] == "dingtalk" && made["login_id"] == "login-S0001", "{made}");

    // It is sealed like every other secret, and stays readable when the key changes.
    let rotated = world.cli(&["secrets", "rotate"]).await?;
    ensure!(rotated["resealed"] == 2, "the target's secret and the password: {rotated}");
    let api = world.rest_of(&world.tenant)?;
    let path = format!("/users/{id}/first-password");
    let fetched = api.post(&path, &json!({})).await?;
    ensure!(fetched.status == StatusCode::OK, "{} {}", fetched.status, fetched.body);
    let password = fetched.body["data"][0]["password"].as_str().context("a password")?.to_owned();
    ensure!(
        fetched.body["data"][0]["userid"] == world.userid(1).await?.as_str(),
        "{}",
        fetched.body["data"][0]["userid"]
    );
    let calls = world.simulator.calls(0).await?;
    let sent = calls.iter().find(|call| call["api"] == "/topapi/v2/user/create").context("the account was made")?;
    ensure!(!password.is_empty() && sent["committed"] == true, "{sent}");

    let again = api.post(&path, &json!({})).await?;
    ensure!(again.status == StatusCode::NOT_FOUND, "{} {}", again.status, again.body);
    let refused = world.shell(&["first-password", "somebody.1@corp.example"]).await?;
    ensure!(!refused.status.success() && refused.stderr.contains("waits to be fetched"), "{}", refused.stderr);
    for path in ["/changes?limit=100", "/attempts?limit=100", &format!("/users/{id}/explain")] {
        ensure!(!world.rest(path).await?.to_string().contains(&password), "{path} shows the password");
    }
    ensure!(!world.logs().contains(&password), "the log shows the password");
    let log = world.rest(&format!("/changes?limit=100&resource={id}")).await?;
    let told = log["data"].as_array().into_iter().flatten().any(|entry| entry["operation"] == "first_password_fetched");
    ensure!(told, "the change log says who has fetched it: {log}");

    // DingTalk may tell it itself; then there is nothing to fetch.
    world.text(&["target", "set", "dingtalk", "--reset", "send_initial_password"]).await?;
    let second = world.join(&of_type(2, "Operator")).await?;
    world.until_state(&second, "in_step").await?;
    let none = api.post(&format!("/users/{second}/first-password"), &json!({})).await?;
    ensure!(none.status == StatusCode::NOT_FOUND, "{} {}", none.status, none.body);
    Ok(())
}

/// All external contacts.
async fn contacts(world: &World) -> anyhow::Result<Vec<Value>> {
    let state = world.simulator.state().await?;
    Ok(state["external_contacts"].as_array().cloned().unwrap_or_default())
}

#[tokio::test]
async fn a_partner_is_an_external_contact_and_becomes_a_member() -> anyhow::Result<()> {
    let world = organisation().await?;
    let partner = world.join(&of_type(1, "Partner")).await?;
    // A label and somebody who looks after them: DingTalk needs both, and the settings of the target can say so for all.
    let standing = world.until_state(&partner, "needs_attention").await?;
    ensure!(standing["reason"].as_str().is_some_and(|reason| reason.contains("settings of the target")), "{standing}");
    let colleague = world.join(&somebody(2)).await?;
    world.until_state(&colleague, "in_step").await?;
    let label = world.simulator.state().await?["label_groups"][0]["labels"][0]["id"].clone();
    let target = world.target().await?;
    let settings = json!({ "contact_label_ids": [label], "contact_follower": world.userid(2).await? });
    let set = world.rest_of(&world.tenant)?.patch(&format!("/targets/{target}/settings"), &settings).await?;
    ensure!(set.status == StatusCode::OK, "{} {}", set.status, set.body);
    world.until_state(&partner, "in_step").await?;
    let there = contacts(&world).await?;
    ensure!(
        there.len() == 1 && there[0]["name"] == "Somebody 1" && there[0]["label_ids"] == json!([label]),
        "{there:?}"
    );
    ensure!(world.member(1).await?.is_none(), "they have no account");

    world.change(&partner, replace("title", "Auditor")).await?;
    world.settled().await?;
    ensure!(contacts(&world).await?[0]["title"] == "Auditor", "{:?}", contacts(&world).await?);

    // Other rules change nothing before a plan does; what the source changes does not wait for that.
    let shown = world.text(&["mapping", "show", "--toml"]).await?;
    ensure!(shown.contains("[contact.title]"), "{shown}");
    let (head, tail) = shown.split_once("[contact.title]").context("titles of contacts have a rule")?;
    let capitals = format!("{head}[contact.title]{}", tail.replacen("user.title", "upper(user.title)", 1));
    std::fs::write(world.folder().join("capitals.toml"), capitals)?;
    world.text(&["mapping", "save", "capitals.toml", "--note", "capitals"]).await?;
    world.until_state(&partner, "held").await?;
    world.change(&partner, replace("displayName", "Somebody Else")).await?;
    wait_until(Duration::from_mins(1), "the name is changed", async || {
        Ok((contacts(&world).await?[0]["name"] == "Somebody Else").then_some(()))
    })
    .await?;
    world.until_state(&partner, "held").await?;
    ensure!(contacts(&world).await?[0]["title"] == "Auditor", "{:?}", contacts(&world).await?);
    let rest = world.rest_of(&world.tenant)?;
    let plan = rest.post(&format!("/targets/{target}/plans"), &json!({})).await?.body;
    let applied = rest
        .post(&format!("/plans/{}/apply", plan["id"].as_str().unwrap_or_default()), &json!({ "wave": "all" }))
        .await?;
    ensure!(applied.status == StatusCode::OK && applied.body["permitted"] == 1, "{}", applied.body);
    world.until_state(&partner, "in_step").await?;
    ensure!(contacts(&world).await?[0]["title"] == "AUDITOR", "{:?}", contacts(&world).await?);

    // Hired: the contact goes, and an account comes.
    world.change(&partner, replace("userType", "Member")).await?;
    world.settled().await?;
    ensure!(contacts(&world).await?.is_empty(), "{:?}", contacts(&world).await?);
    let member = world.member(1).await?.context("they are a member")?;
    ensure!(member["mobile"] == mobile(1).as_str(), "{member}");

    // And another one just leaves.
    let other = world.join(&of_type(3, "Partner")).await?;
    world.until_state(&other, "in_step").await?;
    world.set_active(&other, false).await?;
    world.until_state(&other, "gone").await?;
    ensure!(contacts(&world).await?.is_empty(), "{:?}", contacts(&world).await?);
    Ok(())
}

#[tokio::test]
async fn settings_of_a_target_that_cannot_be_used_are_told() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (api, target) = (world.rest_of(&world.tenant)?, world.target().await?);
    let path = format!("/targets/{target}/settings");
    for (patch, expected) in [
        (json!({ "enterprise_accounts": "yes" }), "\"enterprise_accounts\" must be true or false, and is \"yes\""),
        (json!({ "role_group": "默认" }), "\"role_group\" must not be 默认, whose roles no application can change"),
        (json!({ "calls_per_second": 61 }), "\"calls_per_second\" must be a number from 1 to 60, and is 61"),
        (json!({ "app_secret": "swordfish" }), "\"body\" holds \"app_secret\"; the settings are app_key, oapi_url"),
        (json!({ "app_key": null }), "\"app_key\" is missing"),
    ] {
        let refused = api.patch(&path, &patch).await?;
        let told = refused.body["detail"].as_str().unwrap_or_default();
        ensure!(
            refused.status == StatusCode::BAD_REQUEST && told.contains(expected),
            "{} {}",
            refused.status,
            refused.body
        );
        ensure!(!told.contains("swordfish"), "{told}");
    }
    let shown = world.rest(&path).await?;
    ensure!(shown["revision"] == 1, "nothing was changed: {shown}");
    let changed = api.patch(&path, &json!({ "registered_abroad": true, "corp_id": "dingcorp" })).await?;
    ensure!(changed.status == StatusCode::OK && changed.body["revision"] == 2, "{} {}", changed.status, changed.body);
    let log = world.rest("/changes?limit=10").await?;
    let entry = log["data"].as_array().into_iter().flatten().find(|entry| entry["kind"] == "target");
    let settings = entry.map(|entry| entry["details"]["settings"].clone()).unwrap_or_default();
    ensure!(settings["registered_abroad"]["to"] == true && settings["corp_id"]["to"] == "dingcorp", "{log}");
    Ok(())
}
