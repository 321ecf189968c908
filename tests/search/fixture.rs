//! A server with one tenant and one source, and short ways to say what a test is about.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use rollcall_tests::{Cli, Client, Database, Reply, ScimClient, ServeOptions, Server, server_binary};
use serde_json::{Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A directory with nothing in it.
pub(crate) struct Fixture {
    pub(crate) scim: ScimClient,
    _server: Server,
    // After the process that uses it.
    _database: Database,
}

impl Fixture {
    /// A server whose source has the given profile.
    pub(crate) async fn new(profile: &str) -> anyhow::Result<Self> {
        let database = Database::new().await?;
        let cli = Cli::new(server_binary!(), &database)?;
        let folder = cli.folder().to_str().context("the folder is no text")?;
        let run = async |arguments: &[&str]| cli.json(&[arguments, &["--data-dir", folder]].concat()).await;
        run(&["tenant", "create", "acme"]).await?;
        run(&["source", "create", "feed", "--profile", profile, "--tenant", "acme"]).await?;
        let token = run(&["token", "create", "--source", "feed", "--tenant", "acme"]).await?;
        let options = ServeOptions { arguments: vec!["--role".into(), "api".into()], ..ServeOptions::default() };
        let server = Server::start(server_binary!(), &database, options).await?;
        let token = token["token"].as_str().context("no token was shown")?;
        let scim = ScimClient::new(Client::Plain, &format!("{}/scim/v2", server.base_url()), token)?;
        Ok(Self { scim, _server: server, _database: database })
    }

    /// Creates a user with these attributes; its id.
    pub(crate) async fn user(&self, attributes: Value) -> anyhow::Result<String> {
        self.create("/Users", USER, attributes).await
    }

    /// Creates a group with these attributes; its id.
    pub(crate) async fn group(&self, attributes: Value) -> anyhow::Result<String> {
        self.create("/Groups", GROUP, attributes).await
    }

    async fn create(&self, endpoint: &str, schema: &str, mut attributes: Value) -> anyhow::Result<String> {
        attributes["schemas"] = json!([schema]);
        let reply = self.scim.post(endpoint, &attributes).await?;
        ensure!(reply.status == StatusCode::CREATED, "{attributes} answered {} {}", reply.status, reply.body);
        Ok(reply.text("/id")?.to_owned())
    }
}

/// The names of the resources in a list, whatever they are, with the total.
pub(crate) fn names(reply: &Reply) -> anyhow::Result<(i64, Vec<String>)> {
    ensure!(reply.status == StatusCode::OK, "{} {}", reply.status, reply.body);
    let resources = reply.body["Resources"].as_array().context("no Resources")?;
    ensure!(reply.body["itemsPerPage"] == resources.len(), "itemsPerPage is not what is in the page: {}", reply.body);
    let name = |resource: &Value| {
        let named = resource["userName"].as_str().or_else(|| resource["displayName"].as_str());
        named.unwrap_or_default().to_owned()
    };
    Ok((reply.body["totalResults"].as_i64().context("no total")?, resources.iter().map(name).collect()))
}
