//! Plans as text for people.

use crate::commands::output::one_line;
use crate::commands::setup::rfc3339;
use rollcall_api::services::plans::{CannotView, PlanChangeView, PlanGuard, PlanView};
use rollcall_provisioning::guard::Guard;
use serde_json::Value;
use std::fmt::Write as _;

/// The verbs, with the sign and the word that people know them by.
const VERBS: [(&str, &str, &str); 3] =
    [("create", "+", "create"), ("update", "~", "update"), ("delete", "−", "remove")];
/// Attributes of updates that are counted in a summary.
const ATTRIBUTES: usize = 6;
/// What stands before whatever cannot be undone.
const HINDERED: &str = "x";
/// What stands before whatever a guard holds.
const HELD: &str = "!";

/// What is changed in one line: `+12 ~148 −3 !2`.
pub(super) fn size(plan: &PlanView) -> String {
    let mut parts: Vec<String> = VERBS
        .into_iter()
        .map(|(verb, sign, _)| (sign, plan.count(verb)))
        .chain([(HELD, plan.guarded)])
        .filter(|(_, count)| *count > 0)
        .map(|(sign, count)| format!("{sign}{count}"))
        .collect();
    if parts.is_empty() {
        parts.push("none".to_owned());
    }
    parts.join(" ")
}

/// What a plan would do, and what guards say of it.
pub(super) fn plan(plan: &PlanView) -> String {
    let mut text = format!("Plan {} of target {}: {}\n", plan.id, plan.target, plan.state.replace('_', " "));
    let _ = writeln!(text, "Made by {} at {}.", plan.created_by, rfc3339(plan.created_at));
    if plan.is_open() {
        let _ = writeln!(text, "It can be applied until {}.", rfc3339(plan.expires_at));
    }
    if let Some(undoes) = &plan.undoes {
        let _ = writeln!(text, "{}", one_line(&undoes.reason));
    }
    if plan.total == 0 {
        let nothing = match plan.undoes {
            None => "Nothing is held, so there is nothing to do.",
            Some(_) => "There is nothing to take back.",
        };
        let _ = writeln!(text, "\n{nothing}");
        return text;
    }
    text.push('\n');
    for (verb, sign, word) in VERBS {
        let count = plan.count(verb);
        if count > 0 {
            let _ = writeln!(text, "  {sign} {count:>6} {word}    {}", kinds(plan, verb));
        }
    }
    let mut is_named = false;
    for (guard, arithmetic) in holding(plan) {
        let _ = writeln!(text, "  {HELD} {:>6} held      {arithmetic}", guard.count);
        is_named = true;
    }
    if plan.guarded > 0 && !is_named {
        let _ = writeln!(text, "  {HELD} {:>6} held      by a guard of the live target", plan.guarded);
    }
    let left = plan.calls_left.map_or_else(String::new, |left| format!(" {left} are left of what it may be sent."));
    let _ = writeln!(text, "\n{} calls, at least {} s at the target's rate budget.{left}", plan.calls, plan.seconds);
    if let Some(release) = &plan.release {
        let reason = release.reason.as_deref().map_or_else(|| "no reason was kept".to_owned(), one_line);
        let _ = writeln!(text, "Its release was asked for by {}: {reason}", release.requested_by);
        if let Some(by) = &release.approved_by {
            let _ = writeln!(text, "It was released by {by}.");
        }
    }
    let done: Vec<String> = plan.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    if plan.applied_by.is_some() {
        let _ = writeln!(text, "Of its changes are {}.", done.join(", "));
    }
    text
}

/// The guards that hold something of a plan, with the arithmetic.
fn holding(plan: &PlanView) -> impl Iterator<Item = (&PlanGuard, &String)> {
    plan.guards.iter().filter_map(|guard| Some((guard, guard.arithmetic.as_ref()?)))
}

/// Which guards hold a change, as far as they judge the plan.
fn held_by(plan: &PlanView, change: &PlanChangeView) -> String {
    let is_leaver = change.kind == "user" && change.verb == "delete";
    let holds = |guard: &PlanGuard| {
        change.effects.contains(&guard.effect) || guard.effect == Guard::Quota.as_str() && !is_leaver
    };
    let named: Vec<&str> = holding(plan)
        .filter(|(guard, _)| holds(guard))
        .filter_map(|(_, arithmetic)| Some(arithmetic.split_once(": ")?.0))
        .collect();
    if named.is_empty() { String::new() } else { format!(" by {}", named.join(", ")) }
}

