//! Changing the settings of a target, and its secret.

use super::targets::{COLUMNS, Target, target_from};
use crate::sources::SetUpBy;
use crate::write::{UpdateError, Updated};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{TargetId, TenantId};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;

/// What a target is to be set to.
#[derive(Clone)]
pub struct NewSettings {
    /// All settings.
    pub settings: Value,
    /// Another secret, sealed.
    pub secret_sealed: Option<Vec<u8>>,
}

impl Store {
    /// Changes the settings or the secret of a target; `change` says what they become, from what they are. If nothing
    /// becomes of it, nothing is written. Every worker makes a new connector before its next delivery, whatever stopped
    /// the target is forgotten, and what failed is looked at again: it may work now.
    pub async fn change_target<E: Send>(
        &self,
        tenant: TenantId,
        id: TargetId,
        (by, request_id): (SetUpBy, &str),
        change: impl FnOnce(&Target) -> Result<NewSettings, E> + Send,
    ) -> Result<Updated<Target>, UpdateError<E>> {
        let mut tx = self.pool().begin().await?;
        // As many deliveries as there are users.
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        // Two changes go one after the other, so that neither undoes the other's settings.
        sqlx::query("SELECT FROM targets WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE")
            .bind(tenant.0)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        let rows = sqlx::query(COLUMNS).bind(Some(tenant.0)).fetch_all(&mut *tx).await?;
        let targets = rows.iter().map(target_from).collect::<Result<Vec<_>, _>>()?;
        let before = targets.into_iter().find(|target| target.id == id).ok_or(UpdateError::NotFound)?;
        let new = change(&before).map_err(UpdateError::Refused)?;
        let before_version = before.settings_revision;
        if new.settings == before.settings && new.secret_sealed.is_none() {
            return Ok(Updated { before_version, changed: false, value: before });
        }
        sqlx::query(
            "WITH changed AS (
                 UPDATE targets SET settings = $4, secret_sealed = COALESCE($5, secret_sealed),
                        settings_revision = settings_revision + 1, stopped_until = NULL
                 WHERE tenant_id = $1 AND id = $2 RETURNING id),
             tried AS (DELETE FROM stops WHERE tenant_id = $1 AND target_id = $2 RETURNING kind, cause, code),
             counted_anew AS (
                 INSERT INTO refusals_counted (tenant_id, target_id, kind, code, since)
                 SELECT $1, $2, kind, code, $3 FROM tried WHERE cause = 'values'
                 ON CONFLICT (tenant_id, target_id, kind, code) DO UPDATE SET since = $3)
             INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             SELECT $1, $3, $6, 'update', 'target', id, 0, $7 FROM changed",
        )
        .bind(tenant.0)
        .bind(id.0)
        .bind(self.now())
        .bind(&new.settings)
        .bind(&new.secret_sealed)
        .bind(request_id)
        .bind(difference(&before.settings, &new, by))
        .execute(&mut *tx)
        .await?;
        self.look_at_failures(&mut tx, tenant, id, request_id).await?;
        tx.commit().await?;
        self.signal.dirty();
        let settings_revision = before_version + 1;
        let secret_sealed = new.secret_sealed.unwrap_or_else(|| before.secret_sealed.clone());
        let value = Target { settings: new.settings, secret_sealed, settings_revision, ..before };
        Ok(Updated { before_version, changed: true, value })
    }

    /// Marks what failed at a target, or may just be failing, with the settings that it had, and who has not answered an
    /// invitation: the settings say when they are invited again.
    async fn look_at_failures(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
        target: TargetId,
        request_id: &str,
    ) -> Result<(), StoreError> {
        // In the order in which a write of several marks takes them.
        sqlx::query(
            "WITH failed AS MATERIALIZED (
                 SELECT resource_kind, resource_id FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND (state IN ('retrying', 'needs_attention', 'applying')
                                                         OR state = 'waiting' AND (error_class = 'kind_stopped'
                                                                                   OR error_code IN ('calls_used_up', 'invited')))
                 ORDER BY resource_id FOR UPDATE)
             UPDATE deliveries d
             SET mark = d.mark + 1, attempt = 0, due_at = $3, request_id = $4, updated_at = $3,
                 dirty_since = COALESCE(d.dirty_since, $3),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM failed
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = failed.resource_kind
               AND d.resource_id = failed.resource_id",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .bind(request_id)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// What the change log says: who, of every setting that differs what it was and what it is, and of a secret only that it is
/// another one.
fn difference(before: &Value, after: &NewSettings, by: SetUpBy) -> Value {
    let mut details = Map::from_iter([("by".to_owned(), by.to_json())]);
    let none = Map::new();
    let (from, to) = (before.as_object().unwrap_or(&none), after.settings.as_object().unwrap_or(&none));
    let mut names: Vec<&String> = from.keys().chain(to.keys()).collect();
    names.sort();
    names.dedup();
    let differ = names.into_iter().filter(|name| from.get(*name) != to.get(*name));
    let settings: Map<String, Value> =
        differ.map(|name| (name.clone(), json!({ "from": from.get(name), "to": to.get(name) }))).collect();
    if !settings.is_empty() {
        details.insert("settings".to_owned(), Value::Object(settings));
    }
    if after.secret_sealed.is_some() {
        details.insert("secret".to_owned(), json!("changed"));
    }
    Value::Object(details)
}
