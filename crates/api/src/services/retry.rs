//! Looking at deliveries again, because a person wants it.

use crate::error::ApiError;
use rollcall_provisioning::ids::TenantId;
use rollcall_store::Store;
use rollcall_store::projection::MarkAgain;
use serde::Serialize;
use utoipa::ToSchema;

/// What came of the wish.
#[derive(Serialize, ToSchema, Clone, Copy, Debug)]
pub struct Retried {
    /// How many deliveries are looked at again.
    pub marked: u64,
}

/// Marks deliveries, so that they are looked at again now. `request_id` is kept with them, and with the attempts that
/// follow.
pub async fn mark(store: &Store, tenant: TenantId, which: &MarkAgain, request_id: &str) -> Result<Retried, ApiError> {
    Ok(Retried { marked: store.mark_again(tenant, which, request_id).await? })
}
