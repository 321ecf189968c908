//! The mapping from the shell: what the REST API says, with files and with exit codes for CI: 0 is well, 1 is an error or a
//! document that cannot be used, 2 is a difference, 3 is somebody who would be kept out.

mod file;
mod text;

use super::chosen_tenant;
use super::output::{Output, print};
use super::setup::rfc3339;
use super::who::decides;
use crate::cli::{MappingCommand, TenantArg};
use crate::connector::target_facts;
use anyhow::{Context, Result, bail};
use file::{DocumentFile, to_toml};
use rollcall_api::services::mapping::preview::{self, PreviewOf};
use rollcall_api::services::mapping::{self, Draft, RuleChangeView};
use rollcall_api::services::person;
use rollcall_api::{ApiError, compile};
use rollcall_provisioning::ids::TenantId;
use rollcall_provisioning::mapping::compare;
use rollcall_store::Store;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Documents differ.
const DIFFERENT: u8 = 2;

/// Somebody would be kept out.
const BLOCKED: u8 = 3;

/// Runs a command.
pub(super) async fn run(command: MappingCommand, store: &Store, output: Output) -> Result<ExitCode> {
    let target = target_facts();
    let schema = &*target.schema;
    match command {
        MappingCommand::Show { version, toml, tenant } => {
            show(store, tenant_of(store, &tenant).await?, (version, toml), output).await
        }
        MappingCommand::Versions { limit, tenant } => {
            let tenant = tenant_of(store, &tenant).await?;
            versions(store, tenant, limit, output).await
        }
        MappingCommand::Diff { new, from, tenant } => {
            let tenant = tenant_of(store, &tenant).await?;
            diff(store, tenant, (from.as_deref(), new.as_deref()), output).await
        }
        MappingCommand::Check { file, tenant } => {
            let (tenant, file) = (tenant_of(store, &tenant).await?, DocumentFile::read(&file)?);
            let found = mapping::check(store, tenant, schema, file.document()).await?;
            let failed = found.examples.iter().any(|example| !example.passed);
            output.result(&serde_json::to_value(&found)?, || text::check(&found, &file))?;
            Ok(code(found.valid && !failed, 1))
        }
        MappingCommand::Test { file, tenant } => {
            let (tenant, file) = (tenant_of(store, &tenant).await?, read(file.as_deref())?);
            let document = file.as_ref().map(DocumentFile::document);
            match mapping::test(store, tenant, schema, document).await {
                Ok(found) => {
                    output.result(&serde_json::to_value(&found)?, || text::test(&found))?;
                    Ok(code(found.failed == 0, 1))
                }
                Err(error) => refused(error, file.as_ref(), output),
            }
        }
        MappingCommand::Save { file, note, after, allow_failing_examples, by, tenant } => {
            let (tenant, file) = (tenant_of(store, &tenant).await?, DocumentFile::read(&file)?);
            let by = decides(&by);
            let draft = Draft { document: file.document(), note: &note, by: &by, after, allow_failing_examples };
            let done = mapping::save(store, tenant, schema, draft).await;
            saved(store, done, Some(&file), output).await
        }
        MappingCommand::Revert { version, note, after, by, tenant } => {
            let tenant = tenant_of(store, &tenant).await?;
            let (document, by) = (&Value::Null, decides(&by));
            let draft = Draft { document, note: &note, by: &by, after, allow_failing_examples: true };
            let done = mapping::revert(store, tenant, schema, (version, draft)).await;
            saved(store, done, None, output).await
        }
        MappingCommand::Preview { file, users, tenant } => {
            let (tenant, file) = (tenant_of(store, &tenant).await?, read(file.as_deref())?);
            let counting = compile(store, tenant, schema).await;
            let mut shown = Vec::new();
            for user_name in &users {
                let id = person::id_of(store, tenant, user_name).await;
                shown.push(id.with_context(|| format!("{user_name} cannot be found in the directory"))?.0);
            }
            let of = match &file {
                None => PreviewOf { mapping: counting?.mapping, counting: None, users: shown },
                Some(file) => match mapping::compiled(store, tenant, schema, file.document()).await {
                    Ok(draft) => {
                        let counting = counting.ok().map(|counting| counting.mapping);
                        PreviewOf { mapping: Arc::new(draft), counting, users: shown }
                    }
                    Err(error) => return refused(error, Some(file), output),
                },
            };
            let found = preview::preview(store, tenant, &target, of).await?;
            output.result(&serde_json::to_value(&found)?, || text::preview(&found))?;
            Ok(code(found.blocked == 0, BLOCKED))
        }
    }
}

