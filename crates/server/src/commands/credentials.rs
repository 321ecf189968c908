//! Tokens and passwords, OAuth clients, and what a source allows. The same services as behind the REST API.

use super::chosen_tenant;
use super::output::Output;
use super::setup::{BY, rfc3339};
use crate::cli::{AccessCommand, NewArgs, OauthClientCommand, TenantArg, TokenCommand, TrustArgs};
use crate::clock::SystemClock;
use anyhow::{Context, Result, bail, ensure};
use rollcall_api::limits::CREDENTIAL_TTL;
use rollcall_api::services::credentials::{self, CreatedCredential, CredentialRequest};
use rollcall_api::services::oauth_clients::{self, OauthClientRequest, OauthClientView};
use rollcall_api::services::source_access::{self, AccessView, RateView};
use rollcall_api::services::trusts::TrustRequest;
use rollcall_provisioning::ids::{CredentialId, OauthClientId, TenantId};
use rollcall_provisioning::time::Clock;
use rollcall_store::Store;
use rollcall_store::credentials::CredentialKind;
use rollcall_store::sources::Source;
use rollcall_store::tenants::Tenant;
use serde_json::{Value, json};
use std::path::Path;
use time::OffsetDateTime;

pub(super) async fn token(command: TokenCommand, store: &Store, output: &Output) -> Result<()> {
    let (kind, source, scopes, trust, new) = match command {
        TokenCommand::Create { source, scopes, new } => (CredentialKind::Token, source, scopes, None, new),
        TokenCommand::Password { source, scopes, new } => (CredentialKind::Password, Some(source), scopes, None, new),
        TokenCommand::Trust { source, trust, scopes, new } => {
            (CredentialKind::Issuer, Some(source), scopes, Some(trust.into()), new)
        }
        TokenCommand::List(which) => return list(&which, store, output).await,
        TokenCommand::Revoke { id, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
            let revoked = credentials::revoke(store, tenant.id, BY, CredentialId(id)).await?;
            ensure!(revoked, "tenant {} has no live token or credential {id}", tenant.name);
            output.result(&json!({ "id": id, "revoked": true }), refused)?;
            return Ok(());
        }
    };
    let tenant = chosen_tenant(store, new.tenant.tenant.as_deref()).await?;
    let source_id = match &source {
        Some(name) => Some(source_named(store, &tenant, name).await?.id.0),
        None => None,
    };
    let request = CredentialRequest { source_id, scopes: scopes.scopes, trust, ..request(kind, new) };
    make(store, tenant.id, request, output).await
}

pub(super) async fn oauth_client(command: OauthClientCommand, store: &Store, output: &Output) -> Result<()> {
    let (kind, client, trust, new) = match command {
        OauthClientCommand::Create { source, label, scopes, token_minutes, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
            let source_id = source_named(store, &tenant, &source).await?.id.0;
            let request =
                OauthClientRequest { source_id, label, scopes: scopes.scopes, token_minutes: Some(token_minutes) };
            let made = oauth_clients::create(store, tenant.id, BY, &request).await?;
            let text = format!(
                "client_id  {}\nid         {}\n\nGive it something to prove itself by: `rollcall oauth-client secret {}`, \
                 `… keys` or `… federate`.",
                made.client_id, made.id, made.id
            );
            output.result(&serde_json::to_value(&made)?, || text)?;
            return Ok(());
        }
        OauthClientCommand::Secret { client, new } => (CredentialKind::ClientSecret, client, None, new),
        OauthClientCommand::Keys { client, jwks_file, jwks_uri, algorithm, audience, new } => {
            let jwks = jwks_file.as_deref().map(key_set).transpose()?;
            let trust = TrustRequest { jwks, jwks_uri, algorithm, audience, ..TrustRequest::default() };
            (CredentialKind::PrivateKeyJwt, client, Some(trust), new)
        }
        OauthClientCommand::Federate { client, trust, new } => {
            (CredentialKind::Federation, client, Some(trust.into()), new)
        }
        OauthClientCommand::List(which) => return list_clients(&which, store, output).await,
        OauthClientCommand::Revoke { id, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
            let revoked = oauth_clients::revoke(store, tenant.id, BY, OauthClientId(id)).await?;
            ensure!(revoked, "tenant {} has no live OAuth client {id}", tenant.name);
            output.result(&json!({ "id": id, "revoked": true }), refused)?;
            return Ok(());
        }
    };
    let tenant = chosen_tenant(store, new.tenant.tenant.as_deref()).await?;
    let request = CredentialRequest { oauth_client_id: Some(client), trust, ..request(kind, new) };
    make(store, tenant.id, request, output).await
}

