//! Tenants, sources, credentials, operators, and the schema.

use rollcall_provisioning::ids::{CredentialId, TenantId};
use rollcall_scim::profile::Profile;
use rollcall_store::credentials::clients::NewOauthClient;
use rollcall_store::credentials::{CredentialKind, LISTED_DEAD, NewCredential, NewProof, Owner};
use rollcall_store::sources::{MAX_SOURCES, SetUpBy};
use rollcall_store::{StoreError, Uniqueness};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::fixture::{Fixture, together};

fn token(source: rollcall_provisioning::ids::SourceId, expires_at: Option<OffsetDateTime>) -> NewCredential<'static> {
    NewCredential {
        owner: Owner::Source(source),
        kind: CredentialKind::Token,
        proof: NewProof::Secret([7; 32]),
        label: "token",
        scopes: None,
        expires_at,
        by: (SetUpBy::CommandLine, "test"),
    }
}

#[tokio::test]
async fn names_are_unique_where_they_must_be() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let conflict = |error: StoreError| match error {
        StoreError::Conflict(uniqueness) => Some(uniqueness),
        _ => None,
    };
    let other = f.store.create_tenant("umbrella").await?.id;
    let again = f.store.create_tenant("acme").await.err().and_then(conflict);
    assert_eq!(again, Some(Uniqueness::TenantName));
    let again = f.store.create_source(f.tenant, "okta", &Profile::strict()).await.err().and_then(conflict);
    assert_eq!(again, Some(Uniqueness::SourceName));
    f.store.create_source(other, "okta", &Profile::strict()).await?;
    f.store.create_operator(f.tenant, "ada", "hash").await?;
    let again = f.store.create_operator(other, "ada", "hash").await.err().and_then(conflict);
    assert_eq!(again, Some(Uniqueness::OperatorName), "operators type nothing but their name");
    f.target("one").await?;
    let again = f.target("one").await.err().and_then(|error| error.downcast::<StoreError>().ok()).and_then(conflict);
    assert_eq!(again, Some(Uniqueness::TargetName));

    let names: Vec<String> = f.store.tenants().await?.into_iter().map(|tenant| tenant.name).collect();
    assert_eq!(names, ["acme", "umbrella"]);
    assert_eq!(f.store.tenant_by_name("acme").await?.map(|tenant| tenant.id), Some(f.tenant));
    assert!(f.store.tenant_by_name("ACME").await?.is_none());
    let found = f.store.source_by_name(other, "okta").await?;
    assert_eq!(found.map(|source| source.profile), Some(Profile::strict()));
    assert_eq!(f.store.sources(f.tenant).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_source_of_nobody_is_refused() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let nobody = TenantId(Uuid::from_u128(1));
    let refused = f.store.create_source(nobody, "okta", &Profile::generic()).await;
    assert!(matches!(refused, Err(StoreError::Unknown { what: "tenant" })), "{refused:?}");
    let refused = f.store.add_credential(nobody, token(f.source, None)).await;
    assert!(matches!(refused, Err(StoreError::Unknown { what: "source" })), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn a_tenant_has_so_many_sources_and_no_more_whoever_comes_at_once() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let other = f.store.create_tenant("umbrella").await?.id;
    let more = (0..MAX_SOURCES + 4).map(|number| {
        let (store, tenant) = (f.store.clone(), f.tenant);
        async move { store.create_source(tenant, &format!("s{number}"), &Profile::generic()).await }
    });
    let ends = together(more).await;
    let refused: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
    let full = |error: &StoreError| matches!(error, StoreError::Full { limit: MAX_SOURCES, .. });
    assert!(refused.len() == 5 && refused.iter().all(full), "one was there before: {refused:?}");
    assert_eq!(i64::try_from(f.store.sources(f.tenant).await?.len())?, MAX_SOURCES);
    f.store.create_source(other, "okta", &Profile::generic()).await?;
    Ok(())
}

#[tokio::test]
async fn a_profile_nobody_knows_is_told_not_guessed() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    sqlx::query("UPDATE sources SET profile = 'of the future'").execute(f.database.pool()).await?;
    let told = f.store.sources(f.tenant).await;
    let id = f.source.0;
    assert!(
        matches!(told, Err(StoreError::Corrupt { table: "sources", column: "profile", id: row }) if row == id),
        "{told:?}"
    );
    Ok(())
}

#[tokio::test]
async fn operators_change_their_password() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.store.create_operator(f.tenant, "ada", "old").await?;
    assert!(f.store.set_operator_password(f.tenant, ada.id, "new").await?);
    assert!(!f.store.set_operator_password(TenantId(Uuid::from_u128(1)), ada.id, "theirs").await?);
    let found = f.store.operator("ada").await?;
    assert_eq!(found.as_ref().map(|operator| operator.password_hash.as_str()), Some("new"));
    assert!(!format!("{found:?}").contains("new"), "hashes are not printed");
    Ok(())
}

