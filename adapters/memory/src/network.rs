//! What counts as one client address.

use std::net::{IpAddr, Ipv6Addr};

/// A /64 of IPv6, which one customer has (RFC 6177), or an IPv4 address.
pub fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}
