//! The extension schemas that a tenant has registered.
//!
//! A request that was understood by the rules before may be written after them. So a value can come to lie under an
//! attribute that has just been removed. Nobody sees it there; and whoever adds an attribute of that name begins with
//! nothing, because what lies there is forgotten first.

mod values;

use crate::changes::{Operation, SetUp, Subject, record_set_up};
use crate::connections::Transaction;
use crate::owners::keep_owners;
use crate::sources::SetUpBy;
use crate::wake::RULES_CHANNEL;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceKind, TenantId};
use rollcall_scim::schema::{Extension, ResourceType, Schema, builtin};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

/// Most schemas of one tenant.
pub const MAX_SCHEMAS: i64 = 50;

/// A registered schema.
#[derive(Clone, PartialEq, Debug)]
pub struct TenantSchema {
    /// Its id in the change log.
    pub id: Uuid,
    /// Which resources it extends.
    pub kind: ResourceKind,
    /// The schema.
    pub schema: Schema,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub modified_at: OffsetDateTime,
}

/// The type of a tenant's resources: the built-in one with the tenant's own schemas.
pub fn extended(schemas: &[TenantSchema], kind: ResourceKind) -> ResourceType {
    let built_in = if kind == ResourceKind::Group { builtin::group_type() } else { builtin::user_type() };
    let own = schemas.iter().filter(|own| own.kind == kind);
    own.fold(built_in, |built, own| built.with_extension(Extension::optional(own.schema.clone())))
}

/// Why a schema was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The tenant has no such schema.
    #[error("there is no such schema")]
    Unknown,
    /// The tenant has one of that URN.
    #[error("there is a schema of that URN")]
    Taken,
    /// The tenant has [`MAX_SCHEMAS`] already.
    #[error("there are {MAX_SCHEMAS} schemas")]
    TooMany,
    /// Resources hold values that the change would make unreadable. A whole sentence.
    #[error("{0}")]
    InUse(String),
    /// The change itself cannot be made, whoever holds values. A whole sentence.
    #[error("{0}")]
    Obstacle(String),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SchemaError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

#[derive(sqlx::FromRow)]
struct SchemaRow {
    id: Uuid,
    resource_kind: String,
    document: Value,
    created_at: OffsetDateTime,
    modified_at: OffsetDateTime,
}

impl TryFrom<SchemaRow> for TenantSchema {
    type Error = StoreError;

    fn try_from(row: SchemaRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("schemas", column, row.id);
        Ok(Self {
            id: row.id,
            kind: ResourceKind::parse(&row.resource_kind).ok_or_else(|| corrupt("resource_kind"))?,
            schema: Schema::define(&row.document).map_err(|_| corrupt("document"))?,
            created_at: row.created_at,
            modified_at: row.modified_at,
        })
    }
}

impl Store {
    /// The schemas of a tenant, in the order in which they were registered.
    pub async fn schemas(&self, tenant: TenantId) -> Result<Vec<TenantSchema>, StoreError> {
        let rows: Vec<SchemaRow> = sqlx::query_as(
            "SELECT id, resource_kind, document, created_at, modified_at FROM schemas \
             WHERE tenant_id = $1 ORDER BY id LIMIT 1000",
        )
        .bind(tenant.0)
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(TenantSchema::try_from).collect()
    }

