//! Marks.

use super::exists;
use crate::error::ApiError;
use crate::services::given;
use crate::services::page::{Cursor, Page};
use crate::services::reason;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::adoption::{Lifting, Mark, MarkKind, MarkedThing, NewMark};
use serde::{Deserialize, Serialize};
use time::macros::format_description;
use time::{Date, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

/// A mark to be made, of an account, of a department or of a person.
#[derive(Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct MarkRequest {
    /// The account's id at the target.
    #[serde(default)]
    pub account: Option<String>,
    /// The department's id at the target.
    #[serde(default)]
    pub department: Option<String>,
    /// The person's SCIM id.
    #[serde(default, deserialize_with = "given::optional_id")]
    pub resource_id: Option<Uuid>,
    /// `protected`, `do_not_touch`, `later` or `leaver`.
    #[schema(example = "protected")]
    pub kind: String,
    /// Why.
    pub reason: String,
    /// When somebody should look at it again, as in `2026-12-31`.
    #[serde(default)]
    #[schema(example = "2026-12-31")]
    pub review_on: Option<String>,
}

/// A mark.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct MarkView {
    /// Its id.
    pub id: Uuid,
    /// `account` or `org_unit`.
    pub entity_kind: String,
    /// Which one, at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Or whichever belongs to this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Uuid>,
    /// `protected`, `do_not_touch`, `later` or `leaver`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// When somebody should look at it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_on: Option<String>,
    /// Whether a scan made it, because the account administers the target.
    pub automatic: bool,
    /// Who has asked that it be lifted; somebody else has to grant it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lift_asked_by: Option<String>,
}

impl From<Mark> for MarkView {
    fn from(mark: Mark) -> Self {
        Self {
            id: mark.id,
            entity_kind: mark.entity_kind,
            remote_id: mark.remote_id,
            resource_id: mark.resource_id,
            kind: mark.kind,
            reason: mark.reason,
            made_by: mark.made_by,
            made_at: mark.made_at,
            review_on: mark.review_on.map(|date| date.to_string()),
            automatic: mark.automatic,
            lift_asked_by: mark.lift_asked_by,
        }
    }
}

/// A page of marks.
///
/// # Errors
/// 404 when there is no such target.
pub async fn list(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<MarkView>, ApiError> {
    exists(store, tenant, target).await?;
    let after = Cursor::ids(cursor)?.map(|(id, _)| id);
    let rows = store.marks(tenant, target, after, limit.saturating_add(1)).await?;
    Ok(Page::of(rows, limit, |row| Cursor::Ids(row.id, row.id), MarkView::from))
}

/// Makes a mark, in place of the one that was there. Returns its id.
///
/// # Errors
/// 400 that names what is wrong with it; 409 when it is marked as something that forbids more.
pub async fn set(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    request: &MarkRequest,
    by: &str,
) -> Result<Uuid, ApiError> {
    exists(store, tenant, target).await?;
    let about = match (&request.account, &request.department, request.resource_id) {
        (Some(id), None, None) if !id.is_empty() => MarkedThing::Account(id.clone()),
        (None, Some(id), None) if !id.is_empty() => MarkedThing::OrgUnit(id.clone()),
        (None, None, Some(id)) => MarkedThing::Resource(ResourceId(id)),
        _ => return Err(ApiError::parameter("body", "must name one of account, department and resource_id")),
    };
    let kind = MarkKind::parse(&request.kind)
        .ok_or_else(|| ApiError::parameter("kind", "must be protected, do_not_touch, later or leaver"))?;
    let reason = reason::given(&request.reason)?;
    let date = |text: &String| {
        Date::parse(text, format_description!("[year]-[month]-[day]"))
            .map_err(|_| ApiError::parameter("review_on", "must be a date such as 2026-12-31"))
    };
    let review_on = request.review_on.as_ref().map(date).transpose()?;
    let made = store.set_mark(tenant, target, &NewMark { about: &about, kind, reason, review_on, by }).await?;
    made.ok_or_else(|| {
        ApiError::Conflict(
            "It is marked as protected or not to be touched; two people have to lift that first.".to_owned(),
        )
    })
}

/// Lifts a mark; whether it is lifted now. One that forbids something is lifted by two people: the first call asks for it.
///
/// # Errors
/// 404 when there is no such mark; 403 for whoever may have asked for it.
pub async fn lift(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    mark: Uuid,
    by: &Decider,
) -> Result<bool, ApiError> {
    match store.lift_mark(tenant, target, mark, by).await? {
        Lifting::Lifted => Ok(true),
        Lifting::Asked => Ok(false),
        Lifting::SamePerson => Err(ApiError::SamePerson(
            "whoever asks that a mark be lifted cannot grant it; a second person has to lift it",
        )),
        Lifting::NotFound => Err(ApiError::NotFound { what: format!("the mark \"{mark}\"") }),
    }
}
