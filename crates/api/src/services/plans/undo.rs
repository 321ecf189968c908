//! Plans that undo: what was done, taken back by a plan of its own.

use super::wave::users;
use super::{PlanView, read};
use crate::compiled::TargetFacts;
use crate::error::ApiError;
use crate::services::reason;
use crate::services::targets::chosen;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::{NewUndo, UndoScope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is undone. One of `plan`, `users`, `from`, `to` and `mapping_version` is given at least; each narrows it down.
/// `users` needs one of `plan`, `from` and `mapping_version` with it.
#[derive(Deserialize, ToSchema, Clone, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// Only what this plan has sent.
    #[schema(value_type = Option<Uuid>)]
    pub plan: Option<Value>,
    /// Only what was done to these people, by their SCIM ids; 1,000 at most. Everything that was ever done to them begins with
    /// the creation of their accounts, so say besides since when, or what of it.
    #[schema(value_type = Option<Vec<Uuid>>)]
    pub users: Option<Value>,
    /// Only from this moment on.
    #[schema(example = "2026-11-23T09:00:00Z")]
    pub from: Option<String>,
    /// Only before this moment.
    #[schema(example = "2026-11-23T10:00:00Z")]
    pub to: Option<String>,
    /// Only what followed from this version of the mapping.
    #[schema(example = 12)]
    pub mapping_version: Option<i32>,
    /// Why; kept with the plan and with everything that is held by it. Left out: what is undone, in words.
    pub reason: Option<String>,
    /// The day on which somebody is to ask whether what is held by it must still be held; not one that is over.
    #[schema(example = "2026-12-31")]
    pub review_on: Option<String>,
}

/// What is undone, why, and for how long.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Undoing {
    /// What.
    pub scope: UndoScope,
    /// Why.
    pub reason: Option<String>,
    /// When what is held is to be reviewed.
    pub review_on: Option<Date>,
}

/// What a plan undoes.
#[derive(Serialize, Deserialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct UndoesView {
    /// What this plan has sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Uuid>,
    /// What was done to these people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Uuid>,
    /// What was done from this moment on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What was done before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What followed from this version of the mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_version: Option<i32>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// When what is held by it is to be reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_on: Option<String>,
}

/// Something that cannot be undone, or that is lost although the rest can be.
#[derive(Serialize, Deserialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct CannotView {
    /// Which attribute; absent: the account or department as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "title")]
    pub attribute: Option<String>,
    /// A word to switch on: `conflict` (a later change has touched it), `unchangeable`, `unclearable`, `history_lost`, …
    #[schema(example = "conflict")]
    pub code: String,
    /// Why, and what to do.
    pub message: String,
    /// When the step was taken that stands in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Whose step that was: a source, a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "source okta")]
    pub whose: Option<String>,
}

impl UndoesView {
    pub(super) fn of(stored: &Value) -> Option<Self> {
        Self::deserialize(stored).ok()
    }
}

impl CannotView {
    pub(super) fn all(stored: Option<&Value>) -> Vec<Self> {
        let each = stored.and_then(Value::as_array).into_iter().flatten();
        each.filter_map(|one| Self::deserialize(one).ok()).collect()
    }
}

impl UndoRequest {
    /// What is asked for.
    ///
    /// # Errors
    /// 400 that names what cannot be used.
    pub fn undoing(self) -> Result<Undoing, ApiError> {
        let plan = match &self.plan {
            None => None,
            Some(value) => Some(
                value
                    .as_str()
                    .and_then(|text| Uuid::try_parse(text).ok())
                    .ok_or_else(|| ApiError::parameter("plan", "must be the id of a plan, a UUID"))?,
            ),
        };
        let people = self.users.as_ref().map_or_else(|| Ok(Vec::new()), |value| users("users", value))?;
        let scope = UndoScope {
            plan,
            people: people.into_iter().map(ResourceId).collect(),
            from: self.from.as_deref().map(|text| moment("from", text)).transpose()?,
            to: self.to.as_deref().map(|text| moment("to", text)).transpose()?,
            mapping_version: self.mapping_version,
        };
        if scope == UndoScope::default() {
            let problem = "must say what is undone: plan, users, from, to or mapping_version";
            return Err(ApiError::parameter("body", problem));
        }
        if !scope.people.is_empty() && scope.plan.is_none() && scope.from.is_none() && scope.mapping_version.is_none() {
            let problem = "must say since when, or plan or mapping_version what of it: everything that was ever done to \
                           people begins with the creation of their accounts, which would be taken back too";
            return Err(ApiError::parameter("from", problem));
        }
        if scope.from.is_some() && scope.to.is_some() && scope.from >= scope.to {
            return Err(ApiError::parameter("to", "must be later than from"));
        }
        let reason = self.reason.as_deref().filter(|reason| !reason.trim().is_empty());
        let reason = reason.map(reason::given).transpose()?.map(str::to_owned);
        let review_on = self.review_on.as_deref().map(day).transpose()?;
        Ok(Undoing { scope, reason, review_on })
    }
}

