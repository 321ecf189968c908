//! Which source decides which attribute, as people read and set it.

use crate::error::ApiError;
use crate::owners::split;
use crate::rules::Rules;
use rollcall_provisioning::ids::{ResourceKind, SourceId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::owners::AttributeOwner;
use rollcall_store::sources::{SetUpBy, Source};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most attributes that have an owner.
pub const MAX_OWNERS: usize = 1_000;

/// An attribute, and the source that decides it.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OwnerView {
    /// The type of the resource: `User` or `Group`.
    #[schema(example = "User")]
    pub resource_type: &'static str,
    /// The attribute, as in a PATCH path.
    #[schema(example = "title")]
    pub attribute: String,
    /// The source's id.
    pub source_id: Uuid,
    /// The source's name.
    #[schema(example = "workday")]
    pub source: String,
}

/// The owners of a tenant's attributes.
pub async fn list(store: &Store, tenant: TenantId) -> Result<Vec<OwnerView>, ApiError> {
    let (owners, sources) = tokio::try_join!(store.attribute_owners(tenant), store.sources(tenant))?;
    let name = |id: SourceId| sources.iter().find(|source| source.id == id).map(|source| source.name.clone());
    let view = |owner: AttributeOwner| OwnerView {
        resource_type: if owner.kind == ResourceKind::Group { "Group" } else { "User" },
        attribute: owner.attribute,
        source_id: owner.source.0,
        source: name(owner.source).unwrap_or_default(),
    };
    Ok(owners.into_iter().map(view).collect())
}

/// Sets all owners at once: `{"owners": [{"resource_type": "User", "attribute": "title", "source": "workday"}]}`. A source
/// is named by its name or its id.
///
/// # Errors
/// 400 that names the attribute or the source that there is not; nothing is changed then.
pub(crate) async fn set(
    store: &Store,
    tenant: TenantId,
    by: (SetUpBy, &str),
    (rules, body): (&Rules, &Value),
) -> Result<Vec<OwnerView>, ApiError> {
    let stranger = body.as_object().into_iter().flatten().find(|(name, _)| *name != "owners");
    if let Some((name, _)) = stranger {
        return Err(ApiError::parameter("body", format!("holds {}; it can hold owners", quoted(name))));
    }
    let items = body.get("owners").and_then(Value::as_array).filter(|items| items.len() <= MAX_OWNERS);
    let items = items.ok_or_else(|| {
        ApiError::parameter("owners", format!("must be an array of at most {MAX_OWNERS} owners of attributes"))
    })?;
    let sources = store.sources(tenant).await?;
    let mut owners: Vec<AttributeOwner> = Vec::with_capacity(items.len());
    for item in items {
        let owner = owner(item, rules, &sources)?;
        if owners.iter().any(|known| (known.kind, &known.attribute) == (owner.kind, &owner.attribute)) {
            return Err(wrong(format!("name {} twice; one source decides it", quoted(&owner.attribute))));
        }
        owners.push(owner);
    }
    store.set_attribute_owners(tenant, by, &owners).await?;
    list(store, tenant).await
}

fn owner(item: &Value, rules: &Rules, sources: &[Source]) -> Result<AttributeOwner, ApiError> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let stranger = item
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| !["resource_type", "attribute", "source", "source_id"].contains(&name.as_str()));
    if let Some((name, _)) = stranger {
        return Err(wrong(format!("hold {}; an owner has resource_type, attribute and source", quoted(name))));
    }
    let (rt, kind) = match text("resource_type").to_ascii_lowercase().as_str() {
        "user" => (rules.types().user(), ResourceKind::User),
        "group" => (rules.types().group(), ResourceKind::Group),
        _ => return Err(wrong("need a resource_type, \"User\" or \"Group\"")),
    };
    if text("attribute").is_empty() {
        return Err(wrong("need an attribute, such as \"title\""));
    }
    let (schema, attribute) = split(rt, text("attribute")).ok_or_else(|| {
        wrong(format!(
            "name the attribute {}, which no source can decide: it must be an attribute of {} as a whole that clients \
             write, such as \"title\" or, of an extension, its URN, a colon and the name",
            quoted(text("attribute")),
            rt.name
        ))
    })?;
    let source = source(sources, text("source"), text("source_id"))?;
    let attribute = schema.map_or_else(|| attribute.clone(), |urn| format!("{urn}:{attribute}"));
    Ok(AttributeOwner { kind, attribute, source: source.id })
}

/// The source that an owner names, by its name, its id, or, as in the list of owners, by both.
fn source<'s>(sources: &'s [Source], name: &str, id: &str) -> Result<&'s Source, ApiError> {
    let find = |named: &str| {
        let found = sources.iter().find(|source| source.name == named || source.id.to_string() == named);
        found.ok_or_else(|| wrong(format!("name the source {}, which does not exist", quoted(named))))
    };
    if name.is_empty() && id.is_empty() {
        return Err(wrong("need a source, the name or the id of the one that decides"));
    }
    let source = find(if name.is_empty() { id } else { name })?;
    if !id.is_empty() && find(id)?.id != source.id {
        return Err(wrong(format!(
            "name the source {} and the source_id {}, which is another source; one of them is enough",
            quoted(name),
            quoted(id)
        )));
    }
    Ok(source)
}

fn wrong(problem: impl Into<String>) -> ApiError {
    ApiError::parameter("owners", problem)
}
