//! Sentences and findings that the loop itself makes.

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::contradiction::Contradiction;
use rollcall_provisioning::delivery::{HeldBy, Outcome, WaitingFor};
use rollcall_provisioning::entity;
use rollcall_provisioning::finding::{Finding, FindingKind};
use rollcall_provisioning::guard::Guard;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping;
use rollcall_provisioning::plan::Action;
use rollcall_provisioning::proposal::Proposal;
use rollcall_store::adoption::AgainstIt;
use rollcall_store::projection::Hold;
use std::time::Duration;
use time::OffsetDateTime;

/// The person has left, and what became of a creation is known only after a while.
pub(crate) fn creation_may_arrive(again: Duration) -> Outcome {
    Outcome::Failed {
        class: ErrorClass::Transient,
        code: "creation_lost".to_owned(),
        message:
            "The person has left, but DingTalk's answer to the creation of the account was lost a moment ago, and \
                  the account may still appear. It is looked at once more."
                .to_owned(),
        retry_after: Some(again),
    }
}

/// The person's department must be at the target first.
pub(crate) fn waits_for_department(unit: uuid::Uuid, name: &str) -> Outcome {
    Outcome::Waiting {
        on: WaitingFor::Resource(ResourceId(unit)),
        reason: format!("The department \u{201c}{name}\u{201d} is not at DingTalk yet; this follows as soon as it is."),
    }
}

/// People on their way from one department to another must be placed first, so that a renamed department is not taken
/// for a new one. It takes a moment: placing them needs no call to the target.
pub(crate) fn waits_for_placements() -> Outcome {
    Outcome::Waiting {
        on: WaitingFor::Placements(Duration::from_millis(250)),
        reason: "It may be an existing department with a new name; that is known as soon as the rest of its people \
                 have been looked at."
            .to_owned(),
    }
}

/// Nobody belongs to the department any more, but not everybody is out of it.
pub(crate) fn waits_for_moves() -> Outcome {
    let reason = "Nobody belongs to the department any more; it goes when the last person has been moved.";
    Outcome::Waiting { on: WaitingFor::Moves, reason: reason.to_owned() }
}

/// Nobody belongs to the department any more, but departments are under it, which would go with it: of others, or ours that
/// somebody moved there.
pub(crate) fn has_departments(of_others: &[String], ours: &[String]) -> Outcome {
    let others = of_others.join(", ");
    let others = format!("Not made by this directory: {others}. Move or delete them in DingTalk.");
    let moved = format!(
        "Of this directory, and moved there in DingTalk: {}. Move them back if they are not to go themselves.",
        ours.join(", ")
    );
    let told: Vec<String> = [
        (true, "Nobody belongs to the department any more, but departments are under it.".to_owned()),
        (!of_others.is_empty(), others),
        (!ours.is_empty(), moved),
        (true, "The department goes when it is empty.".to_owned()),
    ]
    .into_iter()
    .filter_map(|(so, sentence)| so.then_some(sentence))
    .collect();
    Outcome::Failed {
        class: ErrorClass::Transient,
        code: "has_departments".to_owned(),
        message: told.join(" "),
        retry_after: None,
    }
}

/// The department above must be at the target first.
pub(crate) fn waits_for_parent(unit: uuid::Uuid) -> Outcome {
    Outcome::Waiting {
        on: WaitingFor::Resource(ResourceId(unit)),
        reason: "The department above is not at DingTalk yet; this follows as soon as it is.".to_owned(),
    }
}

/// The manager must be at the target first.
pub(crate) fn waits_for_manager(manager: uuid::Uuid) -> Outcome {
    Outcome::Waiting {
        on: WaitingFor::Resource(ResourceId(manager)),
        reason: format!(
            "Everything but the manager is at DingTalk: the manager (user {manager}) has no account there yet. \
             This follows as soon as they do."
        ),
    }
}

