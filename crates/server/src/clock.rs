//! The one place where real time and real ids come from.

use rollcall_provisioning::ids::IdSource;
use rollcall_provisioning::time::Clock;
use time::OffsetDateTime;
use uuid::Uuid;

/// The computer's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is injected everywhere else")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// UUIDs that grow with time (version 7, RFC 9562), so that rows are stored and listed in the order of creation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeOrderedIds;

impl IdSource for TimeOrderedIds {
    #[expect(clippy::disallowed_methods, reason = "this is the id source that is injected everywhere else")]
    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