pub(super) async fn access(command: AccessCommand, store: &Store, output: &Output) -> Result<()> {
    let (AccessCommand::Show { source, tenant } | AccessCommand::Set { source, tenant, .. }) = &command;
    let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
    let source = source_named(store, &tenant, source).await?;
    let mut access = source_access::read(store, tenant.id, source.id).await?;
    if let AccessCommand::Set { basic, networks, rate, .. } = command {
        access.basic = basic.unwrap_or(access.basic);
        if let Some(networks) = networks {
            access.networks = read_networks(&networks)?;
        }
        if let Some(rate) = rate {
            access.rate = read_rate(&rate)?;
        }
        access = source_access::replace(store, tenant.id, source.id, BY, &access).await?;
    }
    output.result(&serde_json::to_value(&access)?, || describe(&source, &access))?;
    Ok(())
}

impl From<TrustArgs> for TrustRequest {
    fn from(args: TrustArgs) -> Self {
        Self {
            entra_tenant: args.entra_tenant,
            object_id: args.object_id,
            issuer: args.issuer,
            audience: args.audience,
            algorithm: args.algorithm,
            jwks_uri: args.jwks_uri,
            jwks: None,
            claims: args.claims.into_iter().collect(),
        }
    }
}

fn request(kind: CredentialKind, NewArgs { label, days, .. }: NewArgs) -> CredentialRequest {
    CredentialRequest { kind: kind.as_str().to_owned(), label, days, ..CredentialRequest::default() }
}

async fn make(store: &Store, tenant: TenantId, request: CredentialRequest, output: &Output) -> Result<()> {
    let made = credentials::create(store, tenant, BY, request, SystemClock.now()).await?;
    output.result(&serde_json::to_value(&made)?, || shown_once(&made))?;
    Ok(())
}

/// What is shown of a new credential.
fn shown_once(made: &CreatedCredential) -> String {
    let until = made.expires_at.map_or_else(String::new, |end| format!(" It expires at {}.", rfc3339(end)));
    if let Some(token) = &made.token {
        return format!("{token}\n\nThis is the only time that the token is shown.{until}");
    }
    if let (Some(name), Some(password)) = (&made.user_name, &made.password) {
        let lines = format!("user name  {name}\npassword   {password}");
        return format!("{lines}\n\nThis is the only time that the password is shown.{until}");
    }
    if let (Some(client), Some(secret)) = (&made.client_id, &made.client_secret) {
        let lines = format!("client_id      {client}\nclient_secret  {secret}");
        return format!("{lines}\n\nThis is the only time that the secret is shown.{until}");
    }
    format!("{} is trusted from now on.{until}", made.id)
}

/// What is true when a revocation is stored: who has looked the credential up a moment ago must hear of it first.
fn refused() -> String {
    format!(
        "It is refused. Running servers have been told; one that does not hear of it refuses it within {} seconds.",
        CREDENTIAL_TTL.as_secs()
    )
}