async fn tenant_of(store: &Store, which: &TenantArg) -> Result<TenantId> {
    Ok(chosen_tenant(store, which.tenant.as_deref()).await?.id)
}

fn read(path: Option<&Path>) -> Result<Option<DocumentFile>> {
    path.map(DocumentFile::read).transpose()
}

fn code(well: bool, otherwise: u8) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::from(otherwise) }
}

async fn show(
    store: &Store,
    tenant: TenantId,
    (version, toml): (Option<i32>, bool),
    output: Output,
) -> Result<ExitCode> {
    let found = match version {
        Some(version) => mapping::version(store, tenant, version).await?,
        None => mapping::in_force(store, tenant).await?,
    };
    if toml {
        print(to_toml(&found.document)?.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let document = serde_json::to_value(&found)?;
    let written = to_toml(&found.document).or_else(|_| serde_json::to_string_pretty(&found.document))?;
    output.result(&document, || {
        let saved = found.saved_at.map_or_else(String::new, |at| format!(", saved at {}", rfc3339(at)));
        let by = found.saved_by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
        let counts = if found.active { "it counts" } else { "it does not count" };
        let note = found.note.replace('\n', " ");
        format!("# Version {}{saved}{by}; {counts}. {note}\n\n{}", found.version, written.trim_end())
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn versions(store: &Store, tenant: TenantId, limit: i64, output: Output) -> Result<ExitCode> {
    let found = mapping::versions(store, tenant, limit, None).await?;
    let rows: Vec<Vec<String>> = found
        .data
        .iter()
        .map(|one| {
            let counts = if one.active { "*" } else { "" };
            vec![
                format!("{}{counts}", one.version),
                rfc3339(one.saved_at),
                one.saved_by.clone(),
                one.note.replace('\n', " "),
            ]
        })
        .collect();
    output.table(&serde_json::to_value(&found)?, &["version", "saved at", "by", "note"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

async fn diff(
    store: &Store,
    tenant: TenantId,
    (old, new): (Option<&str>, Option<&str>),
    output: Output,
) -> Result<ExitCode> {
    let counting = mapping::in_force(store, tenant).await?;
    let old = match (old, new) {
        (Some(old), _) => document(store, tenant, old).await?,
        (None, Some(_)) => counting.document.clone(),
        (None, None) => mapping::version(store, tenant, (counting.version - 1).max(0)).await?.document,
    };
    let new = match new {
        Some(new) => document(store, tenant, new).await?,
        None => counting.document,
    };
    let changes: Vec<RuleChangeView> = compare(&old, &new).into_iter().map(RuleChangeView::from).collect();
    output.result(&json!({ "changes": changes }), || {
        if changes.is_empty() { "They say the same.".to_owned() } else { text::changes(&changes).join("\n") }
    })?;
    Ok(code(changes.is_empty(), DIFFERENT))
}

/// The document of a version or of a file.
async fn document(store: &Store, tenant: TenantId, named: &str) -> Result<Value> {
    match named.parse() {
        Ok(version) => Ok(mapping::version(store, tenant, version).await?.document),
        Err(_) => Ok(DocumentFile::read(Path::new(named))?.document().clone()),
    }
}

async fn saved(
    store: &Store,
    done: Result<mapping::MappingSaved, ApiError>,
    file: Option<&DocumentFile>,
    output: Output,
) -> Result<ExitCode> {
    match done {
        Ok(done) => {
            // This process has no workers and ends at once, so the others are told before it does.
            store.tell_workers().await?;
            output.result(&serde_json::to_value(&done)?, || text::saved(&done))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => refused(error, file, output),
    }
}

/// Says everything that is wrong with a document.
fn refused(error: ApiError, file: Option<&DocumentFile>, output: Output) -> Result<ExitCode> {
    let ApiError::Unfit { code, detail, errors } = error else { bail!(error) };
    let document = json!({ "code": code, "detail": detail, "errors": errors });
    output.result(&document, || text::errors(&errors, file).join("\n"))?;
    Ok(ExitCode::FAILURE)
}
