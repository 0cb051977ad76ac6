//! Sessions: from a login until a logout, with an access token that is renewed on the way.

mod bearers;
mod lifetimes;
mod ports;
mod refresh;
mod refresh_token;
#[expect(clippy::module_inception, reason = "the entity of the noun that the folder is named after")]
mod session;
mod sessions;
mod user_agent;

pub use bearers::{Bearers, BearersListener, BearersSource};
#[cfg(feature = "mocks")]
pub use bearers::{MockBearers, MockBearersListener, MockBearersSource};
pub use lifetimes::{SessionLifetimes, SessionLifetimesError};
#[cfg(feature = "mocks")]
pub use ports::{MockRefreshTokens, MockSessionStore};
pub use ports::{OpenSessionError, RefreshTokens, Rotation, RotationError, SessionStore};
pub use refresh::{Refresh, RefreshError, Refreshed};
pub use refresh_token::{RefreshToken, RefreshTokenDigest, RefreshTokenError};
pub use session::{NewSession, Session, SessionId};
pub use sessions::{SessionError, Sessions};
pub use user_agent::UserAgent;
