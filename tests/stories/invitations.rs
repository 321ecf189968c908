//! People who must be asked before they become members: DingTalk answers 40103, and nothing can be seen of them until
//! they accept.

use anyhow::ensure;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::staff::{mobile, replace, somebody};
use crate::world::World;

/// Somebody whose privacy setting makes DingTalk ask them.
async fn reserved(world: &World, number: usize) -> anyhow::Result<String> {
    let about = json!({ "mobile": mobile(number), "privacy": true });
    world.simulator.control(Method::POST, "people", Some(&about)).await?;
    let id = world.join(&somebody(number)).await?;
    let standing = world.until_state(&id, "waiting").await?;
    let reason = standing["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("invitation") && !standing["due_at"].is_null(), "it says what it waits for: {standing}");
    Ok(id)
}

#[tokio::test]
async fn an_invited_person_who_accepts_is_in_step() -> anyhow::Result<()> {
    let world = World::start().await?;
    // DingTalk does not promise to keep the userid that we asked for.
    let switch = json!({ "invitation_keeps_userid": false });
    world.simulator.control(Method::PATCH, "switches", Some(&switch)).await?;
    let id = reserved(&world, 1).await?;
    ensure!(world.member(1).await?.is_none(), "nobody is there yet");
    // What changes meanwhile is not forgotten.
    world.change(&id, replace("title", "Analyst")).await?;
    let userid = world.simulator.accept_invitation(&mobile(1)).await?;
    world.retry(&id).await?;
    world.until_state(&id, "in_step").await?;
    let member = world.member(1).await?.unwrap_or_default();
    ensure!(member["userid"] == userid.as_str() && member["title"] == "Analyst", "{member}");
    // From now on it is an account like any other.
    world.change(&id, replace("title", "Senior Analyst")).await?;
    world.until_state(&id, "in_step").await?;
    ensure!(world.member(1).await?.unwrap_or_default()["title"] == "Senior Analyst");
    world.set_active(&id, false).await?;
    world.until_state(&id, "gone").await?;
    ensure!(world.member(1).await?.is_none(), "the leaver is gone under the id that DingTalk chose");
    Ok(())
}

#[tokio::test]
async fn an_invited_person_who_declines_is_still_waited_for() -> anyhow::Result<()> {
    let world = World::start().await?;
    let id = reserved(&world, 1).await?;
    world.simulator.control(Method::POST, &format!("invitations/{}/decline", mobile(1)), None).await?;
    let before = world.simulator.stats().await?.calls;
    world.retry(&id).await?;
    world.settled().await?;
    let standing = world.standing(&id).await?;
    ensure!(standing["state"] == "waiting", "{standing}");
    ensure!(world.simulator.stats().await?.calls > before, "it was looked at");
    ensure!(world.member(1).await?.is_none(), "nobody is there");
    Ok(())
}

#[tokio::test]
async fn a_second_number_is_a_second_invitation_or_none() -> anyhow::Result<()> {
    let world = World::start().await?;
    let id = reserved(&world, 1).await?;
    world.change(&id, replace(crate::staff::MOBILE, mobile(2))).await?;
    world.until_state(&id, "in_step").await?;
    let member = world.member(1).await?.unwrap_or_default();
    ensure!(member["mobile"] == mobile(2).as_str(), "{member}");
    Ok(())
}

#[tokio::test]
async fn who_leaves_and_returns_on_the_first_day_is_asked() -> anyhow::Result<()> {
    let world = World::start().await?;
    let id = world.join(&somebody(1)).await?;
    world.until_state(&id, "in_step").await?;
    world.set_active(&id, false).await?;
    world.until_state(&id, "gone").await?;
    world.set_active(&id, true).await?;
    let standing = world.until_state(&id, "waiting").await?;
    let reason = standing["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("within 24 hours"), "it says by which rule: {reason}");
    world.simulator.accept_invitation(&mobile(1)).await?;
    world.retry(&id).await?;
    world.until_state(&id, "in_step").await?;
    Ok(())
}

/// Lets the open invitations be so many days older.
async fn days_pass(world: &World, days: i32) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE links SET invited_at = invited_at - $1 * interval '1 day',
                          last_invited_at = last_invited_at - $1 * interval '1 day' WHERE invited_at IS NOT NULL",
    )
    .bind(days)
    .execute(world.database.pool())
    .await?;
    Ok(())
}

/// How often the first person was invited, as DingTalk has it.
async fn times(world: &World) -> anyhow::Result<u64> {
    Ok(world.simulator.state().await?["invitations"][0]["times"].as_u64().unwrap_or_default())
}

/// What Rollcall says of the open invitation.
async fn invitation(world: &World, id: &str) -> anyhow::Result<Value> {
    let explained = world.rest(&format!("/users/{id}/explain")).await?;
    Ok(explained["person"]["standings"][0]["link"]["invitation"].clone())
}

