//! Sample users for the contract cases.

#![expect(clippy::unwrap_used, reason = "the samples are valid")]

use time::macros::datetime;

use super::{NewUser, PasswordHash, Status, User, UserConflict, UserUpdate};
use crate::access::Role;
use crate::record::{Sample, Unique};

impl Sample for User {
    const UNIQUE: Option<Unique<Self>> = Some(Unique {
        conflicting: |n| NewUser {
            one_time_until: Some(datetime!(2026-11-24 12:00 UTC)),
            ..new_user(&format!("åSA{n}"), Role::Admin)
        },
        conflicting_patch: None,
        is_taken: |conflict| matches!(conflict, UserConflict::UsernameTaken),
    });

    fn sample(n: u32) -> NewUser {
        new_user(&format!("Åsa{n}"), Role::Viewer)
    }

    fn fields_of(new: &NewUser) -> Self {
        let NewUser { username, role, one_time_until, .. } = new.clone();
        let password_change_due = one_time_until.is_some();
        Self { username: username.into(), role, status: Status::Active, password_change_due }
    }

    fn patch(n: u32) -> UserUpdate {
        UserUpdate::role(role(n))
    }

    fn patched(self, n: u32) -> Self {
        Self { role: role(n), ..self }
    }
}

/// Excludes administrators: the last one cannot be deleted.
fn role(n: u32) -> Role {
    if n.is_multiple_of(2) { Role::Viewer } else { Role::Registrar }
}

fn new_user(name: &str, role: Role) -> NewUser {
    let password = PasswordHash::new(format!("hash of {name}"));
    NewUser { username: name.parse().unwrap(), password, role, one_time_until: None }
}
