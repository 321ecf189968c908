//! Waiting on conditions.

use std::time::Duration;

use anyhow::bail;

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Waits until `check` returns a value, looking again and again, and fails after `patience`. An error of `check` ends
/// the wait at once. This is the only place where a test may let time pass.
///
/// # Errors
/// `what` did not happen in time, or `check` failed.
pub async fn wait_until<T>(
    patience: Duration,
    what: &str,
    mut check: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = tokio::time::Instant::now() + patience;
    let mut ticks = tokio::time::interval(POLL);
    loop {
        ticks.tick().await;
        if let Some(value) = check().await? {
            return Ok(value);
        }
        if tokio::time::Instant::now() >= deadline {
            bail!("waited {patience:?} in vain: {what}");
        }
    }
}
