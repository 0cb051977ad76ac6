//! Addresses that only this machine reaches.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::failure::{Result, Settle};

/// An address with a free port.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_fail("no free port")?;
    listener.local_addr().or_fail("no free port")
}
