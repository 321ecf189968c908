//! Everything that is sealed, of all targets, for whoever replaces the key that seals it.
//!
//! What is inside nobody here can tell: a value is told by the bytes with which it begins, which name its key.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use uuid::Uuid;

/// A sealed value, and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Whose.
    pub tenant: TenantId,
    /// Which target's.
    pub target: TargetId,
    /// What the target is called.
    pub target_name: String,
    /// The person whose first password it is; `None` for the secret of the target itself.
    pub user: Option<ResourceId>,
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

/// A place among all sealed values; the nil UUID stands for the target's own.
type SealedRow = (Uuid, Uuid, Uuid, String, Vec<u8>);

impl Store {
    /// How many sealed values there are, by the first `length` bytes.
    pub async fn count_sealed(&self, length: i32) -> Result<Vec<SealedCount>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
            "SELECT substring(v.value FROM 1 FOR $1) AS prefix, count(*) FROM (
                 SELECT secret_sealed AS value FROM targets WHERE secret_sealed <> ''
                 UNION ALL SELECT sealed FROM first_passwords) v
             GROUP BY prefix ORDER BY prefix LIMIT 1000",
        )
        .bind(length)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|(prefix, count)| SealedCount { prefix, count }).collect())
    }

    /// The sealed values that do not begin with `prefix`, at most `limit` of those that come after one.
    pub async fn sealed_otherwise(
        &self,
        prefix: &[u8],
        after: Option<&Sealed>,
        limit: i64,
    ) -> Result<Vec<Sealed>, StoreError> {
        let nil = (Uuid::nil(), Uuid::nil(), Uuid::nil());
        let (tenant, target, user) = after
            .map_or(nil, |after| (after.tenant.0, after.target.0, after.user.map_or_else(Uuid::nil, |user| user.0)));
        let rows: Vec<SealedRow> = sqlx::query_as(
            "SELECT v.tenant_id, v.target_id, v.user_id, v.name, v.value FROM (
                 SELECT tenant_id, id AS target_id, '00000000-0000-0000-0000-000000000000'::uuid AS user_id, name,
                        secret_sealed AS value
                 FROM targets WHERE secret_sealed <> ''
                 UNION ALL
                 SELECT f.tenant_id, f.target_id, f.user_id, t.name, f.sealed
                 FROM first_passwords f JOIN targets t ON t.tenant_id = f.tenant_id AND t.id = f.target_id) v
             WHERE (v.tenant_id, v.target_id, v.user_id) > ($1, $2, $3)
               AND substring(v.value FROM 1 FOR octet_length($4)) <> $4
             ORDER BY v.tenant_id, v.target_id, v.user_id LIMIT $5",
        )
        .bind(tenant)
        .bind(target)
        .bind(user)
        .bind(prefix)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        let sealed = |(tenant, target, user, target_name, value)| Sealed {
            tenant: TenantId(tenant),
            target: TargetId(target),
            target_name,
            user: (user != Uuid::nil()).then_some(ResourceId(user)),
            value,
        };
        Ok(rows.into_iter().map(sealed).collect())
    }

    /// Puts the same secret in its place, sealed anew; `false` when another one is there by now. The settings are the same
    /// as before, so no connector is made anew.
    pub async fn seal_anew(&self, sealed: &Sealed, value: &[u8]) -> Result<bool, StoreError> {
        let statement = if sealed.user.is_some() {
            "UPDATE first_passwords SET sealed = $5
             WHERE tenant_id = $1 AND target_id = $2 AND user_id = $3 AND sealed = $4"
        } else {
            "UPDATE targets SET secret_sealed = $5
             WHERE tenant_id = $1 AND id = $2 AND $3::uuid IS NULL AND secret_sealed = $4"
        };
        let put = sqlx::query(statement)
            .bind(sealed.tenant.0)
            .bind(sealed.target.0)
            .bind(sealed.user.map(|user| user.0))
            .bind(&sealed.value)
            .bind(value)
            .execute(self.pool())
            .await?;
        Ok(put.rows_affected() == 1)
    }
}
