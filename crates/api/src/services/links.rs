//! Links: which resource is which entity of a target, and mending what is wrong of that. The target itself is never changed
//! here, and whatever a mended link would change waits for a plan.

mod table;

pub use rollcall_store::projection::{LinkQuery, LinkState};
pub use table::export;

use crate::error::ApiError;
use crate::probe::{AskTarget, NotAsked};
use crate::services::given;
use crate::services::page::{Cursor, Page};
use crate::services::reason;
use crate::services::targets::{chosen, no_target};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use rollcall_provisioning::mapping::{GroupFacts, Mapping, Person, PersonKind, SourceFacts};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::adoption::{LinkError, NewLink, Parting};
use rollcall_store::facts::{FactsOf, PersonFacts};
use rollcall_store::projection::LinkRow;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most characters of an id at a target; DingTalk's userids have 64 at most.
const MAX_REMOTE_ID: usize = 200;

/// A link: a resource of ours, and what it is at the target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct LinkView {
    /// `user`, `org_unit` or `group`.
    #[schema(example = "user")]
    pub kind: String,
    /// The resource: the SCIM id of a user or a group, or the id of a department.
    pub resource_id: Uuid,
    /// The userName, the group's displayName or the department's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user's displayName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether the user is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The entity's id at the target; absent while a person is invited, or a creation is in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// The entity's name, as it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_name: Option<String>,
    /// `account`, `contact`, `org_unit`, `role` or `chat`.
    #[schema(example = "account")]
    pub entity: String,
    /// `adopted`: it was there before Rollcall; `made`: Rollcall made it.
    #[schema(example = "adopted")]
    pub origin: &'static str,
    /// What is known of the entity: `known`, `unknown` (it is read before anything else happens) or `invited`.
    #[schema(example = "known")]
    pub observed: String,
    /// When it was adopted.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub adopted_at: Option<OffsetDateTime>,
    /// Since when the person has left.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub left_at: Option<OffsetDateTime>,
    /// When any of this changed last.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// What the entity, or the person, is marked as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Where the delivery stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<String>,
}

impl From<LinkRow> for LinkView {
    fn from(row: LinkRow) -> Self {
        Self {
            kind: row.resource_kind,
            resource_id: row.resource_id,
            name: row.name,
            display_name: row.display_name,
            active: row.active,
            remote_id: row.remote_id,
            remote_name: row.remote_name,
            entity: row.entity,
            origin: origin(row.adopted),
            observed: row.state,
            adopted_at: row.adopted_at,
            left_at: row.left_at,
            updated_at: row.updated_at,
            mark: row.mark,
            state: row.delivery,
            held_by: row.held_by,
        }
    }
}

const fn origin(adopted: bool) -> &'static str {
    if adopted { "adopted" } else { "made" }
}

/// Whether a word means links to what was there before us.
pub fn parse_origin(word: &str) -> Option<bool> {
    [true, false].into_iter().find(|adopted| origin(*adopted) == word)
}

/// A link to be made by hand.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// The person's SCIM id.
    #[serde(deserialize_with = "given::id")]
    pub resource_id: Uuid,
    /// The account's id at the target.
    #[schema(example = "manager4220")]
    pub remote_id: String,
    /// Why it is theirs; it is kept in the change log.
    #[schema(example = "Checked with the person.")]
    pub reason: String,
}

/// Why a link is broken, or looked for again.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct LinkReason {
    /// The reason; it is kept in the change log.
    #[schema(example = "It is the account of somebody with the same name.")]
    pub reason: String,
}

/// A link that was broken.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct BrokenView {
    /// The entity, which stays as it is.
    pub remote_id: String,
}

/// What looking again came to.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct RematchView {
    /// The scan from which it is found out once more who is who: see `/targets/{id}/adoption`.
    pub scan: Uuid,
    /// The entity to which the resource was linked; absent if it was linked to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
}

