//! `rollcall secrets`: which master key has sealed what, and replacing one.

use super::output::{Output, count_of};
use crate::cli::SecretsCommand;
use crate::config::Config;
use crate::secrets::{Id, MasterKeys, reseal, seals};
use anyhow::{Context, Result};
use rollcall_store::Store;
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn run(command: &SecretsCommand, config: &Config, store: &Store, output: &Output) -> Result<ExitCode> {
    let path = config.master_key_path();
    let keys = MasterKeys::load(&path)?.with_context(|| {
        format!("there is no master key file {}; it is made when a target or a server first needs it", path.display())
    })?;
    match command {
        SecretsCommand::List => {
            list(store, &keys, output).await?;
            Ok(ExitCode::SUCCESS)
        }
        SecretsCommand::Rotate => {
            crate::secrets::check_readable(store, Some(&keys), &path).await?;
            keys.add()?;
            again(store, &keys, output).await
        }
        SecretsCommand::Reseal => again(store, &keys, output).await,
    }
}

async fn again(store: &Store, keys: &MasterKeys, output: &Output) -> Result<ExitCode> {
    let done = reseal(store, keys).await?;
    let newest = keys.ids().first().map(Id::to_string);
    let document = json!({ "key": newest, "resealed": done.done, "unreadable": done.unreadable });
    output.result(&document, || {
        let next = if done.unreadable == 0 {
            "Leave the older keys in the file for a day: sessions, access tokens and cursors that they signed are good until \
             then. Then remove their lines."
                .to_owned()
        } else {
            format!(
                "{} opened by no key of the file: put the key back, or set these secrets anew (`rollcall target secret`).",
                count_of(done.unreadable, "other is", "others are")
            )
        };
        let sealed = count_of(done.done, "secret is", "secrets are");
        format!("{sealed} sealed anew, with the master key {}.\n{next}", newest.unwrap_or_default())
    })?;
    Ok(if done.unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(store: &Store, keys: &MasterKeys, output: &Output) -> Result<()> {
    let ids = keys.ids();
    let mut seals = seals(store).await?;
    for id in &ids {
        if !seals.iter().any(|seals| seals.key == Some(*id)) {
            seals.push(crate::secrets::Seals { key: Some(*id), count: 0 });
        }
    }
    let place = |key: Option<Id>| key.and_then(|key| ids.iter().position(|id| *id == key));
    seals.sort_by_key(|seals| place(seals.key).unwrap_or(usize::MAX));
    let standing = |key: Option<Id>| match (key, place(key)) {
        (_, Some(0)) => "newest",
        (_, Some(_)) => "older",
        (Some(_), None) => "not in the file",
        (None, None) => "not named",
    };
    let shown = |key: Option<Id>| key.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let document: Value = seals
        .iter()
        .map(|seals| {
            json!({ "key": seals.key.map(|id| id.to_string()), "standing": standing(seals.key), "sealed": seals.count })
        })
        .collect();
    let rows: Vec<_> = seals
        .iter()
        .map(|seals| vec![shown(seals.key), standing(seals.key).to_owned(), seals.count.to_string()])
        .collect();
    output.table(&document, &["key", "standing", "sealed"], &rows)
}
