//! The configured SCIM clients of a tenant.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::profile::Profile;
use time::OffsetDateTime;
use uuid::Uuid;

/// One configured SCIM client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Its name, unique in the tenant.
    pub name: String,
    /// What the client does differently from the RFCs.
    pub profile: Profile,
    /// When it was set up.
    pub created_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct SourceRow {
    id: Uuid,
    name: String,
    profile: String,
    created_at: OffsetDateTime,
}

impl TryFrom<SourceRow> for Source {
    type Error = StoreError;

    fn try_from(row: SourceRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: SourceId(row.id),
            name: row.name,
            profile: profile(row.id, &row.profile)?,
            created_at: row.created_at,
        })
    }
}

/// The profile that a row of `sources` names.
pub(crate) fn profile(source: Uuid, name: &str) -> Result<Profile, StoreError> {
    Profile::named(name).ok_or(StoreError::corrupt("sources", "profile", source))
}

impl Store {
    /// Sets up a client. [`StoreError::Conflict`] when the tenant has one of that name, [`StoreError::Unknown`] when
    /// there is no such tenant.
    pub async fn create_source(&self, tenant: TenantId, name: &str, profile: &Profile) -> Result<Source, StoreError> {
        let source =
            Source { id: SourceId(self.new_id()), name: name.to_owned(), profile: *profile, created_at: self.now() };
        sqlx::query("INSERT INTO sources (tenant_id, id, name, profile, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(tenant.0)
            .bind(source.id.0)
            .bind(&source.name)
            .bind(source.profile.name)
            .bind(source.created_at)
            .execute(self.pool())
            .await?;
        Ok(source)
    }

    /// The clients of a tenant, by name.
    pub async fn sources(&self, tenant: TenantId) -> Result<Vec<Source>, StoreError> {
        let rows: Vec<SourceRow> =
            sqlx::query_as("SELECT id, name, profile, created_at FROM sources WHERE tenant_id = $1 ORDER BY name, id")
                .bind(tenant.0)
                .fetch_all(self.pool())
                .await?;
        rows.into_iter().map(Source::try_from).collect()
    }

    /// The client of that name.
    pub async fn source_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<Source>, StoreError> {
        let row: Option<SourceRow> =
            sqlx::query_as("SELECT id, name, profile, created_at FROM sources WHERE tenant_id = $1 AND name = $2")
                .bind(tenant.0)
                .bind(name)
                .fetch_optional(self.pool())
                .await?;
        row.map(Source::try_from).transpose()
    }
}
