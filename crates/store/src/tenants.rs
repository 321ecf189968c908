//! Organisations.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::TenantId;
use time::OffsetDateTime;
use uuid::Uuid;

/// One organisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique in the installation.
    pub name: String,
    /// When it was set up.
    pub created_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct TenantRow {
    id: Uuid,
    name: String,
    created_at: OffsetDateTime,
}

impl From<TenantRow> for Tenant {
    fn from(row: TenantRow) -> Self {
        Self { id: TenantId(row.id), name: row.name, created_at: row.created_at }
    }
}

impl Store {
    /// Sets up an organisation. [`StoreError::Conflict`] when the name is taken.
    pub async fn create_tenant(&self, name: &str) -> Result<Tenant, StoreError> {
        let tenant = Tenant { id: TenantId(self.new_id()), name: name.to_owned(), created_at: self.now() };
        sqlx::query("INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(tenant.id.0)
            .bind(&tenant.name)
            .bind(tenant.created_at)
            .execute(self.pool())
            .await?;
        Ok(tenant)
    }

    /// All organisations, by name.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let rows: Vec<TenantRow> =
            sqlx::query_as("SELECT id, name, created_at FROM tenants ORDER BY name, id").fetch_all(self.pool()).await?;
        Ok(rows.into_iter().map(Tenant::from).collect())
    }

    /// The organisation of that name.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, StoreError> {
        let row: Option<TenantRow> = sqlx::query_as("SELECT id, name, created_at FROM tenants WHERE name = $1")
            .bind(name)
            .fetch_optional(self.pool())
            .await?;
        Ok(row.map(Tenant::from))
    }
}
