//! Pushing the sample through the real SCIM endpoint, as an identity provider would.

use super::organisation::{Part, Person};
use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Requests under way at once.
const AT_ONCE: usize = 8;
/// How long the sample's leavers stay at most before they go.
const STAY: Duration = Duration::from_mins(2);

const DINGTALK: &str = "urn:rollcall:params:scim:schemas:extension:dingtalk:2.0:User";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What an error answer says.
fn detail(answer: &Value) -> &str {
    answer.get("detail").and_then(Value::as_str).unwrap_or("no detail was given")
}

/// A SCIM client.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Arc<str>,
    token: Arc<str>,
    simulator: Arc<str>,
}

/// The sample after it was pushed.
pub(super) struct Pushed {
    client: Client,
    leavers: Vec<String>,
}

impl Client {
    /// A client of the SCIM endpoint at `base`.
    pub(super) fn new(base: &str, token: &str, simulator: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).no_proxy().build()?;
        Ok(Self { http, base: base.into(), token: token.into(), simulator: simulator.into() })
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/scim+json").body(body.to_string());
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Creates a resource, or finds the one that has the name from an earlier run. Returns its id.
    async fn create(&self, endpoint: &str, body: &Value, key: (&str, &str)) -> Result<String> {
        let (status, answer) = self.send(Method::POST, endpoint, Some(body)).await?;
        let found = match status {
            StatusCode::CREATED => answer,
            StatusCode::CONFLICT => self.find(endpoint, key).await?,
            _ => bail!("{} was refused with {status}: {}", key.1, detail(&answer)),
        };
        found.get("id").and_then(Value::as_str).map(str::to_owned).context("the answer has no id")
    }

    async fn find(&self, endpoint: &str, (attribute, value): (&str, &str)) -> Result<Value> {
        let filter = format!("{attribute} eq {}", Value::from(value));
        let query = format!("{endpoint}?attributes=id&filter={}", encode(&filter));
        let (status, mut list) = self.send(Method::GET, &query, None).await?;
        anyhow::ensure!(status.is_success(), "{value} could not be looked up: {}", detail(&list));
        list.pointer_mut("/Resources/0").map(Value::take).with_context(|| format!("{value} is not there"))
    }
}

/// Percent-encodes everything but letters and digits.
fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Pushes everybody, managers first, then the groups.
pub(super) async fn push(client: Client, people: Vec<Person>) -> Result<Pushed> {
    let mut ids: Vec<Option<String>> = vec![None; people.len()];
    let mut waiting: Vec<usize> = (0..people.len()).collect();
    while !waiting.is_empty() {
        // Everybody whose manager is known by now.
        let (ready, later): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(|index| {
            let manager = people.get(*index).and_then(|person| person.manager);
            manager.is_none_or(|manager| ids.get(manager).is_some_and(Option::is_some))
        });
        anyhow::ensure!(!ready.is_empty(), "the sample's managers form a circle");
        for (index, id) in push_ready(&client, &people, &ids, ready).await? {
            if let Some(place) = ids.get_mut(index) {
                *place = Some(id);
            }
        }
        waiting = later;
    }
    push_groups(&client, &people, &ids).await?;
    let leavers = people.iter().zip(&ids).filter(|(person, _)| person.part == Part::Leaver);
    let leavers = leavers.filter_map(|(_, id)| id.clone()).collect();
    Ok(Pushed { client, leavers })
}

async fn push_ready(
    client: &Client,
    people: &[Person],
    ids: &[Option<String>],
    ready: Vec<usize>,
) -> Result<Vec<(usize, String)>> {
    let mut tasks = JoinSet::new();
    let mut done = Vec::with_capacity(ready.len());
    for index in ready {
        let Some(person) = people.get(index).cloned() else { continue };
        let manager = person.manager.and_then(|manager| ids.get(manager).cloned().flatten());
        if tasks.len() >= AT_ONCE
            && let Some(finished) = tasks.join_next().await
        {
            done.push(finished??);
        }
        let client = client.clone();
        tasks.spawn(async move { push_person(&client, person, manager).await.map(|id| (index, id)) });
    }
    while let Some(finished) = tasks.join_next().await {
        done.push(finished??);
    }
    Ok(done)
}

async fn push_person(client: &Client, mut person: Person, manager: Option<String>) -> Result<String> {
    if let (Part::Invited, Some(mobile)) = (person.part, &person.mobile) {
        register_outside(client, mobile).await?;
    }
    if let Some(manager) = manager {
        let manager = json!({ "value": manager });
        let enterprise = person.user.get_mut(ENTERPRISE).and_then(Value::as_object_mut);
        enterprise.map(|fields| fields.insert("manager".to_owned(), manager));
    }
    client.create("/Users", &person.user, ("userName", &person.user_name)).await
}

/// Tells the simulator that somebody wants to be asked before they join an organisation.
async fn register_outside(client: &Client, mobile: &str) -> Result<()> {
    let mobile = rollcall_provisioning::mobile::dingtalk_form(mobile)?;
    let person = json!({ "mobile": mobile, "privacy": true });
    let url = format!("{}/_simulator/people", client.simulator);
    let answer = client.http.post(url).json(&person).send().await?;
    anyhow::ensure!(answer.status().is_success(), "the simulator refused a person: {}", answer.text().await?);
    Ok(())
}

async fn push_groups(client: &Client, people: &[Person], ids: &[Option<String>]) -> Result<()> {
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (person, id) in people.iter().zip(ids) {
        if let (Some(group), Some(id)) = (&person.group, id) {
            groups.entry(group).or_default().push(json!({ "value": id }));
        }
    }
    for (name, members) in groups {
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members,
        });
        client.create("/Groups", &group, ("displayName", name)).await?;
    }
    Ok(())
}

impl Pushed {
    /// Once a leaver has arrived at DingTalk, the source deactivates them, so that one can watch them go.
    pub(super) async fn say_farewell(self) -> Result<()> {
        for id in &self.leavers {
            let arrived = async {
                loop {
                    let path = format!("/Users/{id}?attributes={DINGTALK}");
                    let (_, user) = self.client.send(Method::GET, &path, None).await?;
                    if user.get(DINGTALK).and_then(|standing| standing.get("state")) == Some(&json!("in_step")) {
                        return anyhow::Ok(());
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            };
            // Somebody who does not arrive in time goes all the same.
            if let Ok(arrived) = tokio::time::timeout(STAY, arrived).await {
                arrived?;
            }
            let operation = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "replace", "path": "active", "value": false }],
            });
            let (status, answer) = self.client.send(Method::PATCH, &format!("/Users/{id}"), Some(&operation)).await?;
            anyhow::ensure!(status.is_success(), "a leaver was refused: {}", detail(&answer));
        }
        Ok(())
    }
}
