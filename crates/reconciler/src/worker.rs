//! The worker: it claims, hands each claim to a task of its own, keeps the leases alive and records the ends.
//!
//! Leavers have places of their own, so that five hundred waiting creations cannot keep one departure waiting.

use crate::act::{Interrupt, Job};
use crate::connectors::{ConnectorFactory, Connectors, NotReady};
use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::delivery::{DeliveryState, Lane, Outcome, Standing, next};
use rollcall_provisioning::ids::ResourceKind;
use rollcall_provisioning::time::Clock;
use rollcall_store::projection::{Claim, ClaimRequest, Recorded};
use rollcall_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its name, unique per process; people see it in attempts.
    pub worker: String,
    /// Deliveries at once, besides those of leavers.
    pub places: usize,
    /// Departures at once.
    pub leaver_places: usize,
    /// How long a claim holds without a sign of life. A dead worker's claims are free after this.
    pub lease: Duration,
    /// The longest time between two looks at the table; the net under the notifications.
    pub poll: Duration,
    /// The longest time that one delivery may take.
    pub limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            worker: "worker".to_owned(),
            places: 16,
            leaver_places: 4,
            lease: Duration::from_secs(10),
            poll: Duration::from_secs(2),
            limit: Duration::from_mins(2),
        }
    }
}

/// How often deleted resources are collected, and how many at once.
const TIDY_EVERY: Duration = Duration::from_mins(10);
const COLLECTED_AT_ONCE: i64 = 1_000;

/// The loop. Cheap to clone.
#[derive(Clone)]
pub struct Reconciler {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    connectors: Connectors,
    clock: Arc<dyn Clock>,
    options: Options,
}

/// A claim at work, and whether it sits on a leaver's place.
type AtWork = HashMap<Id, (Claim, Lane)>;

impl Reconciler {
    /// A loop over `store`, with connectors made by `factory`.
    pub fn new(store: Store, factory: Arc<dyn ConnectorFactory>, clock: Arc<dyn Clock>, options: Options) -> Self {
        let connectors = Connectors::new(store.clone(), factory);
        Self { shared: Arc::new(Shared { store, connectors, clock, options }) }
    }

