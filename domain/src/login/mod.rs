//! Login with a password, change of one's own password, and login throttle.

mod counted;
mod log_in;
mod own_password;
mod throttle;
mod throttling;
mod withdrawals;

pub use counted::CountedAttempts;
pub use log_in::{LogIn, LogInAttempt, LogInError, LogInLimits, LoggedIn};
pub use own_password::{OwnPassword, OwnPasswordError};
pub use throttle::{AttemptInProgress, LoginInProgress, LoginThrottle};
#[cfg(feature = "mocks")]
pub use throttle::{MockLoginInProgress, MockLoginThrottle};
pub use throttling::LoginThrottling;
pub use withdrawals::Withdrawals;
