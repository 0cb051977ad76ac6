//! Access tokens: claims, and the ports that sign and verify them.

mod claims;
mod key_set;
mod ports;

pub use claims::{Claims, SignedToken, TokenId, TokenLifetime, TokenLifetimeError};
#[cfg(feature = "mocks")]
pub use key_set::MockKeySet;
pub use key_set::{KeySet, PublicKey, PublicPoint};
#[cfg(feature = "mocks")]
pub use ports::MockTokens;
pub use ports::{SignError, TokenError, Tokens};
