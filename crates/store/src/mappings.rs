//! Mappings: the versions of a tenant's document of rules, and which of them counts.
//!
//! Saving sends nothing: a survey looks at everybody again under the new version, and existing accounts that it changes are
//! held until a plan permits it (see `projection::record`).

use crate::projection::RulesRevision;
use crate::projection::group_marks::{Groups, mark_groups_again, note_asked};
use crate::schemas::extended;
use crate::{Store, StoreError};
use rollcall_provisioning::connector::TargetSchema;
use rollcall_provisioning::ids::{ResourceKind, TenantId};
use rollcall_provisioning::mapping::{Asked, Mapping, MappingError, Schemas};
use serde_json::Value;
use sqlx::FromRow;
use time::OffsetDateTime;

/// One version of a tenant's document.
#[derive(Clone, Debug, FromRow)]
pub struct MappingVersion {
    /// Counts from 1.
    pub version: i32,
    /// The document.
    pub document: Value,
    /// What its author says of it.
    pub note: String,
    /// When it was saved.
    pub created_at: OffsetDateTime,
    /// Who saved it.
    pub created_by: String,
    /// Whether it counts.
    pub active: bool,
}

/// One version, without its document.
#[derive(Clone, Debug, FromRow)]
pub struct MappingEntry {
    /// Counts from 1.
    pub version: i32,
    /// What its author says of it.
    pub note: String,
    /// When it was saved.
    pub created_at: OffsetDateTime,
    /// Who saved it.
    pub created_by: String,
    /// Whether it counts.
    pub active: bool,
}

/// A version to be saved.
#[derive(Clone, Copy, Debug)]
pub struct NewMapping<'a> {
    /// The document, compiled before.
    pub document: &'a Value,
    /// What its author says of it.
    pub note: &'a str,
    /// Who saves it.
    pub by: &'a str,
    /// The version that its author saw last; `None` if they do not care.
    pub after: Option<i32>,
}

