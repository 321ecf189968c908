//! Sources: their profile and overrides, changed while credentials are in use.

use std::time::Duration;

use anyhow::Context;
use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::profile::{ManagerBy, Overrides, Profile};
use rollcall_store::StoreError;
use rollcall_store::credentials::{CredentialKind, NewCredential, NewProof, Owner};
use rollcall_store::sources::{SetUpBy, Source};
use rollcall_store::wake::Wake;
use rollcall_store::write::{UpdateError, Updated};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Fixture, Never, START, together};

const BY: (SetUpBy, &str) = (SetUpBy::CommandLine, "test");

fn overrides(value: &Value) -> Overrides {
    Overrides::parse(value).unwrap_or_default()
}

async fn change(f: &Fixture, profile: Profile, switches: Value) -> Result<Updated<Source>, UpdateError<Never>> {
    f.store.change_source(f.tenant, f.source, BY, |_| Ok((profile, overrides(&switches)))).await
}

async fn entries(f: &Fixture) -> anyhow::Result<Vec<Value>> {
    let details = sqlx::query_scalar("SELECT details FROM changes WHERE resource_kind = 'source' ORDER BY id");
    Ok(details.fetch_all(f.database.pool()).await?)
}

#[tokio::test]
async fn a_credential_speaks_with_the_switches_of_its_source() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let token = NewCredential {
        owner: Owner::Source(f.source),
        kind: CredentialKind::Token,
        proof: NewProof::Secret([7; 32]),
        label: "t",
        scopes: None,
        expires_at: None,
        by: BY,
    };
    let id = f.store.add_credential(f.tenant, token).await?;
    let speaks = async || {
        let found = f.store.credential(f.tenant, id).await?.and_then(|credential| credential.source);
        anyhow::Ok(found.context("a source")?.profile)
    };
    assert_eq!(speaks().await?, Profile::generic());
    let made = change(&f, Profile::strict(), json!({ "manager_by": "externalId" })).await;
    let made = made.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    assert!(made.changed);
    let wanted = Profile { manager_by: ManagerBy::ExternalId, ..Profile::strict() };
    assert_eq!((speaks().await?, made.value.effective()), (wanted, wanted));
    let read = f.store.source(f.tenant, f.source).await?.context("the source")?;
    assert_eq!(read, made.value);
    assert_eq!(read.last_heard_at, None);
    let heard = START;
    f.store.touch_credentials(&[(f.tenant, id, heard)]).await?;
    let read = f.store.source_by_name(f.tenant, "okta").await?.context("the source")?;
    assert_eq!(read.last_heard_at, Some(heard));
    assert_eq!(f.store.sources(f.tenant).await?, [read]);
    Ok(())
}

#[tokio::test]
async fn a_change_is_told_and_kept_and_none_is_neither() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut listener = f.store.listen().await?;
    let failed = |error| anyhow::anyhow!("{error:?}");
    assert!(!change(&f, Profile::generic(), json!({})).await.map_err(failed)?.changed);
    assert_eq!(entries(&f).await?, Vec::<Value>::new());
    assert!(change(&f, Profile::generic(), json!({ "string_booleans": false })).await.map_err(failed)?.changed);
    let heard = tokio::time::timeout(Duration::from_secs(20), listener.next()).await.context("nothing was heard")??;
    assert_eq!(heard, Wake::Credentials);
    assert!(change(&f, Profile::strict(), json!({ "string_booleans": true })).await.map_err(failed)?.changed);
    assert!(change(&f, Profile::strict(), json!({})).await.map_err(failed)?.changed);
    let (by, moved) =
        ("command line", |from: Value, to: Value| json!({ "string_booleans": { "from": from, "to": to } }));
    assert_eq!(
        entries(&f).await?,
        [
            json!({ "by": by, "switches": moved(Value::Null, false.into()) }),
            json!({ "by": by, "profile": { "from": "generic", "to": "strict" }, "switches": moved(false.into(), true.into()) }),
            json!({ "by": by, "switches": moved(true.into(), Value::Null) }),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn nobody_elses_source_is_changed_and_a_refusal_changes_nothing() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let nobody = TenantId(Uuid::from_u128(1));
    let anything = |_: &Source| Ok::<_, Never>((Profile::strict(), Overrides::default()));
    for (tenant, source) in [(nobody, f.source), (f.tenant, SourceId(Uuid::from_u128(2)))] {
        let told = f.store.change_source(tenant, source, BY, anything).await;
        assert!(matches!(told, Err(UpdateError::NotFound)), "{told:?}");
        assert_eq!(f.store.source(tenant, source).await?, None);
    }
    let told = f.store.change_source(f.tenant, f.source, BY, |_| Err(())).await;
    assert!(matches!(told, Err(UpdateError::Refused(()))), "{told:?}");
    let source = f.store.source(f.tenant, f.source).await?.context("the source")?;
    assert_eq!(source.effective(), Profile::generic());
    Ok(())
}

/// Each moves one switch, from what it has read.
#[tokio::test]
async fn changes_at_the_same_time_do_not_undo_each_other() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let names = ["string_booleans", "create_on_no_match", "dangling_members", "restore_on_post", "scim_1_schemas"];
    let moves = names.map(|name| {
        let (store, tenant, source) = (f.store.clone(), f.tenant, f.source);
        Box::pin(async move {
            let patch = json!({ (name): false });
            let add = |source: &Source| {
                let patch = patch.as_object().ok_or(())?;
                Ok::<_, ()>((source.profile, source.overrides.merged(patch).map_err(|_| ())?))
            };
            store.change_source(tenant, source, BY, add).await.map_err(|error| format!("{error:?}"))
        })
    });
    for moved in together(moves).await {
        assert!(moved.map_err(anyhow::Error::msg)?.changed);
    }
    let source = f.store.source(f.tenant, f.source).await?.context("the source")?;
    assert_eq!(source.overrides.iter().count(), names.len());
    Ok(())
}

#[tokio::test]
async fn an_override_nobody_knows_is_told_not_guessed() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    for unknown in [r#"{"of_the_future": true}"#, r#"{"manager_by": "star_sign"}"#, "[]"] {
        sqlx::query("UPDATE sources SET overrides = $1::jsonb").bind(unknown).execute(f.database.pool()).await?;
        let told = f.store.source(f.tenant, f.source).await;
        let id = f.source.0;
        assert!(
            matches!(told, Err(StoreError::Corrupt { table: "sources", column: "overrides", id: row }) if row == id),
            "{unknown}: {told:?}"
        );
    }
    Ok(())
}
