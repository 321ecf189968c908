//! Assertions that were used (RFC 7523 §3): kept until they expire, in the database, so that an assertion which one process
//! has taken is refused by every other.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{CredentialId, TenantId};
use time::OffsetDateTime;

impl Store {
    /// Notes that an assertion was used; false when it was used before. Those of the credential that have expired by now
    /// are forgotten on the way.
    pub async fn use_assertion(
        &self,
        tenant: TenantId,
        credential: CredentialId,
        jti_hash: &[u8; 32],
        expires_at: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let new = sqlx::query(
            "WITH expired AS ( \
                 DELETE FROM used_assertions WHERE tenant_id = $1 AND credential_id = $2 AND expires_at < $5) \
             INSERT INTO used_assertions (tenant_id, credential_id, jti_hash, expires_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT ON CONSTRAINT used_assertions_pkey DO NOTHING",
        )
        .bind(tenant.0)
        .bind(credential.0)
        .bind(jti_hash.as_slice())
        .bind(expires_at)
        .bind(now)
        .execute(self.pool())
        .await?;
        Ok(new.rows_affected() == 1)
    }
}
