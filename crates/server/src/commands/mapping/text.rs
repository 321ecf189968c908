//! What is said about documents to people at a shell.

use super::file::DocumentFile;
use crate::commands::output::{count_of, table};
use rollcall_api::refusal::PartProblem;
use rollcall_api::services::mapping::preview::{PreviewView, ShownPerson, TargetEffect};
use rollcall_api::services::mapping::{CheckView, ExampleView, MappingSaved, RuleChangeView, TestView};
use serde_json::Value;

/// Each thing that is wrong, as compilers say it.
pub(super) fn errors(errors: &[PartProblem], file: Option<&DocumentFile>) -> Vec<String> {
    let line = |error: &PartProblem| {
        let place = file.map_or_else(String::new, |file| format!("{}: ", file.place(error)));
        let inside = match (error.line, error.column) {
            (Some(1), Some(column)) => format!(", character {column}"),
            (Some(line), Some(column)) => format!(", line {line}, character {column}"),
            _ => String::new(),
        };
        format!("{place}{}{inside}: {} {}", error.pointer, error.detail, error.advice.as_deref().unwrap_or_default())
    };
    errors.iter().map(line).collect()
}

pub(super) fn check(found: &CheckView, file: &DocumentFile) -> String {
    if !found.valid {
        return errors(&found.errors, Some(file)).join("\n");
    }
    let mut lines = vec!["The document can be used.".to_owned()];
    lines.extend(examples(&found.examples));
    if found.changes.is_empty() {
        lines.push(format!("It says the same as version {}, which counts.", found.compared_with));
    } else {
        lines.push(format!("Against version {}, which counts:", found.compared_with));
        lines.extend(changes(&found.changes));
    }
    lines.join("\n")
}

pub(super) fn test(found: &TestView) -> String {
    let mut lines = examples(&found.examples);
    lines.push(format!("{} passed, {} failed.", found.passed, found.failed));
    lines.join("\n")
}

fn examples(examples: &[ExampleView]) -> Vec<String> {
    let mut lines = Vec::new();
    for example in examples {
        lines.push(format!("{} {}", if example.passed { "ok  " } else { "FAIL" }, example.name));
        lines.extend(
            example.differences.iter().map(|one| format!("     {} is {} and not {}", one.what, one.got, one.expected)),
        );
    }
    lines
}

/// Changes in the manner of a patch.
pub(super) fn changes(changes: &[RuleChangeView]) -> Vec<String> {
    let mut lines = Vec::new();
    for change in changes {
        let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lines.push(format!("  {}", change.path));
        lines.extend(change.before.as_ref().map(|before| format!("  - {}", said(before))));
        lines.extend(change.after.as_ref().map(|after| format!("  + {}", said(after))));
    }
    lines
}

pub(super) fn saved(done: &MappingSaved) -> String {
    let mut lines = changes(&done.changes);
    lines.extend(examples(&done.failing_examples));
    lines.push(done.next.clone());
    lines.join("\n")
}

pub(super) fn preview(found: &PreviewView) -> String {
    let of = if found.complete { "" } else { " (only the first ones; there was no time for the others)" };
    let mut lines = vec![
        format!("{} looked at{of}.", count_of(found.people, "person was", "people were")),
        format!("  {} ready, {} kept out", found.ready, found.blocked),
    ];
    for (word, counts) in [("in", &found.included), ("left out", &found.excluded)] {
        for count in counts {
            let rule = count.rule.as_deref().unwrap_or("no rule decides");
            lines.push(format!("  {} {word}: {rule}", count.people));
        }
    }
    for failing in &found.failing {
        let severity = if failing.blocks { "kept out" } else { "without the attribute" };
        lines.push(format!(
            "! {} ({severity}) {}: {} {}",
            failing.people, failing.code, failing.message, failing.advice
        ));
        lines.push(format!("    {}", failing.first.join(" ")));
    }
    for duplicate in &found.duplicates {
        lines.push(format!("! {} have the same {} as somebody else", duplicate.people, duplicate.attribute));
        lines.push(format!("    {}", duplicate.first.join(" ")));
    }
    if !found.targets.is_empty() {
        let header = ["target", "new", "changed", "removed", "unchanged", "kept", "unread"];
        let row = |target: &TargetEffect| {
            let counts = [target.created, target.changed, target.removed, target.unchanged, target.kept, target.unread];
            let mut row = vec![target.target.clone()];
            row.extend(counts.iter().map(ToString::to_string));
            row
        };
        let rows: Vec<Vec<String>> = found.targets.iter().map(row).collect();
        lines.push(table(&header, &rows));
    }
    for person in found.samples.iter().chain(&found.users) {
        lines.extend(shown(person));
    }
    lines.push(found.next.clone());
    lines.join("\n")
}

/// Somebody whole.
fn shown(person: &ShownPerson) -> Vec<String> {
    let name = person.user_name.clone().unwrap_or_else(|| person.id.to_string());
    let chosen =
        if person.chosen_for.is_empty() { String::new() } else { format!(" ({})", person.chosen_for.join(", ")) };
    let mut lines = vec![format!("{name}{chosen}: {}", person.mapping.scope)];
    for (attribute, value) in &person.mapping.attributes {
        let value = value.as_ref().map_or_else(|| "(no value)".to_owned(), ToString::to_string);
        lines.push(format!("    {attribute} = {value}"));
    }
    lines.extend(person.mapping.places.iter().map(|place| format!("    in {}", place.join(" / "))));
    lines.extend(person.mapping.findings.iter().map(|finding| format!("    ! {} {}", finding.message, finding.advice)));
    lines
}
