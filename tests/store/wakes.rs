//! Waking workers, in this process and in others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use rollcall_store::credentials::{CredentialKind, NewCredential, NewProof, Owner};
use rollcall_store::sources::SetUpBy;
use rollcall_store::wake::{Listener, Wake};
use rollcall_tests::wait_until;
use serde_json::json;

use crate::fixture::Fixture;

const PATIENCE: Duration = Duration::from_secs(20);

fn token(owner: Owner) -> NewCredential<'static> {
    NewCredential {
        owner,
        kind: CredentialKind::Token,
        proof: NewProof::Secret([0; 32]),
        label: "t",
        scopes: None,
        expires_at: None,
        by: (SetUpBy::CommandLine, "test"),
    }
}

async fn next(listener: &mut Listener) -> anyhow::Result<Wake> {
    Ok(tokio::time::timeout(PATIENCE, listener.next()).await.context("nothing was heard")??)
}

#[tokio::test]
async fn a_write_wakes_workers_here_and_elsewhere() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut listener = f.store.listen().await?;
    f.target("one").await?;
    let local = f.store.local_dirty();
    for name in ["x", "y", "z"] {
        f.person(name).await?;
    }
    tokio::time::timeout(PATIENCE, local.notified()).await.context("nobody was woken here")?;

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let signal = async {
        f.store.run_signal(async { drop(stopped.await) }).await;
        anyhow::Ok(())
    };
    let story = async {
        assert_eq!(next(&mut listener).await?, Wake::Dirty, "the rings before the loop were kept");
        let credential = token(Owner::Api);
        f.store.add_credential(f.tenant, credential).await?;
        assert_eq!(next(&mut listener).await?, Wake::Credentials, "many rings are one notification");
        let ada = f.person("ada").await?;
        tokio::time::timeout(PATIENCE, local.notified()).await.context("nobody was woken here")?;
        assert_eq!(next(&mut listener).await?, Wake::Dirty);
        f.set(ada.id, json!({ "title": "x" })).await?;
        assert_eq!(next(&mut listener).await?, Wake::Dirty);
        f.delete(ada.id).await?;
        assert_eq!(next(&mut listener).await?, Wake::Dirty);
        drop(stop);
        Ok(())
    };
    tokio::try_join!(signal, story)?;
    Ok(())
}

#[tokio::test]
async fn without_a_target_nobody_is_woken() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let local = f.store.local_dirty();
    f.person("ada").await?;
    let woken = std::pin::pin!(local.notified());
    assert!(futures_ready(woken).is_none());
    Ok(())
}

/// What a future has ready now, without waiting.
fn futures_ready<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_revoked_credential_is_told_to_all() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut listener = f.store.listen().await?;
    let credential = token(Owner::Source(f.source));
    let id = f.store.add_credential(f.tenant, credential).await?;
    assert_eq!(next(&mut listener).await?, Wake::Credentials);
    f.store.revoke_credential(f.tenant, id, (SetUpBy::CommandLine, "test")).await?;
    assert_eq!(next(&mut listener).await?, Wake::Credentials);
    Ok(())
}

#[tokio::test]
async fn a_listener_that_was_cut_off_catches_up() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut listener = f.store.listen().await?;
    let cut = AtomicBool::new(false);
    wait_until(PATIENCE, "the listening connection is there", async || {
        let ended: Vec<bool> = sqlx::query_scalar(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND query ILIKE 'LISTEN%'",
        )
        .fetch_all(f.database.pool())
        .await?;
        cut.fetch_or(ended.contains(&true), Ordering::Relaxed);
        Ok(cut.load(Ordering::Relaxed).then_some(()))
    })
    .await?;
    let heard = wait_until(PATIENCE, "the listener has come back", async || Ok(listener.next().await.ok())).await?;
    let mut all = vec![heard];
    while all.len() < Wake::ALL.len() {
        all.push(next(&mut listener).await?);
    }
    assert_eq!(all, Wake::ALL, "what was said meanwhile is not known");
    let credential = token(Owner::Api);
    f.store.add_credential(f.tenant, credential).await?;
    assert_eq!(next(&mut listener).await?, Wake::Credentials, "and it hears again");
    Ok(())
}
