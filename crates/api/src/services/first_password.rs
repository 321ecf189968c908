//! Handing over the first password of an account whose sign-in the target keeps. It is shown once.

use crate::error::ApiError;
use crate::target_kinds::{SecretOf, TargetKinds};
use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_store::Store;
use rollcall_store::sources::SetUpBy;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

/// The first password of an account.
#[derive(Serialize, ToSchema)]
pub struct FirstPasswordView {
    /// At which target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// The account there.
    pub userid: String,
    /// The password. This is the only time that it is shown; the person is asked for another one when they sign in.
    #[schema(format = Password, read_only)]
    pub password: String,
}

impl fmt::Debug for FirstPasswordView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstPasswordView").field("userid", &self.userid).finish_non_exhaustive()
    }
}

/// Fetches the first passwords of a person's accounts. Each is forgotten with that; the change log says who has seen it.
///
/// # Errors
/// 404 when none waits to be fetched.
pub async fn fetch(
    store: &Store,
    kinds: &dyn TargetKinds,
    (tenant, user): (TenantId, ResourceId),
    by: (SetUpBy, &str),
) -> Result<Vec<FirstPasswordView>, ApiError> {
    let mut views = Vec::new();
    for kept in store.first_passwords(tenant, user).await? {
        let of = SecretOf { tenant, target: kept.target, name: &kept.target_name };
        let password = kinds.open_first_password(of, user, &kept.sealed)?;
        if store.forget_first_password((tenant, user), &kept, by).await? {
            views.push(FirstPasswordView {
                target_id: kept.target.0,
                target: kept.target_name,
                userid: kept.userid,
                password: password.expose_secret().to_owned(),
            });
        }
    }
    if views.is_empty() {
        return Err(ApiError::NotFound {
            what: format!("a first password of the user {user} that waits to be fetched"),
        });
    }
    Ok(views)
}
