//! What stands before every request besides its credential: from where it may come, how fast, and how often it may fail.
//!
//! Failures are counted by address, and an address that has failed too often only hears so when it fails again: whoever shows
//! a valid credential is never turned away for what others did from the same address, behind the same proxy.

use crate::auth::SourcePrincipal;
use crate::auth::address::{self, Networks};
use crate::auth::rate::{Buckets, Rate, seconds};
use crate::error::ApiError;
use crate::limits::FAILURE_RATE;
use http::{Extensions, HeaderMap};
use rollcall_provisioning::ids::{SourceId, TenantId};
use std::net::IpAddr;
use time::OffsetDateTime;

/// The guard of one process.
#[derive(Debug)]
pub(crate) struct Guard {
    proxies: Networks,
    /// How fast a source may call that has no rate of its own; `None`: as fast as it can.
    rate: Option<Rate>,
    sources: Buckets<(TenantId, SourceId)>,
    failures: Buckets<IpAddr>,
}

impl Guard {
    pub(crate) fn new(proxies: Networks, rate: Option<Rate>) -> Self {
        Self { proxies, rate, sources: Buckets::default(), failures: Buckets::default() }
    }

    /// The address of the client, as far as it can be known.
    pub(crate) fn address(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        address::client(extensions, headers, &self.proxies)
    }

    /// Counts a request of a source.
    ///
    /// # Errors
    /// 429 when the source is too fast.
    pub(crate) fn admit_source(
        &self,
        tenant: TenantId,
        source: &SourcePrincipal,
        now: OffsetDateTime,
    ) -> Result<(), ApiError> {
        let Some(rate) = source.access.rate.or(self.rate) else { return Ok(()) };
        let too_fast = |wait| ApiError::TooFast { rate, seconds: seconds(wait) };
        self.sources.take((tenant, source.id), rate, now).map_err(too_fast)
    }

    /// Counts a failed authentication.
    ///
    /// # Errors
    /// 429 when the address has failed too often.
    pub(crate) fn note_failure(&self, address: Option<IpAddr>, now: OffsetDateTime) -> Result<(), ApiError> {
        let Some(address) = address.map(network) else { return Ok(()) };
        self.failures
            .take(address, FAILURE_RATE, now)
            .map_err(|wait| ApiError::TooManyFailures { seconds: seconds(wait) })
    }
}

/// Refuses an address that is not among those of the source.
///
/// # Errors
/// 403 that names the address.
pub(crate) fn check_address(source: &SourcePrincipal, address: Option<IpAddr>) -> Result<(), ApiError> {
    let Some(networks) = &source.access.networks else { return Ok(()) };
    let allowed = address.is_some_and(|address| networks.contains(address));
    if allowed { Ok(()) } else { Err(ApiError::AddressNotAllowed { address }) }
}

/// What failures are counted by: of IPv6 the network of 64 bits, since whoever has one address has all of those.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Access;
    use rollcall_provisioning::time::{Clock as _, ManualClock};
    use rollcall_scim::profile::Profile;
    use std::sync::Arc;
    use std::time::Duration;
    use uuid::Uuid;

    fn source(rate: Option<Rate>) -> SourcePrincipal {
        SourcePrincipal {
            id: SourceId(Uuid::nil()),
            name: "okta".into(),
            profile: Profile::named("okta").expect("a profile"),
            access: Arc::new(Access { rate, ..Access::default() }),
        }
    }

    #[test]
    fn a_source_has_its_own_rate_or_that_of_the_installation() {
        let (tenant, now) = (TenantId(Uuid::nil()), OffsetDateTime::UNIX_EPOCH);
        let small = Rate { per_second: 25, burst: 50 };
        for (of_source, of_all, passes) in [
            (None, None, 500),
            (None, Some(small), 50),
            (Some(Rate { per_second: 25, burst: 60 }), Some(small), 60),
            (Some(small), None, 50),
        ] {
            let guard = Guard::new(Networks::default(), of_all);
            let source = source(of_source);
            let passed = (0..500).filter(|_| guard.admit_source(tenant, &source, now).is_ok()).count();
            assert_eq!(passed, passes, "{of_source:?} {of_all:?}");
        }
    }

    #[test]
    fn failures_are_counted_by_address_and_forgotten() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        let guard = Guard::new(Networks::default(), None);
        let address = |text: &str| Some(text.parse().expect("an address"));
        let burst = usize::try_from(FAILURE_RATE.burst).expect("a number");
        let fail = |text: &str| guard.note_failure(address(text), clock.now()).is_ok();
        assert_eq!((0..burst + 10).filter(|_| fail("192.0.2.1")).count(), burst);
        assert!(fail("192.0.2.2"), "another address");
        assert_eq!((0..burst + 10).filter(|n| fail(&format!("2001:db8::{n:x}"))).count(), burst, "one network");
        assert!(fail("2001:db8:0:1::1"), "another network");
        clock.advance(Duration::from_mins(10));
        assert!(fail("192.0.2.1"));
    }
}
