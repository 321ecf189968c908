//! Sources: set up, listed, and how their clients are understood.

use super::chosen_tenant;
use super::output::Output;
use super::setup::{BY, taken};
use crate::cli::SourceCommand;
use anyhow::{Context, Result, bail, ensure};
use rollcall_api::services::sources::{self, SourceChange};
use rollcall_scim::profile::{Overrides, Profile, Switch};
use rollcall_store::Store;
use rollcall_store::sources::Source;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

pub(super) async fn source(command: SourceCommand, store: &Store, output: &Output) -> Result<()> {
    match command {
        SourceCommand::Create { name, profile, tenant: which } => {
            let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
            let profile = named(&profile)?;
            let made = store.create_source(tenant.id, &name, &profile).await.map_err(|error| taken(error, &name))?;
            output.result(&document(&made), || format!("Source {name} speaks as {}.", made.profile.name))?;
        }
        SourceCommand::Set { name, profile, switches, resets, tenant: which } => {
            let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
            let change = SourceChange {
                profile: profile.as_deref().map(named).transpose()?,
                reset_all: false,
                overrides: overrides(&switches, &resets)?,
            };
            ensure!(
                change != SourceChange::default(),
                "nothing is to be changed: name a --profile, --switch or --reset"
            );
            let missing = || format!("tenant {} has no source {name:?}", tenant.name);
            let source = store.source_by_name(tenant.id, &name).await?.with_context(missing)?;
            sources::change(store, tenant.id, source.id, BY, &change).await?;
            let source = store.source_by_name(tenant.id, &name).await?.with_context(missing)?;
            output.result(&document(&source), || match listed(&source.overrides) {
                None => format!("Source {name} speaks as {}.", source.profile.name),
                Some(overrides) => format!("Source {name} speaks as {}, but with {overrides}.", source.profile.name),
            })?;
        }
        SourceCommand::List(which) => {
            let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
            let sources = store.sources(tenant.id).await?;
            let row = |source: &Source| {
                let overrides = listed(&source.overrides).unwrap_or_else(|| "-".to_owned());
                let heard = last_heard(source).unwrap_or_else(|| "never".to_owned());
                vec![source.name.clone(), source.profile.name.to_owned(), overrides, heard]
            };
            let document = sources.iter().map(document).collect();
            let rows: Vec<_> = sources.iter().map(row).collect();
            output.table(&document, &["name", "profile", "overrides", "last heard"], &rows)?;
        }
    }
    Ok(())
}

fn document(source: &Source) -> Value {
    json!({
        "id": source.id.0, "name": source.name, "profile": source.profile.name,
        "overrides": source.overrides.to_json(), "last_heard_at": last_heard(source),
    })
}

fn last_heard(source: &Source) -> Option<String> {
    source.last_heard_at.and_then(|at| at.format(&Rfc3339).ok())
}

fn named(name: &str) -> Result<Profile> {
    Profile::named(name).with_context(|| {
        let known = Profile::names().collect::<Vec<_>>().join(", ");
        format!("there is no profile {name:?}; the profiles are {known}")
    })
}

/// The overrides as they are typed; `None` if there are none.
fn listed(overrides: &Overrides) -> Option<String> {
    let typed: Vec<String> = overrides.iter().map(|(switch, position)| format!("{}={position}", switch.name)).collect();
    (!typed.is_empty()).then(|| typed.join(", "))
}

/// What is typed of switches, as the merge patch of a change.
fn overrides(switches: &[String], resets: &[String]) -> Result<Map<String, Value>> {
    let mut patch = Map::new();
    let mut add = |name: &str, value: Value| {
        if patch.insert(name.to_owned(), value).is_some() {
            bail!("the switch {name} is named twice");
        }
        Ok(())
    };
    for text in switches {
        let (name, word) = text.split_once('=').with_context(|| format!("{text:?} is not of the form name=value"))?;
        add(name, Switch::named(name)?.parse_word(word)?.to_json())?;
    }
    for name in resets {
        add(Switch::named(name)?.name, Value::Null)?;
    }
    Ok(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(switches: &[&str], resets: &[&str]) -> Result<Value> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        overrides(&owned(switches), &owned(resets)).map(Value::Object)
    }

    #[test]
    fn switches_are_typed_as_name_and_value() {
        let patch = typed(&["string_booleans=false", "manager_by=externalId"], &["restore_on_post"]).expect("a patch");
        assert_eq!(patch, json!({ "string_booleans": false, "manager_by": "externalId", "restore_on_post": null }));
        for (switches, resets, told) in [
            (&["string_booleans"][..], &[][..], "not of the form name=value"),
            (&["stringBooleans=true"], &[], "there is no switch \"stringBooleans\"; the switches are"),
            (&["string_booleans=yes"], &[], "cannot be \"yes\"; it can be true or false"),
            (&["manager_by="], &[], "it can be id, externalId, employeeNumber"),
            (&[], &["nope"], "there is no switch \"nope\""),
            (&["string_booleans=true"], &["string_booleans"], "string_booleans is named twice"),
            (&["string_booleans=true", "string_booleans=false"], &[], "string_booleans is named twice"),
        ] {
            let error = typed(switches, resets).expect_err("a refusal").to_string();
            assert!(error.contains(told), "{switches:?} {resets:?}: {error}");
        }
    }
}
