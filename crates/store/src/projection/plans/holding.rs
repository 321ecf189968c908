//! What a plan that undoes holds from the moment on at which it is applied.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::TenantId;
use sqlx::PgConnection;
use uuid::Uuid;

impl Store {
    /// Makes the overrides of what is chosen of a plan, in place of those that hold the same attributes, and lifts those
    /// that are to be lifted.
    pub(super) async fn make_overrides(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, Uuid),
        plan: Uuid,
        by: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "WITH named AS (
                 SELECT c.resource_kind, c.resource_id, held ->> 'attribute' AS attribute
                 FROM chosen c, jsonb_array_elements(c.undo -> 'held') held
                 UNION ALL
                 SELECT c.resource_kind, c.resource_id, jsonb_array_elements_text(c.undo -> 'lifted') FROM chosen c)
             UPDATE overrides o SET ended_at = $3, ended_by = $4, ended_why = 'Undone by plan ' || $5::uuid || '.'
             FROM named
             WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.resource_kind = named.resource_kind
               AND o.resource_id = named.resource_id AND o.attribute = named.attribute AND o.ended_at IS NULL",
        )
        .bind(tenant.0)
        .bind(target)
        .bind(self.now())
        .bind(by)
        .bind(plan)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "WITH made AS (
                 INSERT INTO overrides (tenant_id, target_id, resource_kind, resource_id, attribute, value, against, made_by,
                                        made_at, reason, review_on, plan_id)
                 SELECT $1, $2, c.resource_kind, c.resource_id, held ->> 'attribute', NULLIF(held -> 'value', 'null'),
                        NULLIF(held -> 'against', 'null'), $4, $3, p.undoes ->> 'reason', (p.undoes ->> 'review_on')::date, $5
                 FROM chosen c
                 CROSS JOIN jsonb_array_elements(c.undo -> 'held') held
                 JOIN plans p ON p.tenant_id = $1 AND p.id = $5
                 ORDER BY c.resource_id, held ->> 'attribute'
                 RETURNING resource_kind, resource_id, attribute)
             INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             SELECT $1, $3, '', 'overridden', resource_kind, resource_id, 0,
                    jsonb_build_object('target', $2::uuid, 'attributes', jsonb_agg(attribute ORDER BY attribute),
                                       'plan', $5::uuid, 'by', $4::text)
             FROM made GROUP BY resource_kind, resource_id ORDER BY resource_id",
        )
        .bind(tenant.0)
        .bind(target)
        .bind(self.now())
        .bind(by)
        .bind(plan)
        .execute(tx)
        .await?;
        Ok(())
    }
}
