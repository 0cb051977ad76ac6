//! Tokens: what one says, and who believes it.

mod authenticate;
mod claims;
mod grant;
mod key_set;
mod ports;

pub use authenticate::{Authenticate, Authenticated, AuthenticationError};
pub use claims::{Claims, SignedToken, TokenId, TokenLifetime, TokenLifetimeError};
pub use grant::{Grant, GrantError, Grants};
#[cfg(feature = "mocks")]
pub use key_set::MockKeySet;
pub use key_set::{KeySet, PublicKey, PublicPoint};
#[cfg(feature = "mocks")]
pub use ports::MockTokens;
pub use ports::{SignError, TokenError, Tokens};