#[tokio::test]
async fn at_most_two_credentials_of_a_source_are_live() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let now = f.store.tenants().await?[0].created_at;
    let first = f.store.add_credential(f.tenant, token(f.source, Some(now + Duration::HOUR))).await?;
    f.store.add_credential(f.tenant, token(f.source, None)).await?;
    let third = f.store.add_credential(f.tenant, token(f.source, None)).await;
    assert!(matches!(third, Err(StoreError::TooManyLive { limit: 2, .. })), "{third:?}");
    for _ in 0..3 {
        let api = NewCredential { owner: Owner::Api, ..token(f.source, None) };
        f.store.add_credential(f.tenant, api).await?;
    }

    assert!(f.store.revoke_credential(f.tenant, first, (SetUpBy::CommandLine, "test")).await?);
    assert!(!f.store.revoke_credential(f.tenant, first, (SetUpBy::CommandLine, "test")).await?, "once is enough");
    let short = f.store.add_credential(f.tenant, token(f.source, Some(now + Duration::MINUTE))).await?;
    f.clock.advance(std::time::Duration::from_mins(2));
    let fourth = f.store.add_credential(f.tenant, token(f.source, None)).await?;
    let listed: Vec<CredentialId> = f.store.credentials(f.tenant).await?.iter().map(|entry| entry.id).collect();
    assert_eq!(listed.first(), Some(&fourth), "newest first");
    assert!(listed.contains(&short) && listed.contains(&first), "also those that are not live");
    Ok(())
}

#[tokio::test]
async fn two_credentials_stay_two_when_added_at_the_same_time() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let adding = (0..10).map(|_| {
        let (store, tenant, credential) = (f.store.clone(), f.tenant, token(f.source, None));
        async move { store.add_credential(tenant, credential).await }
    });
    let ends = together(adding).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 2);
    assert_eq!(ends.iter().filter(|end| matches!(end, Err(StoreError::TooManyLive { limit: 2, .. }))).count(), 8);
    Ok(())
}

#[tokio::test]
async fn tokens_of_the_rest_api_and_oauth_clients_are_bounded_and_so_are_their_lists() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let by = (SetUpBy::CommandLine, "test");
    let api = NewCredential { owner: Owner::Api, ..token(f.source, None) };
    let client = NewOauthClient { source: f.source, label: "x", scopes: None, token_seconds: 3_600, by };
    let mut tokens = Vec::new();
    for _ in 0..50 {
        tokens.push(f.store.add_credential(f.tenant, api).await?);
    }
    let refused = f.store.add_credential(f.tenant, api).await;
    assert!(matches!(refused, Err(StoreError::TooManyLive { limit: 50, .. })), "{refused:?}");
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(f.store.add_oauth_client(f.tenant, client).await?);
    }
    let refused = f.store.add_oauth_client(f.tenant, client).await;
    assert!(matches!(refused, Err(StoreError::TooManyLive { limit: 20, .. })), "{refused:?}");

    // The oldest ones stay in the list while they live, and leave it some time after they were revoked.
    for dead in 1..=LISTED_DEAD + 1 {
        assert!(f.store.revoke_credential(f.tenant, tokens[1], by).await?);
        assert!(f.store.revoke_oauth_client(f.tenant, clients[1], by).await?);
        tokens[1] = f.store.add_credential(f.tenant, api).await?;
        clients[1] = f.store.add_oauth_client(f.tenant, client).await?;
        let listed = f.store.credentials(f.tenant).await?;
        assert_eq!(i64::try_from(listed.len())?, 50 + dead.min(LISTED_DEAD));
        assert!(listed.iter().any(|entry| entry.id == tokens[0]), "the oldest one lives");
        assert_eq!(i64::try_from(f.store.oauth_clients(f.tenant).await?.len())?, 20 + dead.min(LISTED_DEAD));
    }
    Ok(())
}

#[tokio::test]
async fn a_credential_knows_its_source_and_its_last_use() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let id = f.store.add_credential(f.tenant, token(f.source, None)).await?;
    let now = f.store.tenants().await?[0].created_at;
    let later = now + Duration::SECOND;
    f.store.touch_credentials(&[]).await?;
    f.store.touch_credentials(&[(f.tenant, id, now), (f.tenant, id, later)]).await?;
    f.store.touch_credentials(&[(f.tenant, id, now)]).await?;
    let found = f.store.credential(f.tenant, id).await?;
    let found = found.ok_or_else(|| anyhow::anyhow!("the credential is gone"))?;
    assert_eq!(found.last_used_at, Some(later), "an older use does not replace a newer one");
    assert_eq!(found.secret_hash, Some([7; 32]));
    assert_eq!(found.source.map(|source| (source.id, source.name)), Some((f.source, "okta".to_owned())));
    assert!(f.store.credential(TenantId(Uuid::from_u128(1)), id).await?.is_none(), "never across tenants");
    Ok(())
}

#[tokio::test]
async fn the_schema_is_known_or_told() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.store.check_schema().await?;
    f.store.migrate().await?;
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
        .execute(f.database.pool())
        .await?;
    let told = f.store.check_schema().await;
    assert!(matches!(told, Err(StoreError::Schema { found: Some(_), needed: Some(_) })), "{told:?}");
    sqlx::query("DROP TABLE _sqlx_migrations").execute(f.database.pool()).await?;
    let told = f.store.check_schema().await;
    assert!(matches!(told, Err(StoreError::Schema { found: None, needed: Some(_) })), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn a_closed_store_is_not_available() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.store.close().await;
    assert!(matches!(f.store.tenants().await, Err(StoreError::Unavailable(_))));
    Ok(())
}
