//! The mapping in the console: a draft is checked, previewed, saved, let through by a plan, compared and taken back.

use anyhow::{Context, ensure};
use reqwest::header::{COOKIE, LOCATION};
use reqwest::{Response, StatusCode};

use crate::console::Browser;
use crate::held_page::address;
use crate::staff::somebody;
use crate::world::World;

const DRAFT: &str = "/console/mapping/draft";
const EXAMPLE: &str = "\n[[examples]]\nname = \"a clerk\"\n[examples.user]\ndisplayName = \"Sample Clerk\"\ntitle = \"clerk\"\n\
    phoneNumbers = [{ type = \"mobile\", value = \"+852 5123 0001\" }]\n[examples.expect]\nattributes = { title = \"CLERK\" }\n";

/// The document in the draft's field, as a browser would send it back.
fn typed(page: &str) -> anyhow::Result<String> {
    let field = page.split("<textarea").nth(1).and_then(|rest| rest.split_once(">\n")).context("a field")?.1;
    let text = field.split("</textarea>").next().unwrap_or_default();
    let plain = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    Ok(plain.into_iter().fold(text.to_owned(), |text, (sign, letter)| text.replace(sign, letter)))
}

async fn send(browser: &Browser, me: &str, act: &str, text: &str, after: &str) -> anyhow::Result<Response> {
    let form = [("text", text), ("note", "Capitals <b>"), ("after", after), ("act", act)];
    browser.post(DRAFT, me, &form).await
}

/// Where an answer leads.
fn way(answer: &Response) -> anyhow::Result<String> {
    ensure!(answer.status() == StatusCode::SEE_OTHER, "{}", answer.status());
    Ok(answer.headers().get(LOCATION).context("a way")?.to_str()?.to_owned())
}