    /// Works until `stop` is cancelled; then nothing new is claimed and what is under way is finished.
    pub async fn run(&self, stop: CancellationToken) {
        let bell = self.shared.store.local_dirty();
        let mut tasks = JoinSet::new();
        let mut at_work = AtWork::new();
        let mut beat = tokio::time::interval(self.shared.options.lease / 3);
        while !stop.is_cancelled() {
            // The bell is armed before the table is looked at, so that a mark that lands in between is heard.
            let rung = bell.notified();
            let claimed = match self.claim(&mut tasks, &mut at_work).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "deliveries could not be claimed");
                    0
                }
            };
            if claimed > 0 {
                continue;
            }
            let pause = self.pause().await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = rung => {}
                () = tokio::time::sleep(pause) => {}
                _ = beat.tick() => self.keep_alive(&at_work).await,
                Some(done) = tasks.join_next_with_id() => finish(done, &mut at_work),
            }
        }
        while let Some(done) = tasks.join_next_with_id().await {
            finish(done, &mut at_work);
        }
    }

    /// Removes what is deleted and no longer needed, from time to time, until `stop` is cancelled.
    pub async fn tidy(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.shared.store.collect(COLLECTED_AT_ONCE).await {
                Ok(0) => {}
                Ok(collected) => tracing::info!(collected, "deleted resources were collected"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "deleted resources were not collected");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(TIDY_EVERY) => {}
            }
        }
    }

    /// Claims for every free place and starts the work. Returns how many were claimed.
    async fn claim(&self, tasks: &mut JoinSet<()>, at_work: &mut AtWork) -> Result<usize, StoreError> {
        while let Some(done) = tasks.try_join_next_with_id() {
            finish(done, at_work);
        }
        let Options { places, leaver_places, .. } = self.shared.options;
        let taken = |lane| at_work.values().filter(|(_, place)| *place == lane).count();
        let free = [
            (Lane::Leaver, leaver_places.saturating_sub(taken(Lane::Leaver))),
            (Lane::Other, places.saturating_sub(taken(Lane::Other))),
        ];
        if free.iter().all(|(_, places)| *places == 0) {
            return Ok(0);
        }
        self.shared.connectors.refresh().await?;
        let mut claimed = 0;
        for (lane, limit) in free.into_iter().filter(|(_, limit)| *limit > 0) {
            let request = ClaimRequest {
                worker: &self.shared.options.worker,
                up_to: lane,
                limit: u32::try_from(limit).unwrap_or(u32::MAX),
                lease: self.shared.options.lease,
            };
            for claim in self.shared.store.claim(&request).await? {
                claimed += 1;
                let shared = Arc::clone(&self.shared);
                let task = tasks.spawn({
                    let claim = claim.clone();
                    async move { shared.work(&claim).await }
                });
                at_work.insert(task.id(), (claim, lane));
            }
        }
        Ok(claimed)
    }

    async fn keep_alive(&self, at_work: &AtWork) {
        let claims: Vec<Claim> = at_work.values().map(|(claim, _)| claim.clone()).collect();
        if claims.is_empty() {
            return;
        }
        if let Err(error) = self.shared.store.extend(&claims, self.shared.options.lease).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "leases could not be extended");
        }
    }

    /// Until the next delivery is due by itself, but no longer than the poll.
    async fn pause(&self) -> Duration {
        let due = self.shared.store.next_due().await.ok().flatten();
        due.map_or(self.shared.options.poll, |due| due.clamp(Duration::from_millis(5), self.shared.options.poll))
    }
}

fn finish(done: Result<(Id, ()), tokio::task::JoinError>, at_work: &mut AtWork) {
    match done {
        Ok((id, ())) => {
            at_work.remove(&id);
        }
        Err(error) => {
            // The claim runs out and the delivery is taken up again; the others never notice.
            let claim = at_work.remove(&error.id());
            let resource = claim.map(|(claim, _)| claim.resource.to_string());
            tracing::error!(resource, %error, "a delivery ended abnormally");
        }
    }
}

impl Shared {
    async fn work(&self, claim: &Claim) {
        let limit = self.options.limit;
        let end = match tokio::time::timeout(limit, self.deliver(claim)).await {
            Ok(end) => end,
            Err(_) => Ok((
                Outcome::Failed {
                    class: ErrorClass::Transient,
                    code: "took_too_long".to_owned(),
                    message: format!("The delivery was not done within {} seconds.", limit.as_secs()),
                    retry_after: None,
                },
                None,
            )),
        };
        let recorded = match end {
            Ok((outcome, version)) => self.record(claim, &outcome, version).await,
            Err(Interrupt::LostClaim) => Ok(()),
            Err(Interrupt::Store(error)) => {
                let resource = claim.resource.to_string();
                tracing::warn!(resource, error = &error as &dyn std::error::Error, "the database failed a delivery");
                self.record(claim, &database_failed(), None).await
            }
            Err(Interrupt::Stopped(error)) => self.stop_target(claim, &error).await,
        };
        if let Err(error) = recorded {
            let resource = claim.resource.to_string();
            tracing::error!(resource, error = &error as &dyn std::error::Error, "a delivery could not be recorded");
        }
    }