    /// Registers a schema. Requests that come in after this know it, whichever process they come to.
    pub async fn create_schema(
        &self,
        tenant: TenantId,
        by: (SetUpBy, &str),
        kind: ResourceKind,
        schema: &Schema,
    ) -> Result<TenantSchema, SchemaError> {
        let mut tx = self.schemas_locked(tenant).await?;
        let (total, taken, nested): (i64, bool, Option<String>) = sqlx::query_as(
            "SELECT count(*), COALESCE(bool_or(urn_key = $2), false), \
                    min(urn_key) FILTER (WHERE starts_with($2, urn_key || ':') OR starts_with(urn_key, $2 || ':')) \
             FROM schemas WHERE tenant_id = $1",
        )
        .bind(tenant.0)
        .bind(urn_key(&schema.id))
        .fetch_one(&mut *tx)
        .await?;
        if taken {
            return Err(SchemaError::Taken);
        }
        if let Some(other) = nested {
            let sentence = format!(
                "one of \"{}\" and the registered \"{other}\" continues the other, so that it could be the path of an attribute",
                schema.id
            );
            return Err(SchemaError::Obstacle(sentence));
        }
        if total >= MAX_SCHEMAS {
            return Err(SchemaError::TooMany);
        }
        let now = self.now();
        let created =
            TenantSchema { id: self.new_id(), kind, schema: schema.clone(), created_at: now, modified_at: now };
        sqlx::query(
            "INSERT INTO schemas (tenant_id, id, urn_key, resource_kind, document, created_at, modified_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(tenant.0)
        .bind(created.id)
        .bind(urn_key(&schema.id))
        .bind(kind.as_str())
        .bind(schema.document())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let whole = [vec![schema.id.clone()]];
        values::forget(&mut tx, tenant, (kind, &schema.id), &whole).await?;
        tell(&mut tx, tenant, by, Operation::Create, (&created, now)).await?;
        tx.commit().await?;
        Ok(created)
    }

    /// Replaces a schema by another version of it. Attributes that resources hold values of can neither go nor change
    /// their type. The owners of those that go, go too.
    pub async fn replace_schema(
        &self,
        tenant: TenantId,
        by: (SetUpBy, &str),
        schema: &Schema,
    ) -> Result<TenantSchema, SchemaError> {
        let mut tx = self.schemas_locked(tenant).await?;
        let before = one(&mut tx, tenant, &schema.id).await?;
        if before.schema.id != schema.id {
            let sentence =
                format!("the schema is registered as \"{}\"; its URN cannot be spelt anew", before.schema.id);
            return Err(SchemaError::Obstacle(sentence));
        }
        if let Some(sentence) = before.schema.obstacle(schema) {
            return Err(SchemaError::Obstacle(sentence));
        }
        if before.schema == *schema {
            return Ok(before);
        }
        let about = (before.kind, schema.id.as_str());
        values::refuse_held(&mut tx, tenant, about, &values::missing(&before.schema, schema)).await?;
        values::forget(&mut tx, tenant, about, &values::missing(schema, &before.schema)).await?;
        let after = TenantSchema { schema: schema.clone(), modified_at: self.now(), ..before };
        sqlx::query("UPDATE schemas SET document = $3, modified_at = $4 WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(after.id)
            .bind(schema.document())
            .bind(after.modified_at)
            .execute(&mut *tx)
            .await?;
        let left: Vec<String> = schema.attributes.iter().map(|left| left.name.to_ascii_lowercase()).collect();
        keep_owners(&mut tx, tenant, by, (&schema.id, &left), after.modified_at).await?;
        tell(&mut tx, tenant, by, Operation::Update, (&after, after.modified_at)).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Removes a schema of which no resource holds a value, and the owners of its attributes.
    pub async fn delete_schema(&self, tenant: TenantId, by: (SetUpBy, &str), urn: &str) -> Result<(), SchemaError> {
        let mut tx = self.schemas_locked(tenant).await?;
        let before = one(&mut tx, tenant, urn).await?;
        let whole = [vec![before.schema.id.clone()]];
        values::refuse_held(&mut tx, tenant, (before.kind, &before.schema.id), &whole).await?;
        sqlx::query("DELETE FROM schemas WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(before.id)
            .execute(&mut *tx)
            .await?;
        keep_owners(&mut tx, tenant, by, (&before.schema.id, &[]), self.now()).await?;
        tell(&mut tx, tenant, by, Operation::Delete, (&before, self.now())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A transaction in which nobody else changes schemas of the tenant.
    async fn schemas_locked(&self, tenant: TenantId) -> Result<Transaction, SchemaError> {
        let mut tx = self.pool().begin().await?;
        let locked: Option<i32> = sqlx::query_scalar("SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE")
            .bind(tenant.0)
            .fetch_optional(&mut *tx)
            .await?;
        locked.ok_or(StoreError::Unknown { what: "tenant" })?;
        Ok(tx)
    }
}

/// Says in the change log what was done to a schema, and tells every process.
async fn tell(
    tx: &mut Transaction,
    tenant: TenantId,
    by: (SetUpBy, &str),
    operation: Operation,
    (schema, now): (&TenantSchema, OffsetDateTime),
) -> Result<(), SchemaError> {
    let details = json!({ "urn": schema.schema.id });
    let entry = SetUp { operation, subject: Subject::Schema, id: schema.id, by, details };
    record_set_up(&mut **tx, tenant, entry, now).await?;
    sqlx::query("SELECT pg_notify($1, '')").bind(RULES_CHANNEL).execute(&mut **tx).await?;
    Ok(())
}

fn urn_key(urn: &str) -> String {
    urn.to_ascii_lowercase()
}

async fn one(tx: &mut Transaction, tenant: TenantId, urn: &str) -> Result<TenantSchema, SchemaError> {
    let row: Option<SchemaRow> = sqlx::query_as(
        "SELECT id, resource_kind, document, created_at, modified_at FROM schemas \
         WHERE tenant_id = $1 AND urn_key = $2",
    )
    .bind(tenant.0)
    .bind(urn_key(urn))
    .fetch_optional(&mut **tx)
    .await?;
    Ok(TenantSchema::try_from(row.ok_or(SchemaError::Unknown)?)?)
}
