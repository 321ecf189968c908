//! What a source allows besides its credentials: HTTP Basic, the networks it may call from, and its own rate.

use crate::changes::{Operation, SetUp, Subject, record_set_up};
use crate::sources::SetUpBy;
use crate::wake::CREDENTIALS_CHANNEL;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{SourceId, TenantId};
use serde_json::json;

/// From where, how fast, and whether with HTTP Basic a source may call.
#[derive(Clone, PartialEq, Eq, Debug, Default, sqlx::FromRow)]
pub struct SourceAccess {
    /// Whether it may use HTTP Basic.
    pub basic_allowed: bool,
    /// The networks that it may call from, such as `192.0.2.0/24`; none named: any.
    pub allowed_networks: Vec<String>,
    /// Requests per second that it may send all the time; `None`: as the installation says. At least 25.
    pub requests_per_second: Option<i32>,
    /// Requests that it may send at once; `None`: as the installation says. At least 50.
    pub request_burst: Option<i32>,
}

impl Store {
    /// What a source allows. [`StoreError::Unknown`] when there is no such source.
    pub async fn source_access(&self, tenant: TenantId, source: SourceId) -> Result<SourceAccess, StoreError> {
        let access: Option<SourceAccess> = sqlx::query_as(
            "SELECT basic_allowed, allowed_networks, requests_per_second, request_burst \
             FROM sources WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant.0)
        .bind(source.0)
        .fetch_optional(self.pool())
        .await?;
        access.ok_or(StoreError::Unknown { what: "source" })
    }

    /// Changes what a source allows, and tells every process. [`StoreError::Unknown`] when there is no such source.
    pub async fn set_source_access(
        &self,
        tenant: TenantId,
        source: SourceId,
        access: &SourceAccess,
        by: (SetUpBy, &str),
    ) -> Result<(), StoreError> {
        let mut tx = self.pool().begin().await?;
        let changed = sqlx::query(
            "WITH told AS (SELECT pg_notify($7, '')) \
             UPDATE sources SET basic_allowed = $3, allowed_networks = $4, requests_per_second = $5, request_burst = $6 \
             FROM told WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant.0)
        .bind(source.0)
        .bind(access.basic_allowed)
        .bind(&access.allowed_networks)
        .bind(access.requests_per_second)
        .bind(access.request_burst)
        .bind(CREDENTIALS_CHANNEL)
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::Unknown { what: "source" });
        }
        let details = json!({
            "basic": access.basic_allowed, "networks": access.allowed_networks,
            "requests_per_second": access.requests_per_second, "burst": access.request_burst,
        });
        let entry = SetUp { operation: Operation::Update, subject: Subject::SourceAccess, id: source.0, by, details };
        record_set_up(&mut *tx, tenant, entry, self.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether any source of the installation may use HTTP Basic. Of no tenant in particular: a refusal names the schemes
    /// that are on before it is known whose request it was.
    pub async fn is_basic_allowed_anywhere(&self) -> Result<bool, StoreError> {
        let allowed = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sources WHERE basic_allowed)");
        Ok(allowed.fetch_one(self.pool()).await?)
    }
}
