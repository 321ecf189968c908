//! The mapping of a tenant as a document that people write: reading it, trying it, saving versions of it.
//!
//! Saving sends nothing. Everybody is looked at again under the new version; whoever has no account yet gets one by it, and
//! accounts that it would change are held until a plan permits it. Every answer says so.

pub mod preview;
mod projected;
pub mod rendered;
mod views;
pub mod written;

pub use views::{
    CheckView, DiffView, ExampleView, MappingDocument, MappingSaved, MappingVersionView, NextStep, RuleChangeView,
    TestView,
};

use crate::error::ApiError;
use crate::refusal::PartProblem;
use crate::services::page::{Cursor, Page};
use rollcall_provisioning::connector::TargetSchema;
use rollcall_provisioning::ids::TenantId;
use rollcall_provisioning::mapping::{ExampleResult, Mapping, MappingError, compare};
use rollcall_store::Store;
use rollcall_store::mappings::{MappingVersion, NewMapping, SaveError};
use serde_json::Value;

/// The most characters of a note.
const MOST_NOTE_CHARS: usize = 1_000;

/// The document of a tenant that counts now.
pub async fn in_force(store: &Store, tenant: TenantId) -> Result<MappingDocument, ApiError> {
    version(store, tenant, store.mapping_version(tenant).await?).await
}

/// One version; 0 is the document that all begin with.
///
/// # Errors
/// 404.
pub async fn version(store: &Store, tenant: TenantId, version: i32) -> Result<MappingDocument, ApiError> {
    if version == 0 {
        let active = store.mapping_version(tenant).await? == 0;
        return Ok(MappingDocument::first(Mapping::default_document(), active));
    }
    let found = store.mapping(tenant, version).await?;
    found.map(MappingDocument::from).ok_or_else(|| no_version(version))
}

/// The saved versions, the newest first.
pub async fn versions(
    store: &Store,
    tenant: TenantId,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<MappingVersionView>, ApiError> {
    // A number that no version has is behind all of them.
    let before = Cursor::number(cursor)?.map(|before| i32::try_from(before).unwrap_or(0));
    let rows = store.mapping_entries(tenant, before, limit + 1).await?;
    Ok(Page::of(rows, limit, |row| Cursor::Number(i64::from(row.version)), MappingVersionView::from))
}

/// Compiles a document and runs its examples, and changes nothing.
pub async fn check(
    store: &Store,
    tenant: TenantId,
    schema: &dyn TargetSchema,
    document: &Value,
) -> Result<CheckView, ApiError> {
    let now = in_force(store, tenant).await?;
    let changes = compare(&now.document, document).into_iter().map(RuleChangeView::from).collect();
    let (errors, examples) = match store.compile_mapping(tenant, document, schema).await? {
        Ok(mapping) => (Vec::new(), mapping.test().into_iter().map(ExampleView::from).collect()),
        Err(errors) => (errors.into_iter().map(PartProblem::from).collect(), Vec::new()),
    };
    Ok(CheckView { valid: errors.is_empty(), errors, examples, compared_with: now.version, changes })
}

/// Runs the examples of a document, or of the one that counts.
///
/// # Errors
/// 422 if the document cannot be compiled.
pub async fn test(
    store: &Store,
    tenant: TenantId,
    schema: &dyn TargetSchema,
    document: Option<&Value>,
) -> Result<TestView, ApiError> {
    let results = match document {
        Some(document) => compiled(store, tenant, schema, document).await?.test(),
        None => crate::compiled::compile(store, tenant, schema).await?.mapping.test(),
    };
    Ok(TestView::of(results))
}

/// Compiles a draft.
///
/// # Errors
/// 422 with everything that is wrong with it.
pub async fn compiled(
    store: &Store,
    tenant: TenantId,
    schema: &dyn TargetSchema,
    document: &Value,
) -> Result<Mapping, ApiError> {
    store.compile_mapping(tenant, document, schema).await?.map_err(|errors| {
        let count = errors.len();
        let things = if count == 1 { "one thing is" } else { "some things are" };
        let detail =
            format!("{things} wrong with the document ({count} in all), so it cannot be used; errors names each");
        ApiError::Unfit { code: "mapping_invalid", detail, errors: errors.into_iter().map(PartProblem::from).collect() }
    })
}

/// A version to be saved.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The document.
    pub document: &'a Value,
    /// What its author says of it.
    pub note: &'a str,
    /// Who saves it.
    pub by: &'a str,
    /// The version that its author saw last; `None` if they do not care.
    pub after: Option<i32>,
    /// Whether examples may fail.
    pub allow_failing_examples: bool,
}

