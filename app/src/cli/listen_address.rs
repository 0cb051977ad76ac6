//! The address to listen on.

use std::io;
use std::net::SocketAddr;
use std::str::FromStr;

use thiserror::Error;
use tokio::net::lookup_host;

use super::failure::Failure;
use crate::server::{BindError, ConnectionLimits, Listener};

/// Host and port: an IP address, in brackets if it is an IPv6 address, or a host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    host: String,
    port: u16,
}

/// Error for a text that is not a [`ListenAddress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write it as 127.0.0.1:8000, [::1]:8000 or localhost:8000")]
pub struct ListenAddressError;

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddressError)?;
        let port = port.parse().map_err(|_| ListenAddressError)?;
        let is_name = |host: &str| {
            !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        if !is_name(host) && text.parse::<SocketAddr>().is_err() {
            return Err(ListenAddressError);
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl ListenAddress {
    /// The addresses.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        let text = format!("{}:{}", self.host, self.port);
        let failed = |error: io::Error| {
            Failure::new(format!("cannot resolve the host name {}: {error}; correct --listen", self.host))
        };
        Ok(ipv4_first(lookup_host(&text).await.map_err(failed)?.collect()))
    }
}

/// A client that resolves `localhost` to `::1` falls back to 127.0.0.1, and a client that was configured with 127.0.0.1 never
/// tries `::1`.
fn ipv4_first(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses
}

/// Listens on the first address that is available.
pub async fn bind(addresses: &[SocketAddr], limits: &ConnectionLimits) -> Result<Listener, Failure> {
    let mut error = None;
    for address in addresses {
        match Listener::bind(*address, limits.clone()).await {
            Ok(listener) => return Ok(listener),
            // Another program on the same port would get a part of the clients.
            Err(taken @ BindError::Taken(_)) => return Err(taken.into()),
            Err(other) => error = error.or(Some(other)),
        }
    }
    Err(error.map_or_else(|| Failure::new("the host name has no address; correct --listen"), Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_required() {
        for valid in ["127.0.0.1:8000", "[::1]:0", "localhost:8000", "db-1.example.org:65535"] {
            assert!(valid.parse::<ListenAddress>().is_ok(), "{valid}");
        }
        for invalid in
            ["", "8000", ":8000", "localhost", "localhost:", "localhost:65536", "::1:80", "a b:80", "u:p@h:80"]
        {
            assert_eq!(invalid.parse::<ListenAddress>(), Err(ListenAddressError), "{invalid}");
        }
    }

    #[test]
    fn ipv4_addresses_of_a_name_are_preferred() {
        let addresses = |texts: [&str; 3]| texts.map(|text| text.parse::<SocketAddr>().unwrap()).to_vec();
        let resolved = addresses(["[::1]:80", "127.0.0.2:80", "127.0.0.1:80"]);
        assert_eq!(ipv4_first(resolved), addresses(["127.0.0.2:80", "127.0.0.1:80", "[::1]:80"]));
    }
}