/// A page of links. `query.limit` is the size of the page.
///
/// # Errors
/// 404 when there is no such target.
pub async fn list(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    query: &LinkQuery,
    cursor: Option<&str>,
) -> Result<Page<LinkView>, ApiError> {
    chosen(store, tenant, target).await?;
    let after = Cursor::ids(cursor)?.map(|(id, _)| ResourceId(id));
    let limit = query.limit;
    let query = LinkQuery { after, limit: limit.saturating_add(1), ..query.clone() };
    let rows = store.links(tenant, target, &query).await?;
    Ok(Page::of(rows, limit, |row| Cursor::Ids(row.resource_id, row.resource_id), LinkView::from))
}

/// One link.
///
/// # Errors
/// 404.
pub async fn read(
    store: &Store,
    (tenant, target): (TenantId, TargetId),
    (kind, resource): (ResourceKind, ResourceId),
) -> Result<LinkView, ApiError> {
    chosen(store, tenant, target).await?;
    let query = LinkQuery { kind: Some(kind), resource: Some(resource), limit: 1, ..LinkQuery::default() };
    let found = store.links(tenant, target, &query).await?.pop();
    found.map(LinkView::from).ok_or_else(|| no_link(resource))
}

/// Links a person to an account that was there before. The account is known from a scan, or it is looked for now.
///
/// # Errors
/// 404 for the target or the person; 400 for the id or the reason; 409 that says what stands in the way.
pub async fn create(
    (store, targets, mapping): (&Store, &dyn AskTarget, &Mapping),
    (tenant, id): (TenantId, TargetId),
    request: &LinkRequest,
    by: &str,
) -> Result<LinkView, ApiError> {
    let target = chosen(store, tenant, id).await?;
    let reason = reason::given(&request.reason)?;
    let remote_id = request.remote_id.trim();
    if remote_id.is_empty() || remote_id.chars().count() > MAX_REMOTE_ID {
        return Err(ApiError::parameter("remote_id", "must be the account's id at the target"));
    }
    let person = ResourceId(request.resource_id);
    let mut new = NewLink { person, remote_id, seen: false, reason, by };
    let facts = store.person_facts(tenant, FactsOf::These(&[person.0]), Uuid::nil(), 1).await?;
    if let Some(facts) = facts.first() {
        is_to_have_an_account(mapping, facts)?;
    }
    let mut made = store.create_link(tenant, id, &new).await;
    if matches!(made, Err(LinkError::UnknownAccount)) {
        // Everything else is as it should be, so it is worth the call.
        match targets.has_account(&target, remote_id).await {
            Ok(true) => {
                new.seen = true;
                made = store.create_link(tenant, id, &new).await;
            }
            Ok(false) => {}
            Err(NotAsked(why)) => {
                return Err(ApiError::Conflict(format!(
                    "No finished scan has found the account {}, and it could not be looked for: {why}",
                    quoted(remote_id)
                )));
            }
        }
    }
    made.map_err(|error| refused(error, id, person, Some(remote_id)))?;
    read(store, (tenant, id), (ResourceKind::User, person)).await
}

/// Breaks a link. The target is not changed, and nothing new is made there for the resource until a plan permits it.
///
/// # Errors
/// 404 for the target or the link; 400 for the reason; 409 that says what stands in the way.
pub async fn break_link(
    store: &Store,
    (tenant, target): (TenantId, TargetId),
    (kind, resource): (ResourceKind, ResourceId),
    (why, by): (&str, &str),
) -> Result<BrokenView, ApiError> {
    let parting = Parting { kind, resource, reason: reason::given(why)?, by };
    let broken = store.break_link(tenant, target, &parting).await;
    Ok(BrokenView { remote_id: broken.map_err(|error| refused(error, target, resource, None))? })
}

