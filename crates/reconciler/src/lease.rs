//! Holding claims: what this process is at, and until when it may be sure of it.
//!
//! The database says when a lease ends; this process only knows when it last heard that it has one. Past that moment
//! plus the lease somebody else may be at the same delivery, so the work is dropped where it stands, also in the middle
//! of a call. What the call did is read by whoever comes next, since the link is unknown meanwhile.

use rollcall_provisioning::delivery::Lane;
use rollcall_store::projection::Claim;
use std::collections::HashMap;
use tokio::sync::watch;
use tokio::task::Id;
use tokio::time::{Instant, sleep_until};

/// A claim at work.
pub(crate) struct AtWork {
    pub(crate) claim: Claim,
    /// Whether it sits on a leaver's place.
    pub(crate) lane: Lane,
    /// Until when the claim is certainly ours.
    pub(crate) held_until: watch::Sender<Instant>,
}

/// The claims at work, by their tasks.
pub(crate) type Desk = HashMap<Id, AtWork>;

/// Does `work` for as long as the claim is held. `None` when the lease ran out before the end.
pub(crate) async fn while_held<T>(held_until: watch::Receiver<Instant>, work: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(work);
    loop {
        let until = *held_until.borrow();
        tokio::select! {
            end = &mut work => return Some(end),
            () = sleep_until(until) => {
                if *held_until.borrow() <= until {
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn work_goes_on_while_the_lease_is_extended() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let (extend, held_until) = watch::channel(start + second);
        let work = async {
            for beat in 1..=5 {
                sleep_until(start + second * beat - second / 2).await;
                extend.send_replace(start + second * (beat + 1));
            }
            "done"
        };
        assert_eq!(while_held(held_until, work).await, Some("done"));
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_dropped_when_the_lease_ran_out() {
        let (_extend, held_until) = watch::channel(Instant::now() + Duration::from_secs(1));
        assert_eq!(while_held(held_until, std::future::pending::<()>()).await, None);
    }
}