/// Saves a version, which counts from then on. A document that counts already is not saved again.
///
/// # Errors
/// 422 if it cannot be compiled or an example fails; 412 if another version counts than the author saw.
pub async fn save(
    store: &Store,
    tenant: TenantId,
    schema: &dyn TargetSchema,
    draft: Draft<'_>,
) -> Result<MappingSaved, ApiError> {
    if draft.note.chars().count() > MOST_NOTE_CHARS {
        return Err(ApiError::parameter("note", format!("is longer than {MOST_NOTE_CHARS} characters")));
    }
    let results = compiled(store, tenant, schema, draft.document).await?.test();
    let failing: Vec<ExampleResult> = results.into_iter().filter(|result| !result.differences.is_empty()).collect();
    if !failing.is_empty() && !draft.allow_failing_examples {
        return Err(examples_fail(&failing, draft.document));
    }
    let before = in_force(store, tenant).await?;
    if draft.after.is_some_and(|after| after != before.version) {
        return Err(outdated(before.version));
    }
    let changes: Vec<RuleChangeView> =
        compare(&before.document, draft.document).into_iter().map(RuleChangeView::from).collect();
    let failing: Vec<ExampleView> = failing.into_iter().map(ExampleView::from).collect();
    if changes.is_empty() {
        return Ok(MappingSaved::unchanged(before.version, failing));
    }
    // What it is compared with must be what it comes after.
    let new = NewMapping { document: draft.document, note: draft.note, by: draft.by, after: Some(before.version) };
    let version = store.save_mapping(tenant, &new).await.map_err(|error| match error {
        SaveError::Outdated(version) => outdated(version),
        SaveError::NoTenant => ApiError::NotFound { what: "the tenant".to_owned() },
        SaveError::Store(error) => error.into(),
    })?;
    let targets = store.targets(tenant).await?;
    Ok(MappingSaved::saved(version, before.version, changes, failing, &targets))
}

/// Saves the document of an earlier version as a new one.
///
/// # Errors
/// As [`save`]; 404 if there is no such version.
pub async fn revert(
    store: &Store,
    tenant: TenantId,
    schema: &dyn TargetSchema,
    (to, draft): (i32, Draft<'_>),
) -> Result<MappingSaved, ApiError> {
    let old = version(store, tenant, to).await?;
    let note = if draft.note.is_empty() { format!("Back to version {to}") } else { draft.note.to_owned() };
    // What counted once may count again, whatever its examples say.
    let draft = Draft { document: &old.document, note: &note, allow_failing_examples: true, ..draft };
    save(store, tenant, schema, draft).await
}

/// What one version says otherwise than another. Without `to` it is the one that counts, without `from` the one before.
///
/// # Errors
/// 404.
pub async fn diff(store: &Store, tenant: TenantId, from: Option<i32>, to: Option<i32>) -> Result<DiffView, ApiError> {
    let to = match to {
        Some(to) => version(store, tenant, to).await?,
        None => in_force(store, tenant).await?,
    };
    let from = version(store, tenant, from.unwrap_or_else(|| (to.version - 1).max(0))).await?;
    let changes = compare(&from.document, &to.document).into_iter().map(RuleChangeView::from).collect();
    Ok(DiffView { from: from.version, to: to.version, changes })
}

fn no_version(version: i32) -> ApiError {
    ApiError::NotFound { what: format!("version {version} of the mapping") }
}

/// The refusal of a change that is based on another version.
pub(crate) fn outdated(version: i32) -> ApiError {
    ApiError::Outdated(format!(
        "version {version} of the mapping counts by now, and it is not the one that this change is based on; read it, put \
         the change into it, and save that with its ETag as If-Match"
    ))
}

/// The refusal of a document whose own examples fail.
fn examples_fail(failing: &[ExampleResult], document: &Value) -> ApiError {
    let place = |name: &str| {
        let examples = document.get("examples").and_then(Value::as_array).into_iter().flatten();
        let mut named = examples.map(|example| example.get("name").and_then(Value::as_str));
        named.position(|found| found == Some(name)).unwrap_or_default()
    };
    let errors = failing.iter().flat_map(|result| {
        let place = place(&result.name);
        result.differences.iter().map(move |difference| PartProblem {
            pointer: format!("/examples/{place}/expect/{}", difference.what.replacen('.', "/", 1)),
            line: None,
            column: None,
            attribute: difference.what.strip_prefix("attributes.").map(str::to_owned),
            detail: format!(
                "In the example \"{}\", {} is {} and not {}.",
                result.name, difference.what, difference.got, difference.expected
            ),
            advice: Some("Mend the rule or the example, or allow failing examples.".to_owned()),
        })
    });
    ApiError::Unfit {
        code: "mapping_examples_fail",
        detail: "examples of the document fail, so it was not saved; errors names each difference".to_owned(),
        errors: errors.collect(),
    }
}

impl From<MappingError> for PartProblem {
    fn from(error: MappingError) -> Self {
        Self {
            pointer: error.pointer,
            line: error.position.map(|position| position.line),
            column: error.position.map(|position| position.column),
            attribute: error.attribute,
            detail: error.message,
            advice: Some(error.advice),
        }
    }
}

impl From<MappingVersion> for MappingDocument {
    fn from(found: MappingVersion) -> Self {
        Self {
            version: found.version,
            document: found.document,
            note: found.note,
            saved_at: Some(found.created_at),
            saved_by: Some(found.created_by),
            active: found.active,
        }
    }
}
