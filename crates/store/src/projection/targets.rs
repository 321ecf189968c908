//! Targets: the configured DingTalk organisations of a tenant.

use super::group_marks::{Groups, mark_groups_again};
use super::stops::{Stop, stops_from};
use crate::changes::{Operation, SetUp, Subject, record_set_up};
use crate::sources::SetUpBy;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_provisioning::stop::Reach;
use rollcall_provisioning::window::Windows;
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// Whether changes are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetMode {
    /// Plans are made and shown, nothing is sent. Every new target starts so.
    Rehearsal,
    /// Changes are sent.
    Live,
    /// A person has turned sending off, or the database was restored.
    Paused,
}

impl TargetMode {
    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rehearsal => "rehearsal",
            Self::Live => "live",
            Self::Paused => "paused",
        }
    }

    /// The mode behind a word written by [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Rehearsal, Self::Live, Self::Paused].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// A target to be made.
#[derive(Clone, Debug)]
pub struct NewTarget {
    /// Its id, of [`Store::new_target_id`]: what is sealed is bound to it.
    pub id: TargetId,
    /// Unique within the tenant.
    pub name: String,
    /// The kind of connector: `dingtalk`.
    pub kind: String,
    /// Addresses and application key, for the connector.
    pub settings: Value,
    /// The application secret, sealed with the master key.
    pub secret_sealed: Vec<u8>,
    /// Whether changes are sent from the start.
    pub mode: TargetMode,
}

/// A target.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub id: TargetId,
    /// Its name within the tenant.
    pub name: String,
    /// The kind of connector.
    pub kind: String,
    /// For the connector.
    pub settings: Value,
    /// Grows with each change of `settings` or the secret.
    pub settings_revision: i64,
    /// The application secret, sealed.
    pub secret_sealed: Vec<u8>,
    /// Whether changes are sent.
    pub mode: TargetMode,
    /// Why it is paused, if no person has paused it.
    pub paused_reason: Option<String>,
    /// Until when nothing is sent, for a cause.
    pub stopped_until: Option<OffsetDateTime>,
    /// What does not work until its cause has gone.
    pub stops: Vec<Stop>,
    /// When it is left alone.
    pub windows: Windows,
    /// Whether a survey of its people is under way.
    pub surveyed: bool,
    /// The limits of its guards.
    pub guards: Guards,
    /// By which rules it is filled.
    pub rules: RulesRevision,
}

/// Which rules of a tenant count: when it is the same, they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RulesRevision {
    /// The version of the mapping; 0 is the document that all begin with.
    pub mapping: i32,
    /// When one of the tenant's schemas changed last.
    pub schemas_at: Option<OffsetDateTime>,
    /// How many schemas it has.
    pub schemas: i64,
}

/// By how much the clocks of servers may differ.
const CLOCKS_DIFFER: Duration = Duration::from_mins(10);

/// So many people that statements on a new target need to be planned with their number known.
const MANY: u64 = 1_000;

pub(super) const COLUMNS: &str =
    "SELECT t.tenant_id, t.id, t.name, t.kind, t.settings, t.settings_revision, t.secret_sealed, t.mode,
           t.paused_reason, t.stopped_until, t.deny_windows, t.guards,
           (SELECT COALESCE(jsonb_agg(to_jsonb(st) ORDER BY st.kind), '[]') FROM stops st
            WHERE st.tenant_id = t.tenant_id AND st.target_id = t.id) AS stops,
           o.mapping_version,
           EXISTS (SELECT 1 FROM surveys s WHERE s.tenant_id = t.tenant_id AND s.target_id = t.id) AS surveyed,
           (SELECT max(s.modified_at) FROM schemas s WHERE s.tenant_id = t.tenant_id) AS schemas_at,
           (SELECT count(*) FROM schemas s WHERE s.tenant_id = t.tenant_id) AS schemas
    FROM targets t JOIN tenants o ON o.id = t.tenant_id
    WHERE ($1::uuid IS NULL OR t.tenant_id = $1) ORDER BY t.tenant_id, t.name LIMIT 10000";

impl Target {
    /// What stops this, also when the time of the next try has come.
    pub fn stop(&self, reach: Reach) -> Option<&Stop> {
        self.stops.iter().find(|stop| stop.reach == reach)
    }
}

impl Store {
    /// The id of a target that is about to be made.
    pub fn new_target_id(&self) -> TargetId {
        TargetId(self.new_id())
    }

