//! The console at its door: signing out is the end, and an address that means nothing has a page that says so.

use anyhow::Context;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use rollcall_tests::{Cli, Database, ServeOptions, Server, server_binary};

/// A browser that keeps nothing by itself.
struct Browser {
    http: Client,
    base: String,
}

impl Browser {
    async fn get(&self, path: &str, cookie: &str) -> anyhow::Result<Response> {
        Ok(self.http.get(format!("{}{path}", self.base)).header(COOKIE, cookie).send().await?)
    }

    /// Signs in, and returns the session's cookie.
    async fn sign_in(&self, name: &str, password: &str) -> anyhow::Result<String> {
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
    let http = Client::builder().redirect(Policy::none()).no_proxy().build()?;
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
