//! A server with clients of several profiles, and short ways to say what a case is about.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};
use rollcall_tests::{Cli, Client, Database, Reply, ScimClient, ServeOptions, Server, server_binary};
use serde_json::{Map, Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const DINGTALK: &str = "urn:rollcall:params:scim:schemas:extension:dingtalk:2.0:User";
pub(crate) const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
pub(crate) const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The clients that tables of tolerances are run for.
pub(crate) const TOLERANT: [&str; 3] = ["entra", "okta", "generic"];

/// One server, with a tenant `acme` and a source for each profile asked for.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) cli: Cli,
    tokens: BTreeMap<String, String>,
    clients: BTreeMap<String, ScimClient>,
    names: AtomicU64,
    // After the server that uses it.
    pub(crate) database: Database,
}

impl World {
    /// A world whose tenant has sources of these profiles, named after them.
    pub(crate) async fn with(profiles: &[&str]) -> anyhow::Result<Self> {
        Self::with_environment(profiles, &[]).await
    }

    /// The same, with a server that has these variables in its environment.
    pub(crate) async fn with_environment(profiles: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let database = Database::new().await?;
        let cli = Cli::new(server_binary!(), &database)?;
        let server = Server::start(
            server_binary!(),
            &database,
            ServeOptions {
                arguments: vec!["--role".to_owned(), "api".to_owned()],
                environment,
                ..ServeOptions::default()
            },
        )
        .await?;
        let (tokens, clients, names) = (BTreeMap::new(), BTreeMap::new(), AtomicU64::new(0));
        let mut world = Self { server, cli, tokens, clients, names, database };
        world.tenant("acme", profiles).await?;
        Ok(world)
    }

    /// Adds a tenant. Those after the first one have clients named `<tenant>/<profile>`.
    pub(crate) async fn tenant(&mut self, tenant: &str, profiles: &[&str]) -> anyhow::Result<()> {
        self.cli.json(&["tenant", "create", tenant]).await?;
        for profile in profiles {
            self.cli.json(&["source", "create", profile, "--profile", profile, "--tenant", tenant]).await?;
            let (_, token) = self.token(&["--source", profile, "--tenant", tenant]).await?;
            let headers = match *profile {
                "okta" => Client::Okta,
                "entra" => Client::Entra,
                _ => Client::Plain,
            };
            let name = if tenant == "acme" { (*profile).to_owned() } else { format!("{tenant}/{profile}") };
            self.clients.insert(name.clone(), ScimClient::new(headers, &self.scim_url(), &token)?);
            self.tokens.insert(name, token);
        }
        Ok(())
    }

