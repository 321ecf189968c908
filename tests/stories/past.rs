//! What was so at a moment in the past, and of one attribute.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::staff::{replace, somebody};
use crate::world::World;

fn value<'a>(then: &'a Value, attribute: &str) -> Option<&'a Value> {
    let all = then["targets"][0]["attributes"].as_array()?;
    all.iter().find(|value| value["attribute"] == attribute)
}

#[tokio::test]
async fn a_moment_in_the_past_is_explained_and_what_is_not_kept_is_said() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut person = somebody(1);
    person["title"] = json!("clerk");
    let before = world.rest("/targets").await?["data"][0]["id"].clone();
    let id = world.join(&person).await?;
    world.settled().await?;
    let made = world.rest(&format!("/attempts?resource={id}&limit=1")).await?["data"][0]["at"].clone();
    let made = made.as_str().context("a moment")?;
    world.change(&id, replace("title", "head")).await?;
    world.settled().await?;
    let request = world.standing(&id).await?["request_id"].clone();
    let changed = world.rest(&format!("/attempts?resource={id}&limit=1")).await?["data"][0]["at"].clone();
    let changed = changed.as_str().context("a moment")?;
    world.set_active(&id, false).await?;
    world.settled().await?;
    world.until_state(&id, "gone").await?;
    let explain = async |at: &str, rest: &str| world.rest(&format!("/users/{id}/explain?at={at}{rest}")).await;

    let then = explain("2020-01-01T00:00:00Z", "").await?;
    assert!(then["last_request"].is_null() && then["targets"][0]["account"] == false, "{then}");
    assert!(
        then["verdict"].as_str().is_some_and(|verdict| verdict.starts_with("The person was not in the directory yet."))
    );

    let then = explain(made, "").await?;
    assert_eq!((&then["targets"][0]["account"], &then["targets"][0]["target_id"]), (&json!(true), &before), "{then}");
    assert_eq!((&then["last_request"]["operation"], &then["last_request"]["version"]), (&json!("create"), &json!(1)));
    let title = value(&then, "title").context("the title was written")?;
    assert_eq!(
        (&title["value"], &title["written_at"], &title["mapping_version"]),
        (&json!("clerk"), &json!(made), &json!(0))
    );

    let then = explain(changed, "&attribute=title").await?;
    let title = value(&then, "title").context("the title was written")?;
    assert_eq!((&title["value"], &title["request_id"]), (&json!("head"), &request), "{then}");
    let accepted = then["targets"][0]["accepted"].as_array().context("steps")?;
    ensure!(
        accepted.len() == 2
            && accepted[0]["lines"] == json!([{ "attribute": "title", "before": "clerk", "after": "head" }]),
        "{then}"
    );
    assert_eq!(then["targets"][0]["attributes"].as_array().map(Vec::len), Some(1), "only the title: {then}");
    assert!(then["not_kept"][0].as_str().is_some_and(|said| said.contains("never a person's values")), "{then}");

    let now = explain("2099-01-01T00:00:00Z", "").await?;
    assert_eq!(now["targets"][0]["account"], false, "they have left: {now}");
    let said = world.text(&["explain", &id, "--at", changed, "--field", "title"]).await?;
    for part in [
        "1 Source     source ",
        "version 2",
        "3 Mapping    version 0",
        "4 Account    title = head   written ",
        "6 Changed    title: clerk → head",
        "- Not kept",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }

    let rest = world.rest_of(&world.tenant)?;
    for (query, status, word) in [
        ("at=yesterday", 400, "must be a moment such as"),
        ("attribute=shoe_size", 400, "which accounts do not have"),
        ("at=2026-01-01T00:00:00Z&target=0196f3a0-0000-7000-8000-000000000000", 404, "the target"),
    ] {
        let reply = rest.get(&format!("/users/{id}/explain?{query}")).await?;
        ensure!(reply.status.as_u16() == status, "{query}: {} {}", reply.status, reply.body);
        assert!(reply.body["detail"].as_str().is_some_and(|detail| detail.contains(word)), "{query}: {}", reply.body);
    }
    let nobody = rest.get("/users/0196f3a0-0000-7000-8000-000000000000/explain?at=2026-01-01T00:00:00Z").await?;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND, "{}", nobody.body);
    Ok(())
}

#[tokio::test]
async fn of_one_attribute_only_that_is_told() -> anyhow::Result<()> {
    let world = World::start().await?;
    let id = world.join(&somebody(1)).await?;
    world.settled().await?;
    let why = world.rest(&format!("/users/{id}/explain?attribute=mobile")).await?;
    let names: Vec<&str> =
        why["mapping"]["attributes"].as_object().context("attributes")?.keys().map(String::as_str).collect();
    assert_eq!(names, ["mobile"]);
    assert_eq!(why["mapping"]["traces"].as_array().map(Vec::len), Some(1), "{why}");
    let said = world.text(&["explain", "somebody.1@corp.example", "--field", "mobile"]).await?;
    assert!(said.contains("3 Mapping    mobile = ") && !said.contains("job_number"), "{said}");
    let wrong = world.shell(&["explain", "somebody.1@corp.example", "--field", "shoe_size"]).await?;
    assert!(!wrong.status.success() && wrong.stderr.contains("accounts have no attribute"), "{}", wrong.stderr);
    Ok(())
}
