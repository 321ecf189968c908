//! The people whom a survey looks at, page by page.

use super::claims::Claim;
use super::loading::{LoadedUser, load_users};
use super::survey_units::{SurveyUnits, survey_units};
use super::surveys::Survey;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use sqlx::Row;
use std::collections::HashSet;
use uuid::Uuid;

/// One person of a page.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// As the claim of the delivery would be, if somebody had claimed it.
    pub claim: Claim,
    /// Whether somebody has.
    pub claimed: bool,
    /// Where the delivery stands.
    pub state: DeliveryState,
    /// Whether there is a reason to look again, now or later.
    pub expected: bool,
    /// All that the projection depends on.
    pub loaded: LoadedUser,
}

/// A page of a survey.
#[derive(Debug)]
pub struct SurveyPage {
    /// The people, in the order of their ids.
    pub people: Vec<Surveyed>,
    /// The departments at the same moment.
    pub units: SurveyUnits,
    /// Which of the people, or of their accounts, are not to be touched.
    pub untouchable: HashSet<Uuid>,
}

impl Store {
    /// The people after `after`, and the departments, as they are at one moment.
    pub async fn survey_page(
        &self,
        survey: &Survey,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<SurveyPage, StoreError> {
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
        // Whoever knows that a page is long joins whole tables to it; looking up each of its people stays the same however
        // many others there are.
        sqlx::query("SET LOCAL plan_cache_mode = force_generic_plan").execute(&mut *tx).await?;
        let page: Vec<Uuid> = sqlx::query_scalar(
            "SELECT resource_id FROM deliveries
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND resource_id > $3
             ORDER BY resource_id LIMIT $4",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(&mut *tx)
        .await?;
        let rows = sqlx::query(concat!(load_users!(
            besides = "c.user_id, c.mark, c.expected, c.lease_epoch, c.claimed, c.state, c.attempt, c.request_id, c.dirty_since,
                    c.applied_version, c.let_through, c.permit, c.adopted, ",
            from =
                "(SELECT d.tenant_id, d.target_id, d.resource_id AS user_id, d.mark, d.lease_epoch, d.state,
                            (d.mark > d.done_mark OR d.due_at IS NOT NULL OR d.waiting_for IS NOT NULL) AS expected,
                            d.attempt, d.request_id, d.dirty_since, d.applied_version, d.mapping_version AS let_through, d.permit,
                            d.adopted,
                            COALESCE(d.lease_until > now(), false) AS claimed
                     FROM unnest($3::uuid[]) AS page (id)
                     JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user'
                                      AND d.resource_id = page.id) AS c"
        ), " ORDER BY c.user_id"))
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(&page)
        .fetch_all(&mut *tx)
        .await?;
        let units = survey_units(&mut tx, survey).await?;
        let untouchable: Vec<Uuid> = sqlx::query_scalar(
            "SELECT COALESCE(m.resource_id, l.resource_id) FROM marks m
             LEFT JOIN links l ON l.tenant_id = m.tenant_id AND l.target_id = m.target_id AND l.resource_kind = 'user'
                              AND m.entity_kind = 'account' AND l.remote_id = m.remote_id
             WHERE m.tenant_id = $1 AND m.target_id = $2 AND m.lifted_at IS NULL
               AND m.kind IN ('protected', 'do_not_touch') AND COALESCE(m.resource_id, l.resource_id) IS NOT NULL",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let mut people = Vec::with_capacity(rows.len());
        for row in &rows {
            let resource: Uuid = row.try_get("user_id")?;
            let (state, attempt): (String, i32) = (row.try_get("state")?, row.try_get("attempt")?);
            let claim = Claim {
                tenant: survey.tenant,
                target: survey.target,
                kind: ResourceKind::User,
                resource: ResourceId(resource),
                mark: row.try_get("mark")?,
                epoch: row.try_get("lease_epoch")?,
                attempt: u32::try_from(attempt).unwrap_or(0),
                request_id: row.try_get("request_id")?,
                dirty_since: row.try_get("dirty_since")?,
                applied_version: row.try_get("applied_version")?,
                mode: survey.mode,
                settings_revision: survey.settings_revision,
                mapping_version: survey.mapping_version,
                maps_groups: survey.maps_groups,
                asks_groups: survey.asks_groups,
                let_through: row.try_get("let_through")?,
                permit: row.try_get("permit")?,
                adopted: row.try_get("adopted")?,
            };
            let corrupt = || StoreError::corrupt("deliveries", "state", resource);
            people.push(Surveyed {
                claim,
                claimed: row.try_get("claimed")?,
                expected: row.try_get("expected")?,
                state: DeliveryState::parse(&state).ok_or_else(corrupt)?,
                loaded: LoadedUser::read(row, resource)?,
            });
        }
        Ok(SurveyPage { people, units, untouchable: untouchable.into_iter().collect() })
    }
}
