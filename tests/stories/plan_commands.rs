//! Plans, releases and guards from a shell: what is printed, and the exit codes that scripts go by.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::staff::{somebody, with};
use crate::world::World;

/// Runs a command; its exit code and all that it prints.
async fn run(world: &World, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let output = world.shell(arguments).await?;
    Ok((output.status.code(), output.stdout + &output.stderr))
}

fn plan_id(text: &str) -> anyhow::Result<String> {
    let id = text.strip_prefix("Plan ").and_then(|rest| rest.split(' ').next());
    Ok(id.with_context(|| format!("no plan in {text}"))?.to_owned())
}

#[tokio::test]
async fn a_rehearsal_from_a_shell() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.cli(&["target", "mode", "dingtalk", "rehearsal"]).await?;
    let (code, text) = run(&world, &["plan"]).await?;
    ensure!(code == Some(0) && text.contains("Nothing is held, so there is nothing to do."), "{code:?} {text}");
    for number in 1..=4 {
        world.join(&with(somebody(number), "department", "Sales")).await?;
    }
    world.settled().await?;
    let (code, text) = run(&world, &["plan", "-o", "plan.csv", "--by", "maria"]).await?;
    ensure!(code == Some(2), "{code:?} {text}");
    for part in ["  +      5 create    departments 1, people 4", "5 calls, at least 1 s", "Made by command line maria"]
    {
        ensure!(text.contains(part), "{part}: {text}");
    }
    let csv = std::fs::read_to_string(world.folder().join("plan.csv"))?;
    ensure!(csv.contains("somebody.4@corp.example,create,no,planned,job_number,,S0004,"), "{csv}");
    let id = plan_id(&text)?;
    let (code, text) = run(&world, &["plan", "show", &id, "--only", "create"]).await?;
    ensure!(
        code == Some(0) && text.contains("+ somebody.2@corp.example") && text.contains("    org_units = Sales"),
        "{text}"
    );
    let (code, text) = run(&world, &["plan", "list"]).await?;
    ensure!(code == Some(0) && text.contains(&id) && text.contains("+5"), "{text}");

    for (arguments, expected) in [
        (vec!["apply", &id, "--people", "0"], "0 is not in 1"),
        (vec!["apply", &id, "--people", "1", "--department", "Sales"], "cannot be used with"),
        (
            vec!["apply", &id, "--department", "Nowhere"],
            "names the department \"Nowhere\", which the target does not have",
        ),
        (vec!["apply", &id, "--user", "nobody"], "nobody cannot be found in the directory"),
        (vec!["apply", "x"], "invalid value 'x'"),
        (vec!["release", &id], "required arguments were not provided"),
        (vec!["release", &id, "--reason", "why not"], "no guard holds anything of this plan"),
        (vec!["plan", "--target", "nope"], "there is no target \"nope\""),
        (vec!["plan", "--bogus"], "unexpected argument"),
    ] {
        let (code, text) = run(&world, &arguments).await?;
        ensure!(code == Some(1) && text.contains(expected), "{arguments:?}: {code:?} {text}");
    }
    ensure!(world.simulator.users().await?.is_empty(), "nothing was sent");

    let (code, text) = run(&world, &["apply", &id, "--user", "somebody.3@corp.example"]).await?;
    ensure!(code == Some(0) && text.contains("2 changes are on the way"), "{text}");
    world.settled().await?;
    ensure!(world.member(3).await?.is_some() && world.simulator.users().await?.len() == 1, "one person");
    let (code, _) = run(&world, &["apply", &id, "--people", "1"]).await?;
    world.settled().await?;
    ensure!(code == Some(0) && world.simulator.users().await?.len() == 2, "one more");
    let done = world.cli(&["apply", &id]).await?;
    ensure!(done["permitted"] == 2, "{done}");
    world.settled().await?;
    ensure!(world.simulator.users().await?.len() == 4, "all of them");
    let (code, text) = run(&world, &["plan", "reject", &id]).await?;
    ensure!(code == Some(1) && text.contains("the plan is applied"), "{text}");
    Ok(())
}

#[tokio::test]
async fn guards_and_releases_from_a_shell() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    std::fs::write(world.folder().join("strict.json"), r#"{ "people.remove": { "floor": 0, "share": 0 } }"#)?;
    std::fs::write(world.folder().join("wrong.json"), r#"{ "people.remove": { "floor": "many", "share": 0 } }"#)?;
    let (code, text) = run(&world, &["guards", "set", "wrong.json"]).await?;
    ensure!(code == Some(1) && text.contains("people.remove: floor must be a number of 0 or more"), "{text}");
    let (code, text) = run(&world, &["guards", "set", "strict.json", "--by", "maria"]).await?;
    ensure!(code == Some(0) && text.contains("0 % of 3, at least 0, own"), "{text}");
    world.set_active(&ids[0], false).await?;
    world.settled().await?;
    let (_, text) = run(&world, &["guards"]).await?;
    ensure!(text.contains("people.remove: 1 at once, more than 0") && text.contains("(1 held, trip "), "{text}");
    let (_, text) = run(&world, &["explain", "somebody.1@corp.example"]).await?;
    ensure!(text.contains("held, nothing was sent"), "{text}");

    let (code, text) = run(&world, &["plan"]).await?;
    ensure!(code == Some(3) && text.contains("Guards hold 1; the other 0 can be applied."), "{code:?} {text}");
    let id = plan_id(&text)?;
    let (code, text) = run(&world, &["apply", &id]).await?;
    ensure!(code == Some(3) && text.contains("Guards hold 1 until the plan is released"), "{code:?} {text}");
    run(&world, &["release", &id, "--reason", "Left.", "--by", "ann"]).await?;
    let (code, text) = run(&world, &["release", &id, "--approve", "--by", "ann"]).await?;
    ensure!(code == Some(1) && text.contains("a second person has to release the plan"), "{text}");
    let (code, text) = run(&world, &["release", &id, "--approve", "--by", "bob"]).await?;
    ensure!(code == Some(0) && text.contains("released by command line bob"), "{text}");
    ensure!(world.simulator.users().await?.len() == 3, "a release sends nothing");
    let done: Value = world.cli(&["apply", &id]).await?;
    ensure!(done["permitted"] == 1 && done["plan"]["release"]["approved_by"] == "command line bob", "{done}");
    world.settled().await?;
    ensure!(world.member(1).await?.is_none(), "the leaver is gone");
    let shown = world.cli(&["plan", "show", &id]).await?;
    ensure!(shown["plan"]["state"] == "applied" && shown["changes"][0]["verb"] == json!("delete"), "{shown}");
    Ok(())
}
