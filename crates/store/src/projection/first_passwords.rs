//! First passwords that wait to be fetched. Nobody here can read one: they are sealed.

use super::claims::Claim;
use crate::sources::SetUpBy;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use serde_json::json;
use time::Duration;
use uuid::Uuid;

/// How long one waits to be fetched.
const KEPT: Duration = Duration::days(30);

/// A first password, and of which account it is.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedPassword {
    /// At which target.
    pub target: TargetId,
    /// What the target is called.
    pub target_name: String,
    /// The account.
    pub userid: String,
    /// The password.
    pub sealed: Vec<u8>,
}

impl Store {
    /// Keeps the first password of the account `userid` that is about to be made, and returns the one that counts: the
    /// account may have been made before with an answer that was lost, and then has the password of that time. `None`
    /// when the claim is lost.
    pub async fn keep_first_password(
        &self,
        claim: &Claim,
        userid: &str,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let kept: Option<Vec<u8>> = sqlx::query_scalar(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             INSERT INTO first_passwords AS f (tenant_id, target_id, user_id, userid, sealed, made_at)
             SELECT $1, $2, $4, $6, $7, $8 FROM fence
             ON CONFLICT (tenant_id, target_id, user_id) DO UPDATE
             SET sealed = CASE WHEN f.userid = $6 THEN f.sealed ELSE $7 END, userid = $6, made_at = $8
             RETURNING sealed",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(userid)
        .bind(sealed)
        .bind(self.now())
        .fetch_optional(self.pool())
        .await?;
        Ok(kept)
    }

    /// The first passwords of a person that wait to be fetched, of accounts that are there.
    pub async fn first_passwords(&self, tenant: TenantId, user: ResourceId) -> Result<Vec<SealedPassword>, StoreError> {
        let rows: Vec<(Uuid, String, String, Vec<u8>)> = sqlx::query_as(
            "SELECT f.target_id, t.name, f.userid, f.sealed FROM first_passwords f
             JOIN targets t ON t.tenant_id = f.tenant_id AND t.id = f.target_id
             JOIN links l ON l.tenant_id = f.tenant_id AND l.target_id = f.target_id AND l.resource_kind = 'user'
                         AND l.resource_id = f.user_id AND l.observed = 'known' AND l.remote_id = f.userid
             WHERE f.tenant_id = $1 AND f.user_id = $2 ORDER BY t.name LIMIT 1000",
        )
        .bind(tenant.0)
        .bind(user.0)
        .fetch_all(self.pool())
        .await?;
        let password = |(target, target_name, userid, sealed)| SealedPassword {
            target: TargetId(target),
            target_name,
            userid,
            sealed,
        };
        Ok(rows.into_iter().map(password).collect())
    }

    /// Somebody fetches a first password: it is forgotten, and the change log says who has seen it. `false` when somebody
    /// else was faster.
    pub async fn forget_first_password(
        &self,
        (tenant, user): (TenantId, ResourceId),
        password: &SealedPassword,
        (by, request_id): (SetUpBy, &str),
    ) -> Result<bool, StoreError> {
        let details = json!({ "by": by.to_json(), "first_password": "fetched", "target": password.target.0 });
        let done = sqlx::query(
            "WITH fetched AS (
                 DELETE FROM first_passwords
                 WHERE tenant_id = $1 AND target_id = $2 AND user_id = $3 AND sealed = $4 RETURNING user_id)
             INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             SELECT $1, $5, $6, 'first_password_fetched', 'user', user_id, 0, $7 FROM fetched",
        )
        .bind(tenant.0)
        .bind(password.target.0)
        .bind(user.0)
        .bind(&password.sealed)
        .bind(self.now())
        .bind(request_id)
        .bind(details)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets first passwords that nobody has fetched in thirty days, at most `limit` at once. Returns how many.
    pub async fn expire_first_passwords(&self, limit: i64) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "DELETE FROM first_passwords f USING (
                 SELECT tenant_id, target_id, user_id FROM first_passwords WHERE made_at < $1 ORDER BY made_at LIMIT $2
                 FOR UPDATE SKIP LOCKED) old
             WHERE f.tenant_id = old.tenant_id AND f.target_id = old.target_id AND f.user_id = old.user_id",
        )
        .bind(self.now() - KEPT)
        .bind(limit)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }
}
