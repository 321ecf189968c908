//! Refusals about plans and guards.

use crate::refusal::{Extras, Moved, PartProblem, Refusal};
use http::StatusCode;
use rollcall_provisioning::guard::SettingsError;
use rollcall_store::projection::ApplyError;
use time::format_description::well_known::Rfc3339;

/// Why a plan is not applied, released or rejected. Nothing was changed.
pub(super) fn refusal(error: &ApplyError) -> Refusal {
    let conflict = |code, detail: String| Refusal::new(StatusCode::CONFLICT, code, detail);
    match error {
        ApplyError::NotFound => Refusal::new(StatusCode::NOT_FOUND, "not_found", "the plan does not exist"),
        ApplyError::Expired(at) => conflict(
            "plan_expired",
            format!(
                "the plan could be applied until {}; make a new one",
                at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
            ),
        ),
        ApplyError::Over(state) => {
            conflict("plan_over", format!("the plan is {state}, so nothing is left of it to decide; make a new one"))
        }
        ApplyError::Stale { number, moved } => {
            let extras = Extras {
                moved: moved.iter().map(|(id, name)| Moved { resource_id: id.0, name: name.clone() }).collect(),
                moved_count: Some(*number),
                ..Extras::default()
            };
            let what = if *number == 1 { "change has" } else { "changes have" };
            conflict(
                "plan_stale",
                format!(
                    "{number} {what} moved since the plan was made, so nothing was applied; make a new plan, or apply only \
                     what has not moved"
                ),
            )
            .extras(extras)
        }
        ApplyError::SamePerson { requested_by } => Refusal::new(
            StatusCode::FORBIDDEN,
            "same_person",
            format!(
                "{requested_by} has asked for the release, and whoever asks cannot grant it, also under another spelling of \
                 the name or with a token that they made; a second person has to release the plan"
            ),
        ),
        ApplyError::Requested { by, reason } => conflict(
            "release_requested",
            format!(
                "{by} has asked for this release before ({reason}); a second person grants it, or rejects the plan"
            ),
        ),
        ApplyError::Released { by } => conflict("released", format!("the plan was released by {by}; apply it")),
        ApplyError::NotRequested => conflict(
            "release_not_requested",
            "nobody has asked for a release of this plan; ask for it with a reason first".to_owned(),
        ),
        ApplyError::NotGuarded => conflict(
            "not_guarded",
            "no guard holds anything of this plan, so there is nothing to release; apply it".to_owned(),
        ),
        // Told by the store's own refusal.
        ApplyError::Store(_) => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", super::INTERNAL),
    }
}

/// Limits that cannot be set, and where in the body they are.
pub(super) fn unusable_limits(error: &SettingsError) -> Refusal {
    let escaped = |part: &str| part.replace('~', "~0").replace('/', "~1");
    let pointer = match error {
        SettingsError::Unknown(word) => format!("/{}", escaped(word)),
        SettingsError::Unlimited(word) => format!("/{word}"),
        SettingsError::Member { guard, member, .. } if member.contains(' ') => format!("/{guard}"),
        SettingsError::Member { guard, member, .. } => format!("/{guard}/{}", escaped(member)),
    };
    let detail = error.to_string();
    let part = PartProblem { pointer, line: None, column: None, attribute: None, detail, advice: None };
    let extras = Extras { errors: vec![part], ..Extras::default() };
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_limit", format!("{error}; nothing was changed")).extras(extras)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_provisioning::guard::Guards;
    use rollcall_provisioning::ids::ResourceId;
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn limits_are_refused_with_their_place() {
        for (limits, pointer) in [
            (json!({ "people.vanish": {} }), "/people.vanish"),
            (json!({ "a/b": {} }), "/a~1b"),
            (json!({ "protected": {} }), "/protected"),
            (json!({ "people.remove": 5 }), "/people.remove"),
            (json!({ "people.remove": { "floor": -1, "share": 0 } }), "/people.remove/floor"),
            (json!({ "people.remove": { "floor": 1, "share": 2 } }), "/people.remove/share"),
            (json!({ "people.remove": { "floor": 1, "share": 0, "day": 0 } }), "/people.remove/day"),
            (json!({ "people.remove": { "floor": 1, "share": 0, "x": 0 } }), "/people.remove/x"),
        ] {
            let refusal = unusable_limits(&Guards::parse(&limits).expect_err("a refusal"));
            assert_eq!(refusal.extras.errors[0].pointer, pointer, "{limits}");
        }
    }

    #[test]
    fn what_has_moved_is_counted_and_named() {
        let id = ResourceId(Uuid::nil());
        for (number, told) in [(1, "1 change has moved"), (7, "7 changes have moved")] {
            let refusal = refusal(&ApplyError::Stale { number, moved: vec![(id, Some("ann".to_owned()))] });
            assert!(refusal.detail.starts_with(told), "{}", refusal.detail);
            assert_eq!((refusal.extras.moved_count, refusal.extras.moved.len()), (Some(number), 1));
        }
    }
}
