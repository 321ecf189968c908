//! `rollcall doctor`: configuration, database and targets, one line each with what to do.

use super::output::Output;
use crate::config::Config;
use crate::connector::Factory;
use crate::database::Database;
use crate::secrets::{MasterKeys, check_readable, seals};
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
            match MasterKeys::load(&path) {
                Err(error) => checks.push(Check::new("master key", Err(format!("{error:#}")))),
                Ok(keys) if known => {
                    let readable = check_readable(&database.store, keys.as_deref(), &path).await;
                    match (readable, keys) {
                        (Err(error), _) => checks.push(Check::new("master key", Err(format!("{error:#}")))),
                        (Ok(()), None) => {
                            let text = format!("{} is made when it is first needed", path.display());
                            checks.push(Check::new("master key", Ok(text)));
                        }
                        (Ok(()), Some(keys)) => {
                            checks.push(sealing(&database.store, &keys).await?);
                            targets(&database.store, keys, &all, &mut checks).await;
                        }
                    }
                }
                Ok(_) => {}
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

/// How much is sealed by another key than the newest.
async fn sealing(store: &Store, keys: &MasterKeys) -> Result<Check> {
    let (newest, all) = (keys.ids().first().copied(), seals(store).await?);
    let count = |of_newest: bool| -> i64 {
        all.iter().filter(|seals| (seals.key == newest) == of_newest).map(|seals| seals.count).sum()
    };
    let (with_newest, with_others) = (count(true), count(false));
    let text = if with_others == 0 {
        format!("readable; the newest key has sealed everything ({with_newest})")
    } else {
        format!(
            "readable; {with_others} of {} secrets are still sealed with an older key: run `rollcall secrets reseal` before \
             you remove it",
            with_newest + with_others
        )
    };
    Ok(Check::new("master key", Ok(text)))
}

async fn targets(store: &Store, keys: Arc<MasterKeys>, all: &[Target], checks: &mut Vec<Check>) {
    let factory = Factory { keys, budget: Arc::new(store.clone()) };
    for target in all {
        let what = format!("target {}", target.name);
        match factory.dingtalk(target) {
            Err(error) => checks.push(Check::new(what, Err(error.to_string()))),
            Ok(dingtalk) => {
                for line in dingtalk.check().await.lines {
                    let failed = matches!(line.verdict, Verdict::Bad | Verdict::Unknown);
                    let result = if failed { Err(line.text) } else { Ok(line.text) };
                    checks.push(Check::new(format!("{what}: {}", line.subject), result));
                }
            }
        }
    }
}
