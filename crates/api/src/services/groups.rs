//! Groups at a target: what each becomes and why, who is in it, and deciding by hand.

use crate::error::ApiError;
use crate::refusal::PartProblem;
use crate::services::page::{Cursor, Page};
use crate::services::targets::no_target;
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::mapping::{
    Becomes, Choice, ChoiceError, Extra, GroupFacts, MappedGroup, Mapping, SourceFacts,
};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::{ChooseError, GroupChoice, GroupItem, GroupQuery};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a group becomes at a target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct GroupView {
    /// The SCIM id.
    pub id: Uuid,
    /// Its displayName.
    pub display_name: String,
    /// `role`, `chat`, `department` or `nothing`.
    #[schema(example = "role")]
    pub becomes: &'static str,
    /// How the role or chat is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// The role group of a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_group: Option<String>,
    /// The owner of a chat, as the rule names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The department, from the top down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<String>>,
    /// What becomes of people whom the target has in it and the group has not: `tolerate` or `remove`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<&'static str>,
    /// What becomes of the role or chat when the group goes: `remove` or `keep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<&'static str>,
    /// Whether the members of groups within it count as its members.
    pub nested: bool,
    /// The rule that says so, or `by hand`; absent if no rule speaks of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What a person decided, if somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHandView>,
    /// What does not fit, in sentences. The role or chat stays as it is until it is mended.
    pub findings: Vec<String>,
    /// How many.
    pub members: MembersView,
    /// The target's id of the role or chat, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Where its delivery stands; absent if it was never looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// Why, in words for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a person decided.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct ByHandView {
    /// The decision, as it can be sent again.
    pub decision: Value,
    /// Who.
    pub by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// How many members of a group stand where.
#[derive(Serialize, ToSchema, Clone, Copy, PartialEq, Eq, Debug)]
pub struct MembersView {
    /// Named by the group, groups within it counted as one each.
    pub named: i64,
    /// In the role or chat through us.
    pub applied: i64,
    /// To be in it, and not yet: they have no account, or it has not been done.
    pub missing: i64,
    /// Of the missing, those whom the target does not take.
    pub refused: i64,
}

/// The groups of a tenant at a target, in the order of their ids.
///
/// # Errors
/// 404 if there is no such target.
pub async fn list(
    store: &Store,
    (tenant, mapping): (TenantId, &Mapping),
    target: TargetId,
    (limit, cursor): (i64, Option<&str>),
) -> Result<Page<GroupView>, ApiError> {
    let after = Cursor::ids(cursor)?.map(|(group, _)| ResourceId(group));
    let query = GroupQuery { target, group: None, after, limit: limit + 1 };
    let rows = store.groups_at(tenant, &query).await?.ok_or_else(|| no_target(&target.to_string()))?;
    Ok(Page::of(rows, limit, |row| Cursor::Ids(row.id.0, target.0), |row| view(row, mapping)))
}

/// One group at a target: what it becomes, why, and who is not in it.
///
/// # Errors
/// 404.
pub async fn show(
    store: &Store,
    (tenant, mapping): (TenantId, &Mapping),
    target: TargetId,
    group: ResourceId,
) -> Result<GroupView, ApiError> {
    let query = GroupQuery { target, group: Some(group), after: None, limit: 1 };
    let rows = store.groups_at(tenant, &query).await?.ok_or_else(|| no_target(&target.to_string()))?;
    rows.into_iter().next().map(|row| view(row, mapping)).ok_or_else(|| no_group(group))
}

/// Who decides, and by which request.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// Who.
    pub by: &'a str,
    /// The request.
    pub request_id: &'a str,
}

/// Decides what a group becomes, whatever the rules say; without a decision the rules count again.
///
/// # Errors
/// 422 if it cannot be; 404.
pub async fn decide(
    store: &Store,
    tenant: TenantId,
    (target, group): (TargetId, ResourceId),
    decision: Option<&Value>,
    decider: Decider<'_>,
) -> Result<(), ApiError> {
    let choice = decision.map(|decision| Choice::parse(decision).map_err(|error| unfit(&error))).transpose()?;
    let Decider { by, request_id } = decider;
    let new = GroupChoice { target, group, choice: choice.as_ref(), by, request_id };
    store.choose_group(tenant, &new).await.map_err(|error| match error {
        ChooseError::NoTarget => no_target(&target.to_string()),
        ChooseError::NoGroup => no_group(group),
        ChooseError::Store(error) => error.into(),
    })
}

fn no_group(group: ResourceId) -> ApiError {
    ApiError::NotFound { what: format!("the group {}", quoted(&group.to_string())) }
}

fn unfit(error: &ChoiceError) -> ApiError {
    ApiError::Unfit {
        code: "decision_invalid",
        detail: format!("the group cannot become that: {error}"),
        errors: vec![PartProblem {
            pointer: format!("/{}", error.member),
            line: None,
            column: None,
            attribute: None,
            detail: format!("{error}."),
            advice: Some(
                "Say becomes: role (called, role_group, extra, nested, gone), chat (called, owner, extra, nested, gone), \
                 department (path, nested) or nothing."
                    .to_owned(),
            ),
        }],
    }
}

fn view(row: GroupItem, mapping: &Mapping) -> GroupView {
    let id = row.id.to_string();
    let source = row.source.as_ref().map(|(name, profile)| SourceFacts::new(name, profile));
    let facts = GroupFacts { id: &id, resource: &row.attributes };
    let made: MappedGroup = mapping.group_as(row.choice.as_ref(), &facts, source.as_ref());
    let becomes = made.becomes.as_str();
    let (called, role_group, owner, path, extra) = match made.becomes {
        Becomes::Nothing => (None, None, None, None, None),
        Becomes::Role { name, role_group, extra } => (Some(name), Some(role_group), None, None, Some(extra)),
        Becomes::Chat { name, owner, extra } => (Some(name), None, owner, None, Some(extra)),
        Becomes::Department { path } => {
            (None, None, None, Some(path.into_iter().map(|unit| unit.name).collect()), None)
        }
    };
    let by_hand = row.choice.as_ref().zip(row.chosen_by).zip(row.chosen_at);
    GroupView {
        id: row.id.0,
        display_name: row.attributes.get("displayName").and_then(Value::as_str).unwrap_or_default().to_owned(),
        becomes,
        called,
        role_group,
        owner,
        path,
        gone: extra.map(|_| made.gone.as_str()),
        extra: extra.map(Extra::as_str),
        nested: made.nested,
        rule: made.rule,
        by_hand: by_hand.map(|((choice, by), at)| ByHandView { decision: choice.to_value(), by, at }),
        findings: made.findings.iter().map(Finding::to_string).collect(),
        members: MembersView { named: row.named, applied: row.applied, missing: row.missing, refused: row.refused },
        remote_id: row.remote_id,
        state: row.state.map(DeliveryState::as_str),
        reason: row.reason,
    }
}
