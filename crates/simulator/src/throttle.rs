//! Rate limits: calls per app and API within any sliding second, and calls per IP address within 20 seconds (§6 of the
//! throttling pages A0012 and A1433).
//!
//! Refused calls do not fill the window, so a client that keeps calling still gets its share.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

/// Length of the window of the app × API limit.
const SECOND_MS: u64 = 1_000;

/// Length of the window of the IP limit.
const IP_WINDOW_MS: u64 = 20_000;

/// The moments of the calls within the last `span_ms` milliseconds.
#[derive(Debug)]
struct Window {
    span_ms: u64,
    moments: VecDeque<u64>,
}

impl Window {
    fn new(span_ms: u64) -> Self {
        Self { span_ms, moments: VecDeque::new() }
    }

    fn count(&mut self, now_ms: u64) -> usize {
        while self.moments.front().is_some_and(|&moment| now_ms.saturating_sub(moment) >= self.span_ms) {
            self.moments.pop_front();
        }
        self.moments.len()
    }

    fn record(&mut self, now_ms: u64) {
        self.moments.push_back(now_ms);
    }
}

/// Calls of one app to one API.
#[derive(Debug)]
struct Lane {
    admitted: Window,
    arrived: Window,
}

/// One caller address.
#[derive(Debug)]
struct Address {
    calls: Window,
    banned_until_ms: u64,
}

/// All windows of one simulator.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    lanes: HashMap<(String, String), Lane>,
    addresses: HashMap<IpAddr, Address>,
    highest: BTreeMap<String, usize>,
}

impl Throttle {
    /// Counts a call of `app` to `api`. False: over `qps` in the last second, hence 90018.
    pub(crate) fn admit(&mut self, app: &str, api: &str, qps: usize, now_ms: u64) -> bool {
        let lane = self
            .lanes
            .entry((app.to_owned(), api.to_owned()))
            .or_insert_with(|| Lane { admitted: Window::new(SECOND_MS), arrived: Window::new(SECOND_MS) });
        lane.arrived.record(now_ms);
        let highest = self.highest.entry(api.to_owned()).or_default();
        *highest = (*highest).max(lane.arrived.count(now_ms));
        let free = lane.admitted.count(now_ms) < qps;
        if free {
            lane.admitted.record(now_ms);
        }
        free
    }

    /// Counts a call of an address to anything. False: the address is banned.
    pub(crate) fn admit_address(&mut self, address: IpAddr, limit: AddressLimit, now_ms: u64) -> bool {
        let entry = self
            .addresses
            .entry(address)
            .or_insert_with(|| Address { calls: Window::new(IP_WINDOW_MS), banned_until_ms: 0 });
        if now_ms < entry.banned_until_ms {
            return false;
        }
        if entry.calls.count(now_ms) >= limit.budget {
            // The window starts afresh, so that a ban shorter than the window really ends.
            *entry = Address {
                calls: Window::new(IP_WINDOW_MS),
                banned_until_ms: now_ms.saturating_add(limit.ban_seconds.saturating_mul(SECOND_MS)),
            };
            return false;
        }
        entry.calls.record(now_ms);
        true
    }

    /// The highest number of calls, refused ones included, that one app made to each API in any sliding second.
    pub(crate) fn highest_per_second(&self, api: &str) -> usize {
        self.highest.get(api).copied().unwrap_or(0)
    }
}

/// The limit of one address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddressLimit {
    /// Calls within 20 seconds.
    pub(crate) budget: usize,
    /// Length of the ban in seconds.
    pub(crate) ban_seconds: u64,
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{AddressLimit, Throttle};

    #[test]
    fn the_window_slides() {
        let mut throttle = Throttle::default();
        let mut admit = |now_ms| throttle.admit("app", "/api", 2, now_ms);
        assert_eq!([admit(0), admit(600), admit(900)], [true, true, false]);
        assert_eq!([admit(1_000), admit(1_100), admit(1_599), admit(1_600)], [true, false, false, true]);
        assert_eq!(throttle.highest_per_second("/api"), 5, "at 1,599 ms: 600, 900, 1,000, 1,100 and 1,599");
    }

    #[test]
    fn apps_and_apis_do_not_share_a_window() {
        let mut throttle = Throttle::default();
        assert!(throttle.admit("one", "/a", 1, 0));
        assert!(throttle.admit("two", "/a", 1, 0));
        assert!(throttle.admit("one", "/b", 1, 0));
        assert!(!throttle.admit("one", "/a", 1, 0));
    }

    #[test]
    fn an_address_is_banned_for_a_while() {
        let mut throttle = Throttle::default();
        let limit = AddressLimit { budget: 2, ban_seconds: 5 };
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut admit = |now_ms| throttle.admit_address(address, limit, now_ms);
        assert_eq!([admit(0), admit(1), admit(2)], [true, true, false]);
        assert_eq!([admit(5_001), admit(5_002), admit(5_003)], [false, true, true]);
    }
}