#[tokio::test]
async fn whoever_does_not_answer_is_invited_again_and_then_somebody_is_told() -> anyhow::Result<()> {
    let world = World::start().await?;
    for (setting, told) in [
        ("invite_again_after_days=0", "\"invite_again_after_days\" must be a number of days from 1 to 90, and is 0"),
        ("invitations_at_most=40", "\"invitations_at_most\" must be a number from 1 to 10, and is 40"),
    ] {
        let refused = world.shell(&["target", "set", "dingtalk", "--set", setting]).await?;
        ensure!(!refused.status.success() && refused.stderr.contains(told), "{}", refused.stderr);
    }
    world
        .text(&["target", "set", "dingtalk", "--set", "invite_again_after_days=7", "--set", "invitations_at_most=2"])
        .await?;
    let id = reserved(&world, 1).await?;
    let open = invitation(&world, &id).await?;
    ensure!(open["times"] == 1 && open["at_most"] == 2 && open["next_at"].is_string(), "{open}");
    days_pass(&world, 7).await?;
    world.retry(&id).await?;
    world.settled().await?;
    ensure!(times(&world).await? == 2, "DingTalk was asked once more");
    let standing = world.standing(&id).await?;
    let reason = standing["reason"].as_str().unwrap_or_default();
    ensure!(standing["state"] == "waiting" && reason.contains("invited 2 times"), "{standing}");
    days_pass(&world, 15).await?;
    world.retry(&id).await?;
    let standing = world.until_state(&id, "needs_attention").await?;
    ensure!(standing["error_code"] == "invitation_unanswered" && !standing["due_at"].is_null(), "{standing}");
    ensure!(times(&world).await? == 2, "there are no more than the settings allow");
    let text = world.text(&["explain", "somebody.1@corp.example"]).await?;
    ensure!(text.contains("invited 2 times, first on") && text.contains("rollcall invite-again"), "{text}");
    world.simulator.accept_invitation(&mobile(1)).await?;
    world.retry(&id).await?;
    world.until_state(&id, "in_step").await?;
    ensure!(invitation(&world, &id).await?.is_null(), "nothing is open any more");
    Ok(())
}

#[tokio::test]
async fn an_operator_lets_a_person_be_invited_once_more_at_most_once_a_day() -> anyhow::Result<()> {
    let world = World::start().await?;
    let id = reserved(&world, 1).await?;
    let (api, path) = (world.rest_of(&world.tenant)?, format!("/users/{id}/invite-again"));
    let reason = json!({ "reason": "She has deleted the first one." });
    let nobody = "/users/00000000-0000-7000-8000-000000000000/invite-again".to_owned();
    let elsewhere = json!({ "reason": "x", "target": "00000000-0000-7000-8000-000000000000" });
    for (path, body, status, part) in [
        (&path, &reason, StatusCode::CONFLICT, "nobody is invited more than once a day"),
        (&path, &json!({ "reason": " " }), StatusCode::BAD_REQUEST, "must say why"),
        (&path, &json!({}), StatusCode::BAD_REQUEST, "reason"),
        (&path, &elsewhere, StatusCode::NOT_FOUND, "target"),
        (&nobody, &reason, StatusCode::NOT_FOUND, "does not exist"),
    ] {
        let reply = api.post(path, body).await?;
        ensure!(reply.status == status && reply.body.to_string().contains(part), "{} {}", reply.status, reply.body);
    }
    days_pass(&world, 2).await?;
    let done = api.post(&path, &reason).await?;
    ensure!(done.status == StatusCode::ACCEPTED && done.body == json!({ "targets": 1 }), "{}", done.body);
    world.settled().await?;
    ensure!(times(&world).await? == 2, "DingTalk was asked once more");
    let changes = world.rest(&format!("/changes?resource={id}&limit=200")).await?;
    let noted =
        changes["data"].as_array().into_iter().flatten().find(|one| one["operation"] == "invited_again").cloned();
    let details = noted.unwrap_or_default()["details"].clone();
    ensure!(details["reason"] == reason["reason"], "{details}");
    ensure!(details["by"].as_str().is_some_and(|by| by.starts_with("token ")), "{details}");

    // The same from the command line…
    let name = "somebody.1@corp.example";
    let refused = world.shell(&["invite-again", name, "--reason", "x"]).await?;
    ensure!(!refused.status.success() && refused.stderr.contains("once a day"), "{}", refused.stderr);
    days_pass(&world, 2).await?;
    let done =
        world.cli(&["invite-again", name, "--target", "dingtalk", "--reason", "She asked.", "--by", "maria"]).await?;
    ensure!(done == json!({ "targets": 1 }), "{done}");
    world.settled().await?;
    ensure!(times(&world).await? == 3);

    // … and on the person's page, where the form is only when it is of use.
    let browser = world.browser()?;
    let me = world.operator(&browser, "ann").await?;
    let (page, form) = (format!("/console/people/{id}"), format!("/console/people/{id}/invite-again"));
    let early = browser.get(&page, &me).await?.text().await?;
    ensure!(early.contains("3 invitations were sent") && early.contains("can be asked for from"), "{early}");
    ensure!(!early.contains(&form), "{early}");
    ensure!(early.contains("One more invitation was asked for by") && early.contains("She asked."), "{early}");
    let refused = browser.post(&form, &me, &[("reason", "She asked again.")]).await?;
    ensure!(refused.status() == StatusCode::CONFLICT, "{}", refused.status());
    let told = refused.text().await?;
    ensure!(told.contains("role=\"alert\"") && told.contains("once a day"), "{told}");
    days_pass(&world, 2).await?;
    let shown = browser.get(&page, &me).await?.text().await?;
    ensure!(shown.contains(&form) && shown.contains("Invite again"), "{shown}");
    let target = world.target().await?;
    let asked = browser.post(&form, &me, &[("reason", "She asked again."), ("target", &target)]).await?;
    ensure!(asked.status() == StatusCode::SEE_OTHER, "{} {}", asked.status(), asked.text().await?);
    world.settled().await?;
    ensure!(times(&world).await? == 4);

    world.simulator.accept_invitation(&mobile(1)).await?;
    world.retry(&id).await?;
    world.until_state(&id, "in_step").await?;
    days_pass(&world, 2).await?;
    let reply = api.post(&path, &reason).await?;
    ensure!(reply.body.to_string().contains("has no open invitation"), "{} {}", reply.status, reply.body);
    Ok(())
}