/// Breaks a link, if there is one, and looks for the entity again, by what adoption recognises people and departments by.
///
/// # Errors
/// 404 for the target or the resource; 400 for the reason; 409 that says what stands in the way.
pub async fn rematch(
    store: &Store,
    (tenant, target): (TenantId, TargetId),
    (kind, resource): (ResourceKind, ResourceId),
    (why, by): (&str, &str),
) -> Result<RematchView, ApiError> {
    let parting = Parting { kind, resource, reason: reason::given(why)?, by };
    let found = store.rematch(tenant, target, &parting).await;
    let found = found.map_err(|error| refused(error, target, resource, None))?;
    Ok(RematchView { scan: found.scan, remote_id: found.remote_id })
}

/// Whoever is to have none would lose the account that is linked to them.
fn is_to_have_an_account(mapping: &Mapping, facts: &PersonFacts) -> Result<(), ApiError> {
    let id = facts.id.to_string();
    let groups: Vec<GroupFacts<'_>> =
        facts.groups.iter().map(|group| GroupFacts { id: &group.id, resource: &group.attributes }).collect();
    let source = facts.source.as_ref().map(|(name, profile)| SourceFacts::new(name, profile));
    let mapped =
        mapping.person(&Person { id: &id, resource: &facts.attributes, groups: &groups, source: source.as_ref() });
    if !mapped.scope.included {
        return Err(ApiError::Conflict(format!(
            "The rules leave the person out, so the account would be removed once a plan permits it: {} Change the rules \
             first.",
            mapped.scope.reason()
        )));
    }
    if mapped.kind == PersonKind::Contact {
        return Err(ApiError::Conflict(
            "The rules make an external contact of the person, who has no account. Change the rules first.".to_owned(),
        ));
    }
    Ok(())
}

fn no_link(resource: ResourceId) -> ApiError {
    ApiError::NotFound { what: format!("a link of \"{resource}\" at the target") }
}

/// What stands in the way, and what to do about it.
fn refused(error: LinkError, target: TargetId, resource: ResourceId, remote_id: Option<&str>) -> ApiError {
    let account = quoted(remote_id.unwrap_or_default());
    ApiError::Conflict(match error {
        LinkError::NoTarget => return no_target(&target.to_string()),
        LinkError::NoPerson => return ApiError::NotFound { what: format!("the user \"{resource}\"") },
        LinkError::NotLinked => return no_link(resource),
        LinkError::Store(error) => return error.into(),
        LinkError::Inactive => {
            "The person is not active, so the account would be a leaver's. Activate them at the source \
                                first."
                .to_owned()
        }
        LinkError::PersonLinked(has) => {
            format!("The person is linked to the account {} already. Break that link first.", quoted(&has))
        }
        LinkError::AccountLinked { resource, name } => {
            format!("The account {account} is that of {} ({resource}). Break that link first.", quoted(&name))
        }
        LinkError::InDoubt => {
            "The answer to a creation was lost, so what the target has of it is in doubt. Try again when \
                               it is known."
                .to_owned()
        }
        LinkError::Invited => {
            "The person was invited and has not accepted: there is no account to be linked or parted \
                               from. Wait until they accept, or take the invitation back in DingTalk."
                .to_owned()
        }
        LinkError::Contact => {
            "The person is an external contact, which is not held by plans as accounts are. Change the \
                               rules of the mapping instead."
                .to_owned()
        }
        LinkError::Marked { kind, reason, made_by } => format!(
            "The account {account}, or the person, is marked as {kind} by {made_by}: {reason} Lift the mark first \
             (`rollcall adopt mark`)."
        ),
        LinkError::UnknownAccount => format!(
            "The target has no account {account}: no finished scan has found it, and neither did a look just now."
        ),
        LinkError::ByName => "A role or chat is found by its name. Decide what the group becomes instead (`rollcall \
                              group`)."
            .to_owned(),
        LinkError::NoScan => {
            "There is no finished scan to look in, so nothing was done. Run `rollcall adopt scan`; it finds \
                              out who is who at its end."
                .to_owned()
        }
        LinkError::UnderWay => {
            "A scan is finding out who is who at this moment; nothing was done. Wait for its end.".to_owned()
        }
        LinkError::Busy => "A worker is at it; nothing was done. Try again in a moment.".to_owned(),
    })
}
