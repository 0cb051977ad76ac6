//! Users: who may log in, and what each may do.

mod accounts;
mod attempts;
mod common_passwords;
mod guesses;
mod guessing;
mod log_in;
mod new_password;
mod own_password;
mod password;
mod ports;
mod principal;
mod role;
#[expect(clippy::module_inception, reason = "the entity of the noun that the folder is named after")]
mod user;
mod username;

pub use accounts::{AccountError, Accounts, FirstAdministrator, OneTimePassword};
pub use attempts::{Admission, Attempts};
pub use guesses::Guesses;
#[cfg(feature = "mocks")]
pub use guesses::MockGuesses;
pub use guessing::Guessing;
pub use log_in::{LogIn, LogInAttempt, LogInError, LogInLimits, LoggedIn};
pub use new_password::{NewPassword, NewPasswordError, PasswordPolicy, PasswordPolicyError};
pub use own_password::{OwnPassword, OwnPasswordError};
pub use password::{Password, PasswordError, PasswordHash};
pub use ports::{HashError, InsertUserError, PasswordHasher, UserChangeError, UserStore, Verdict};
#[cfg(feature = "mocks")]
pub use ports::{MockPasswordHasher, MockUserStore};
pub use principal::{Admin, Forbidden, Principal, Reader, Registrar};
pub use role::{Role, RoleError};
pub use user::{Credentials, NewUser, SetPassword, Status, StatusError, User, UserChange, UserId};
pub use username::{Username, UsernameError};
