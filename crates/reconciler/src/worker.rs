//! The worker: it claims, hands each claim to a task of its own, keeps the leases alive and ends in order.
//!
//! Leavers have places of their own, so that five hundred waiting creations cannot keep one departure waiting.

use crate::connectors::{ConnectorFactory, Connectors};
use crate::delivery::Shared;
use crate::lease::{AtWork, Desk, while_held};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::ids::TargetId;
use rollcall_provisioning::time::Clock;
use rollcall_store::projection::{Claim, ClaimRequest};
use rollcall_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
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
    /// How many people a survey reads, judges and keeps at once: few enough that nobody waits long for one of the rows.
    pub page: u32,
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
            page: 1_000,
        }
    }
}

/// How often deleted resources are collected, and how many at once.
const TIDY_EVERY: Duration = Duration::from_mins(10);
const COLLECTED_AT_ONCE: i64 = 1_000;
const ERASED_AT_ONCE: i64 = 100;
/// How long a survey that failed is left alone.
const SURVEY_AGAIN: Duration = Duration::from_secs(5);

/// The loop. Cheap to clone.
#[derive(Clone)]
pub struct Reconciler {
    pub(crate) shared: Arc<Shared>,
}

/// What one run of the loop holds.
struct Run {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    desk: Desk,
    /// When the leases are extended next.
    beat: Instant,
}

impl Reconciler {
    /// A loop over `store`, with connectors made by `factory`.
    pub fn new(store: Store, factory: Arc<dyn ConnectorFactory>, clock: Arc<dyn Clock>, options: Options) -> Self {
        let connectors = Connectors::new(store.clone(), factory);
        Self { shared: Arc::new(Shared { store, connectors, clock, options }) }
    }

    /// Works until `stop` is cancelled; then nothing new is claimed and what is under way is finished.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::join!(self.deliver(&stop), self.survey(&stop));
    }

    /// Goes on with surveys whenever there is one.
    async fn survey(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.shared.connectors.surveyed() => {}
            }
            if let Err(error) = self.shared.survey(stop).await {
                tracing::error!(error = &error as &dyn std::error::Error, "a survey did not come to its end");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(SURVEY_AGAIN) => {}
                }
            }
        }
    }

    async fn deliver(&self, stop: &CancellationToken) {
        let bell = self.shared.store.local_dirty();
        let mut run =
            Run { shared: Arc::clone(&self.shared), tasks: JoinSet::new(), desk: Desk::new(), beat: Instant::now() };
        while !stop.is_cancelled() {
            // The bell is armed before the table is looked at, so that a mark that lands in between is heard.
            let rung = bell.notified();
            run.keep_alive().await;
            let claimed = run.claim().await.unwrap_or_else(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "deliveries could not be claimed");
                0
            });
            if claimed > 0 {
                continue;
            }
            let free = run.free_places().iter().any(|(_, places)| *places > 0);
            let pause = if free { self.pause().await } else { Duration::MAX };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep_until(run.beat) => {}
                Some(done) = run.tasks.join_next_with_id() => run.finish(done),
                () = rung, if free => {}
                () = sleep(pause), if free => {}
            }
        }
        while !run.desk.is_empty() {
            run.keep_alive().await;
            tokio::select! {
                () = sleep_until(run.beat) => {}
                Some(done) = run.tasks.join_next_with_id() => run.finish(done),
            }
        }
    }

    /// Removes what is deleted and no longer needed, erases whose days are over, and looks again for successors whom nobody
    /// knew, from time to time, until `stop` is cancelled.
    pub async fn tidy(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.tidy_up(&stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(TIDY_EVERY) => {}
            }
        }
    }

    async fn tidy_up(&self, stop: &CancellationToken) {
        let store = &self.shared.store;
        if let Err(error) = store.expire_first_passwords(COLLECTED_AT_ONCE).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "first passwords were not forgotten");
        }
        match store.collect(COLLECTED_AT_ONCE).await {
            Ok(0) => {}
            Ok(collected) => tracing::info!(collected, "deleted resources were collected"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "deleted resources were not collected");
            }
        }
        while !stop.is_cancelled() {
            match store.erase(ERASED_AT_ONCE).await {
                Ok(0) => break,
                Ok(erased) => tracing::info!(erased, "people whose days are over were erased"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "nobody was erased");
                    break;
                }
            }
        }
        if let Err(error) = store.note_source_sizes().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the sizes of sources were not noted");
        }
        if let Err(error) = store.reconsider_trips().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "what guards hold was not looked at again");
        }
        if let Err(error) = store.look_for_successors(COLLECTED_AT_ONCE).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "successors were not looked for");
        }
    }

    /// Claims the delivery that is to be worked on next, leavers first, if one is due. For whoever decides about every
    /// step, as a simulation does; [`Self::run`] claims by itself. Nobody extends the lease but the caller.
    pub async fn claim_next(&self) -> Result<Option<Claim>, StoreError> {
        self.shared.connectors.refresh().await?;
        let Options { worker, lease, .. } = &self.shared.options;
        let request = ClaimRequest { worker, up_to: Lane::Other, limit: 1, lease: *lease, at_work: &[] };
        Ok(self.shared.store.claim(&request).await?.pop())
    }

    /// Goes on with surveys until there is none, as [`Self::run`] does beside its deliveries.
    pub async fn survey_on(&self) {
        if let Err(error) = self.shared.survey(&CancellationToken::new()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a survey did not come to its end");
        }
    }

    /// Does what a claim asks for and records how it ended, as [`Self::run`] does for each of its own.
    pub async fn work_on(&self, claim: &Claim) {
        self.shared.work(claim).await;
    }

    /// Until the next delivery is due by itself, but no longer than the poll.
    async fn pause(&self) -> Duration {
        let poll = self.shared.options.poll;
        let due = self.shared.store.next_due().await.ok().flatten();
        due.map_or(poll, |due| due.clamp(Duration::from_millis(5).min(poll), poll))
    }
}

