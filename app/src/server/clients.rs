//! Number of open connections of each client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use domain::network;

/// Counts the open connections of each client: of an IPv4 address, or of the /64 prefix of an IPv6 address.
#[derive(Debug, Clone)]
pub struct Clients {
    max: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A counted connection. It counts until it is dropped.
#[derive(Debug)]
pub struct Counted {
    clients: Clients,
    client: IpAddr,
}

impl Clients {
    /// At most `max` connections of each client.
    pub fn new(max: usize) -> Self {
        Self { max, open: Arc::default() }
    }

    /// Counts a connection; `None` if the client has the maximum number.
    pub fn count(&self, peer: IpAddr) -> Option<Counted> {
        let client = network(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let number = open.get(&client).copied().unwrap_or_default();
        if number >= self.max {
            return None;
        }
        open.insert(client, number + 1);
        Some(Counted { clients: self.clone(), client })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.clients.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.client) {
            Some(number) if *number > 1 => *number -= 1,
            _ => drop(open.remove(&self.client)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_a_client_are_counted_until_they_close() {
        let clients = Clients::new(2);
        let count = |peer: &str| clients.count(peer.parse().unwrap());
        let first = [count("192.0.2.1"), count("::ffff:192.0.2.1")].map(Option::unwrap);
        assert!(count("192.0.2.1").is_none());
        let same_network = [count("2001:db8::1"), count("2001:db8::2")].map(Option::unwrap);
        assert!(count("2001:db8::3").is_none());
        assert!(count("192.0.2.2").is_some() && count("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(count("192.0.2.1").is_some());
        drop(same_network);
        assert!(clients.open.lock().unwrap().is_empty());
    }
}
