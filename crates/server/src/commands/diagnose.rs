//! `rollcall doctor`: configuration, database and targets, one line each with what to do.

use super::output::Output;
use crate::config::Config;
use crate::connector::Factory;
use crate::database::Database;
use crate::secrets::MasterKey;
use anyhow::Result;
use rollcall_dingtalk::Verdict;
use rollcall_store::Store;
use rollcall_store::projection::Target;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

/// One thing that was looked at.
struct Check {
    what: String,
    fine: bool,
    text: String,
}

impl Check {
    fn new(what: impl Into<String>, result: Result<String, String>) -> Self {
        let fine = result.is_ok();
        let text = result.unwrap_or_else(|text| text);
        Self { what: what.into(), fine, text }
    }
}

/// Looks at everything and changes nothing; fails when something is wrong.
pub(super) async fn run(config: &Config, output: &Output) -> Result<ExitCode> {
    let mut checks = Vec::new();
    match Database::open(config).await {
        Err(error) => checks.push(Check::new("database", Err(format!("{error:#}")))),
        Ok(database) => {
            checks.push(Check::new("database", Ok("reachable".to_owned())));
            let schema = database.check_schema().await;
            let known = schema.is_ok();
            let advice = |error| format!("{error:#}");
            checks.push(Check::new("schema", schema.map(|()| "this version's".to_owned()).map_err(advice)));
            let all = if known { database.store.all_targets().await? } else { Vec::new() };
            let path = config.master_key_path();
            match MasterKey::load(&path) {
                Err(error) => checks.push(Check::new("master key", Err(format!("{error:#}")))),
                Ok(None) if all.is_empty() => {
                    let text = format!("{} is made when it is first needed", path.display());
                    checks.push(Check::new("master key", Ok(text)));
                }
                Ok(None) => {
                    let text = format!("{} is not there, and the targets' secrets are sealed with it", path.display());
                    checks.push(Check::new("master key", Err(text)));
                }
                Ok(Some(key)) => {
                    checks.push(Check::new("master key", Ok("readable".to_owned())));
                    targets(&database.store, key, &all, &mut checks).await;
                }
            }
            database.close().await?;
        }
    }
    let document: Value =
        checks.iter().map(|check| json!({ "check": check.what, "ok": check.fine, "text": check.text })).collect();
    let rows: Vec<_> = checks
        .iter()
        .map(|check| vec![if check.fine { "ok" } else { "FAIL" }.to_owned(), check.what.clone(), check.text.clone()])
        .collect();
    output.table(&document, &["", "check", "result"], &rows)?;
    Ok(if checks.iter().all(|check| check.fine) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn targets(store: &Store, key: MasterKey, all: &[Target], checks: &mut Vec<Check>) {
    let factory = Factory { key, budget: Arc::new(store.clone()) };
    for target in all {
        let what = format!("target {}", target.name);
        match factory.dingtalk(target) {
            Err(error) => checks.push(Check::new(what, Err(error.to_string()))),
            Ok(dingtalk) => {
                for line in dingtalk.check().await.lines {
                    let failed = matches!(line.verdict, Verdict::Bad);
                    let result = if failed { Err(line.text) } else { Ok(line.text) };
                    checks.push(Check::new(format!("{what}: {}", line.subject), result));
                }
            }
        }
    }
}
