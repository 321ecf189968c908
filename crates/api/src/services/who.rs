//! Who does something that people answer for, in words: kept with plans and in the change log.
//!
//! When two of these count as one person is said by [`rollcall_provisioning::decider`]. So tokens should be called by the
//! people who hold them.

use crate::error::ApiError;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::ids::{CredentialId, TenantId};
use rollcall_store::Store;

/// A program with a token of the REST API: `token` and what people call the token.
pub async fn token(store: &Store, tenant: TenantId, credential: CredentialId) -> Result<String, ApiError> {
    let found = store.credential(tenant, credential).await?;
    let label = found.map_or_else(|| credential.to_string(), |credential| credential.label);
    Ok(format!("token {label}"))
}

/// The same where it takes two people: whoever made the token has it too, and so on.
pub async fn token_decider(store: &Store, tenant: TenantId, credential: CredentialId) -> Result<Decider, ApiError> {
    let (words, makers) =
        (token(store, tenant, credential).await?, store.makers(tenant, credential).await.map_err(ApiError::from)?);
    // Labels are names of people; the ids tell two tokens of one maker, whatever they are called.
    let ids = makers.iter().map(|(id, _)| *id).chain([credential]).map(|id| id.to_string()).collect::<Vec<_>>();
    Ok(Decider::new(&words).made_by(makers.into_iter().map(|(_, label)| label).chain(ids)))
}

/// Somebody who has signed in to the console.
pub fn operator(name: &str) -> String {
    format!("operator {name}")
}

/// Somebody at the command line of the server.
pub fn command_line(name: &str) -> String {
    format!("command line {name}")
}
