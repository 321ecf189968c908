//! Keeping within what DingTalk permits: a place in the shared budget before each call, a pause for all
//! workers after a throttle or a ban.

use crate::answer::Failure;
use crate::error;
use crate::operation::Operation;
use crate::settings::Settings;
use rollcall_provisioning::budget::{Budget, Limit};
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The key under which every call from this address counts.
const IP: &str = "ip";
/// Calls that may leave this address at once after a quiet time.
const IP_BURST: u32 = 100;
/// How many places may be missed in a row before one is used late: an overloaded machine must get on all the same.
const MISSED_AT_MOST: u32 = 5;
/// The longest step of the growing pauses.
const LONGEST_STEP: Duration = Duration::from_mins(1);

pub(crate) struct Limiter {
    budget: Arc<dyn Budget>,
    app_key: String,
    interval: Duration,
    ip_interval: Duration,
    ip_burst: u32,
    ip_ban_pause: Duration,
    longest_wait: Duration,
    /// Platform-wide throttles in a row, per call: each one doubles the pause.
    strikes: Mutex<BTreeMap<Operation, u32>>,
}

impl Limiter {
    pub(crate) fn new(settings: &Settings, budget: Arc<dyn Budget>) -> Self {
        Self {
            budget,
            app_key: settings.app_key.clone(),
            interval: interval(settings.calls_per_second),
            ip_interval: Duration::from_secs(1) / settings.ip_calls_per_second,
            ip_burst: IP_BURST.min(settings.ip_calls_per_second),
            ip_ban_pause: settings.ip_ban_pause,
            longest_wait: settings.longest_wait,
            strikes: Mutex::default(),
        }
    }

    fn key(&self, operation: Operation) -> String {
        format!("{}:{}", self.app_key, operation.path())
    }

    /// Takes a place and waits for it. A place that was missed, because this process was held up, is given up for a
    /// new one: used late, it would fall together with the places of others.
    pub(crate) async fn reserve(&self, operation: Operation) -> Result<(), ConnectorError> {
        let limits = [
            Limit { key: self.key(operation), interval: self.interval, burst: 1 },
            Limit { key: IP.to_owned(), interval: self.ip_interval, burst: self.ip_burst },
        ];
        for _ in 0..MISSED_AT_MOST {
            let asked = Instant::now();
            let wait = self.budget.reserve(&limits, self.longest_wait).await.map_err(|problem| {
                tracing::warn!(error = &problem as &dyn std::error::Error, "the rate budget cannot be read");
                error::no_budget(&problem)
            })?;
            if wait > self.longest_wait {
                return Err(error::paused(wait));
            }
            if wait.is_zero() {
                break;
            }
            tokio::time::sleep(wait).await;
            if asked.elapsed() <= wait + self.interval / 2 {
                break;
            }
        }
        Ok(())
    }

    /// Learns from a failure: makes all workers pause, and says in `error` for how long.
    pub(crate) async fn heed(&self, operation: Operation, failure: &Failure, error: &mut ConnectorError) {
        if error::bans_address(failure) {
            error.retry_after = Some(self.ip_ban_pause);
            self.pause(IP, self.ip_ban_pause).await;
        } else if error.class == ErrorClass::RateLimited {
            let pause = error.retry_after.unwrap_or_else(|| self.strike(operation, failure));
            error.retry_after = Some(pause);
            self.pause(&self.key(operation), pause).await;
        }
    }

    /// Learns from a success.
    pub(crate) fn calm(&self, operation: Operation) {
        self.strikes.lock().unwrap_or_else(PoisonError::into_inner).remove(&operation);
    }

    /// The pause after one more platform-wide throttle: 1, 2, 4, … 60 s, or what the text says if that is longer.
    fn strike(&self, operation: Operation, failure: &Failure) -> Duration {
        let mut strikes = self.strikes.lock().unwrap_or_else(PoisonError::into_inner);
        let count = strikes.entry(operation).or_insert(0);
        let step = Duration::from_secs(1_u64 << (*count).min(6)).min(LONGEST_STEP);
        *count = count.saturating_add(1);
        let told = match failure {
            Failure::Refused(refusal) => error::text::throttle_left(&refusal.text),
            _ => None,
        };
        told.map_or(step, |told| told.max(step))
    }

    async fn pause(&self, key: &str, pause: Duration) {
        if let Err(problem) = self.budget.pause(key, pause).await {
            // The failed call tells its caller to wait all the same; only other workers may run into it.
            tracing::warn!(error = &problem as &dyn std::error::Error, "a pause cannot be shared");
        }
    }
}

/// The distance between two calls. A little under the permitted rate, because calls arrive less evenly than
/// they were sent: at 20 a second it is 52 ms, so that the 21st call after any moment is more than 40 ms late
/// for its second.
fn interval(calls_per_second: u32) -> Duration {
    Duration::from_secs_f64(1.0 / (f64::from(calls_per_second) - 0.8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_holds_more_calls_than_permitted() {
        for permitted in 1..=60_u32 {
            let spread = interval(permitted) * permitted;
            let spare = spread.checked_sub(Duration::from_secs(1));
            assert!(spare.is_some_and(|spare| spare > Duration::from_millis(12)), "{permitted}: {spread:?}");
        }
        assert_eq!(interval(20).as_millis(), 52);
    }
}
