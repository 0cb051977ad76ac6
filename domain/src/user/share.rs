//! Fair shares of the places for password hashing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr};

use crate::Origin;

/// The caller on whose behalf a password is hashed. Networks share the places equally, and so do the accounts of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Callers with an unknown address share one network.
    pub client: IpAddr,
    /// Hash of the account.
    pub account: u64,
}

impl Share {
    /// The share of the program itself and of the command line.
    pub const LOCAL: Self = Self { client: IpAddr::V4(Ipv4Addr::UNSPECIFIED), account: 0 };

    /// The share of an account, or of an actor, at the origin of a request.
    pub fn of(origin: &Origin, account: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        account.hash(&mut hasher);
        Self { client: origin.client.unwrap_or(Self::LOCAL.client), account: hasher.finish() }
    }
}
