//! Answers that are new enough to be given again.
//!
//! Every open console asks for its tenant's counts every two seconds, and counting a million rows takes a while. So
//! one reader asks the database and the others get the same answer, and what took long to read is believed for longer:
//! at most a tenth of the time is spent on reading, however many consoles are open.

use rollcall_provisioning::ids::TenantId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use time::{Duration, OffsetDateTime};

/// An answer is believed for at least this long.
const SHORTEST: Duration = Duration::SECOND;
/// An answer is believed for at most this long.
const LONGEST: Duration = Duration::seconds(30);
/// An answer is believed for this many times as long as it took to read.
const TIMES: i32 = 10;

/// The latest answer for each tenant.
pub(crate) struct Recent<T>(Mutex<HashMap<TenantId, Slot<T>>>);

/// Locked while somebody reads, so that the others wait for the same answer.
type Slot<T> = Arc<tokio::sync::Mutex<Option<Kept<T>>>>;

struct Kept<T> {
    answer: T,
    good_until: OffsetDateTime,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Recent<T> {
    /// The tenant's answer: the kept one while it is good, else a new one by `read`. Errors are not kept.
    pub(crate) async fn get<E>(
        &self,
        tenant: TenantId,
        now: impl Fn() -> OffsetDateTime,
        read: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let slot = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default());
        let mut kept = slot.lock().await;
        let begun = now();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.good_until > begun) {
            return Ok(kept.answer.clone());
        }
        let answer = read().await?;
        let ended = now();
        let good_for = ((ended - begun) * TIMES).clamp(SHORTEST, LONGEST);
        *kept = Some(Kept { answer: answer.clone(), good_until: ended + good_for });
        Ok(answer)
    }

    /// Forgets the tenant's answer, because something was changed that the next reader should see.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_provisioning::time::{Clock, ManualClock};
    use std::convert::Infallible;
    use std::time::Duration as Length;
    use uuid::Uuid;

    const TENANT: TenantId = TenantId(Uuid::nil());

    async fn ask(recent: &Recent<u32>, clock: &ManualClock, answer: u32, takes: Length) -> u32 {
        let read = async || {
            clock.advance(takes);
            Ok::<_, Infallible>(answer)
        };
        let Ok(answer) = recent.get(TENANT, || clock.now(), read).await;
        answer
    }

    #[tokio::test]
    async fn what_took_longer_is_believed_longer() {
        let (recent, clock) = (Recent::default(), ManualClock::new(OffsetDateTime::UNIX_EPOCH));
        assert_eq!(ask(&recent, &clock, 1, Length::ZERO).await, 1);
        assert_eq!(ask(&recent, &clock, 2, Length::ZERO).await, 1, "a moment later it is the same");
        clock.advance(Length::from_secs(1));
        assert_eq!(ask(&recent, &clock, 3, Length::from_secs(2)).await, 3);
        clock.advance(Length::from_secs(19));
        assert_eq!(ask(&recent, &clock, 4, Length::ZERO).await, 3);
        clock.advance(Length::from_secs(1));
        assert_eq!(ask(&recent, &clock, 5, Length::ZERO).await, 5);
        recent.forget(TENANT);
        assert_eq!(ask(&recent, &clock, 6, Length::ZERO).await, 6);
    }
}
