//! One person: what the directory holds of them, and where they stand.

use crate::error::ApiError;
use crate::services::deliveries::DeliveryView;
use crate::services::invitations::InvitationView;
use rollcall_provisioning::entity::Observed;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, SourceId, TenantId};
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::fold::fold;
use rollcall_scim::path::AttributePath;
use rollcall_store::Store;
use rollcall_store::listing::Matching;
use rollcall_store::projection::{DeliveryItem, DeliveryQuery, Link};
use rollcall_store::users::{StoredUser, UserQuery, UserView};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most targets of one person that are shown.
const TARGETS: i64 = 100;

/// A person of the directory, also one who was deleted and is not gone everywhere yet.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PersonView {
    /// The SCIM id.
    pub id: Uuid,
    /// The SCIM userName; absent when the person is gone and nothing remembers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The SCIM displayName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What each source calls the person (the SCIM externalId), by the name of the source.
    pub external_ids: BTreeMap<String, String>,
    /// Whether the person is active; false for a deleted one.
    pub active: bool,
    /// Whether the person was deleted.
    pub deleted: bool,
    /// The version of the resource; absent for a deleted person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// When the resource was created.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
    /// When the resource last changed.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<OffsetDateTime>,
    /// Where the person stands, one entry for each target.
    pub standings: Vec<StandingView>,
}

/// Where a person stands towards one target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct StandingView {
    /// What Rollcall wants to do, or has done.
    pub delivery: DeliveryView,
    /// What Rollcall knows of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkView>,
}

/// What Rollcall knows of an account.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct LinkView {
    /// The account's id at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// `absent`: there is no account; `unknown`: a call's answer was lost, so it is read before anything is done;
    /// `known`: it is there.
    #[schema(example = "known")]
    pub observed: String,
    /// When the person was invited and has not accepted yet.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub invited_at: Option<OffsetDateTime>,
    /// How often they were invited, and when again, as long as they have not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationView>,
}

impl LinkView {
    /// What is known at a target that has these settings.
    fn of(link: Link, settings: &Value) -> Self {
        let observed = match link.observed {
            Observed::Absent => "absent",
            Observed::Unknown => "unknown",
            Observed::Known(_) => "known",
        };
        let invitation = link.invited.map(|invited| InvitationView::of(invited, settings));
        Self {
            remote_id: link.remote_id,
            observed: observed.to_owned(),
            invited_at: invitation.as_ref().map(|invitation| invitation.first_at),
            invitation,
        }
    }
}

/// What the directory holds of a person, beside what is shown.
pub(crate) struct Found {
    pub(crate) person: PersonView,
    /// The resource, unless it was deleted.
    pub(crate) user: Option<StoredUser>,
}

/// The person with that SCIM id.
///
/// # Errors
/// 404.
pub async fn by_id(store: &Store, tenant: TenantId, id: ResourceId) -> Result<PersonView, ApiError> {
    Ok(find(store, tenant, id).await?.person)
}

/// The person with that userName, whatever its case.
///
/// # Errors
/// 404.
pub async fn by_user_name(store: &Store, tenant: TenantId, user_name: &str) -> Result<PersonView, ApiError> {
    let id = id_of(store, tenant, user_name).await?;
    by_id(store, tenant, id).await
}

/// The SCIM id behind a userName, whatever its case.
///
/// # Errors
/// 404.
pub async fn id_of(store: &Store, tenant: TenantId, user_name: &str) -> Result<ResourceId, ApiError> {
    let path = AttributePath::core("userName");
    let filter = Filter::Compare { path, op: CompareOp::Eq, value: user_name.into() };
    let key = fold(user_name);
    let judge = |user: &StoredUser| user.resource.string("userName").is_some_and(|name| fold(name) == key);
    let query = UserQuery {
        matching: Some(Matching { filter: &filter, judge: &judge }),
        start_index: 1,
        count: 1,
        view: UserView::default(),
    };
    let found = store.list_users(tenant, &query).await?.items;
    let user = found.first().ok_or_else(|| ApiError::NotFound { what: format!("the user \"{user_name}\"") })?;
    Ok(user.id)
}

pub(crate) async fn find(store: &Store, tenant: TenantId, id: ResourceId) -> Result<Found, ApiError> {
    let user = store.user(tenant, id, UserView::default()).await?;
    let query = DeliveryQuery {
        resource: Some(id),
        kind: Some(ResourceKind::User),
        limit: TARGETS,
        ..DeliveryQuery::default()
    };
    let items = store.deliveries(tenant, &query).await?;
    if user.is_none() && items.is_empty() {
        return Err(ApiError::NotFound { what: format!("the user {id}") });
    }
    let targets = store.targets(tenant).await?;
    let mut person = describe(id, user.as_ref(), items.first());
    if let Some(user) = &user {
        let sources = store.sources(tenant).await?;
        let name = |id: SourceId| sources.iter().find(|source| source.id == id).map(|source| source.name.clone());
        let named = user.external_ids.iter().filter_map(|(source, id)| Some((name(source)?, id.to_owned())));
        person.external_ids = named.collect();
    }
    for item in items {
        let link = store.link(tenant, item.target, ResourceKind::User, id).await?;
        let settings = targets.iter().find(|target| target.id == item.target).map_or(&Value::Null, |of| &of.settings);
        let mut link = link.map(|link| LinkView::of(link, settings));
        if let Some(invitation) = link.as_mut().and_then(|link| link.invitation.as_mut()).filter(|_| !person.active) {
            // Nobody is invited who is to have no account.
            invitation.next_at = None;
        }
        person.standings.push(StandingView { delivery: DeliveryView::of(item, &targets), link });
    }
    Ok(Found { person, user })
}

fn describe(id: ResourceId, user: Option<&StoredUser>, delivery: Option<&DeliveryItem>) -> PersonView {
    let text = |name: &str| user.and_then(|user| user.resource.string(name)).map(str::to_owned);
    PersonView {
        id: id.0,
        user_name: text("userName").or_else(|| delivery?.name.clone()),
        display_name: text("displayName").or_else(|| delivery?.display_name.clone()),
        external_ids: BTreeMap::new(),
        active: user.is_some_and(|user| user.resource.boolean("active").unwrap_or(true)),
        deleted: user.is_none(),
        version: user.map(|user| user.version),
        created_at: user.map(|user| user.created_at),
        modified_at: user.map(|user| user.modified_at),
        standings: Vec::new(),
    }
}
