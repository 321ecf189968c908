//! Who does something that people answer for, in words: kept with plans and in the change log.
//!
//! Two of these are the same person when they read the same. So tokens should be called by the people who hold them.

use crate::error::ApiError;
use rollcall_provisioning::ids::{CredentialId, TenantId};
use rollcall_store::Store;

/// A program with a token of the REST API: `token` and what people call the token.
pub async fn token(store: &Store, tenant: TenantId, credential: CredentialId) -> Result<String, ApiError> {
    let found = store.credential(tenant, credential).await?;
    let label = found.map_or_else(|| credential.to_string(), |credential| credential.label);
    Ok(format!("token {label}"))
}

/// Somebody who has signed in to the console.
pub fn operator(name: &str) -> String {
    format!("operator {name}")
}

/// Somebody at the command line of the server.
pub fn command_line(name: &str) -> String {
    format!("command line {name}")
}
