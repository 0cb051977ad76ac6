//! `rollbook serve --demo`: a throw-away store with known passwords.

mod data;

use domain::access::Role;
use domain::{Actor, Who};

use super::failure::Failure;
use super::output;
use crate::stores::Stores;

pub use data::{create_students, make_users};

/// Name and role; everybody's password is [`PASSWORD`], which breaks the rules for new ones.
const USERS: [(&str, Role); 3] = [("shantanu", Role::Registrar), ("admin", Role::Admin), ("guest", Role::Viewer)];

const PASSWORD: &str = "password";

/// Fills an empty store, at this time.
pub async fn fill(stores: &Stores, at: time::OffsetDateTime) -> Result<(), Failure> {
    let by = Actor::here(Who::Service, at);
    make_users(stores, &USERS, PASSWORD, &by).await?;
    create_students(stores, &by).await?;
    Ok(())
}

/// Says loudly what this is.
pub fn warn() {
    let _ = output::line(
        "\n  THIS IS A DEMO. Its passwords are known to everybody, and what you write is thrown away.\n  Users: \
         shantanu / password (registrar), admin / password (admin), guest / password (viewer). Students: 25.\n",
    );
}
