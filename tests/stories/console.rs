//! The console: signing out is the end, an address that means nothing has a page that says so, and tokens are made and
//! revoked.

use anyhow::Context;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client as HttpClient, Response, StatusCode};
use rollcall_tests::{Cli, Client, Database, ScimClient, ServeOptions, Server, server_binary};

/// A browser that keeps nothing by itself.
pub(crate) struct Browser {
    pub(crate) http: HttpClient,
    pub(crate) base: String,
}

impl Browser {
    pub(crate) async fn get(&self, path: &str, cookie: &str) -> anyhow::Result<Response> {
        Ok(self.http.get(format!("{}{path}", self.base)).header(COOKIE, cookie).send().await?)
    }

    /// Sends a form as a page of the console does.
    pub(crate) async fn post(&self, path: &str, cookie: &str, form: &[(&str, &str)]) -> anyhow::Result<Response> {
        let request = self.http.post(format!("{}{path}", self.base)).header(COOKIE, cookie);
        Ok(request.header("Sec-Fetch-Site", "same-origin").form(form).send().await?)
    }

    /// Signs in, and returns the session's cookie.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> anyhow::Result<String> {
        let form = [("name", name), ("password", password)];
        let answer = self.http.post(format!("{}/console/sign-in", self.base)).form(&form).send().await?;
        let set = answer.headers().get(SET_COOKIE).context("no session was begun")?.to_str()?;
        Ok(set.split(';').next().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_also_for_a_copy_of_its_cookie() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let server = Server::start(server_binary!(), &database, ServeOptions::default()).await?;
    let cli = Cli::new(server_binary!(), &database)?;
    cli.json(&["tenant", "create", "acme"]).await?;
    let made = cli.json(&["operator", "create", "maria"]).await?;
    let password = made["password"].as_str().context("the password is shown")?;
    let http = HttpClient::builder().redirect(Policy::none()).no_proxy().build()?;
    let browser = Browser { http, base: server.base_url() };

    let (mine, other) = (browser.sign_in("maria", password).await?, browser.sign_in("maria", password).await?);
    assert_eq!(browser.get("/console", &mine).await?.status(), StatusCode::OK);
    // Nobody reads a page that is not there as anything but a page.
    for path in ["/console/people?target=x", "/console/departments?target=x", "/console/assets/%FF", "/console/x"] {
        let answer = browser.get(path, &mine).await?;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let media = answer.headers().get(CONTENT_TYPE).context("a media type")?.to_str()?;
        assert!(media.starts_with("text/html"), "{path}: {media}");
    }

    let leave = browser.http.post(format!("{}/console/sign-out", browser.base)).header(COOKIE, &mine).send().await?;
    assert_eq!(leave.status(), StatusCode::SEE_OTHER);
    let replayed = browser.get("/console", &mine).await?;
    assert_eq!(replayed.status(), StatusCode::SEE_OTHER, "the copy of the cookie is worth nothing");
    assert_eq!(replayed.headers().get(LOCATION).context("a way")?, "/console/sign-in");
    assert_eq!(browser.get("/console", &other).await?.status(), StatusCode::OK, "other sessions go on");
    Ok(())
}

/// What an administrator does when a token is exchanged.
#[tokio::test]
async fn a_token_is_made_shown_once_used_and_revoked() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let server = Server::start(server_binary!(), &database, ServeOptions::default()).await?;
    let cli = Cli::new(server_binary!(), &database)?;
    cli.json(&["tenant", "create", "acme"]).await?;
    cli.json(&["source", "create", "okta", "--profile", "okta"]).await?;
    let made = cli.json(&["oauth-client", "create", "--source", "okta", "--label", "gallery"]).await?;
    let client = made["id"].as_str().context("an id")?;
    cli.json(&["oauth-client", "secret", client, "--label", "autumn"]).await?;
    let made = cli.json(&["operator", "create", "maria"]).await?;
    let http = HttpClient::builder().redirect(Policy::none()).no_proxy().build()?;
    let browser = Browser { http, base: server.base_url() };
    let me = browser.sign_in("maria", made["password"].as_str().context("a password")?).await?;

    let sources = browser.get("/console/sources", &me).await?.text().await?;
    let source = sources.split("href=\"").filter_map(|rest| rest.split('"').next());
    let source = source.into_iter().find(|href| href.starts_with("/console/sources/")).context("the source")?;
    let page = async || anyhow::Ok(browser.get(source, &me).await?.text().await?);
    let shown = page().await?;
    for text in ["gallery", "OAuth client", "client_id", "autumn", "client secret", "Never used", "Make a token"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }

