//! Whether the values of many resources are refused with one code, so that a rule is wrong rather than a record.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::stop::{OUTCOMES, Reach, are_too_many};
use std::time::Duration;

/// What is older says nothing of the rules as they are now.
const OF_LATE: Duration = Duration::from_hours(24);

impl Store {
    /// How many resources of the last [`OUTCOMES`] that steps of this reach were tried for were refused with the code, and
    /// of how many, if that is too many. Of each resource the last try counts, by this version of the rules, in the last 24
    /// hours, and after the last try that ended such a stop.
    pub async fn too_many_refusals(
        &self,
        claim: &Claim,
        (reach, code): (Reach, &str),
        version: i32,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        let since = self.now() - OF_LATE;
        // An index knows this, and mostly it is enough.
        let refused: i64 = sqlx::query_scalar(
            "SELECT count(DISTINCT resource_id) FROM attempts
             WHERE tenant_id = $1 AND target_id = $2 AND error_code = $3 AND outcome = 'failed' AND at > $4 AND action = $5",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(code)
        .bind(since)
        .bind(reach.word())
        .fetch_one(self.pool())
        .await?;
        if !are_too_many(u64::try_from(refused).unwrap_or(0)) {
            return Ok(None);
        }
        let (refused, of): (i64, i64) = sqlx::query_as(
            "WITH tried AS (
                 SELECT DISTINCT ON (resource_id) resource_id, id, outcome, error_code FROM attempts
                 WHERE tenant_id = $1 AND target_id = $2 AND action = $3 AND mapping_version = $5 AND outcome <> 'unknown'
                   AND at > GREATEST($6, (SELECT since FROM refusals_counted
                                          WHERE tenant_id = $1 AND target_id = $2 AND kind = $3 AND code = $4))
                 ORDER BY resource_id, id DESC),
             latest AS (SELECT * FROM tried ORDER BY id DESC LIMIT $7)
             SELECT count(*) FILTER (WHERE outcome = 'failed' AND error_code = $4), count(*) FROM latest",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(reach.word())
        .bind(code)
        .bind(version)
        .bind(since)
        .bind(i64::try_from(OUTCOMES).unwrap_or(i64::MAX))
        .fetch_one(self.pool())
        .await?;
        let (refused, of) = (u64::try_from(refused).unwrap_or(0), u64::try_from(of).unwrap_or(0));
        Ok(are_too_many(refused).then_some((refused, of)))
    }
}
