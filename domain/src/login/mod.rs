//! Login with a password, change of one's own password, and login throttle.

mod counted;
mod log_in;
mod own_password;
mod throttle;
mod throttling;

pub use counted::CountedAttempts;
pub use log_in::{LogIn, LogInAttempt, LogInError, LogInLimits, LoggedIn};
pub use own_password::{OwnPassword, OwnPasswordError};
#[cfg(feature = "mocks")]
pub use throttle::MockLoginThrottle;
pub use throttle::{AttemptInProgress, LoginThrottle};
pub use throttling::LoginThrottling;