    let form = browser.get(&format!("{source}/token"), &me).await?.text().await?;
    assert!(form.contains("name=\"label\"") && !form.contains("Refresh every"), "{form}");
    let wanted = [("label", "Okta, spring"), ("days", "90")];
    let foreign = browser.http.post(format!("{}{source}/token", browser.base)).header(COOKIE, &me);
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").form(&wanted).send().await?;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let answer = browser.post(&format!("{source}/token"), &me, &wanted).await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers().get("cache-control").context("a header")?, "no-store");
    let answer = answer.text().await?;
    let token = answer.split("translate=\"no\">").nth(1).and_then(|rest| rest.split('<').next());
    let token = token.filter(|token| token.starts_with("rc_")).context("the token")?.to_owned();
    let scim = ScimClient::new(Client::Okta, &format!("{}/scim/v2", server.base_url()), &token)?;
    assert_eq!(scim.get("/Users?count=0").await?.status, 200);
    let shown = page().await?;
    assert!(shown.contains("Okta, spring") && !shown.contains(&token), "{shown}");

    let listed = cli.json(&["token", "list"]).await?;
    let ours = listed.as_array().into_iter().flatten().find(|entry| entry["label"] == "Okta, spring");
    let id = ours.and_then(|entry| entry["id"].as_str()).context("its id")?;
    let revoke = format!("{source}/revoke");
    assert_eq!(browser.post(&revoke, &me, &[("credential", id)]).await?.status(), StatusCode::SEE_OTHER);
    assert_eq!(scim.get("/Users?count=0").await?.status, 401, "at once");
    assert_eq!(browser.post(&revoke, &me, &[("client", client)]).await?.status(), StatusCode::SEE_OTHER);
    let shown = page().await?;
    for gone in ["Okta, spring", "gallery", "autumn"] {
        assert!(!shown.contains(gone), "{gone}: {shown}");
    }
    // Revoked again, perhaps by somebody who was slower: it stays so.
    for again in [("credential", id), ("client", client)] {
        assert_eq!(browser.post(&revoke, &me, &[again]).await?.status(), StatusCode::SEE_OTHER, "{again:?}");
    }
    // What another source has, and what nobody has.
    cli.json(&["source", "create", "entra", "--profile", "entra"]).await?;
    let other = cli.json(&["token", "create", "--source", "entra"]).await?;
    let other = other["id"].as_str().context("an id")?;
    let nobody = "0196f3a0-0000-7000-8000-000000000000";
    let (both, of_other) = ([("credential", id), ("client", client)], [("credential", other)]);
    for wrong in [&[][..], &[("credential", "x")], &both, &of_other, &[("client", nobody)], &[("client", other)]] {
        let answer = browser.post(&revoke, &me, wrong).await?;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{wrong:?}");
        assert!(answer.text().await?.contains("There is nothing to revoke"), "{wrong:?}");
    }
    let listed = cli.json(&["token", "list"]).await?;
    let entra = listed.as_array().into_iter().flatten().find(|entry| entry["id"] == other).context("it is there")?;
    assert!(entra["revoked_at"].is_null(), "{entra}");

    // The form is answered again, with what was typed and what is wrong with it.
    let address = format!("{source}/token");
    for (label, days, told) in [
        ("Okta & co", "soon", "must be a number from 1 to 3650"),
        ("Okta & co", "0", "must be a number from 1 to 3650"),
        ("Okta & co", "-1", "must be a number from 1 to 3650"),
        ("Okta & co", "99999999999999999999", "must be a number from 1 to 3650"),
        ("Okta & co", "", "must be a number from 1 to 3650"),
        (" Okta & co", "90", "must not begin or end with a space"),
    ] {
        let answer = browser.post(&address, &me, &[("label", label), ("days", days)]).await?;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{label:?} {days:?}");
        let (page, days) = (answer.text().await?, if days == "90" { "90" } else { "365" });
        let typed = format!("name=\"label\" value=\"{}\"", label.replace('&', "&#38;"));
        let chosen = format!("<option value=\"{days}\" selected>");
        for part in [told, &typed, &chosen, "role=\"alert\"", "<form"] {
            assert!(page.contains(part), "{label:?} {days:?} {part}: {page}");
        }
        assert!(!page.contains("rc_"), "{page}");
    }
    assert_eq!(browser.post(&address, &me, &[]).await?.status(), StatusCode::BAD_REQUEST, "nothing was typed");
    // A third live token is one too many.
    for status in [StatusCode::OK, StatusCode::OK, StatusCode::CONFLICT] {
        let answer = browser.post(&address, &me, &[("label", "spare"), ("days", "90")]).await?;
        let (seen, page) = (answer.status(), answer.text().await?);
        let asks_again = page.contains("value=\"spare\"") && page.contains("revoke the oldest one first");
        assert_eq!((seen, asks_again), (status, status == StatusCode::CONFLICT), "{page}");
    }
    Ok(())
}
