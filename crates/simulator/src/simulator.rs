//! The simulator's state and the handle through which everything reaches it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, Response};
use tower::ServiceExt as _;

use crate::calls::CallLog;
use crate::clock::{Clock, ManualClock};
use crate::corp::Corp;
use crate::faults::Faults;
use crate::options::{App, Options};
use crate::past::Past;
use crate::quota::Quota;
use crate::random::Random;
use crate::serve::router;
use crate::throttle::Throttle;
use crate::tokens::Tokens;

/// A simulated DingTalk. Cloning gives another handle to the same one.
#[derive(Clone, Debug)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
    options: Arc<Options>,
    clock: Option<ManualClock>,
}

impl Simulator {
    /// A new organisation with nothing but its root department.
    pub fn new(options: Options) -> Self {
        Self::start(options, None)
    }

    /// The same, with a clock that moves only when told to. Nothing then depends on the machine: the same options, the
    /// same calls and the same moments give the same bytes. Delays are not waited for; see [`Transit`].
    pub fn with_clock(options: Options, clock: ManualClock) -> Self {
        Self::start(options, Some(clock))
    }

    fn start(options: Options, clock: Option<ManualClock>) -> Self {
        let world = Arc::new(Mutex::new(World::new(&options, clock.clone())));
        Self { world, options: Arc::new(options), clock }
    }

    /// Answers one request in-process, as [`serve`](crate::serve()) would over a connection: DingTalk's paths and the
    /// simulator's own. A [`Transit`] among the response's extensions tells what would have happened on the way.
    pub async fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        let Ok(response) = router(self).oneshot(request.map(Body::from)).await;
        let (parts, body) = response.into_parts();
        // The body is in memory already, so reading it cannot fail.
        Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap_or_default())
    }

    /// Puts everything back to the beginning: people, departments, tokens, faults, apps, switches and the call log.
    pub fn reset(&self) {
        self.with(|world| *world = World::new(&self.options, self.clock.clone()));
    }

    /// Runs something on the state. The lock is never held across an await, since the closure is synchronous.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        // Every change is checked before it is written, so the state is sound even after a panic elsewhere.
        work(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What happens to an answer on its way, in the extensions of every response to one of DingTalk's paths. Over a
/// connection it has really happened; in-process, and with a [`ManualClock`], it is for the caller to act upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transit {
    /// The call waits this long before it is carried out.
    pub before_ms: u64,
    /// The answer waits this long after the call has been carried out.
    pub after_ms: u64,
    /// The answer is lost: the connection is cut. The response in hand is an empty HTTP 502.
    pub is_cut: bool,
}

/// Everything that is simulated.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) corp: Corp,
    pub(crate) tokens: Tokens,
    pub(crate) throttle: Throttle,
    pub(crate) past: Past,
    pub(crate) quota: Quota,
    pub(crate) faults: Faults,
    pub(crate) calls: CallLog,
    pub(crate) clock: Clock,
    /// Randomness of tokens and request ids.
    pub(crate) random: Random,
    pub(crate) limits: Limits,
    pub(crate) seed: u64,
    apps: BTreeMap<String, Arc<App>>,
}

/// The numbers of [`Options`] that the gateway needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) qps: usize,
    pub(crate) ip_budget: usize,
    pub(crate) ban_seconds: u64,
    pub(crate) token_seconds: u64,
}

impl World {
    fn new(options: &Options, clock: Option<ManualClock>) -> Self {
        let apps = options.apps.iter().map(|app| (app.key.clone(), Arc::new(app.clone())));
        Self {
            corp: Corp::new(options),
            tokens: Tokens::default(),
            throttle: Throttle::default(),
            past: Past::default(),
            quota: Quota::default(),
            faults: Faults::default(),
            calls: CallLog::new(options.call_log_capacity),
            clock: Clock::start(clock),
            random: Random::of_text(options.seed, "gateway"),
            limits: Limits {
                qps: options.qps,
                ip_budget: options.ip_budget,
                ban_seconds: options.ban_seconds,
                token_seconds: options.token_seconds,
            },
            seed: options.seed,
            apps: apps.collect(),
        }
    }

    /// Runs a change of the organisation, and keeps the former state as long as a read may ask for it.
    pub(crate) fn change<T>(&mut self, work: impl FnOnce(&mut Corp) -> T) -> T {
        let kept_ms = self.corp.switches.stale_reads_ms.max(self.faults.longest_stale_ms());
        let former = (kept_ms > 0).then(|| self.corp.clone());
        let revision = self.corp.revision;
        let done = work(&mut self.corp);
        if let Some(former) = former.filter(|_| self.corp.revision != revision) {
            self.past.keep(former, self.clock.elapsed_ms(), kept_ms);
        }
        done
    }

    /// The organisation as a read sees it that lags `stale_ms` behind. Settings are always those of now.
    pub(crate) fn view(&mut self, stale_ms: u64) -> &mut Corp {
        let stale_ms = stale_ms.max(self.corp.switches.stale_reads_ms);
        if stale_ms == 0 {
            return &mut self.corp;
        }
        match self.past.seen_from(self.clock.elapsed_ms(), stale_ms) {
            Some(former) => {
                former.switches.clone_from(&self.corp.switches);
                former.organisation.clone_from(&self.corp.organisation);
                former
            }
            None => &mut self.corp,
        }
    }

    /// The app of that key.
    pub(crate) fn app(&self, key: &str) -> Option<Arc<App>> {
        self.apps.get(key).cloned()
    }

    /// Adds an app or changes what it has been granted. Tokens it already has do not notice.
    pub(crate) fn put_app(&mut self, app: App) {
        self.apps.insert(app.key.clone(), Arc::new(app));
    }

    /// All apps.
    pub(crate) fn apps(&self) -> impl Iterator<Item = &App> {
        self.apps.values().map(AsRef::as_ref)
    }
}
