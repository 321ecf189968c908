//! Sentences and findings about groups.

use crate::report::why_held;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::delivery::{HeldBy, Outcome, WaitingFor};
use rollcall_provisioning::entity::{self, EntityKind};
use rollcall_provisioning::finding::{Finding, FindingKind};
use rollcall_provisioning::mapping::Becomes;
use rollcall_provisioning::plan::Action;
use rollcall_provisioning::proposal::{MEMBERS_ADDED, MEMBERS_REMOVED, Proposal};
use rollcall_store::projection::{Hold, NamedMembers};
use serde_json::Value;
use std::time::Duration;

/// How long after a refusal of members they are tried again by themselves.
const REFUSED_AGAIN: Duration = Duration::from_hours(24);

/// How long after the planned owner of a chat was about to get an account it is looked at again.
const OWNER_AGAIN: Duration = Duration::from_mins(1);

/// The rules make no role and no chat of the group.
pub(crate) fn no_entity(becomes: &Becomes, rule: Option<&str>) -> Outcome {
    let by = rule.map_or_else(|| "No rule speaks of the group".to_owned(), |rule| format!("By the rule \"{rule}\""));
    match becomes {
        Becomes::Department { path } => {
            let names: Vec<&str> = path.iter().map(|unit| unit.name.as_str()).collect();
            let reason = format!("{by} the members belong to the department {}.", names.join(" / "));
            Outcome::Kept { reason }
        }
        _ if rule.is_some() => Outcome::LeftOut { reason: format!("{by} it becomes nothing.") },
        _ => Outcome::LeftOut { reason: format!("{by}, so it becomes nothing.") },
    }
}

/// Its turn is over before all is done.
pub(crate) fn more_members() -> Outcome {
    let reason = "There is more to do than fits one turn; it goes on as soon as others have had theirs.";
    Outcome::Waiting { on: WaitingFor::Turn, reason: reason.to_owned() }
}

/// A plan for a role or chat that waits to be permitted.
pub(crate) fn group_held(by: HeldBy, action: Option<&Action>, proposal: Proposal, findings: &[Finding]) -> Outcome {
    let why = why_held(&by);
    let mut steps: Vec<String> = Vec::new();
    steps.extend(action.map(|action| match action {
        Action::Delete { .. } => format!("delete the {}", action.kind().as_str()),
        other => format!("{} the {} with {}", other.verb(), other.kind().as_str(), other.attributes().join(", ")),
    }));
    for line in &proposal.lines {
        let count = |value: &Option<Value>| value.as_ref().and_then(|value| value.get("count")?.as_u64()).unwrap_or(0);
        match line.attribute.as_str() {
            MEMBERS_ADDED => steps.push(format!("add {}", people(count(&line.after)))),
            MEMBERS_REMOVED => steps.push(format!("remove {}", people(count(&line.before)))),
            _ => {}
        }
    }
    let mut reason = vec![format!("{why} The plan: {}.", steps.join(", "))];
    reason.extend(findings.iter().map(ToString::to_string));
    Outcome::Held { by, proposal, reason: reason.join("\n") }
}

fn people(number: u64) -> String {
    if number == 1 { "1 member".to_owned() } else { format!("{number} members") }
}

/// Some of many, by name.
fn named(number: i64, first: &[String]) -> String {
    let more = usize::try_from(number).unwrap_or(0).saturating_sub(first.len());
    let list = first.join(", ");
    if more == 0 { list } else { format!("{list} and {more} more") }
}

/// Members without an account; the others are in.
pub(crate) fn waits_for_members(number: i64, first: &[String]) -> Outcome {
    let have = if number == 1 { "member has" } else { "members have" };
    let reason = format!(
        "Everybody else is in; {number} {have} no account at DingTalk yet: {}. They follow as soon as they do.",
        named(number, first)
    );
    Outcome::Waiting { on: WaitingFor::Members, reason }
}

/// The owner whom the plan of a chat shows is on their way.
pub(crate) fn chat_waits_for_owner() -> Outcome {
    let reason = "The owner whom the plan shows is about to get an account; the chat is made then.".to_owned();
    Outcome::Waiting { on: WaitingFor::Owner(OWNER_AGAIN), reason }
}