    /// Gives every tenant a target that gets nothing, so that people have a standing.
    pub(crate) async fn paused_target(&self) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO targets (tenant_id, id, name, kind, settings, secret_sealed, mode, created_at) \
             SELECT id, id, 'dingtalk', 'dingtalk', '{}', '', 'paused', created_at FROM tenants",
        )
        .execute(self.database.pool())
        .await?;
        Ok(())
    }

    /// Makes a token: its id and its text.
    pub(crate) async fn token(&self, arguments: &[&str]) -> anyhow::Result<(String, String)> {
        let made = self.cli.json(&[&["token", "create"], arguments].concat()).await?;
        let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| made.to_string());
        Ok((text("id")?, text("token")?))
    }

    pub(crate) fn scim_url(&self) -> String {
        format!("{}/scim/v2", self.server.base_url())
    }

    /// A client of the REST interface of `acme`.
    pub(crate) async fn rest(&self) -> anyhow::Result<ScimClient> {
        let (_, token) = self.token(&["--tenant", "acme"]).await?;
        ScimClient::new(Client::Plain, &format!("{}/api/v1", self.server.base_url()), &token)
    }

    /// The client of a source.
    pub(crate) fn client(&self, name: &str) -> &ScimClient {
        &self.clients[name]
    }

    /// The token of a source.
    pub(crate) fn token_of(&self, name: &str) -> &str {
        &self.tokens[name]
    }

    /// A name that nobody has, for a userName or a displayName.
    pub(crate) fn name(&self) -> String {
        format!("Name-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// The body of a new user; without a `userName` it gets a fresh one.
    pub(crate) fn user_body(&self, attributes: &Value) -> Value {
        with(json!({ "schemas": [USER], "userName": self.name() }), attributes)
    }

    /// The body of a new group; without a `displayName` it gets a fresh one.
    pub(crate) fn group_body(&self, attributes: &Value) -> Value {
        with(json!({ "schemas": [GROUP], "displayName": self.name() }), attributes)
    }

    /// Creates a user and gives the answer.
    pub(crate) async fn user(&self, client: &ScimClient, attributes: Value) -> anyhow::Result<Resource> {
        Resource::created("/Users", client.post("/Users", &self.user_body(&attributes)).await?)
    }

    /// Creates a group and gives the answer.
    pub(crate) async fn group(&self, client: &ScimClient, attributes: Value) -> anyhow::Result<Resource> {
        Resource::created("/Groups", client.post("/Groups", &self.group_body(&attributes)).await?)
    }
}

/// A resource as it was created.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) id: String,
    /// Its path below the base URL.
    pub(crate) path: String,
    pub(crate) body: Value,
}

impl Resource {
    fn created(endpoint: &str, reply: Reply) -> anyhow::Result<Self> {
        ensure!(reply.status == 201, "{} {}", reply.status, reply.body);
        let id = reply.text("/id")?.to_owned();
        Ok(Self { path: format!("{endpoint}/{id}"), id, body: reply.body })
    }
}

/// `base` with the members of `more` over it.
pub(crate) fn with(mut base: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        base[name] = value.clone();
    }
    base
}

/// The body of a PATCH.
pub(crate) fn patch(operations: &Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

/// How `seen` falls short of `wanted`. An object may hold more than is wanted; a wanted `null` is something that must
/// not be there.
pub(crate) fn missing(wanted: &Value, seen: &Value) -> Option<String> {
    match (wanted, seen) {
        (Value::Object(wanted), Value::Object(seen)) => missing_members(wanted, seen),
        (Value::Array(wanted), Value::Array(seen)) if wanted.len() == seen.len() => wanted
            .iter()
            .zip(seen)
            .enumerate()
            .find_map(|(index, (wanted, seen))| missing(wanted, seen).map(|lack| format!("[{index}]{lack}"))),
        _ => (wanted != seen).then(|| format!(" should be {wanted}, is {seen}")),
    }
}

fn missing_members(wanted: &Map<String, Value>, seen: &Map<String, Value>) -> Option<String> {
    wanted.iter().find_map(|(name, wanted)| {
        missing(wanted, seen.get(name).unwrap_or(&Value::Null)).map(|lack| format!(".{name}{lack}"))
    })
}

/// What is wrong with an answer that should be a refusal, if anything is.
pub(crate) fn not_refused(reply: &Reply, status: u16, scim_type: &str) -> Option<String> {
    let scim_type = if scim_type.is_empty() { Value::Null } else { scim_type.into() };
    let wanted = json!({ "schemas": [ERROR], "status": status.to_string(), "scimType": scim_type });
    let media_type = reply.headers.get("content-type").map(reqwest::header::HeaderValue::as_bytes);
    let told = reply.body["detail"].as_str().is_some_and(|detail| detail.contains("[request "));
    let fits = reply.status == status && told && media_type == Some(b"application/scim+json");
    match missing(&wanted, &reply.body) {
        None if fits => None,
        _ => Some(format!("should be {status} {scim_type}, is {} {media_type:?} {}", reply.status, reply.body)),
    }
}

/// Fails with everything that a table found.
#[track_caller]
pub(crate) fn none_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
