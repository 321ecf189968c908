//! What clients should not send: each gets the right status, in the right form, with a sentence that helps, and leaves
//! nothing behind. Never an answer of 500 or more.

mod bodies;
mod requests;

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::drivers::GROUP;
use crate::setup::Tenant;
use crate::staff::somebody;
use crate::world::World;

const SCIM_JSON: &str = "application/scim+json";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// One request and the answer that it deserves.
#[derive(Debug, Clone)]
struct Case {
    method: Method,
    /// Below the base URL, with `{user}` and `{group}` for the ids of a user and a group that exist.
    path: String,
    authorization: Authorization,
    content_type: Option<&'static str>,
    body: Vec<u8>,
    status: u16,
    /// The keyword of RFC 7644 table 9, if the answer has one.
    scim_type: Option<&'static str>,
    /// What the detail must name.
    names: &'static str,
}

/// What the request says about who is asking.
#[derive(Debug, Clone, Copy)]
enum Authorization {
    Good,
    Missing,
    Text(&'static str),
    /// A token of the REST API.
    Rest,
    /// The good token with another last letter.
    Forged,
}

impl Case {
    /// A request with a good token, which is refused with this status.
    fn new(method: Method, path: impl Into<String>, body: impl Into<Vec<u8>>, status: u16) -> Self {
        Self {
            method,
            path: path.into(),
            authorization: Authorization::Good,
            content_type: Some(SCIM_JSON),
            body: body.into(),
            status,
            scim_type: None,
            names: "",
        }
    }

    /// The same, with the keyword of the answer and what its detail must name.
    fn because(self, scim_type: &'static str, names: &'static str) -> Self {
        Self { scim_type: Some(scim_type).filter(|word| !word.is_empty()), names, ..self }
    }
}

/// Where the cases are tried.
struct Range {
    world: World,
    http: reqwest::Client,
    user: String,
    group: String,
}

impl Range {
    async fn new() -> anyhow::Result<Self> {
        let world = World::start().await?;
        let user = world.join(&somebody(1)).await?;
        world.join(&somebody(2)).await?;
        let scim = world.scim()?;
        let group = json!({ "schemas": [GROUP], "displayName": "Team", "members": [{ "value": user }] });
        let group = scim.expect(StatusCode::CREATED, Method::POST, "/Groups", &group).await?.text("/id")?.to_owned();
        let other = json!({ "schemas": [GROUP], "displayName": "Other team" });
        scim.expect(StatusCode::CREATED, Method::POST, "/Groups", &other).await?;
        world.settled().await?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?;
        Ok(Self { world, http, user, group })
    }

    /// Tries all cases. Returns what went wrong, case by case.
    async fn try_all(&self, cases: &[Case]) -> anyhow::Result<()> {
        ensure!(cases.len() > 10, "there are cases");
        let before = self.stored().await?;
        let mut wrong = Vec::new();
        for case in cases {
            if let Err(error) = self.try_one(case).await {
                let body = String::from_utf8_lossy(&case.body).chars().take(120).collect::<String>();
                wrong.push(format!("{} {} {body}: {error:#}", case.method, case.path));
            }
        }
        ensure!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
        let after = self.stored().await?;
        ensure!(before == after, "something was stored: {before:?} became {after:?}");
        Ok(())
    }