/// A chat cannot be made without anybody in it.
pub(crate) fn chat_waits_for_members(number: i64, first: &[String]) -> Outcome {
    let reason = if number == 0 {
        "The group has no members who could be in a chat; it is made with the first one.".to_owned()
    } else {
        format!(
            "No member has an account at DingTalk yet, and a chat needs an owner: {}. It is made as soon as one does.",
            named(number, first)
        )
    };
    Outcome::Waiting { on: WaitingFor::Members, reason }
}

/// What remains when all is done that could be.
pub(crate) fn group_done(
    guarded: Option<(Vec<Hold>, Proposal)>,
    findings: Vec<Finding>,
    waiting: Option<Outcome>,
) -> Outcome {
    if let Some((holds, proposal)) = guarded {
        return crate::report::guarded(&holds, proposal, &findings);
    }
    if findings.is_empty() {
        return waiting.unwrap_or(Outcome::InStep);
    }
    let refused = findings.iter().any(|finding| finding.code == "members_refused");
    Outcome::NeedsAttention { findings, awaited: None, again: refused.then_some(REFUSED_AGAIN), wants: Vec::new() }
}

/// The target takes all but these.
pub(crate) fn members_refused(kind: EntityKind, number: i64, refused: &NamedMembers) -> Finding {
    let what = kind.as_str();
    Finding {
        kind: FindingKind::Conflict,
        code: "members_refused".to_owned(),
        attribute: None,
        source_path: Some("members".to_owned()),
        message: format!(
            "DingTalk does not do it for {number} of the members of the {what} ({}): {}",
            named(number, &refused.first),
            refused.why.as_deref().unwrap_or("no reason was given")
        ),
        advice: "Everybody else is served. See to their accounts in DingTalk, then let the group be looked at again."
            .to_owned(),
    }
}

/// More members than the target permits.
pub(crate) fn no_room(kind: EntityKind, wanted: usize, most: usize) -> Finding {
    let what = kind.as_str();
    Finding {
        kind: FindingKind::Invalid,
        code: "too_many_members".to_owned(),
        attribute: None,
        source_path: Some("members".to_owned()),
        message: format!("The {what} would have {wanted} members; DingTalk takes {most}."),
        advice: "Let a smaller group become it, or several; nobody else is added until then.".to_owned(),
    }
}

/// A role cannot move to another role group.
pub(crate) fn role_elsewhere(there: &str, wanted: &str) -> Finding {
    Finding {
        kind: FindingKind::Conflict,
        code: "role_group_unchangeable".to_owned(),
        attribute: Some(entity::ROLE_GROUP.to_owned()),
        source_path: None,
        message: format!(
            "The role is in the role group \"{there}\" and not in \"{wanted}\"; no application can move it."
        ),
        advice: "Move the role in DingTalk, or name its role group in the mapping.".to_owned(),
    }
}

/// Nobody has the name by which a rule names the owner of a chat.
pub(crate) fn chat_owner_unknown(name: &str) -> Finding {
    Finding {
        kind: FindingKind::Invalid,
        code: "chat_owner_unknown".to_owned(),
        attribute: Some(entity::OWNER.to_owned()),
        source_path: None,
        message: format!("Nobody in the directory who may use DingTalk has the userName or id \"{name}\"."),
        advice: "Correct the owner in the mapping or at the source; until then a member owns the chat.".to_owned(),
    }
}

/// What became of a creation is not known, and a second one would make a second chat.
pub(crate) fn chat_creation_lost() -> Outcome {
    Outcome::attention(vec![Finding {
        kind: FindingKind::Ambiguous,
        code: "chat_creation_lost".to_owned(),
        attribute: None,
        source_path: None,
        message: "DingTalk's answer to the creation of the chat was lost, and nothing tells whether there is one."
            .to_owned(),
        advice: "Look for the chat in DingTalk and dissolve it if it is there. Then let the group become nothing by \
                 hand, and a chat again. With a group template in the settings of the target this cannot happen."
            .to_owned(),
    }])
}

/// Another group has become the role of this name.
pub(crate) fn role_of_another_group(name: &str) -> ConnectorError {
    ConnectorError {
        class: ErrorClass::Conflict,
        code: "role_of_another_group".to_owned(),
        message: format!("Another group has become the role \"{name}\" already."),
        advice: "Let one of the two groups become a role of another name.".to_owned(),
        attribute: Some(entity::NAME),
        retry_after: None,
        outcome_unknown: false,
    }
}
