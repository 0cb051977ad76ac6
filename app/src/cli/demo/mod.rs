//! `rollbook serve --demo`: a temporary store with known passwords.

mod data;

use domain::access::Role;
use domain::{Actor, ActorId};

use super::failure::Failure;
use super::output;
use crate::stores::Stores;

pub use data::{create_students, create_users};

/// Username and role. The password of each is [`PASSWORD`], which the rules for new passwords would reject.
const USERS: [(&str, Role); 3] = [("shantanu", Role::Registrar), ("admin", Role::Admin), ("guest", Role::Viewer)];

const PASSWORD: &str = "password";

/// Fills an empty store; `at` is the creation time of the records.
pub async fn fill(stores: &Stores, at: time::OffsetDateTime) -> Result<(), Failure> {
    let by = Actor::here(ActorId::Service, at);
    create_users(stores, &USERS, PASSWORD, &by).await?;
    create_students(stores, &by).await?;
    Ok(())
}

/// Prints a warning with the known passwords.
pub fn warn() {
    let _ = output::line(
        "\n  THIS IS A DEMO. Its passwords are public, and all changes are lost when the server stops.\n  Users: \
         shantanu / password (registrar), admin / password (admin), guest / password (viewer). Students: 25.\n",
    );
}
