//! Sessions that were signed out before their time.
//!
//! A session is a signed token, which a copy of the cookie would keep good for hours; so the ids of those that were
//! signed out are remembered until they would have ended anyway. They are remembered by this process alone: a restart
//! forgets them, and other processes that share the session key are not told. Where that is not enough, a new password
//! (`rollcall operator password <name>`) ends every session of an operator, everywhere and for good.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use uuid::Uuid;

/// Sessions that are remembered at once.
const MOST: usize = 4096;

/// The ids of sessions that were signed out, with the time at which each ends anyway.
#[derive(Default)]
pub(crate) struct SignedOut(Mutex<HashMap<Uuid, OffsetDateTime>>);

impl SignedOut {
    /// From now on the session is refused. When too many are remembered, the one that ends soonest makes room.
    pub(crate) fn add(&self, session: Uuid, ends: OffsetDateTime, now: OffsetDateTime) {
        let mut sessions = self.sessions();
        if sessions.len() >= MOST {
            sessions.retain(|_, ends| *ends > now);
        }
        if sessions.len() >= MOST {
            let soonest = sessions.iter().min_by_key(|(_, ends)| **ends).map(|(session, _)| *session);
            soonest.map(|session| sessions.remove(&session));
        }
        sessions.insert(session, ends);
    }

    /// Whether the session was signed out.
    pub(crate) fn contains(&self, session: Uuid) -> bool {
        self.sessions().contains_key(&session)
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Uuid, OffsetDateTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: usize) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds as u64)
    }

    fn session(number: usize) -> Uuid {
        Uuid::from_u128(number as u128)
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_longest_stay() {
        let all = SignedOut::default();
        for number in 0..=MOST {
            all.add(session(number), at(number + 10), at(0));
        }
        assert_eq!(all.sessions().len(), MOST);
        assert!(!all.contains(session(0)), "it would have ended soonest");
        assert!(all.contains(session(1)) && all.contains(session(MOST)));
    }

    #[test]
    fn what_has_ended_makes_room_first() {
        let all = SignedOut::default();
        for number in 0..MOST {
            all.add(session(number), at(if number < 10 { 1 } else { 100 }), at(0));
        }
        all.add(session(MOST), at(100), at(1));
        assert_eq!(all.sessions().len(), MOST - 9);
        assert!(all.contains(session(10)) && all.contains(session(MOST)));
    }
}
