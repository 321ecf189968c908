//! When each credential was last used, for the person who wonders whether an old token can be revoked.
//!
//! A write per request would double the cost of a request, so uses are collected in memory and written down in
//! batches. A crash loses half a minute of them, which changes nobody's mind.

use crate::limits::LAST_USE_INTERVAL;
use crate::state::ApiState;
use rollcall_provisioning::ids::{CredentialId, TenantId};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;

/// Uses that are not written down yet: the newest of each credential.
#[derive(Default, Debug)]
pub struct LastUses(Mutex<HashMap<(TenantId, CredentialId), OffsetDateTime>>);

impl LastUses {
    /// Notes that a credential was used now.
    pub(crate) fn note(&self, tenant: TenantId, credential: CredentialId, now: OffsetDateTime) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((tenant, credential), now);
    }

    fn take(&self) -> Vec<(TenantId, CredentialId, OffsetDateTime)> {
        let uses = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        uses.into_iter().map(|((tenant, credential), at)| (tenant, credential, at)).collect()
    }
}

/// Writes collected uses down from time to time, until `shutdown` completes, and then a last time. Run one per
/// process that answers requests.
pub async fn run(state: ApiState, shutdown: impl Future<Output = ()> + Send) {
    tokio::pin!(shutdown);
    loop {
        let stopping = tokio::select! {
            () = &mut shutdown => true,
            () = tokio::time::sleep(LAST_USE_INTERVAL) => false,
        };
        let uses = state.last_uses().take();
        if let Err(error) = state.store().touch_credentials(&uses).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "last uses of tokens could not be written down");
        }
        if stopping {
            return;
        }
    }
}
