//! An operator changes how a source is understood, in the console.

use anyhow::{Context, ensure};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use rollcall_tests::{Cli, Client as Speaks, Database, ScimClient, ServeOptions, Server, server_binary};
use serde_json::json;

/// A browser with a session.
struct Browser {
    http: Client,
    base: String,
    cookie: String,
}

impl Browser {
    async fn sign_in(base: String, name: &str, password: &str) -> anyhow::Result<Self> {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build()?;
        let form = [("name", name), ("password", password)];
        let answer = http.post(format!("{base}/console/sign-in")).form(&form).send().await?;
        let set = answer.headers().get(SET_COOKIE).context("no session was begun")?.to_str()?;
        let cookie = set.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { http, base, cookie })
    }

    async fn page(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.http.get(format!("{}{path}", self.base)).header(COOKIE, &self.cookie).send().await?;
        ensure!(answer.status() == StatusCode::OK, "{path}: {}", answer.status());
        Ok(answer.text().await?)
    }

    /// Presses a button, on a page of this site.
    async fn press(&self, path: &str, form: &[(&str, &str)], site: &str) -> anyhow::Result<Response> {
        let request = self.http.post(format!("{}{path}", self.base)).header(COOKIE, &self.cookie);
        Ok(request.header("sec-fetch-site", site).form(form).send().await?)
    }
}

/// Part of a page, from the element of that id on.
fn part<'a>(page: &'a str, id: &str) -> anyhow::Result<&'a str> {
    let (_, after) = page.split_once(&format!("id=\"{id}\"")).with_context(|| format!("{id} is not on {page}"))?;
    Ok(after.split_once("</li>").map_or(after, |(part, _)| part))
}

#[tokio::test]
async fn an_operator_moves_a_switch_and_the_next_request_feels_it() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let server = Server::start(server_binary!(), &database, ServeOptions::default()).await?;
    let cli = Cli::new(server_binary!(), &database)?;
    cli.json(&["tenant", "create", "acme"]).await?;
    let source = cli.json(&["source", "create", "feed", "--profile", "workday"]).await?;
    let token = cli.json(&["token", "create", "--source", "feed"]).await?;
    let token = token["token"].as_str().context("the token is shown")?;
    let scim = ScimClient::new(Speaks::Plain, &format!("{}/scim/v2", server.base_url()), token)?;
    let made = cli.json(&["operator", "create", "maria"]).await?;
    let password = made["password"].as_str().context("the password is shown")?;
    let browser = Browser::sign_in(server.base_url(), "maria", password).await?;
    let path = format!("/console/sources/{}", source["id"].as_str().context("an id")?);
    let looks_up = async || anyhow::Ok(scim.find("/Users", "externalId eq jyoung").await?.status.as_u16());

    assert!(browser.page("/console").await?.contains("href=\"/console/sources\""), "it is in the navigation");
    let list = browser.page("/console/sources").await?;
    assert!(list.contains(&path) && list.contains("workday") && list.contains("Never heard"), "{list}");
    let page = browser.page(&path).await?;
    assert!(part(&page, "switch-manager_by")?.contains(">externalId</span>"), "{page}");
    assert_eq!(looks_up().await?, 200);

    let words = [("switch", "bare_filter_words"), ("value", "false")];
    let answer = browser.press(&path, &words, "cross-site").await?;
    assert_eq!((answer.status(), looks_up().await?), (StatusCode::FORBIDDEN, 200), "nobody else's form");
    let answer = browser.press(&path, &words, "same-origin").await?;
    assert_eq!(answer.headers().get(LOCATION).context("a way back")?, path.as_str());
    assert_eq!(looks_up().await?, 400);
    let page = browser.page(&path).await?;
    assert!(part(&page, "switch-bare_filter_words")?.contains("overridden; workday has true"), "{page}");
    assert!(browser.page("/console/sources").await?.contains("bare_filter_words = false"));

    browser.press(&path, &[("profile", "strict")], "same-origin").await?;
    browser.press(&path, &[("switch", "bare_filter_words"), ("value", "true")], "same-origin").await?;
    assert_eq!(looks_up().await?, 200);
    browser.press(&path, &[("switch", "bare_filter_words"), ("value", "")], "same-origin").await?;
    assert_eq!(looks_up().await?, 400, "as the profile has it");
    let listed = cli.json(&["source", "list"]).await?;
    assert_eq!((&listed[0]["profile"], &listed[0]["overrides"]), (&json!("strict"), &json!({})));

    for (form, status) in [
        (vec![("switch", "nope"), ("value", "true")], StatusCode::BAD_REQUEST),
        (vec![("switch", "manager_by"), ("value", "nope")], StatusCode::BAD_REQUEST),
        (vec![("profile", "nope")], StatusCode::BAD_REQUEST),
        (vec![], StatusCode::NOT_FOUND),
    ] {
        assert_eq!(browser.press(&path, &form, "same-origin").await?.status(), status, "{form:?}");
    }
    let who: Vec<bool> = sqlx::query_scalar(
        "SELECT details -> 'by' ->> 'operator' = (SELECT id::text FROM operators) FROM changes \
         WHERE resource_kind = 'source' AND operation = 'update'",
    )
    .fetch_all(database.pool())
    .await?;
    assert_eq!(who, [true; 4], "each change, and who made it");
    Ok(())
}
