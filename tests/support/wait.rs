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
    // A look that takes longer than the interval must not be followed by the next one at once.
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_looks_until_there_is_a_value() -> anyhow::Result<()> {
        let mut looks = 0;
        let value = wait_until(Duration::from_secs(30), "the third look", async || {
            looks += 1;
            Ok((looks == 3).then_some("there"))
        })
        .await?;
        assert_eq!((value, looks), ("there", 3));
        Ok(())
    }

    #[tokio::test]
    async fn it_says_what_it_waited_for_in_vain() {
        let waited = wait_until(Duration::ZERO, "rain in the desert", async || Ok(None::<()>)).await;
        let error = waited.expect_err("it never rains").to_string();
        assert!(error.contains("rain in the desert"), "{error}");
    }

    #[tokio::test]
    async fn an_error_ends_the_wait() {
        let check = async || -> anyhow::Result<Option<()>> { bail!("the server has ended") };
        let error = wait_until(Duration::from_hours(1), "an answer", check).await.expect_err("at once");
        assert_eq!(error.to_string(), "the server has ended");
    }
}