/// What is wrong has its line; what was typed stays; nothing is saved.
async fn is_refused_where_it_is_wrong(browser: &Browser, me: &str, draft: &str) -> anyhow::Result<()> {
    let bad = draft.replace("upper(user.title)", "upper(user.titel)");
    let line = bad.lines().position(|line| line.contains("titel")).context("the rule")? + 1;
    for (act, status) in [
        ("check", StatusCode::OK),
        ("preview", StatusCode::UNPROCESSABLE_ENTITY),
        ("save", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = send(browser, me, act, &bad, "0").await?;
        ensure!(answer.status() == status, "{act}: {}", answer.status());
        let page = answer.text().await?;
        for part in
            [&format!("Line {line}, character 9"), "/account/title/value", "role=\"alert\"", "upper(user.titel)"]
        {
            ensure!(page.contains(part), "{act} {part}: {page}");
        }
        ensure!(!page.contains("Capitals <b>") && page.contains("Capitals &#60;b&#62;"), "{act}: {page}");
    }
    let broken = send(browser, me, "check", "[account\n", "0").await?;
    ensure!(broken.status() == StatusCode::BAD_REQUEST, "{}", broken.status());
    ensure!(broken.text().await?.contains("Line 1, character"), "a place");
    let fails = draft.replace("title = \"CLERK\"", "title = \"Clerk\"");
    let refused = send(browser, me, "save", &fails, "0").await?;
    ensure!(refused.status() == StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.status());
    ensure!(refused.text().await?.contains("In the example"), "it says which");
    let foreign = browser.http.post(format!("{}{DRAFT}", browser.base)).header(COOKIE, me);
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").form(&[("text", draft), ("act", "save")]);
    ensure!(foreign.send().await?.status() == StatusCode::FORBIDDEN);
    Ok(())
}

#[tokio::test]
async fn a_draft_is_tried_saved_let_through_and_taken_back_in_the_console() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 0..3 {
        let mut person = somebody(number);
        if number != 1 {
            person["title"] = "clerk".into();
        }
        ids.push(world.join(&person).await?);
    }
    world.settled().await?;
    let browser = world.browser()?;
    let me = world.operator(&browser, "ann").await?;
    let page = async |path: &str| anyhow::Ok(browser.get(path, &me).await?.text().await?);
    let shown = page("/console/mapping").await?;
    ensure!(shown.contains("Version 0 counts") && shown.contains("/console/mapping/versions/0"), "{shown}");
    let text = typed(&page(DRAFT).await?)?;
    ensure!(text.contains("\"user.title\""), "{text}");
    let scope =
        "\n[[scope]]\nname = \"not the third\"\nwhen = 'user.userName.startsWith(\"somebody.2@\")'\ninclude = false\n";
    let draft = format!("{}{scope}{EXAMPLE}", text.replace("\"user.title\"", "\"upper(user.title)\""));

    is_refused_where_it_is_wrong(&browser, &me, &draft).await?;
    let checked = send(&browser, &me, "check", &draft, "0").await?.text().await?;
    for part in ["It can be used", "/account/title/value", "+ upper(user.title)", "a clerk", ">Passes<"] {
        ensure!(checked.contains(part), "{part}: {checked}");
    }
    let effects = send(&browser, &me, "preview", &draft, "0").await?.text().await?;
    for part in [
        "3 people looked at: 2 ready, 0 kept out",
        "left out: not the third",
        "title 1",
        "<b>1</b><span class=\"label\">are removed",
    ] {
        ensure!(effects.contains(part), "{part}: {effects}");
    }
    ensure!(!effects.contains("13900000"), "no number is readable: {effects}");
    ensure!(world.rest("/mapping").await?["version"] == 0, "nothing was saved");

    // Saved, it sends nothing; what it holds is let through by a plan of that alone.
    let saved = way(&send(&browser, &me, "save", &draft, "0").await?)?;
    ensure!(saved == "/console/mapping/versions/1", "{saved}");
    for id in [&ids[0], &ids[2]] {
        world.until_state(id, "held").await?;
    }
    let shown = page(&saved).await?;
    for part in ["Capitals &#60;b&#62;", "operator ann", "2 people", "What it changed", ">Passes<", "upper(user.title)"]
    {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    let late = send(&browser, &me, "save", &text, "0").await?;
    ensure!(late.status() == StatusCode::PRECONDITION_FAILED, "{}", late.status());
    let late = late.text().await?;
    for part in ["Version 1 of the mapping counts by now", "name=\"after\" value=\"1\""] {
        ensure!(late.contains(part), "{part}: {late}");
    }
    let held = page("/console/held").await?;
    ensure!(held.contains("Version 1 of the mapping"), "{held}");
    let list = page(&address(&held, "held_by=mapping%3A1")?).await?;
    ensure!(list.contains(&ids[0]) && list.contains(&ids[2]) && !list.contains(&ids[1]), "{list}");
    let make = address(&shown, "/console/targets/")?;
    let plan = way(&browser.post(&make, &me, &[("held_by", "mapping:1")]).await?)?;
    way(&browser.post(&format!("{plan}/apply"), &me, &[("wave", "all")]).await?)?;
    world.until_state(&ids[0], "in_step").await?;
    world.until_state(&ids[2], "gone").await?;
    ensure!(world.member(0).await?.context("they are there")?["title"] == "CLERK");

    // Compared, and taken back after a look at what that does.
    let compared = page("/console/mapping/compare?from=0&to=1").await?;
    ensure!(compared.contains("+ upper(user.title)") && compared.contains("− user.title"), "{compared}");
    let first = page("/console/mapping/versions/0").await?;
    for part in ["Does not count", "Against version 1, which counts", "Go back to version 0"] {
        ensure!(first.contains(part), "{part}: {first}");
    }
    let effects = browser.post("/console/mapping/versions/0/preview", &me, &[]).await?.text().await?;
    ensure!(effects.contains("3 people looked at") && effects.contains("title 1"), "{effects}");
    let revert = "/console/mapping/versions/0/revert";
    let late = browser.post(revert, &me, &[("after", "0")]).await?;
    ensure!(late.status() == StatusCode::PRECONDITION_FAILED, "{}", late.status());
    let back = way(&browser.post(revert, &me, &[("after", "1"), ("note", "")]).await?)?;
    ensure!(back == "/console/mapping/versions/2", "{back}");
    world.until_state(&ids[0], "held").await?;
    let versions = page("/console/mapping").await?;
    for part in ["Version 2 counts", "Back to version 0", "Capitals &#60;b&#62;", "version-1"] {
        ensure!(versions.contains(part), "{part}: {versions}");
    }
    for missing in
        ["/console/mapping/versions/9", "/console/mapping/versions/x", "/console/mapping/compare?from=x&to=1"]
    {
        let answer = browser.get(missing, &me).await?;
        ensure!(answer.status() == StatusCode::NOT_FOUND, "{missing}: {}", answer.status());
    }
    Ok(())
}