impl Run {
    /// Claims for every free place and starts the work. Returns how many were claimed.
    async fn claim(&mut self) -> Result<usize, StoreError> {
        while let Some(done) = self.tasks.try_join_next_with_id() {
            self.finish(done);
        }
        let free = self.free_places();
        if free.iter().all(|(_, places)| *places == 0) {
            return Ok(0);
        }
        self.shared.connectors.refresh().await?;
        let shared = Arc::clone(&self.shared);
        let Options { worker, lease, .. } = &shared.options;
        let mut claimed = 0;
        for (lane, limit) in free.into_iter().filter(|(_, limit)| *limit > 0) {
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            let held_until = Instant::now() + *lease;
            let at_work = self.at_work(lane);
            let request = ClaimRequest { worker, up_to: lane, limit, lease: *lease, at_work: &at_work };
            for claim in shared.store.claim(&request).await? {
                claimed += 1;
                self.start(claim, lane, held_until);
            }
        }
        Ok(claimed)
    }

    fn free_places(&self) -> [(Lane, usize); 2] {
        let taken = |lane| self.desk.values().filter(|work| work.lane == lane).count();
        let Options { places, leaver_places, .. } = self.shared.options;
        [
            (Lane::Leaver, leaver_places.saturating_sub(taken(Lane::Leaver))),
            (Lane::Other, places.saturating_sub(taken(Lane::Other))),
        ]
    }

    /// How many places of a lane each target has.
    fn at_work(&self, lane: Lane) -> Vec<(TargetId, usize)> {
        let mut numbers = HashMap::new();
        for work in self.desk.values().filter(|work| work.lane == lane) {
            *numbers.entry(work.claim.target).or_default() += 1;
        }
        numbers.into_iter().collect()
    }

    fn start(&mut self, claim: Claim, lane: Lane, held_until: Instant) {
        let (extend, held_until) = watch::channel(held_until);
        let task = self.tasks.spawn({
            let (shared, claim) = (Arc::clone(&self.shared), claim.clone());
            async move {
                if while_held(held_until, Box::pin(shared.work(&claim))).await.is_none() {
                    let resource = claim.resource.to_string();
                    tracing::warn!(resource, "a delivery was dropped, because its lease ran out");
                }
            }
        });
        self.desk.insert(task.id(), AtWork { claim, lane, held_until: extend });
    }

    /// Extends the leases when it is time to: thrice in the length of one, so that two failures in a row cost nothing.
    async fn keep_alive(&mut self) {
        let now = Instant::now();
        if now < self.beat {
            return;
        }
        let lease = self.shared.options.lease;
        self.beat = now + lease / 3;
        let claims: Vec<Claim> = self.desk.values().map(|work| work.claim.clone()).collect();
        if claims.is_empty() {
            return;
        }
        match self.shared.store.extend(&claims, lease).await {
            Ok(held) => {
                for work in self.desk.values().filter(|work| held.contains(&work.claim.key())) {
                    work.held_until.send_replace(now + lease);
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "leases could not be extended");
            }
        }
    }

    fn finish(&mut self, done: Result<(Id, ()), JoinError>) {
        let error = match done {
            Ok((id, ())) => {
                self.desk.remove(&id);
                return;
            }
            Err(error) => error,
        };
        let Some(work) = self.desk.remove(&error.id()) else { return };
        let resource = work.claim.resource.to_string();
        tracing::error!(resource, %error, "a delivery ended abnormally");
        // The others never notice. The claim is still held, so that the end can be recorded.
        let (shared, claim) = (Arc::clone(&self.shared), work.claim.clone());
        let task = self.tasks.spawn(async move { shared.record_panic(&claim).await });
        self.desk.insert(task.id(), work);
    }
}
