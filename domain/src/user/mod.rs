//! Users: who may log in, and what each may do.

mod accounts;
mod common_passwords;
mod log_in;
mod new_password;
mod password;
mod ports;
mod principal;
mod role;
#[expect(clippy::module_inception, reason = "the entity of the noun that the folder is named after")]
mod user;
mod username;

pub use accounts::{AccountError, Accounts, FirstAdministrator};
pub use log_in::{LogIn, LogInError, LoggedIn};
pub use new_password::{NewPassword, NewPasswordError, PasswordPolicy, PasswordPolicyError};
pub use password::{Password, PasswordError, PasswordHash};
pub use ports::{HashError, InsertUserError, PasswordHasher, UserChangeError, UserStore, Verdict};
#[cfg(feature = "mocks")]
pub use ports::{MockPasswordHasher, MockUserStore};
pub use principal::{Admin, Principal, Reader, Registrar, RoleTooLow};
pub use role::{Role, RoleError};
pub use user::{Credentials, NewUser, Status, StatusError, User, UserChange, UserId};
pub use username::{Username, UsernameError};