    /// Makes a target. Every user that is there already becomes dirty for it, and every group if rules make something of groups.
    ///
    /// A write that begins before the target is there marks nothing for it. So at the end, for a moment, writes to users
    /// wait while those created meanwhile become dirty too.
    pub async fn create_target(&self, tenant: TenantId, new: &NewTarget) -> Result<TargetId, StoreError> {
        self.make_target(tenant, new, None).await
    }

    /// The same, and the change log says who did it.
    pub async fn set_up_target(
        &self,
        tenant: TenantId,
        new: &NewTarget,
        by: (SetUpBy, &str),
    ) -> Result<TargetId, StoreError> {
        self.make_target(tenant, new, Some(by)).await
    }

    async fn make_target(
        &self,
        tenant: TenantId,
        new: &NewTarget,
        by: Option<(SetUpBy, &str)>,
    ) -> Result<TargetId, StoreError> {
        let (id, began) = (new.id.0, self.now());
        let mut tx = self.pool().begin().await?;
        // Half a million users take longer than any request may.
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        sqlx::query(
            "INSERT INTO targets (tenant_id, id, name, kind, settings, secret_sealed, mode, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(tenant.0)
        .bind(id)
        .bind(&new.name)
        .bind(&new.kind)
        .bind(&new.settings)
        .bind(&new.secret_sealed)
        .bind(new.mode.as_str())
        .bind(began)
        .execute(&mut *tx)
        .await?;
        if let Some(by) = by {
            let details =
                json!({ "name": new.name, "kind": new.kind, "mode": new.mode.as_str(), "settings": new.settings });
            let entry = SetUp { operation: Operation::Create, subject: Subject::Target, id, by, details };
            record_set_up(&mut *tx, tenant, entry, began).await?;
        }
        // In rehearsal a survey looks at everybody who is there, which costs less than to claim each.
        let due = (new.mode != TargetMode::Rehearsal).then_some(began);
        if self.mark_users(&mut tx, (tenant, id), None, due).await? > MANY {
            // Until Postgres counts by itself it takes the target to be empty, and reads all of it to find one person.
            sqlx::query("ANALYZE deliveries").execute(&mut *tx).await?;
        }
        sqlx::query("LOCK TABLE users IN SHARE MODE").execute(&mut *tx).await?;
        self.mark_users(&mut tx, (tenant, id), Some(began - CLOCKS_DIFFER), due).await?;
        let maps_groups: bool = sqlx::query_scalar("SELECT maps_groups FROM tenants WHERE id = $1")
            .bind(tenant.0)
            .fetch_one(&mut *tx)
            .await?;
        if maps_groups {
            sqlx::query("LOCK TABLE groups IN SHARE MODE").execute(&mut *tx).await?;
            let all = Groups { target: Some(id), group: None, let_through: true };
            mark_groups_again(&mut tx, tenant, all, self.now()).await?;
        }
        if due.is_none() {
            self.begin_surveys(&mut tx, tenant, Some(id)).await?;
        }
        tx.commit().await?;
        self.signal.dirty();
        Ok(new.id)
    }

    /// Makes every living user, or those created since then, dirty for a target that is being made. Returns how many.
    async fn mark_users(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, Uuid),
        since: Option<OffsetDateTime>,
        due: Option<OffsetDateTime>,
    ) -> Result<u64, StoreError> {
        let marked = sqlx::query(
            "INSERT INTO deliveries (tenant_id, target_id, resource_kind, resource_id, lane, state, due_at,
                                     dirty_since, updated_at)
             SELECT u.tenant_id, $2, 'user', u.id, $4, 'pending', $6, $3, $3
             FROM users u WHERE u.tenant_id = $1 AND ($5::timestamptz IS NULL OR u.created_at >= $5) AND u.deleted_at IS NULL
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant.0)
        .bind(target)
        .bind(self.now())
        .bind(Lane::Other.number())
        .bind(since)
        .bind(due)
        .execute(tx)
        .await?;
        Ok(marked.rows_affected())
    }

    /// Forgets a target with all that is known of it. Nothing is changed at the target itself. Workers that are at
    /// one of its deliveries find that they have lost the claim. `false` when there is no such target.
    pub async fn forget_target(&self, tenant: TenantId, target: TargetId) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        for statement in [
            "DELETE FROM deliveries WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM links WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM placements WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM group_members WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM group_choices WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM org_units WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM attempts WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM call_days WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM effects WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM effect_days WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM plan_changes c USING plans p WHERE p.tenant_id = $1 AND p.target_id = $2
               AND c.tenant_id = p.tenant_id AND c.plan_id = p.id",
            "DELETE FROM plans WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM surveys WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM trips WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM first_passwords WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM stops WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM candidates WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM marks WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM scanned_accounts WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM scanned_units WHERE tenant_id = $1 AND target_id = $2",
            "DELETE FROM scans WHERE tenant_id = $1 AND target_id = $2",
        ] {
            sqlx::query(statement).bind(tenant.0).bind(target.0).execute(&mut *tx).await?;
        }
        let gone = sqlx::query("DELETE FROM targets WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(target.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(gone.rows_affected() == 1)
    }

    /// The targets of a tenant, by name.
    pub async fn targets(&self, tenant: TenantId) -> Result<Vec<Target>, StoreError> {
        let rows = sqlx::query(COLUMNS).bind(Some(tenant.0)).fetch_all(self.pool()).await?;
        rows.iter().map(target_from).collect()
    }

    /// The targets of all tenants, for the workers.
    pub async fn all_targets(&self) -> Result<Vec<Target>, StoreError> {
        let rows = sqlx::query(COLUMNS).bind(None::<Uuid>).fetch_all(self.pool()).await?;
        rows.iter().map(target_from).collect()
    }

    /// Changes whether changes are sent. Going live looks again at everything that was held, and at what is or may soon
    /// be under way, since its worker may still believe that it rehearses.
    /// `false` when there is no such target.
    pub async fn set_target_mode(
        &self,
        tenant: TenantId,
        target: TargetId,
        mode: TargetMode,
    ) -> Result<bool, StoreError> {
        self.move_target(tenant, target, mode, None).await
    }

    /// The same, and the change log says who did it.
    pub async fn change_target_mode(
        &self,
        tenant: TenantId,
        target: TargetId,
        mode: TargetMode,
        by: (SetUpBy, &str),
    ) -> Result<bool, StoreError> {
        self.move_target(tenant, target, mode, Some(by)).await
    }

    async fn move_target(
        &self,
        tenant: TenantId,
        target: TargetId,
        mode: TargetMode,
        by: Option<(SetUpBy, &str)>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        // As many as there are users.
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        let found: Option<Uuid> = sqlx::query_scalar(
            "WITH tried AS (DELETE FROM stops WHERE tenant_id = $1 AND target_id = $2)
             UPDATE targets SET mode = $3, paused_reason = NULL, stopped_until = NULL WHERE tenant_id = $1 AND id = $2 RETURNING id",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(mode.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        if let (Some(id), Some(by)) = (found, by) {
            let details = json!({ "mode": mode.as_str() });
            let entry = SetUp { operation: Operation::Update, subject: Subject::Target, id, by, details };
            record_set_up(&mut *tx, tenant, entry, self.now()).await?;
        }
        if found.is_some() && mode == TargetMode::Live {
            // In the order in which a write of several marks takes them.
            sqlx::query(
                "WITH held AS MATERIALIZED (
                     SELECT resource_kind, resource_id FROM deliveries
                     WHERE tenant_id = $1 AND target_id = $2 AND state IN ('held', 'pending', 'applying')
                     ORDER BY resource_id FOR UPDATE)
                 UPDATE deliveries d
                 SET mark = d.mark + 1, due_at = $3, updated_at = $3,
                     state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
                 FROM held
                 WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = held.resource_kind
                   AND d.resource_id = held.resource_id",
            )
            .bind(tenant.0)
            .bind(target.0)
            .bind(self.now())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.signal.dirty();
        Ok(found.is_some())
    }
}

