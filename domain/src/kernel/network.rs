//! Client networks: the unit of limits per address, and the larger networks into which audit events are merged.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The /64 prefix of an IPv6 address, assigned to one customer (RFC 6177), or the IPv4 address.
#[must_use]
pub fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The networks of a site: a /48 of IPv6 (RFC 6177, section 2), or a /24 of IPv4, the smallest that is routed separately. Printed
/// as `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SiteNetwork(IpAddr);

impl SiteNetwork {
    /// The network that contains an address.
    #[must_use]
    pub fn of(client: IpAddr) -> Self {
        Self(match client.to_canonical() {
            IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & 0xffff_ff00).into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> 48)).into(),
        })
    }
}

impl fmt::Display for SiteNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, if self.0.is_ipv4() { 24 } else { 48 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn site_network_is_a_24_of_ipv4_or_a_48_of_ipv6() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.0/24"),
            ("::ffff:192.0.2.200", "192.0.2.0/24"),
            ("2001:db8:1:2::7", "2001:db8:1::/48"),
            ("2001:db8:1:ffff::", "2001:db8:1::/48"),
        ] {
            assert_eq!(SiteNetwork::of(address.parse().unwrap()).to_string(), expected);
        }
    }
}
