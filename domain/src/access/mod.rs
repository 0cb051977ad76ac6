//! Access control: roles, permissions and principals.

mod permission;
mod principal;
mod role;

pub use permission::*;
pub use principal::{Forbidden, Principal};
pub use role::{Role, RoleError};