    /// Delivers one claim. The version that the target has at the end, if it has the resource's state.
    async fn deliver(&self, claim: &Claim) -> Result<(Outcome, Option<i64>), Interrupt> {
        let ready = match self.connectors.get(claim.target).await {
            Ok(ready) => ready,
            Err(NotReady::Store(error)) => return Err(error.into()),
            Err(error @ (NotReady::Factory(_) | NotReady::Gone)) => return Ok((not_ready(&error), None)),
        };
        let job = Job { store: &self.store, ready: &ready, claim, worker: &self.options.worker, now: self.clock.now() };
        match claim.kind {
            ResourceKind::OrgUnit => Ok((job.deliver_department().await?, None)),
            ResourceKind::User => {
                let loaded = self.store.load_user(claim).await?;
                match &loaded.user {
                    Some(user) if user.present => {
                        let outcome = job.deliver_account(&user.attributes, &loaded).await?;
                        let applied = matches!(outcome, Outcome::InStep).then_some(user.version);
                        Ok((outcome, applied))
                    }
                    user => {
                        let outcome = job.deliver_departure(&loaded).await?;
                        let applied =
                            matches!(outcome, Outcome::Gone).then_some(user.as_ref().map(|user| user.version));
                        Ok((outcome, applied.flatten()))
                    }
                }
            }
            // Roles and chats will be projected from groups; until then nobody marks one.
            ResourceKind::Group => Ok((Outcome::InStep, None)),
        }
    }

    async fn record(&self, claim: &Claim, outcome: &Outcome, version: Option<i64>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let seed = claim.resource.0.as_u64_pair().1;
        let standing = next(outcome, claim.attempt, now, seed);
        let recorded = self.store.record(claim, &standing, version).await?;
        let (resource, state) = (claim.resource.to_string(), standing.state.as_str());
        let (kind, code) = (claim.kind.as_str(), standing.error_code.as_deref());
        tracing::debug!(resource, kind, state, code, ?recorded, "delivery ended");
        if recorded == Recorded::LostClaim {
            return Ok(());
        }
        if standing.alert {
            tracing::warn!(resource, kind, code, tries = standing.attempt, "a delivery keeps failing");
            self.store.alert(claim, &standing).await?;
        }
        if matches!(standing.state, DeliveryState::InStep | DeliveryState::Gone) {
            self.store.clear_stop(claim.tenant, claim.target).await?;
            if let Some(since) = claim.dirty_since {
                let class = if standing.state == DeliveryState::Gone { "leaver" } else { "other" };
                let seconds = (now - since).as_seconds_f64().max(0.0);
                metrics::histogram!("rollcall_change_latency_seconds", "class" => class, "stage" => "received_to_applied")
                    .record(seconds);
            }
        }
        Ok(())
    }

    /// Nothing of the target works: it is stopped, and the delivery waits for it without blame.
    async fn stop_target(
        &self,
        claim: &Claim,
        error: &rollcall_provisioning::connector::ConnectorError,
    ) -> Result<(), StoreError> {
        let pause = error.retry_after.unwrap_or(Duration::from_mins(1));
        let reason = format!("{} {}", error.message, error.advice);
        tracing::error!(target_id = %claim.target, code = error.code, "sending is stopped");
        self.store.stop_target(claim.tenant, claim.target, pause, (&error.code, reason.trim())).await?;
        let standing = Standing {
            state: DeliveryState::Retrying,
            due_at: Some(self.clock.now()),
            attempt: claim.attempt,
            waiting_for: None,
            error_class: Some(error.class.as_str()),
            error_code: Some(error.code.clone()),
            reason: Some(reason),
            alert: false,
        };
        self.store.record(claim, &standing, None).await?;
        Ok(())
    }
}

/// The database failed in the middle, for example because two workers stood in each other's way. If it cannot even
/// record this, the lease runs out and the delivery is claimed again.
fn database_failed() -> Outcome {
    Outcome::Failed {
        class: ErrorClass::Transient,
        code: "database".to_owned(),
        message: "Rollcall's own database failed during this delivery; the server's log says how.".to_owned(),
        retry_after: None,
    }
}

fn not_ready(error: &NotReady) -> Outcome {
    Outcome::Failed {
        class: ErrorClass::Transient,
        code: "target_settings".to_owned(),
        message: format!("The target cannot be used: {error}."),
        retry_after: Some(Duration::from_secs(30)),
    }
}
