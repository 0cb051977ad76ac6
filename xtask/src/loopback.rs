//! Loopback addresses.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::failure::{Result, Settle};

/// A loopback address with a port that is free at the time of the call.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_fail("no free port")?;
    listener.local_addr().or_fail("no free port")
}