/// Why a version is not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Somebody else has saved one meanwhile.
    #[error("version {0} counts by now")]
    Outdated(i32),
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoTenant,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SaveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why a tenant's mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It does not fit the schemas and the target any more.
    #[error("version {version} of the mapping cannot be used: {errors}")]
    Unfit {
        /// Which version.
        version: i32,
        /// What is wrong with it, in sentences.
        errors: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// The mapping of a tenant that counts now, compiled for a target, and its version.
    pub async fn compiled_mapping(
        &self,
        tenant: TenantId,
        target: &dyn TargetSchema,
    ) -> Result<(i32, Mapping), LoadError> {
        let version = self.mapping_version(tenant).await?;
        Ok((version, self.compiled_version(tenant, version, target).await?))
    }

    /// One version of a tenant's mapping, compiled for a target.
    pub async fn compiled_version(
        &self,
        tenant: TenantId,
        version: i32,
        target: &dyn TargetSchema,
    ) -> Result<Mapping, LoadError> {
        let document = if version == 0 {
            Mapping::default_document()
        } else {
            let corrupt = || StoreError::corrupt("tenants", "mapping_version", tenant.0);
            self.mapping(tenant, version).await?.ok_or_else(corrupt)?.document
        };
        self.compile_mapping(tenant, &document, target).await?.map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            LoadError::Unfit { version, errors: errors.join(" ").trim_end_matches('.').to_owned() }
        })
    }

    /// Compiles a document with the schemas of a tenant. The inner error is all that is wrong with it.
    pub async fn compile_mapping(
        &self,
        tenant: TenantId,
        document: &Value,
        target: &dyn TargetSchema,
    ) -> Result<Result<Mapping, Vec<MappingError>>, StoreError> {
        let schemas = self.schemas(tenant).await?;
        let (user, group) = (extended(&schemas, ResourceKind::User), extended(&schemas, ResourceKind::Group));
        Ok(Mapping::compile(document, Schemas { user: &user, group: &group }, target))
    }

    /// Saves a version, which counts from then on, and has everything looked at under it. Returns its number.
    pub async fn save_mapping(&self, tenant: TenantId, new: &NewMapping<'_>) -> Result<i32, SaveError> {
        let mut tx = self.pool().begin().await?;
        let before: i32 = sqlx::query_scalar("SELECT mapping_version FROM tenants WHERE id = $1 FOR UPDATE")
            .bind(tenant.0)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or(SaveError::NoTenant)?;
        if new.after.is_some_and(|after| after != before) {
            return Err(SaveError::Outdated(before));
        }
        let version: i32 = sqlx::query_scalar(
            "INSERT INTO mappings (tenant_id, version, document, note, created_at, created_by)
             SELECT $1, COALESCE(max(version), 0) + 1, $2, $3, $4, $5 FROM mappings WHERE tenant_id = $1
             RETURNING version",
        )
        .bind(tenant.0)
        .bind(new.document)
        .bind(new.note)
        .bind(self.now())
        .bind(new.by)
        .fetch_one(&mut *tx)
        .await?;
        sqlx::query("UPDATE tenants SET mapping_version = $2 WHERE id = $1")
            .bind(tenant.0)
            .bind(version)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             VALUES ($1, $2, '', 'create', 'mapping', $1, $3, jsonb_build_object('by', $4::text, 'note', $5::text))",
        )
        .bind(tenant.0)
        .bind(self.now())
        .bind(i64::from(version))
        .bind(new.by)
        .bind(new.note)
        .execute(&mut *tx)
        .await?;
        // Other rules make other values.
        sqlx::query(
            "WITH over AS (DELETE FROM stops WHERE tenant_id = $1 AND cause = 'values' RETURNING target_id)
             UPDATE deliveries SET due_at = $2
             WHERE tenant_id = $1 AND target_id IN (SELECT target_id FROM over) AND state = 'waiting'
               AND error_class = 'kind_stopped'",
        )
        .bind(tenant.0)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        let asked = note_asked(&mut tx, tenant, Asked::by(new.document)).await?;
        self.begin_surveys(&mut tx, tenant, None).await?;
        // In the order in which a write of several marks takes them.
        sqlx::query(
            "WITH them AS MATERIALIZED (
                 SELECT target_id, resource_kind, resource_id FROM deliveries
                 WHERE tenant_id = $1 AND resource_kind <> 'user' ORDER BY resource_id FOR UPDATE)
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $2, updated_at = $2, attempt = 0,
                 dirty_since = COALESCE(d.dirty_since, $2),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM them
             WHERE d.tenant_id = $1 AND d.target_id = them.target_id AND d.resource_kind = them.resource_kind
               AND d.resource_id = them.resource_id",
        )
        .bind(tenant.0)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        if asked.maps_groups {
            let all = Groups { target: None, group: None, let_through: false };
            mark_groups_again(&mut tx, tenant, all, self.now()).await?;
        }
        tx.commit().await?;
        self.signal.dirty();
        Ok(version)
    }

    /// The versions of a tenant, the newest first.
    pub async fn mappings(&self, tenant: TenantId, limit: i64) -> Result<Vec<MappingVersion>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT m.version, m.document, m.note, m.created_at, m.created_by, m.version = t.mapping_version AS active
             FROM mappings m JOIN tenants t ON t.id = m.tenant_id
             WHERE m.tenant_id = $1 ORDER BY m.version DESC LIMIT $2",
        )
        .bind(tenant.0)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// The versions of a tenant without their documents, the newest first, older than `before` if there is one.
    pub async fn mapping_entries(
        &self,
        tenant: TenantId,
        before: Option<i32>,
        limit: i64,
    ) -> Result<Vec<MappingEntry>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT m.version, m.note, m.created_at, m.created_by, m.version = t.mapping_version AS active
             FROM mappings m JOIN tenants t ON t.id = m.tenant_id
             WHERE m.tenant_id = $1 AND ($2::integer IS NULL OR m.version < $2) ORDER BY m.version DESC LIMIT $3",
        )
        .bind(tenant.0)
        .bind(before)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// Which rules of a tenant count: what was compiled under the same ones still holds.
    pub async fn rules_revision(&self, tenant: TenantId) -> Result<RulesRevision, StoreError> {
        let (mapping, schemas_at, schemas) = sqlx::query_as(
            "SELECT COALESCE((SELECT mapping_version FROM tenants WHERE id = $1), 0),
                    (SELECT max(modified_at) FROM schemas WHERE tenant_id = $1),
                    (SELECT count(*) FROM schemas WHERE tenant_id = $1)",
        )
        .bind(tenant.0)
        .fetch_one(self.pool())
        .await?;
        Ok(RulesRevision { mapping, schemas_at, schemas })
    }

    /// One version of a tenant.
    pub async fn mapping(&self, tenant: TenantId, version: i32) -> Result<Option<MappingVersion>, StoreError> {
        let row = sqlx::query_as(
            "SELECT m.version, m.document, m.note, m.created_at, m.created_by, m.version = t.mapping_version AS active
             FROM mappings m JOIN tenants t ON t.id = m.tenant_id
             WHERE m.tenant_id = $1 AND m.version = $2",
        )
        .bind(tenant.0)
        .bind(version)
        .fetch_optional(self.pool())
        .await?;
        Ok(row)
    }

    /// The version that counted at a moment, without its document; `None`: the document that all begin with.
    pub async fn mapping_at(&self, tenant: TenantId, at: OffsetDateTime) -> Result<Option<MappingEntry>, StoreError> {
        let row = sqlx::query_as(
            "SELECT m.version, m.note, m.created_at, m.created_by, m.version = t.mapping_version AS active
             FROM mappings m JOIN tenants t ON t.id = m.tenant_id
             WHERE m.tenant_id = $1 AND m.created_at <= $2 ORDER BY m.version DESC LIMIT 1",
        )
        .bind(tenant.0)
        .bind(at)
        .fetch_optional(self.pool())
        .await?;
        Ok(row)
    }

    /// The version that counts; 0 is the document that all begin with.
    pub async fn mapping_version(&self, tenant: TenantId) -> Result<i32, StoreError> {
        let version: Option<i32> = sqlx::query_scalar("SELECT mapping_version FROM tenants WHERE id = $1")
            .bind(tenant.0)
            .fetch_optional(self.pool())
            .await?;
        Ok(version.unwrap_or(0))
    }
}