async fn list(which: &TenantArg, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
    let (mut document, mut rows) = (Vec::new(), Vec::new());
    for view in credentials::list(store, tenant.id).await? {
        let whom = view.source.clone().unwrap_or_else(|| "REST API".to_owned());
        let mut entry = serde_json::to_value(&view)?;
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("for".to_owned(), json!(whom));
        }
        document.push(entry);
        rows.push(vec![
            view.id.to_string(),
            view.kind.to_owned(),
            whom,
            view.label,
            scopes(view.scopes.as_deref()),
            moment(view.expires_at),
            moment(view.revoked_at),
            moment(view.last_used_at),
        ]);
    }
    let header = ["id", "kind", "for", "label", "may", "expires", "revoked", "last used"];
    output.table(&document.into(), &header, &rows)?;
    Ok(())
}

async fn list_clients(which: &TenantArg, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
    let clients = oauth_clients::list(store, tenant.id).await?;
    let row = |client: &OauthClientView| {
        vec![
            client.id.to_string(),
            client.source.clone().unwrap_or_default(),
            client.label.clone(),
            scopes(client.scopes.as_deref()),
            moment(client.revoked_at),
            client.client_id.clone(),
        ]
    };
    let rows: Vec<_> = clients.iter().map(row).collect();
    output.table(&serde_json::to_value(&clients)?, &["id", "for", "label", "may", "revoked", "client_id"], &rows)?;
    Ok(())
}

async fn source_named(store: &Store, tenant: &Tenant, name: &str) -> Result<Source> {
    let found = store.source_by_name(tenant.id, name).await?;
    found.with_context(|| format!("tenant {} has no source {name:?}", tenant.name))
}

fn key_set(file: &Path) -> Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", file.display()))
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// An empty text, perhaps from a variable that was not set, must not open a source to everybody.
fn read_networks(text: &str) -> Result<Vec<String>> {
    if text == "any" {
        return Ok(Vec::new());
    }
    let networks = words(text);
    ensure!(!networks.is_empty(), "name networks, such as 192.0.2.0/24, or \"any\" for no limit");
    Ok(networks)
}

fn read_rate(text: &str) -> Result<Option<RateView>> {
    if text == "default" {
        return Ok(None);
    }
    let figures = text.split_once('/').and_then(|(rate, burst)| Some((rate.parse().ok()?, burst.parse().ok()?)));
    match figures {
        Some((requests_per_second, burst)) => Ok(Some(RateView { requests_per_second, burst })),
        None => bail!("a rate is two numbers such as 100/500, or \"default\"; it is {text:?}"),
    }
}

fn describe(source: &Source, access: &AccessView) -> String {
    let networks = if access.networks.is_empty() { "anywhere".to_owned() } else { access.networks.join(", ") };
    let rate = access.rate.map_or_else(
        || "as the installation says".to_owned(),
        |rate| format!("{} a second, {} at once", rate.requests_per_second, rate.burst),
    );
    let basic = if access.basic { "allowed" } else { "not allowed" };
    format!("source      {}\ncalls from  {networks}\nrequests    {rate}\nHTTP Basic  {basic}", source.name)
}

fn scopes(scopes: Option<&[String]>) -> String {
    scopes.map_or_else(|| "-".to_owned(), |scopes| scopes.join(" "))
}

fn moment(at: Option<OffsetDateTime>) -> String {
    at.map_or_else(|| "-".to_owned(), rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_lifts_the_limit_of_networks() {
        assert_eq!(read_networks("any").expect("no limit"), Vec::<String>::new());
        assert_eq!(read_networks("192.0.2.0/24, ::1").expect("two"), ["192.0.2.0/24", "::1"]);
        for text in ["", " ", ","] {
            assert!(read_networks(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn rates_are_two_numbers() {
        let rate = |requests_per_second, burst| Some(RateView { requests_per_second, burst });
        assert_eq!(read_rate("100/500").expect("a rate"), rate(100, 500));
        assert_eq!(read_rate("default").expect("none"), None);
        for text in ["", "100", "100/", "/5", "a/b", "-1/50", "100/500/2"] {
            assert!(read_rate(text).is_err(), "{text}");
        }
    }
}
