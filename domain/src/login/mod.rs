//! Logging in with a password, changing one's own, and throttling of failed attempts.

mod guesses;
mod guessing;
mod log_in;
mod own_password;

pub use guesses::Guesses;
#[cfg(feature = "mocks")]
pub use guesses::MockGuesses;
pub use guessing::Guessing;
pub use log_in::{LogIn, LogInAttempt, LogInError, LogInLimits, LoggedIn};
pub use own_password::{OwnPassword, OwnPasswordError};
