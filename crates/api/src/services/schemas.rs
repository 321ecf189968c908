//! The extension schemas of a tenant: what they hold, and registering, changing and removing them.

use crate::error::ApiError;
use rollcall_provisioning::ids::{ResourceKind, TenantId};
use rollcall_scim::error::quoted;
use rollcall_scim::schema::Schema;
use rollcall_store::Store;
use rollcall_store::schemas::{SchemaError, TenantSchema};
use rollcall_store::sources::SetUpBy;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A registered schema.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct SchemaView {
    /// Its URN.
    #[schema(example = "urn:example:hr:2.0:User")]
    pub urn: String,
    /// Which resources it extends: `User` or `Group`.
    #[schema(example = "User")]
    pub resource_type: &'static str,
    /// The schema as RFC 7643 section 7 writes it.
    pub schema: Value,
    /// When it was registered.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub modified_at: OffsetDateTime,
}

impl From<TenantSchema> for SchemaView {
    fn from(own: TenantSchema) -> Self {
        Self {
            schema: own.schema.document(),
            urn: own.schema.id,
            resource_type: if own.kind == ResourceKind::Group { "Group" } else { "User" },
            created_at: own.created_at,
            modified_at: own.modified_at,
        }
    }
}

/// The schemas of a tenant, in the order in which they were registered.
pub async fn list(store: &Store, tenant: TenantId) -> Result<Vec<SchemaView>, ApiError> {
    Ok(store.schemas(tenant).await?.into_iter().map(SchemaView::from).collect())
}

/// One schema, by its URN in any case.
///
/// # Errors
/// [`ApiError::NotFound`].
pub async fn read(store: &Store, tenant: TenantId, urn: &str) -> Result<SchemaView, ApiError> {
    let schemas = store.schemas(tenant).await?;
    let found = schemas.into_iter().find(|own| own.schema.id.eq_ignore_ascii_case(urn));
    found.map(SchemaView::from).ok_or_else(|| unknown(urn))
}

/// Registers a schema: `{"resource_type": "User", "schema": {…}}`.
///
/// # Errors
/// 400 that names what is wrong, 409 when there is one of that URN or there are too many.
pub async fn create(
    store: &Store,
    tenant: TenantId,
    by: (SetUpBy, &str),
    body: &Value,
) -> Result<SchemaView, ApiError> {
    only(body, &["resource_type", "schema"])?;
    let kind = match body.get("resource_type").and_then(Value::as_str) {
        Some(word) if word.eq_ignore_ascii_case("user") => ResourceKind::User,
        Some(word) if word.eq_ignore_ascii_case("group") => ResourceKind::Group,
        _ => return Err(ApiError::parameter("resource_type", "must be \"User\" or \"Group\"")),
    };
    let schema = schema(body)?;
    let created = store.create_schema(tenant, by, kind, &schema).await;
    created.map(SchemaView::from).map_err(|error| failed(error, &schema.id))
}

/// Replaces a schema by another version of it: `{"schema": {…}}`.
///
/// # Errors
/// [`ApiError::NotFound`]; 400 that names what is wrong; 409 when resources hold values that would become unreadable.
pub async fn replace(
    store: &Store,
    tenant: TenantId,
    by: (SetUpBy, &str),
    (urn, body): (&str, &Value),
) -> Result<SchemaView, ApiError> {
    only(body, &["schema"])?;
    let schema = schema(body)?;
    if !schema.id.eq_ignore_ascii_case(urn) {
        let problem = format!("has the id {}, but the URL names {}", quoted(&schema.id), quoted(urn));
        return Err(ApiError::parameter("schema", problem));
    }
    let replaced = store.replace_schema(tenant, by, &schema).await;
    replaced.map(SchemaView::from).map_err(|error| failed(error, urn))
}

/// Removes a schema.
///
/// # Errors
/// [`ApiError::NotFound`], and 409 when resources hold values of it.
pub async fn delete(store: &Store, tenant: TenantId, by: (SetUpBy, &str), urn: &str) -> Result<(), ApiError> {
    store.delete_schema(tenant, by, urn).await.map_err(|error| failed(error, urn))
}

/// A member that nobody reads would be lost without a sound.
fn only(body: &Value, names: &[&str]) -> Result<(), ApiError> {
    let stranger = body.as_object().into_iter().flatten().find(|(name, _)| !names.contains(&name.as_str()));
    stranger.map_or(Ok(()), |(name, _)| {
        let problem = format!("holds {}; it can hold {}", quoted(name), names.join(" and "));
        Err(ApiError::parameter("body", problem))
    })
}

fn schema(body: &Value) -> Result<Schema, ApiError> {
    let document = body.get("schema").ok_or_else(|| ApiError::parameter("schema", "is missing"))?;
    Schema::define(document).map_err(|error| ApiError::parameter("schema", format!("cannot be used: {}", error.detail)))
}

fn unknown(urn: &str) -> ApiError {
    ApiError::NotFound { what: format!("the schema {}", quoted(urn)) }
}

fn failed(error: SchemaError, urn: &str) -> ApiError {
    match error {
        SchemaError::Unknown => unknown(urn),
        SchemaError::Store(error) => error.into(),
        SchemaError::Taken => {
            ApiError::Conflict(format!("the schema {} is registered already; replace it with PUT", quoted(urn)))
        }
        SchemaError::Obstacle(sentence) | SchemaError::InUse(sentence) => ApiError::Conflict(sentence),
        error => ApiError::Conflict(format!("{error}; remove one that nobody needs first")),
    }
}
