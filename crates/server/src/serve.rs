//! Running the server: HTTP, reconciler, signals, and an orderly end.

use crate::ask::Ask;
use crate::clock::{SystemClock, TimeOrderedIds};
use crate::config::{Config, Role};
use crate::connector::{Factory, Kinds, target_facts};
use crate::database::Database;
use crate::folder::{self, Readers};
use crate::http::{self, Limits};
use crate::keys::PublicKeys;
use crate::secrets::{MasterKeys, check_readable};
use crate::{simulate, telemetry};
use anyhow::Result;
use axum::Router;
use axum::routing::get;
use rollcall_api::auth::access_token::TokenKey;
use rollcall_api::{ApiConfig, ApiState, AuthenticationConfig, CursorKey};
use rollcall_reconciler::{Options, Reconciler};
use rollcall_store::Store;
use rollcall_store::wake::{Listener, Wake};
use rustix::process::{Pid, test_kill_process};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long open requests and deliveries may take to finish after the process was told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<Result<()>>,
}

/// Completes when the process is told to stop (SIGINT or SIGTERM).
pub(crate) async fn told_to_stop() {
    let wait = async |kind| match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
    }
}

/// `rollcall serve`.
pub(crate) async fn run(config: &Config) -> Result<()> {
    folder::make(&config.data_dir)?;
    let announcement = config.data_dir.join("server.json");
    if !is_of_another_server(&announcement) {
        folder::remove(&announcement)?;
    }
    let database = Database::open_migrated(config).await?;
    let server = Server::start(config, &database.store).await?;
    let about = serde_json::json!({ "listen": server.address, "pid": std::process::id() });
    folder::announce(&announcement, &about.to_string(), Readers::Everybody)?;
    tracing::info!(listen = %server.address, role = ?config.role, "ready");
    told_to_stop().await;
    tracing::info!("stopping");
    server.stop().await;
    folder::remove(&announcement)?;
    database.close().await
}

/// Whether the announcement is that of a server that runs: this one has yet to find out that there is no place for it.
fn is_of_another_server(announcement: &Path) -> bool {
    let about =
        std::fs::read(announcement).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    let pid = about.and_then(|about| about.get("pid")?.as_i64()).and_then(|pid| i32::try_from(pid).ok());
    pid.and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid).is_ok())
}

impl Server {
    /// Starts the parts that the role asks for.
    pub(crate) async fn start(config: &Config, store: &Store) -> Result<Self> {
        let metrics = telemetry::start_metrics()?;
        let listener = simulate::listen(config.listen).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let keys = master_keys(config, store).await?;
        let api = api_state(config, store, &keys)?;
        let serves_api = config.role != Role::Worker;
        let works = config.role != Role::Api;
        let mut router = if serves_api { full_router(&keys, &api) } else { rollcall_api::health_router(api.clone()) };
        router = router.route("/metrics", get(async move || metrics.render()));
        let other_sockets = (config.database_connections as usize).saturating_add(config.places);
        tasks.spawn(http::serve(listener, router, Limits::for_process(other_sockets), stop.clone()));
        if serves_api {
            tasks.spawn(last_uses(api.clone(), stop.clone()));
        }
        tasks.spawn(signals(store.clone(), stop.clone()));
        tasks.spawn(hear(store.listen().await?, store.clone(), api, stop.clone()));
        if works {
            let reconciler = reconciler(config, store, &keys)?;
            let tidying = (reconciler.clone(), stop.clone());
            tasks.spawn(async move {
                tidying.0.tidy(tidying.1).await;
                Ok(())
            });
            let scanning = (reconciler.clone(), stop.clone());
            tasks.spawn(async move {
                scanning.0.scan(scanning.1).await;
                Ok(())
            });
            let stop = stop.clone();
            tasks.spawn(async move {
                reconciler.run(stop).await;
                Ok(())
            });
        }
        Ok(Self { address, stop, tasks })
    }

    /// Claims nothing new, finishes what is under way, and ends.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let finish = async {
            while let Some(ended) = self.tasks.join_next().await {
                match ended {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!("a part of the server failed: {error:#}"),
                    Err(error) => tracing::error!(%error, "a part of the server ended abnormally"),
                }
            }
        };
        if tokio::time::timeout(GRACE, finish).await.is_err() {
            tracing::warn!("some work was not finished in time; it will be taken up again");
        }
    }
}