    async fn try_one(&self, case: &Case) -> anyhow::Result<()> {
        let path = case.path.replace("{user}", &self.user).replace("{group}", &self.group);
        let url = format!("{}/scim/v2{path}", self.world.server.base_url());
        let mut headers = HeaderMap::new();
        if let Some(authorization) = authorization(&self.world.tenant, case.authorization) {
            headers.insert(AUTHORIZATION, authorization.parse()?);
        }
        if let Some(content_type) = case.content_type {
            headers.insert(CONTENT_TYPE, content_type.parse()?);
        }
        let send = async || {
            let request = self.http.request(case.method.clone(), &url).headers(headers.clone());
            request.body(case.body.clone()).send().await
        };
        let mut answer = send().await;
        // Whoever is still sending a body that was refused may find the connection closed instead of the answer (RFC
        // 9112 section 9.6), and asks again as every client does.
        for _ in 0..10 {
            if answer.is_err() && case.status == 413 {
                answer = send().await;
            }
        }
        let answer = answer?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await?;
        ensure!(status == case.status, "{status} instead of {}: {text}", case.status);
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        ensure!(content_type.starts_with(SCIM_JSON), "the answer is {content_type:?}");
        ensure!(status != 401 || headers.contains_key(WWW_AUTHENTICATE), "401 without WWW-Authenticate");
        ensure!(status != 405 || headers.contains_key("allow"), "405 without Allow");
        let body: Value = serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))?;
        ensure!(body["schemas"] == json!([ERROR]), "not the schema of an error: {body}");
        ensure!(body["status"] == case.status.to_string().as_str(), "status is no text with the same number: {body}");
        ensure!(body["scimType"].as_str() == case.scim_type, "not the keyword {:?}: {body}", case.scim_type);
        let detail = body["detail"].as_str().unwrap_or_default();
        ensure!(detail.split_whitespace().count() >= 4, "no sentence: {body}");
        ensure!(detail.contains(case.names), "{:?} is not named: {body}", case.names);
        let internal = ["sqlx", "postgres", "panicked", "src/", "SELECT ", "INSERT "];
        let leaks = internal.iter().find(|word| detail.contains(**word));
        ensure!(leaks.is_none(), "internal text: {body}");
        Ok(())
    }

    /// How much there is: users, groups, memberships, entries of the change log.
    async fn stored(&self) -> anyhow::Result<Vec<i64>> {
        let mut counts = Vec::new();
        for table in ["users", "groups", "memberships", "changes"] {
            let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            counts.push(sqlx::query_scalar(sql).fetch_one(self.world.database.pool()).await?);
        }
        Ok(counts)
    }
}

fn authorization(tenant: &Tenant, which: Authorization) -> Option<String> {
    let good = &tenant.scim_token;
    match which {
        Authorization::Good => Some(format!("Bearer {good}")),
        Authorization::Missing => None,
        Authorization::Text(text) => Some(text.to_owned()),
        Authorization::Rest => Some(format!("Bearer {}", tenant.rest_token)),
        Authorization::Forged => {
            // A letter in the middle of the secret, since the last one may hold bits that mean nothing.
            let (head, tail) = good.split_at(good.len() - 20);
            let other = if tail.starts_with('A') { 'B' } else { 'A' };
            Some(format!("Bearer {head}{other}{}", tail.get(1..).unwrap_or_default()))
        }
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_and_leave_nothing() -> anyhow::Result<()> {
    let range = Range::new().await?;
    range.try_all(&bodies::of_creations()).await?;
    range.try_all(&bodies::of_changes()).await
}

#[tokio::test]
async fn bad_requests_are_refused_and_leave_nothing() -> anyhow::Result<()> {
    let range = Range::new().await?;
    range.try_all(&requests::of_unknown_things()).await?;
    range.try_all(&requests::of_strangers()).await?;
    range.try_all(&requests::with_bad_queries()).await
}

#[tokio::test]
async fn what_many_clients_send_is_not_bad() -> anyhow::Result<()> {
    let range = Range::new().await?;
    let person = serde_json::to_vec(&somebody(3))?;
    // Media types of RFC 7644 section 3.8, and none at all.
    let types = [
        None,
        Some("application/json"),
        Some("application/scim+json; charset=utf-8"),
        Some("APPLICATION/SCIM+JSON;charset=\"UTF-8\""),
    ];
    for content_type in types {
        let url = format!("{}/scim/v2/Users", range.world.server.base_url());
        let mut request = range.http.post(url).bearer_auth(&range.world.tenant.scim_token).body(person.clone());
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body: Value = serde_json::from_str(&answer.text().await?)?;
        ensure!(status == StatusCode::CREATED, "{content_type:?} answered {status} {body}");
        let path = format!("/Users/{}", body["id"].as_str().unwrap_or_default());
        range.world.scim()?.expect(StatusCode::NO_CONTENT, Method::DELETE, &path, &Value::Null).await?;
    }
    Ok(())
}
