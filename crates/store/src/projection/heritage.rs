//! Handovers as people see them: who has left, who takes over, and what is left to nobody.

use super::handovers::reports;
use crate::manager::{manager_names, names_as_manager};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// Which handovers are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct HandoverQuery {
    /// Only at this target.
    pub target: Option<TargetId>,
    /// Only of this leaver.
    pub leaver: Option<ResourceId>,
    /// Only those to nobody, of leavers who had something to hand over.
    pub open: bool,
    /// Only after this leaver and target.
    pub after: Option<(Uuid, Uuid)>,
    /// The most rows.
    pub limit: i64,
}

/// A handover as people see it.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct HandedOver {
    /// At which target.
    pub target_id: Uuid,
    /// Who has left.
    pub leaver_id: Uuid,
    /// Their userName.
    pub user_name: Option<String>,
    /// Their displayName.
    pub display_name: Option<String>,
    /// What the source says.
    pub named: Option<String>,
    /// Who takes over.
    pub successor_id: Option<Uuid>,
    /// Their userName.
    pub successor_name: Option<String>,
    /// Why nobody does.
    pub problem: Option<String>,
    /// How many report to the leaver.
    pub reports: i64,
    /// How many departments the leaver headed.
    pub departments: i64,
    /// When this was found out last.
    pub at: OffsetDateTime,
}

/// Somebody who reports to a leaver.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct Report {
    /// Who.
    pub id: Uuid,
    /// Their userName.
    pub user_name: Option<String>,
    /// Their displayName.
    pub display_name: Option<String>,
}

/// A department that a leaver headed.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct HeadedUnit {
    /// Which.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it has a head of its own by now.
    pub headed: bool,
    /// Whether the successor is in it, as heads must be.
    pub successor_in_it: bool,
}

impl Store {
    /// Handovers, in the order of leavers and targets.
    pub async fn handovers(&self, tenant: TenantId, query: &HandoverQuery) -> Result<Vec<HandedOver>, StoreError> {
        let (after, after_target) = query.after.unzip();
        let rows = sqlx::query_as(concat!(
            "SELECT * FROM (
                 SELECT h.target_id, h.leaver_id, u.attributes ->> 'userName' AS user_name,
                        u.attributes ->> 'displayName' AS display_name, h.named, h.successor_id,
                        s.attributes ->> 'userName' AS successor_name, h.problem, h.at,
                        (SELECT count(*) FROM users r
                         WHERE r.tenant_id = $1 AND r.manager_id = h.leaver_id::text AND r.deleted_at IS NULL)
                        + (SELECT count(DISTINCT r.id) FROM users m
                           CROSS JOIN LATERAL (",
            manager_names!("m", creator = "m.source_id"),
            ") named
                           JOIN users r ON r.tenant_id = $1 AND ",
            names_as_manager!(),
            " WHERE m.tenant_id = $1 AND m.id = h.leaver_id AND r.deleted_at IS NULL
                             AND r.manager_id IS DISTINCT FROM h.leaver_id::text) AS reports,
                        (SELECT count(*) FROM headships d
                         JOIN org_units o ON o.tenant_id = $1 AND o.target_id = d.target_id AND o.id = d.unit_id
                                         AND o.gone_at IS NULL
                         WHERE d.tenant_id = $1 AND d.target_id = h.target_id AND d.leaver_id = h.leaver_id)
                        AS departments
                 FROM handovers h
                 LEFT JOIN users u ON u.tenant_id = $1 AND u.id = h.leaver_id
                 LEFT JOIN users s ON s.tenant_id = $1 AND s.id = h.successor_id
                 WHERE h.tenant_id = $1 AND ($2::uuid IS NULL OR h.target_id = $2)
                   AND ($3::uuid IS NULL OR h.leaver_id = $3) AND (NOT $4 OR h.problem IS NOT NULL)
                   AND ($5::uuid IS NULL OR (h.leaver_id, h.target_id) > ($5, $6))) listed
             WHERE NOT $4 OR reports > 0 OR departments > 0
             ORDER BY leaver_id, target_id LIMIT $7"
        ))
        .bind(tenant.0)
        .bind(query.target.map(|target| target.0))
        .bind(query.leaver.map(|leaver| leaver.0))
        .bind(query.open)
        .bind(after)
        .bind(after_target)
        .bind(query.limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// Those who report to somebody, whether that one has left or not, in the order of their ids.
    pub async fn reports(&self, tenant: TenantId, of: ResourceId, limit: i64) -> Result<Vec<Report>, StoreError> {
        let rows = sqlx::query_as(concat!(
            "SELECT u.id, u.attributes ->> 'userName' AS user_name, u.attributes ->> 'displayName' AS display_name
             FROM (",
            reports!(),
            ") r JOIN users u ON u.tenant_id = $1 AND u.id = r.id ORDER BY u.id LIMIT $3"
        ))
        .bind(tenant.0)
        .bind(of.0)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// The departments that somebody headed when they left.
    pub async fn headed_units(
        &self,
        tenant: TenantId,
        target: TargetId,
        leaver: ResourceId,
        limit: i64,
    ) -> Result<Vec<HeadedUnit>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT o.id, o.name,
                    EXISTS (SELECT 1 FROM placements p
                            WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.unit_id = o.id AND p.wanted AND p.head)
                    AS headed,
                    EXISTS (SELECT 1 FROM handovers h
                            JOIN placements p ON p.tenant_id = $1 AND p.target_id = $2 AND p.user_id = h.successor_id
                            WHERE h.tenant_id = $1 AND h.target_id = $2 AND h.leaver_id = $3 AND p.unit_id = o.id
                              AND p.wanted) AS successor_in_it
             FROM headships d
             JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.id = d.unit_id AND o.gone_at IS NULL
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.leaver_id = $3
             ORDER BY o.id LIMIT $4",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(leaver.0)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }
}
