//! What is said about documents and their versions.

use crate::refusal::PartProblem;
use rollcall_provisioning::mapping::{ExampleResult, RuleChange};
use rollcall_store::mappings::MappingEntry;
use rollcall_store::projection::Target;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A version of the mapping with its document.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct MappingDocument {
    /// Counts from 1; 0 is the document that all begin with.
    #[schema(example = 3)]
    pub version: i32,
    /// The document. A section that is not in it is that of version 0.
    #[schema(value_type = Object)]
    pub document: Value,
    /// What its author says of it.
    pub note: String,
    /// When it was saved.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<OffsetDateTime>,
    /// Who saved it: `token:` and the id of a credential, `operator` and the name in the console, or `command line` and a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_by: Option<String>,
    /// Whether it counts.
    pub active: bool,
}

impl MappingDocument {
    /// The document that all begin with.
    pub(super) fn first(document: Value, active: bool) -> Self {
        let note = "The document that all begin with".to_owned();
        Self { version: 0, document, note, saved_at: None, saved_by: None, active }
    }
}

/// A version of the mapping.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct MappingVersionView {
    /// Counts from 1.
    #[schema(example = 3)]
    pub version: i32,
    /// What its author says of it.
    pub note: String,
    /// When it was saved.
    #[serde(with = "time::serde::rfc3339")]
    pub saved_at: OffsetDateTime,
    /// Who saved it.
    pub saved_by: String,
    /// Whether it counts.
    pub active: bool,
}

impl From<MappingEntry> for MappingVersionView {
    fn from(entry: MappingEntry) -> Self {
        Self {
            version: entry.version,
            note: entry.note,
            saved_at: entry.created_at,
            saved_by: entry.created_by,
            active: entry.active,
        }
    }
}

/// Something that one document says otherwise than another.
#[derive(Serialize, ToSchema, Clone, PartialEq, Debug)]
pub struct RuleChangeView {
    /// Where: a JSON pointer, with the name of a rule in the place of its number.
    #[schema(example = "/account/title/value")]
    pub path: String,
    /// What the old document says; absent if it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What the new document says; absent if it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl From<RuleChange> for RuleChangeView {
    fn from(change: RuleChange) -> Self {
        Self { path: change.path, before: change.before, after: change.after }
    }
}

/// What two versions say differently.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct DiffView {
    /// The old version.
    pub from: i32,
    /// The new version.
    pub to: i32,
    /// What is different; nothing if they say the same.
    pub changes: Vec<RuleChangeView>,
}

/// Something that is not as an example expects.
#[derive(Serialize, ToSchema, Clone, PartialEq, Debug)]
pub struct DifferenceView {
    /// What.
    #[schema(example = "attributes.title")]
    pub what: String,
    /// What the example expects.
    pub expected: Value,
    /// What the mapping makes; `null` for no value and for what is left alone.
    pub got: Value,
}

/// How an example came out.
#[derive(Serialize, ToSchema, Clone, PartialEq, Debug)]
pub struct ExampleView {
    /// The example's name.
    pub name: String,
    /// Whether everything is as expected.
    pub passed: bool,
    /// What is not.
    pub differences: Vec<DifferenceView>,
}

impl From<ExampleResult> for ExampleView {
    fn from(result: ExampleResult) -> Self {
        let differences = result.differences.into_iter();
        let differences =
            differences.map(|one| DifferenceView { what: one.what, expected: one.expected, got: one.got });
        let differences: Vec<DifferenceView> = differences.collect();
        Self { name: result.name, passed: differences.is_empty(), differences }
    }
}

/// How the examples of a document came out.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TestView {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// Each of them.
    pub examples: Vec<ExampleView>,
}

impl TestView {
    pub(super) fn of(results: Vec<ExampleResult>) -> Self {
        let examples: Vec<ExampleView> = results.into_iter().map(ExampleView::from).collect();
        let passed = examples.iter().filter(|example| example.passed).count();
        Self { passed, failed: examples.len() - passed, examples }
    }
}

/// Whether a document can be used.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct CheckView {
    /// Whether it can.
    pub valid: bool,
    /// Everything that is wrong with it.
    pub errors: Vec<PartProblem>,
    /// How its examples come out, if it can be used.
    pub examples: Vec<ExampleView>,
    /// The version that counts, which it was compared with.
    pub compared_with: i32,
    /// What it says otherwise than that version.
    pub changes: Vec<RuleChangeView>,
}

/// How to let a target have what is held.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct NextStep {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// Where a plan of what is held is made.
    #[schema(example = "/api/v1/targets/0190a5d2-0000-7000-8000-000000000000/plans")]
    pub post: String,
    /// What to say there, so that the plan holds only what this version changes.
    #[schema(example = "mapping:3")]
    pub held_by: String,
}

/// What came of saving a version.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct MappingSaved {
    /// The version that counts now.
    pub version: i32,
    /// The version that counted before.
    pub previous: i32,
    /// Whether a version was saved; not if the document counted already.
    pub saved: bool,
    /// What it says otherwise than the one before.
    pub changes: Vec<RuleChangeView>,
    /// Examples that fail, if that was allowed.
    pub failing_examples: Vec<ExampleView>,
    /// What happens now, in sentences.
    pub next: String,
    /// The plans that let each target have what is held.
    pub plans: Vec<NextStep>,
}

impl MappingSaved {
    pub(super) fn unchanged(version: i32, failing_examples: Vec<ExampleView>) -> Self {
        let next =
            format!("Version {version} says the same and counts already, so nothing was saved and nothing changes.");
        Self {
            version,
            previous: version,
            saved: false,
            changes: Vec::new(),
            failing_examples,
            next,
            plans: Vec::new(),
        }
    }

    pub(super) fn saved(
        version: i32,
        previous: i32,
        changes: Vec<RuleChangeView>,
        failing_examples: Vec<ExampleView>,
        targets: &[Target],
    ) -> Self {
        let held_by = format!("mapping:{version}");
        let plan = |target: &Target| NextStep {
            target_id: target.id.0,
            target: target.name.clone(),
            post: format!("/api/v1/targets/{}/plans", target.id),
            held_by: held_by.clone(),
        };
        let next = format!(
            "Version {version} counts now, and nothing was sent. Everybody is looked at again: accounts that it would change \
             are held with the reason {held_by}, new people and leavers go on at once. Look at what is held in a plan \
             (POST /api/v1/targets/{{id}}/plans with {{\"held_by\": \"{held_by}\"}}) and apply it, or save another version."
        );
        let plans = targets.iter().map(plan).collect();
        Self { version, previous, saved: true, changes, failing_examples, next, plans }
    }
}