/// `people 9, departments 3`; of updates what they touch.
fn kinds(plan: &PlanView, verb: &str) -> String {
    let of_verb = plan.changes.iter().filter(|change| change.verb == verb);
    let kinds: Vec<String> = of_verb
        .map(|change| {
            let kind = match change.kind.as_str() {
                "user" => "people",
                "org_unit" => "departments",
                _ => "groups",
            };
            format!("{kind} {}", change.count)
        })
        .collect();
    let mut text = kinds.join(", ");
    if verb == "update" {
        let mut attributes: Vec<(&String, &i64)> = plan.attributes.iter().collect();
        attributes.sort_by_key(|(_, count)| -**count);
        let more = attributes.len().saturating_sub(ATTRIBUTES);
        let named = attributes.into_iter().take(ATTRIBUTES);
        let named: Vec<String> = named.map(|(attribute, count)| format!("{attribute} {count}")).collect();
        let more = if more > 0 { format!(", {more} more") } else { String::new() };
        let _ = write!(text, ": {}{more}", named.join(", "));
    }
    text
}

/// What can be done with a plan that was just made.
pub(super) fn next_steps(plan: &PlanView) -> String {
    if plan.total == 0 {
        return String::new();
    }
    let (id, free) = (plan.id, plan.total - plan.guarded);
    let mut text = String::from("\n");
    if plan.guarded > 0 {
        let _ = writeln!(text, "Guards hold {}; the other {free} can be applied.", plan.guarded);
    }
    let _ = writeln!(text, "  Review   rollcall plan show {id}");
    if free > 0 {
        let _ = writeln!(text, "  Apply    rollcall apply {id}   ({free}; --people 10 to begin with ten)");
    }
    if plan.guarded > 0 {
        let _ = writeln!(text, "  Release  rollcall release {id} --reason \"…\"   (a second person then grants it)");
    }
    text
}

/// A plan that undoes, with what of it cannot be undone.
pub(in crate::commands) fn undo(made: &PlanView, hindered: &[PlanChangeView], more: bool) -> String {
    let mut text = plan(made);
    if made.hindered > 0 {
        let _ = writeln!(text, "\nOf {} not everything can be undone:", made.hindered);
    }
    for change in hindered {
        let name = change.name.as_deref().map_or_else(|| change.resource_id.to_string(), one_line);
        text.push_str(&cannot(&format!("  {HINDERED} {name}"), change));
    }
    if more {
        text.push_str(
            "  … and more: `rollcall plan show` and GET /api/v1/plans/{id}/changes?hindered=true show them.\n",
        );
    }
    text.push_str(&next_steps(made));
    text.trim_end().to_owned()
}

/// What cannot be undone of a change, one line each.
fn cannot(before: &str, change: &PlanChangeView) -> String {
    let line = |cannot: &CannotView| {
        let attribute = cannot.attribute.as_ref().map_or_else(String::new, |attribute| format!(" {attribute}"));
        format!("{before}{attribute}: {}\n", cannot.message)
    };
    change.cannot.iter().map(line).collect()
}

/// One change, each attribute before and after.
pub(super) fn change(plan: &PlanView, change: &PlanChangeView) -> String {
    let sign = VERBS.into_iter().find(|(verb, _, _)| *verb == change.verb).map_or("?", |(_, sign, _)| sign);
    let name = change.name.as_deref().map_or_else(|| change.resource_id.to_string(), one_line);
    let kind = if change.kind == "org_unit" { "department " } else { "" };
    let mark = if change.guarded { format!("  ! held{}", held_by(plan, change)) } else { String::new() };
    let state = if change.state == "planned" { String::new() } else { format!("  ({})", change.state) };
    let mut text = format!("\n{sign} {kind}{name}{mark}{state}\n");
    if let Some(reason) = change.detail.as_ref().or(change.reason.as_ref().filter(|_| change.guarded)) {
        let _ = writeln!(text, "    {}", reason.replace('\n', "\n    "));
    }
    for line in &change.lines {
        let (before, after) = (shown(line.before.as_ref()), shown(line.after.as_ref()));
        let _ = match change.verb.as_str() {
            "create" => writeln!(text, "    {} = {after}", line.attribute),
            "delete" => writeln!(text, "    {} was {before}", line.attribute),
            _ => writeln!(text, "    {}: {before} → {after}", line.attribute),
        };
    }
    text.push_str(&cannot(&format!("    {HINDERED}"), change));
    text
}

/// A value as text.
pub(in crate::commands) fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "(none)".to_owned(),
        Some(Value::String(text)) => one_line(text),
        Some(Value::Array(values)) => values.iter().map(|value| shown(Some(value))).collect::<Vec<_>>().join(", "),
        Some(other) => other.to_string(),
    }
}
