//! Sessions, refresh tokens and authentication.

mod authenticate;
mod entity;
mod grant;
mod lifetimes;
mod limit;
mod lookup;
mod ports;
mod refresh;
mod refresh_token;
mod sessions;
mod user_agent;

pub use authenticate::{Authenticate, Authenticated, AuthenticationError};
pub use entity::{NewSession, Session};
pub use grant::{Grant, GrantError, Grants};
pub use lifetimes::{SessionLifetimes, SessionLifetimesError};
pub use limit::{SessionLimit, SessionLimitError};
pub use lookup::{InvalidationFeed, InvalidationListener, SessionLookup};
#[cfg(feature = "mocks")]
pub use lookup::{MockInvalidationFeed, MockInvalidationListener, MockSessionLookup};
#[cfg(feature = "mocks")]
pub use ports::{MockRefreshTokens, MockSessionStore};
pub use ports::{OpenSessionError, RefreshTokens, Rotation, RotationError, SessionStore};
pub use refresh::{Refresh, RefreshError, Refreshed};
pub use refresh_token::{RefreshToken, RefreshTokenDigest, RefreshTokenError};
pub use sessions::{SessionError, Sessions};
pub use user_agent::UserAgent;
