//! User accounts, credentials, password rules and login attempts.

mod account;
mod accounts;
mod attempts;
mod common_passwords;
mod entity;
mod given_password;
mod new_password;
mod password;
mod ports;
#[cfg(feature = "contract")]
mod sample;
mod share;
mod username;

pub use account::{Account, UsernameDigest};
pub use accounts::{AccountError, Accounts, FirstAdministrator, OneTimePassword};
pub use attempts::{Admission, Attempts, Throttled};
pub use entity::{Credentials, NewUser, SetPassword, Status, StatusError, User, UserConflict, UserFilter, UserUpdate};
pub use given_password::GivenPassword;
pub use new_password::{NewPassword, NewPasswordError, PasswordPolicy, PasswordPolicyError};
pub use password::{Password, PasswordError, PasswordHash};
pub use ports::{CredentialStore, HashError, PasswordHasher, UsernameDigests, Verdict};
#[cfg(feature = "mocks")]
pub use ports::{MockCredentialStore, MockPasswordHasher, MockUsernameDigests};
pub use share::Share;
pub(crate) use username::key;
pub use username::{NewUsername, Username, UsernameError};
