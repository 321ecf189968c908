//! From where a request comes, and whether a source may call from there.
//!
//! Behind a proxy the connection is the proxy's. `X-Forwarded-For` is believed as far as it was written by proxies that the
//! configuration names: from its end backwards, the first address that is none of theirs is the client's. Whatever stands
//! before it anyone could have made up.

use http::{Extensions, HeaderMap};
use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// Who is at the other end of the connection. The server puts it into the extensions of every request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub IpAddr);

/// The header by which proxies tell whom they speak for.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// A list of networks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads networks such as `192.0.2.0/24` and `2001:db8::/32`; an address alone is a network of one.
    ///
    /// # Errors
    /// The text that is no network.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let network = |text: &'a str| {
            let one = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or_else(|_| one()).map(canonical).map_err(|_| text.to_owned())
        };
        texts.into_iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// True if there is no network in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if the address is in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// A network of IPv4 that is written inside IPv6 (RFC 4291 §2.5.5.2) as what it is, as addresses are: a socket for both shows
/// clients in the one form, and people write the other.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let plain = mapped.addr().to_ipv4_mapped().zip(mapped.prefix_len().checked_sub(96));
    let plain = plain.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    plain.map_or(network, IpNet::V4)
}

/// The address of the client, as far as it can be known.
pub(crate) fn client(extensions: &Extensions, headers: &HeaderMap, proxies: &Networks) -> Option<IpAddr> {
    let Peer(peer) = extensions.get::<Peer>()?;
    let peer = peer.to_canonical();
    if !proxies.contains(peer) {
        return Some(peer);
    }
    let lines = headers.get_all(FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or("?"));
    let told: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut nearest = peer;
    for text in told.into_iter().rev() {
        // What is no address was not written by a proxy that can be trusted.
        let Some(address) = address(text) else { break };
        nearest = address;
        if !proxies.contains(address) {
            break;
        }
    }
    Some(nearest)
}

/// An address, with a port behind it as some proxies write it, or without.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().map(|address| address.ip());
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn networks(texts: &[&str]) -> Networks {
        Networks::parse(texts.iter().copied()).expect("networks")
    }

    #[test]
    fn the_nearest_address_that_is_no_proxy_counts() {
        let proxies = networks(&["10.0.0.0/8", "::1"]);
        for (peer, forwarded, expected) in [
            ("203.0.113.9", None, "203.0.113.9"),
            ("203.0.113.9", Some("198.51.100.7"), "203.0.113.9"),
            ("10.0.0.1", None, "10.0.0.1"),
            ("10.0.0.1", Some("198.51.100.7"), "198.51.100.7"),
            ("10.0.0.1", Some("192.0.2.1, 198.51.100.7"), "198.51.100.7"),
            ("10.0.0.1", Some("192.0.2.1, 198.51.100.7, 10.2.3.4"), "198.51.100.7"),
            ("10.0.0.1", Some("10.9.9.9, 10.2.3.4"), "10.9.9.9"),
            ("10.0.0.1", Some("198.51.100.7, unknown"), "10.0.0.1"),
            ("10.0.0.1", Some("198.51.100.7:4711"), "198.51.100.7"),
            ("::1", Some("[2001:db8::1]:4711"), "2001:db8::1"),
            ("::1", Some("[2001:db8::1]"), "2001:db8::1"),
            ("::ffff:10.0.0.1", Some("::ffff:198.51.100.7"), "198.51.100.7"),
            ("10.0.0.1", Some(""), "10.0.0.1"),
        ] {
            let (mut extensions, mut headers) = (Extensions::new(), HeaderMap::new());
            extensions.insert(Peer(peer.parse().expect("an address")));
            if let Some(text) = forwarded {
                headers.insert(FORWARDED_FOR, HeaderValue::from_static(text));
            }
            let seen = client(&extensions, &headers, &proxies).map(|address| address.to_string());
            assert_eq!(seen.as_deref(), Some(expected), "{peer} {forwarded:?}");
        }
        assert_eq!(client(&Extensions::new(), &HeaderMap::new(), &proxies), None);
    }

    #[test]
    fn networks_are_read_and_judged() {
        let list =
            networks(&["192.0.2.0/24", "2001:db8::/32", "198.51.100.7", "::ffff:203.0.113.1", "::ffff:10.1.0.0/112"]);
        for (address, inside) in [
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("203.0.113.1", true),
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("::ffff:192.0.2.1", true),
            ("::ffff:10.1.0.1", true),
            ("::ffff:192.0.3.0", false),
        ] {
            assert_eq!(list.contains(address.parse().expect("an address")), inside, "{address}");
        }
        let everybody = [networks(&["0.0.0.0/0"]), networks(&["::/0"])];
        for (address, inside) in [
            ("192.0.2.1", [true, false]),
            ("::ffff:192.0.2.1", [true, false]),
            ("2001:db8::1", [false, true]),
            ("::1", [false, true]),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(everybody.each_ref().map(|list| list.contains(address)), inside, "{address}");
        }
        for text in ["", "192.0.2.0/33", "192.0.2", "example.com", "192.0.2.1/"] {
            assert_eq!(Networks::parse([text]), Err(text.to_owned()));
        }
    }
}