/// What holds a step, as a sentence.
pub(crate) fn why_held(by: &HeldBy) -> String {
    match by {
        HeldBy::Rehearsal => "The target is in rehearsal, nothing is sent.".to_owned(),
        HeldBy::Adoption => {
            "Adoption has linked or unlinked it, and that alone changes nothing: it waits for a plan.".to_owned()
        }
        HeldBy::Mapping(version) => format!("Version {version} of the mapping changes it; that waits for a plan."),
        HeldBy::Guard(effect) => format!("The guard {effect} holds it."),
    }
}

/// A step that waits for a plan, with what does not fit besides.
pub(crate) fn held_back(by: HeldBy, action: &Action, proposal: Proposal, findings: &[Finding]) -> Outcome {
    let step = match action {
        Action::Delete { .. } => "delete it".to_owned(),
        other => format!("{} it with {}", other.verb(), other.attributes().join(", ")),
    };
    let why = why_held(&by);
    let mut reason = vec![format!("{why} The plan: {step}.")];
    reason.extend(findings.iter().map(ToString::to_string));
    Outcome::Held { by, proposal, reason: reason.join("\n") }
}

/// What forbids a step, as a sentence.
pub(crate) fn marked(mark: &AgainstIt) -> String {
    let AgainstIt { kind, reason, made_by } = mark;
    let kind = if kind == "protected" { "protected" } else { "not to be touched" };
    format!("It is marked as {kind} by {made_by} ({reason}); two people can release a plan that changes it.")
}

/// Guards hold a part of what is to be done, or all of it; the rest is done.
pub(crate) fn guarded(holds: &[Hold], proposal: Proposal, findings: &[Finding]) -> Outcome {
    let held = holds.iter().map(|hold| match hold.effect.guard {
        Guard::Protected => hold.arithmetic.clone(),
        Guard::ManagersLost => format!(
            "Held until a person decides, because so many would lose their manager ({}). Give the reports another \
             manager at the source, or release a plan with it.",
            hold.arithmetic
        ),
        Guard::SourceEmpty => format!(
            "Held until a person decides, because the list of the source seems to be incomplete ({}). Everything that \
             it sent is kept; if it sends the people again, nothing is lost.",
            hold.arithmetic
        ),
        Guard::AdministratorsLost => format!(
            "Held until two people release a plan with it, because the account administers the organisation ({}). If \
             somebody else is to do that, take the right away in DingTalk and try again.",
            hold.arithmetic
        ),
        _ => format!(
            "Held until a person decides, because this and what else is like it is more than the guard lets pass: {}.",
            hold.arithmetic
        ),
    });
    let reason: Vec<String> = held.chain(findings.iter().map(ToString::to_string)).collect();
    let by = holds.first().map(|hold| hold.effect.key()).unwrap_or_default();
    Outcome::Held { by: HeldBy::Guard(by), proposal, reason: reason.join("\n") }
}

/// What waits because of other rules, and a guard that holds something by those that count until then. The guard's part is
/// released first, so that it stays in sight of the guard; the other one is told with it.
pub(crate) fn both(by_old_rules: Outcome, waits: Outcome) -> Outcome {
    match (by_old_rules, waits) {
        (Outcome::Held { by: by @ HeldBy::Guard(_), proposal, reason }, Outcome::Held { reason: besides, .. }) => {
            Outcome::Held { by, proposal, reason: format!("{reason}\n{besides}") }
        }
        (Outcome::Held { by: by @ HeldBy::Guard(_), proposal, reason }, Outcome::NeedsAttention { findings, .. }) => {
            let told = findings.into_iter().map(|finding| format!("\n{}", finding.message));
            Outcome::Held { by, proposal, reason: told.fold(reason, |all, one| all + &one) }
        }
        (held @ Outcome::Held { by: HeldBy::Guard(_), .. }, _) => held,
        (_, waits) => waits,
    }
}

/// The userid that a rule of the mapping gives is that of an account which is not known to be this person's.
pub(crate) fn userid_taken(userid: &str) -> Outcome {
    Outcome::attention(vec![Finding {
        kind: FindingKind::Conflict,
        code: "userid_taken".to_owned(),
        attribute: None,
        source_path: None,
        message: format!("DingTalk has an account with the userid {userid}, which is not known to be this person's."),
        advice: "Let the rule for userid of the mapping give another one, or link the account to the person."
            .to_owned(),
    }])
}

