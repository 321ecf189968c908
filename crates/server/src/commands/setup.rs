//! Tenants, tokens and operators.

use super::chosen_tenant;
use super::output::Output;
use crate::cli::{OperatorCommand, TenantCommand};
use crate::secrets::random;
use anyhow::{Context, Result};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, SaltString};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_api::auth::token::{self, SecretHash};
use rollcall_provisioning::ids::{CredentialId, SourceId, TenantId};
use rollcall_store::credentials::{CredentialKind, NewCredential, NewProof, Owner};
use rollcall_store::operators::Operator;
use rollcall_store::sources::SetUpBy;
use rollcall_store::{Store, StoreError, Uniqueness};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Who changes the set-up here, and what the change log names instead of a request.
pub(crate) const BY: (SetUpBy, &str) = (SetUpBy::CommandLine, "command-line");

pub(super) async fn tenant(command: TenantCommand, store: &Store, output: &Output) -> Result<()> {
    match command {
        TenantCommand::Create { name } => {
            let made = store.create_tenant(&name).await.map_err(|error| taken(error, &name))?;
            output.result(&json!({ "id": made.id.0, "name": made.name }), || format!("Tenant {name} is there."))?;
        }
        TenantCommand::List => {
            let tenants = store.tenants().await?;
            let document = tenants.iter().map(|tenant| json!({ "id": tenant.id.0, "name": tenant.name })).collect();
            let rows: Vec<_> = tenants.iter().map(|tenant| vec![tenant.name.clone(), tenant.id.to_string()]).collect();
            output.table(&document, &["name", "id"], &rows)?;
        }
    }
    Ok(())
}

/// Makes a token of a source, or without one of the REST API.
pub(crate) async fn make_token(
    store: &Store,
    tenant: TenantId,
    source: Option<SourceId>,
    label: &str,
    expires_at: OffsetDateTime,
) -> Result<(CredentialId, SecretString)> {
    let secret = random::<{ token::SECRET_BYTES }>()?;
    let credential = NewCredential {
        owner: source.map_or(Owner::Api, Owner::Source),
        kind: CredentialKind::Token,
        proof: NewProof::Secret(*SecretHash::of(&secret).as_bytes()),
        label,
        scopes: None,
        expires_at: Some(expires_at),
        by: BY,
    };
    let id = store.add_credential(tenant, credential).await.map_err(|error| match error {
        StoreError::TooManyLive { .. } => {
            anyhow::anyhow!("{error}; revoke one first (`rollcall token list`, `rollcall token revoke <id>`)")
        }
        other => other.into(),
    })?;
    Ok((id, token::mint(tenant, id, &secret)))
}

pub(super) async fn operator(command: OperatorCommand, store: &Store, output: &Output) -> Result<()> {
    let (name, password) = match command {
        OperatorCommand::Create { name, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
            let password = make_operator(store, tenant.id, &name).await?;
            (name, password)
        }
        OperatorCommand::Password { name } => {
            let operator = store.operator(&name).await?.with_context(|| format!("there is no operator {name:?}"))?;
            (name, renew_password(store, &operator).await?)
        }
    };
    let document = json!({ "name": name, "password": password.expose_secret() });
    output.result(&document, || {
        format!("{}\n\nThis is the only time that the password of {name} is shown.", password.expose_secret())
    })?;
    Ok(())
}

/// Makes an operator with a password of its own.
pub(crate) async fn make_operator(store: &Store, tenant: TenantId, name: &str) -> Result<SecretString> {
    let password = make_password()?;
    store.create_operator(tenant, name, &hash_password(&password)?).await.map_err(|error| taken(error, name))?;
    Ok(password)
}

/// Gives an operator a new password; the old one is refused from now on.
pub(crate) async fn renew_password(store: &Store, operator: &Operator) -> Result<SecretString> {
    let password = make_password()?;
    store.set_operator_password(operator.tenant, operator.id, &hash_password(&password)?).await?;
    Ok(password)
}

fn make_password() -> Result<SecretString> {
    Ok(URL_SAFE_NO_PAD.encode(random::<15>()?).into())
}

fn hash_password(password: &SecretString) -> Result<String> {
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|error| anyhow::anyhow!("{error}"))?;
    let hash = Argon2::default().hash_password(password.expose_secret().as_bytes(), &salt);
    Ok(hash.map_err(|error| anyhow::anyhow!("the password could not be hashed: {error}"))?.to_string())
}

/// A sentence for a name that is taken, or when there is no room for another one.
pub(super) fn taken(error: StoreError, name: &str) -> anyhow::Error {
    let what = match &error {
        StoreError::Conflict(Uniqueness::TenantName) => "a tenant",
        StoreError::Conflict(Uniqueness::SourceName) => "a source",
        StoreError::Conflict(Uniqueness::OperatorName) => "an operator",
        StoreError::Conflict(Uniqueness::TargetName) => "a target",
        StoreError::Full { .. } => {
            return anyhow::anyhow!("{error}; use one again that is not needed any more (`rollcall source list`)");
        }
        _ => return error.into(),
    };
    anyhow::anyhow!("there is {what} named {name:?} already; choose another name")
}

pub(super) fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}
