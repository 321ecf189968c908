//! Links of people who are external contacts.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::entity::Attributes;

impl Store {
    /// The claim's person is about to become a contact with these attributes: what is linked is a contact from now on, so
    /// that it is looked for as one if the answer is lost. `false` when the claim is lost.
    pub async fn link_as_contact(&self, claim: &Claim, with: &Attributes) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             INSERT INTO links (tenant_id, target_id, resource_kind, resource_id, observed, snapshot, updated_at)
             SELECT $1, $2, $3, $4, 'absent', $6, $7 FROM fence
             ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE
             SET observed = 'absent', remote_id = NULL, snapshot = $6, invited_at = NULL, invitations = 0,
                 last_invited_at = NULL, invited_number = NULL, invite_again_by = NULL, updated_at = $7",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(sqlx::types::Json(with))
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