/// The person has left, and their access ends later.
pub(crate) fn leaves_on(at: OffsetDateTime, now: OffsetDateTime) -> Outcome {
    let reason = format!("The person has left; by the rules for leavers their access ends on {}.", day(at));
    Outcome::Waiting { on: WaitingFor::Leaving(until(at, now)), reason }
}

/// The access of a leaver has ended, and the account goes later.
pub(crate) fn removed_on(at: OffsetDateTime, now: OffsetDateTime) -> Outcome {
    let reason = format!(
        "The person has left and their access has ended; by the rules for leavers the account is removed on {}.",
        day(at)
    );
    Outcome::Waiting { on: WaitingFor::Leaving(until(at, now)), reason }
}

/// The access of a leaver has ended, and the account stays.
pub(crate) fn account_kept() -> Outcome {
    let reason = "The person has left and their access has ended; by the rules for leavers the account is kept.";
    Outcome::Kept { reason: reason.to_owned() }
}

fn until(at: OffsetDateTime, now: OffsetDateTime) -> Duration {
    (at - now).try_into().unwrap_or(Duration::ZERO)
}

/// A day as people write it everywhere: `2026-03-01`.
pub(crate) fn day(at: OffsetDateTime) -> String {
    at.date().to_string()
}

/// The judge refused the plan.
pub(crate) fn contradiction(found: &Contradiction) -> Outcome {
    Outcome::attention(vec![Finding {
        kind: FindingKind::Invalid,
        code: "contradiction".to_owned(),
        attribute: None,
        source_path: None,
        message: format!("The plan contradicts itself: {found}. Nothing was sent."),
        advice: "Report this to the developers of Rollcall with the request id.".to_owned(),
    }])
}

/// What is wrong with the manager that the source names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BadManager {
    /// It is the person.
    Themselves,
    /// The directory does not have them.
    Unknown,
    /// The directory has several active people of that externalId or employeeNumber.
    Several,
}

/// The source names a manager who cannot be.
pub(crate) fn bad_manager(why: BadManager) -> Finding {
    let unknown = "Provision the manager from the same source, or correct the manager there.";
    let (code, message, advice) = match why {
        BadManager::Themselves => ("manager_is_self", "The person is named as their own manager.", unknown),
        BadManager::Unknown => ("manager_unknown", "The manager is not in the directory.", unknown),
        BadManager::Several => (
            "manager_ambiguous",
            "Several active people have what the manager is named by, so none of them is taken.",
            "Let one person alone have this externalId or employeeNumber, or let the source name managers by their id.",
        ),
    };
    Finding {
        kind: FindingKind::Invalid,
        code: code.to_owned(),
        attribute: Some(entity::MANAGER.to_owned()),
        source_path: mapping::source_path(entity::MANAGER).map(str::to_owned),
        message: message.to_owned(),
        advice: advice.to_owned(),
    }
}

/// The manager has left and nobody takes over. Nothing is said of it where no rule names successors.
pub(crate) fn manager_left(manager: uuid::Uuid, why: &str) -> Option<Finding> {
    let why = match why {
        "no_rule" => return None,
        "nobody" => "the source names no successor",
        "unknown" => "the directory does not have the successor whom the source names",
        "several" => "several people could be the successor whom the source names",
        "rule_failed" => "the rule for the successor failed",
        _ => "the successor has left, too",
    };
    Some(Finding {
        kind: FindingKind::Invalid,
        code: "manager_left".to_owned(),
        attribute: Some(entity::MANAGER.to_owned()),
        source_path: mapping::source_path(entity::MANAGER).map(str::to_owned),
        message: format!("The manager (user {manager}) has left, and {why}. Nobody is the manager at DingTalk."),
        advice: "Let the source name another manager here, or a successor at the leaver.".to_owned(),
    })
}
