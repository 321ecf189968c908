//! Reaching out for the keys that issuers publish, and nowhere else.
//!
//! The addresses are settings of tenants, and this process stands inside somebody's network. So only HTTPS is spoken, no
//! redirect is followed, no proxy is asked, time and size are bounded, and a name may only lead to public addresses: the
//! resolver hands nothing else to the connection, so that a name cannot lead somewhere else between the check and the use.

use anyhow::{Context as _, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rollcall_api::auth::keys::{FetchError, FetchKeys, Fetching};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Longest time for a set of keys, and of that for the connection.
const PATIENCE: Duration = Duration::from_secs(5);
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// Largest set of keys, in bytes. Entra's has about ten thousand.
const LARGEST: usize = 256 * 1024;

/// The way out.
pub(crate) struct PublicKeys {
    client: Client,
    /// Whether addresses of this machine and its networks, and plain HTTP, are allowed: for tests and demonstrations.
    local: bool,
}

impl PublicKeys {
    /// `local` allows addresses of this machine and its networks, and plain HTTP.
    pub(crate) fn new(local: bool) -> Result<Self> {
        let builder = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .https_only(!local)
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_PATIENCE)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")));
        let builder = if local { builder } else { builder.dns_resolver(Arc::new(PublicAddresses)) };
        Ok(Self { client: builder.build().context("the client for published keys cannot be made")?, local })
    }

    /// Refuses what is not even to be asked for.
    fn check(&self, url: &str) -> Result<Url, FetchError> {
        let refuse = |why: &str| Err(FetchError(why.to_owned()));
        let Ok(url) = Url::parse(url) else { return refuse("the address is no URL") };
        if self.local {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return refuse("the address does not begin with https://");
        }
        // An address that needs no resolver would not be seen by it.
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) if !is_public(address) => refuse("the address is not a public one"),
            _ => Ok(url),
        }
    }
}

impl FetchKeys for PublicKeys {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            let failed = |error: reqwest::Error| FetchError(chain(&error.without_url()));
            let mut answer = self.client.get(self.check(url)?).send().await.map_err(failed)?;
            if answer.status() != reqwest::StatusCode::OK {
                return Err(FetchError(format!("the answer is {}", answer.status())));
            }
            let mut document = Vec::new();
            while let Some(piece) = answer.chunk().await.map_err(failed)? {
                if piece.len() > LARGEST - document.len() {
                    return Err(FetchError(format!("the answer is larger than {LARGEST} bytes")));
                }
                document.extend_from_slice(&piece);
            }
            Ok(document)
        })
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}

/// Resolves names as the operating system does, and hands out public addresses alone.
struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.into_iter().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// True for an address that anybody on the internet would reach as the same (IANA's registries of special addresses).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is given out; of that, what holds another address or leads nowhere is left out: Teredo and its
    // neighbours, documentation, 6to4.
    let given_out = (0x2000..0x4000).contains(&a);
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    given_out && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for (address, public) in [
            ("8.8.8.8", true),
            ("20.190.128.1", true),
            ("2603:1006:2000::1", true),
            ("2001:4860:4860::8888", true),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.1", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::7f00:1", false),
            ("fc00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
        ] {
            assert_eq!(is_public(address.parse().expect("an address")), public, "{address}");
        }
    }

    #[tokio::test]
    async fn what_is_not_public_is_not_asked() {
        let keys = PublicKeys::new(false).expect("a client");
        for (url, expected) in [
            ("http://issuer.example/keys", "does not begin with https://"),
            ("file:///etc/passwd", "does not begin with https://"),
            ("https://127.0.0.1/keys", "not a public one"),
            ("https://2130706433/keys", "not a public one"),
            ("https://0x7f.1/keys", "not a public one"),
            ("https://[::1]/keys", "not a public one"),
            ("https://[::ffff:10.0.0.1]/keys", "not a public one"),
            ("https://169.254.169.254/latest", "not a public one"),
            ("https://localhost/keys", "no public address"),
            ("no url", "is no URL"),
        ] {
            let error = keys.fetch(url).await.expect_err(url).to_string();
            assert!(error.contains(expected), "{url}: {error}");
        }
    }
}
