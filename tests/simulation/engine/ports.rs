//! What the product is given from outside: time, ids, connectors and the rate budget.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rollcall_dingtalk::{Connections, DingTalk, Settings};
use rollcall_provisioning::budget::{BoxFuture, Budget, BudgetError, Limit};
use rollcall_provisioning::connector::Connector;
use rollcall_provisioning::ids::{IdSource, ResourceId};
use rollcall_provisioning::plan::InitialPassword;
use rollcall_provisioning::time::Clock;
use rollcall_reconciler::{ConnectorFactory, FactoryError, FirstPassword};
use rollcall_simulator::ManualClock;
use rollcall_store::Store;
use rollcall_store::projection::Target;
use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

use super::contacts::{KEEPER, LABEL};
use super::gate::{self, Gate};
use super::random::Random;
use super::stage::CALLS_A_SECOND;

/// When every run begins: 2026-03-01 08:00 UTC, in milliseconds since 1970.
pub(crate) const START_MS: i64 = 1_772_352_000_000;

/// The one clock of a run. It can be put back for the next run.
#[derive(Debug)]
pub(crate) struct SharedClock(Mutex<ManualClock>);

impl Default for SharedClock {
    fn default() -> Self {
        Self(Mutex::new(ManualClock::at(START_MS)))
    }
}

impl SharedClock {
    /// Begins anew, and returns the clock of the new run.
    pub(crate) fn restart(&self) -> ManualClock {
        let clock = ManualClock::at(START_MS);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = clock.clone();
        clock
    }

    /// Milliseconds since 1970.
    pub(crate) fn ms(&self) -> i64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// Moves it on.
    pub(crate) fn advance(&self, ms: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).advance(ms);
    }
}

impl Clock for SharedClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.ms()) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// Ids that grow in the order in which they were asked for, with low bits that look like chance.
#[derive(Debug, Default)]
pub(crate) struct Series(AtomicU64);

impl Series {
    /// Begins anew.
    pub(crate) fn restart(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl IdSource for Series {
    fn new_id(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let low = Random::new(number).next() >> 2;
        Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 | (u128::from(number) << 80) | u128::from(low))
    }
}

/// The product's own budget, but whoever is to wait stands at a gate instead.
pub(crate) struct GatedBudget {
    pub(crate) store: Store,
    pub(crate) gate: Gate,
}

impl Budget for GatedBudget {
    fn reserve<'a>(&'a self, limits: &'a [Limit], longest: Duration) -> BoxFuture<'a, Result<Duration, BudgetError>> {
        Box::pin(async move {
            let wait = self.store.reserve(limits, longest).await?;
            if wait > longest || wait.is_zero() {
                return Ok(wait);
            }
            gate::rest(&self.gate, u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)).await;
            Ok(Duration::ZERO)
        })
    }

    fn pause<'a>(&'a self, key: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), BudgetError>> {
        self.store.pause(key, pause)
    }
}

/// Makes the real connector, with a door of the worker's own to the simulator.
pub(crate) struct Factory {
    pub(crate) base: String,
    pub(crate) budget: Arc<dyn Budget>,
    pub(crate) connections: Connections,
}

impl ConnectorFactory for Factory {
    fn connect(&self, _: &Target) -> Result<Arc<dyn Connector>, FactoryError> {
        let settings = Settings {
            oapi_url: self.base.clone(),
            api_url: self.base.clone(),
            chat_template_id: Some("simulated-template".to_owned()),
            contact_label_ids: vec![LABEL],
            contact_follower: Some(KEEPER.to_owned()),
            enterprise_accounts: true,
            calls_per_second: u32::try_from(CALLS_A_SECOND).unwrap_or(1),
            ..Settings::new("dingsimulatorapp", SecretString::from("simulator-secret"))
        };
        let dingtalk = DingTalk::over(&settings, Arc::clone(&self.budget), &self.connections)
            .map_err(|e| FactoryError(e.to_string()))?;
        Ok(Arc::new(dingtalk))
    }

    fn first_password(&self, _: &Target, _: ResourceId) -> Result<FirstPassword, FactoryError> {
        // The same in every run.
        Ok(FirstPassword { password: InitialPassword::new("simulated-1".to_owned()), sealed: None })
    }
}
