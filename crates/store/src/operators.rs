//! People who sign in to the console.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::TenantId;
use std::fmt;
use time::OffsetDateTime;
use uuid::Uuid;

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Operator {
    /// The tenant whose console it is.
    pub tenant: TenantId,
    /// The person's id.
    pub id: Uuid,
    /// What the person types; unique in the installation.
    pub name: String,
    /// The password's hash in PHC form. Never printed.
    pub password_hash: String,
    /// When the person was let in.
    pub created_at: OffsetDateTime,
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("tenant", &self.tenant).field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(sqlx::FromRow)]
struct OperatorRow {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    password_hash: String,
    created_at: OffsetDateTime,
}

impl From<OperatorRow> for Operator {
    fn from(row: OperatorRow) -> Self {
        Self {
            tenant: TenantId(row.tenant_id),
            id: row.id,
            name: row.name,
            password_hash: row.password_hash,
            created_at: row.created_at,
        }
    }
}

impl Store {
    /// Lets somebody in. [`StoreError::Conflict`] when the name is taken, by whichever tenant.
    pub async fn create_operator(
        &self,
        tenant: TenantId,
        name: &str,
        password_hash: &str,
    ) -> Result<Operator, StoreError> {
        let operator = Operator {
            tenant,
            id: self.new_id(),
            name: name.to_owned(),
            password_hash: password_hash.to_owned(),
            created_at: self.now(),
        };
        sqlx::query(
            "INSERT INTO operators (tenant_id, id, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(tenant.0)
        .bind(operator.id)
        .bind(&operator.name)
        .bind(&operator.password_hash)
        .bind(operator.created_at)
        .execute(self.pool())
        .await?;
        Ok(operator)
    }

    /// The operator of that name, in whichever tenant.
    pub async fn operator(&self, name: &str) -> Result<Option<Operator>, StoreError> {
        let row: Option<OperatorRow> =
            sqlx::query_as("SELECT tenant_id, id, name, password_hash, created_at FROM operators WHERE name = $1")
                .bind(name)
                .fetch_optional(self.pool())
                .await?;
        Ok(row.map(Operator::from))
    }

    /// Gives an operator another password; false when there is no such operator.
    pub async fn set_operator_password(
        &self,
        tenant: TenantId,
        id: Uuid,
        password_hash: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE operators SET password_hash = $3 WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(id)
            .bind(password_hash)
            .execute(self.pool())
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