/// The master keys; a new one is made for a database in which nothing is sealed yet.
async fn master_keys(config: &Config, store: &Store) -> Result<Arc<MasterKeys>> {
    let path = config.master_key_path();
    check_readable(store, MasterKeys::load(&path)?.as_deref(), &path).await?;
    MasterKeys::load_or_create(&path)
}

fn api_state(config: &Config, store: &Store, keys: &Arc<MasterKeys>) -> Result<ApiState> {
    if config.allow_local_key_urls {
        tracing::warn!(
            "allow_local_key_urls is on: whoever sets up a source can make this server ask any local address"
        );
    }
    let api = ApiConfig {
        public_url: config.public_url.clone(),
        target: target_facts(),
        kinds: Arc::new(Kinds { keys: Arc::clone(keys), any_host: config.allow_other_target_urls }),
        targets: Arc::new(Ask(Factory { keys: Arc::clone(keys), budget: Arc::new(store.clone()) })),
        cursor_key: CursorKey::new(keys.signing("cursors of lists")),
        authentication: AuthenticationConfig {
            trusted_proxies: config.trusted_proxies()?,
            source_rate: config.source_rate(),
            token_key: Arc::new(TokenKey::new(keys.signing("access tokens"))),
            keys: Arc::new(PublicKeys::new(config.allow_local_key_urls)?),
        },
    };
    Ok(ApiState::new(store.clone(), api, Arc::new(SystemClock), Arc::new(TimeOrderedIds)))
}

fn full_router(keys: &Arc<MasterKeys>, api: &ApiState) -> Router {
    // Derived, so that a restart ends no session and several processes share them.
    let session_keys = keys.signing("console sessions");
    rollcall_api::router(api.clone()).merge(rollcall_console::router(api.clone(), session_keys))
}

fn reconciler(config: &Config, store: &Store, keys: &Arc<MasterKeys>) -> Result<Reconciler> {
    let factory = Factory { keys: Arc::clone(keys), budget: Arc::new(store.clone()) };
    let worker = format!("worker-{}-{:08x}", std::process::id(), u32::from_be_bytes(crate::secrets::random()?));
    let options = Options { worker, places: config.places, ..Options::default() };
    Ok(Reconciler::new(store.clone(), Arc::new(factory), Arc::new(SystemClock), options))
}

async fn last_uses(api: ApiState, stop: CancellationToken) -> Result<()> {
    rollcall_api::auth::last_use::run(api, stop.cancelled_owned()).await;
    Ok(())
}

async fn signals(store: Store, stop: CancellationToken) -> Result<()> {
    store.run_signal(stop.cancelled_owned()).await;
    Ok(())
}

/// Passes on what other processes say. A lost connection is made again; while there is none, polling and the short
/// life of remembered credentials stand in. A new connection says everything once, since it may have missed some.
async fn hear(mut listener: Listener, store: Store, api: ApiState, stop: CancellationToken) -> Result<()> {
    let bell = store.local_dirty();
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            heard = listener.next() => heard,
        };
        match heard {
            Ok(Wake::Dirty) => bell.notify_one(),
            Ok(Wake::Credentials) => api.credentials().invalidate_all(),
            Ok(Wake::Rules) => api.rules().invalidate_all(),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "other processes cannot be heard");
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_runs_has_an_announcement() {
        let file = std::env::temp_dir().join(format!("rollcall-announcement-{}", std::process::id()));
        let mut gone = std::process::Command::new("true").spawn().expect("a process");
        gone.wait().expect("its end");
        let about = |pid: u32| format!("{{\"listen\":\"127.0.0.1:1\",\"pid\":{pid}}}");
        for (text, runs) in [(about(std::process::id()), true), (about(gone.id()), false), ("{".to_owned(), false)] {
            std::fs::write(&file, &text).expect("written");
            assert_eq!(is_of_another_server(&file), runs, "{text}");
        }
        std::fs::remove_file(&file).expect("removed");
        assert!(!is_of_another_server(&file));
    }
}
