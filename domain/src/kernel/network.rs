//! Client networks, the unit of limits per address.

use std::net::{IpAddr, Ipv6Addr};

/// The /64 prefix of an IPv6 address, assigned to one customer (RFC 6177), or the IPv4 address.
#[must_use]
pub fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}