pub(super) fn target_from(row: &PgRow) -> Result<Target, StoreError> {
    let id: Uuid = row.try_get("id")?;
    let mode: String = row.try_get("mode")?;
    let guards: Value = row.try_get("guards")?;
    Ok(Target {
        tenant: TenantId(row.try_get("tenant_id")?),
        id: TargetId(id),
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        settings: row.try_get("settings")?,
        settings_revision: row.try_get("settings_revision")?,
        secret_sealed: row.try_get("secret_sealed")?,
        mode: TargetMode::parse(&mode).ok_or_else(|| StoreError::corrupt("targets", "mode", id))?,
        paused_reason: row.try_get("paused_reason")?,
        stopped_until: row.try_get("stopped_until")?,
        stops: stops_from(row.try_get("stops")?, TargetId(id))?,
        windows: Windows::parse(&row.try_get("deny_windows")?)
            .map_err(|_| StoreError::corrupt("targets", "deny_windows", id))?,
        rules: RulesRevision {
            mapping: row.try_get("mapping_version")?,
            schemas_at: row.try_get("schemas_at")?,
            schemas: row.try_get("schemas")?,
        },
        surveyed: row.try_get("surveyed")?,
        guards: Guards::parse(&guards).map_err(|_| StoreError::corrupt("targets", "guards", id))?,
    })
}