/// A moment as RFC 3339 writes it.
///
/// # Errors
/// 400.
pub fn moment(name: &'static str, text: &str) -> Result<OffsetDateTime, ApiError> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok();
    // In UTC it may lie beyond the years that can be counted.
    parsed.and_then(|moment| moment.checked_to_offset(UtcOffset::UTC)).ok_or_else(|| {
        let problem = format!("must be a moment such as 2026-11-23T09:00:00Z, and is {}", quoted(text));
        ApiError::parameter(name, problem)
    })
}

fn day(text: &str) -> Result<Date, ApiError> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| ApiError::parameter("review_on", "must be a date such as 2026-12-31"))
}

/// Makes a plan that undoes, judged as a whole. It sends nothing, and says what cannot be undone.
///
/// # Errors
/// 404 for the target, the plan or the version of the mapping; 400 for a day of review that is over; 422 when nothing of what
/// is named was ever done.
pub async fn undo(
    store: &Store,
    known: &TargetFacts,
    (tenant, target): (TenantId, TargetId),
    undoing: &Undoing,
    (by, now): (&str, OffsetDateTime),
) -> Result<PlanView, ApiError> {
    let target = chosen(store, tenant, target).await?;
    let Undoing { scope, reason, review_on } = undoing;
    if let Some(day) = review_on.filter(|day| *day < now.date()) {
        let problem = format!("is {day}, which is over; what is undone lasts longer than that");
        return Err(ApiError::parameter("review_on", problem));
    }
    if let Some(plan) = scope.plan {
        let undone = read(store, tenant, plan, now).await?;
        if undone.target_id != target.id.0 {
            return Err(ApiError::NotFound { what: format!("the plan \"{plan}\" of the target \"{}\"", target.name) });
        }
    }
    if let Some(version) = scope.mapping_version.filter(|version| *version != 0)
        && store.mapping(tenant, version).await?.is_none()
    {
        return Err(ApiError::NotFound { what: format!("the version {version} of the mapping") });
    }
    let said = reason.clone().unwrap_or_else(|| in_words(scope));
    let root = target.settings.get("root_dept_id").and_then(Value::as_str).unwrap_or(&known.root_org_unit);
    let new = NewUndo {
        target: target.id,
        scope,
        guards: &target.guards,
        by,
        reason: &said,
        review_on: *review_on,
        schema: &*known.schema,
        root,
    };
    let made = store.make_undo(tenant, &new).await?;
    let plan = made.ok_or_else(|| ApiError::Unfit {
        code: "nothing_to_undo",
        detail: format!("nothing was done at the target {} that this names: {}", quoted(&target.name), in_words(scope)),
        errors: Vec::new(),
    })?;
    read(store, tenant, plan, now).await
}

/// What is undone, in words.
fn in_words(scope: &UndoScope) -> String {
    let UndoScope { plan, people, from, to, mapping_version } = scope;
    let told = |at: &OffsetDateTime| at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
    let mut parts = Vec::new();
    parts.extend(plan.map(|plan| format!("what plan {plan} has sent")));
    parts.extend(mapping_version.map(|version| format!("what version {version} of the mapping changed")));
    parts.extend(Some(people.len()).filter(|number| *number > 0).map(|number| match number {
        1 => "what was done to one person".to_owned(),
        number => format!("what was done to {number} people"),
    }));
    parts.extend(from.as_ref().map(|at| format!("from {} on", told(at))));
    parts.extend(to.as_ref().map(|at| format!("before {}", told(at))));
    format!("Undo of {}.", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_undone_is_read_or_refused_by_its_name() {
        let id = Uuid::from_u128(7);
        for (given, expected) in [
            (json!({ "plan": id }), Ok(format!("Undo of what plan {id} has sent."))),
            (
                json!({ "users": [id], "from": "2026-11-23T09:00:00Z", "to": "2026-11-23T10:00:00Z" }),
                Ok("Undo of what was done to one person, from 2026-11-23T09:00:00Z on, before 2026-11-23T10:00:00Z."
                    .to_owned()),
            ),
            (json!({ "mapping_version": 12 }), Ok("Undo of what version 12 of the mapping changed.".to_owned())),
            (json!({}), Err("body")),
            (json!({ "reason": "because" }), Err("body")),
            (json!({ "plan": 7 }), Err("plan")),
            (json!({ "users": ["x"] }), Err("users")),
            (json!({ "users": [id] }), Err("from")),
            (json!({ "users": [id], "to": "2026-11-23T10:00:00Z" }), Err("from")),
            (json!({ "from": "yesterday" }), Err("from")),
            (json!({ "from": "2026-11-23T09:00:00Z", "to": "2026-11-23T09:00:00Z" }), Err("to")),
            (json!({ "plan": id, "review_on": "soon" }), Err("review_on")),
            (json!({ "plan": id, "reason": "x".repeat(1_001) }), Err("reason")),
        ] {
            let request = UndoRequest::deserialize(&given).expect("the shape is right");
            let read = request.undoing();
            match expected {
                Ok(words) => assert_eq!(in_words(&read.expect("it can be used").scope), words),
                Err(wrong) => {
                    let refused = read.expect_err("it cannot be used");
                    assert!(
                        matches!(&refused, ApiError::InvalidParameter { name, .. } if *name == wrong),
                        "{refused:?}"
                    );
                }
            }
        }
    }
}
