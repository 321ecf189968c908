//! Which source decides which attribute of a tenant's users and groups.

use crate::changes::{Operation, SetUp, Subject, record_set_up};
use crate::connections::Transaction;
use crate::sources::SetUpBy;
use crate::wake::RULES_CHANNEL;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceKind, SourceId, TenantId};
use serde_json::json;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// An attribute, and the source that decides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AttributeOwner {
    /// The type of the resource.
    pub kind: ResourceKind,
    /// The name of the attribute, after its URN and a colon if an extension defines it.
    pub attribute: String,
    /// The source.
    pub source: SourceId,
}

#[derive(sqlx::FromRow)]
struct OwnerRow {
    resource_kind: String,
    attribute: String,
    source_id: Uuid,
}

impl Store {
    /// The owners of a tenant's attributes.
    pub async fn attribute_owners(&self, tenant: TenantId) -> Result<Vec<AttributeOwner>, StoreError> {
        owners(self.pool(), tenant).await
    }

    /// Puts these in the place of all owners of the tenant's attributes. Requests that come in after this are served by
    /// them, whichever process they come to. [`StoreError::Unknown`] when there is no such source.
    pub async fn set_attribute_owners(
        &self,
        tenant: TenantId,
        by: (SetUpBy, &str),
        owners: &[AttributeOwner],
    ) -> Result<(), StoreError> {
        let mut tx = self.pool().begin().await?;
        // Two changes go one after the other.
        sqlx::query("SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE").bind(tenant.0).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM attribute_owners WHERE tenant_id = $1").bind(tenant.0).execute(&mut *tx).await?;
        sqlx::query(
            "INSERT INTO attribute_owners (tenant_id, resource_kind, attribute, source_id) \
             SELECT $1, kind, attribute, source FROM unnest($2::text[], $3::text[], $4::uuid[]) \
             AS owned (kind, attribute, source)",
        )
        .bind(tenant.0)
        .bind(owners.iter().map(|owner| owner.kind.as_str()).collect::<Vec<_>>())
        .bind(owners.iter().map(|owner| owner.attribute.as_str()).collect::<Vec<_>>())
        .bind(owners.iter().map(|owner| owner.source.0).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
        record(&mut tx, tenant, by, (owners, self.now())).await?;
        sqlx::query("SELECT pg_notify($1, '')").bind(RULES_CHANNEL).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

async fn owners(executor: impl PgExecutor<'_>, tenant: TenantId) -> Result<Vec<AttributeOwner>, StoreError> {
    let rows: Vec<OwnerRow> = sqlx::query_as(
        "SELECT resource_kind, attribute, source_id FROM attribute_owners \
         WHERE tenant_id = $1 ORDER BY resource_kind, attribute LIMIT 10000",
    )
    .bind(tenant.0)
    .fetch_all(executor)
    .await?;
    let owner = |row: OwnerRow| {
        let kind = ResourceKind::parse(&row.resource_kind);
        let kind = kind.ok_or(StoreError::corrupt("attribute_owners", "resource_kind", row.source_id))?;
        Ok(AttributeOwner { kind, attribute: row.attribute, source: SourceId(row.source_id) })
    };
    rows.into_iter().map(owner).collect()
}

/// Takes the owners of all attributes of a schema away, but for those that are `left`, in lower case: there is nothing left that they could
/// decide. For the transaction that changes the schema, in which nobody else changes owners.
pub(crate) async fn keep_owners(
    tx: &mut Transaction,
    tenant: TenantId,
    by: (SetUpBy, &str),
    (urn, left): (&str, &[String]),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let gone = sqlx::query(
        "DELETE FROM attribute_owners WHERE tenant_id = $1 AND lower(substring(attribute from '^(.*):[^:]*$')) = $2 \
         AND lower(substring(attribute from '[^:]*$')) <> ALL($3)",
    )
    .bind(tenant.0)
    .bind(urn.to_ascii_lowercase())
    .bind(left)
    .execute(&mut **tx)
    .await?;
    if gone.rows_affected() == 0 {
        return Ok(());
    }
    let owners = owners(&mut **tx, tenant).await?;
    record(tx, tenant, by, (&owners, now)).await
}

/// Says in the change log who decides what now.
async fn record(
    tx: &mut Transaction,
    tenant: TenantId,
    by: (SetUpBy, &str),
    (owners, now): (&[AttributeOwner], OffsetDateTime),
) -> Result<(), StoreError> {
    let owned = |owner: &AttributeOwner| json!([owner.kind.as_str(), owner.attribute, owner.source.0]);
    let details = json!({ "owners": owners.iter().map(owned).collect::<Vec<_>>() });
    let entry = SetUp { operation: Operation::Update, subject: Subject::Owners, id: tenant.0, by, details };
    record_set_up(&mut **tx, tenant, entry, now).await
}
