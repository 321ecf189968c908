//! The sealed secrets of all targets, for whoever replaces the key that seals them.
//!
//! What is inside nobody here can tell: a value is told by the bytes with which it begins, which name its key.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{TargetId, TenantId};
use uuid::Uuid;

/// A sealed secret of a target, and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Whose.
    pub tenant: TenantId,
    /// Which target's.
    pub target: TargetId,
    /// What the target is called.
    pub target_name: String,
    /// The value.
    pub value: Vec<u8>,
}

/// How many values begin with the same bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedCount {
    /// The bytes.
    pub prefix: Vec<u8>,
    /// How many.
    pub count: i64,
}

type SealedRow = (Uuid, Uuid, String, Vec<u8>);

impl Store {
    /// How many sealed values there are, by the first `length` bytes.
    pub async fn count_sealed(&self, length: i32) -> Result<Vec<SealedCount>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
            "SELECT substring(secret_sealed FROM 1 FOR $1) AS prefix, count(*) FROM targets
             WHERE secret_sealed <> '' GROUP BY prefix ORDER BY prefix LIMIT 1000",
        )
        .bind(length)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|(prefix, count)| SealedCount { prefix, count }).collect())
    }

    /// The sealed values that do not begin with `prefix`, at most `limit` of those that come after a target.
    pub async fn sealed_otherwise(
        &self,
        prefix: &[u8],
        after: Option<(TenantId, TargetId)>,
        limit: i64,
    ) -> Result<Vec<Sealed>, StoreError> {
        let (tenant, target) = after.map_or((Uuid::nil(), Uuid::nil()), |(tenant, target)| (tenant.0, target.0));
        let rows: Vec<SealedRow> = sqlx::query_as(
            "SELECT tenant_id, id, name, secret_sealed FROM targets
             WHERE (tenant_id, id) > ($1, $2) AND secret_sealed <> ''
               AND substring(secret_sealed FROM 1 FOR octet_length($3)) <> $3
             ORDER BY tenant_id, id LIMIT $4",
        )
        .bind(tenant)
        .bind(target)
        .bind(prefix)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        let sealed = |(tenant, target, target_name, value)| Sealed {
            tenant: TenantId(tenant),
            target: TargetId(target),
            target_name,
            value,
        };
        Ok(rows.into_iter().map(sealed).collect())
    }

    /// Puts the same secret in its place, sealed anew; `false` when another one is there by now. The settings are the same
    /// as before, so no connector is made anew.
    pub async fn seal_anew(&self, sealed: &Sealed, value: &[u8]) -> Result<bool, StoreError> {
        let put = sqlx::query(
            "UPDATE targets SET secret_sealed = $4 WHERE tenant_id = $1 AND id = $2 AND secret_sealed = $3",
        )
        .bind(sealed.tenant.0)
        .bind(sealed.target.0)
        .bind(&sealed.value)
        .bind(value)
        .execute(self.pool())
        .await?;
        Ok(put.rows_affected() == 1)
    }
}
