//! The arguments of `rollbook user`.

use clap::{Args, Subcommand};
use domain::access::Role;
use domain::user::Username;

use super::{Passwords, Store};

#[derive(Debug, Args)]
#[command(arg_required_else_help = false)]
pub struct User {
    #[command(flatten)]
    pub store: Store,

    #[command(flatten)]
    pub passwords: Passwords,

    #[command(subcommand)]
    pub command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user; asks for the password
    Add {
        /// The name to log in with
        username: Username,
        /// What the user may do: viewer, registrar or admin
        #[arg(long, default_value = "viewer")]
        role: Role,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// List the users
    List,
    /// Set a user's password anew; asks for it, and ends the user's sessions
    SetPassword {
        username: Username,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Give a user another role: viewer, registrar or admin
    SetRole { username: Username, role: Role },
    /// Give a user a one-time password, which has to be changed within 24 hours; ends the user's sessions
    ResetPassword { username: Username },
    /// Let a user no longer log in; ends the user's sessions
    Disable { username: Username },
    /// Let a disabled user log in again
    Enable { username: Username },
    /// Forget a user's failed logins, also where they had locked the account
    Unlock { username: Username },
    /// List a user's open sessions: id, opened, refreshed, refreshable until, address, program
    Sessions { username: Username },
    /// End all of a user's sessions
    EndSessions { username: Username },
    /// Delete a user permanently
    Delete { username: Username },
}

/// Where a password comes from. Never from an argument, which every process on the machine can read.
#[derive(Debug, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}
