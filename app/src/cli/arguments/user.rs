//! The arguments of `rollbook user`.

use clap::{Args, Subcommand};
use domain::access::Role;
use domain::user::{NewUsername, Username};

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
    /// Create a user; prompts for the password
    Create {
        /// Username for the login: letters, digits and printable ASCII characters (RFC 8265)
        username: NewUsername,
        /// Role: viewer, registrar or admin
        #[arg(long, default_value = "viewer")]
        role: Role,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// List users: id, username, role, status, last change
    List,
    /// Set a user's password; prompts for it, and ends the user's sessions
    SetPassword {
        username: Username,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Change a user's role: viewer, registrar or admin
    SetRole { username: Username, role: Role },
    /// Set a one-time password, to be changed within 24 hours; ends the user's sessions
    ResetPassword { username: Username },
    /// Disable a user's login; ends the user's sessions
    Disable { username: Username },
    /// Enable a disabled user's login
    Enable { username: Username },
    /// Reset a user's failed logins and unlock the account
    Unlock { username: Username },
    /// List a user's open sessions: id, opened, refreshed, refreshable until, address, user agent
    ListSessions { username: Username },
    /// End all sessions of a user
    DeleteSessions { username: Username },
    /// Delete a user permanently
    Delete { username: Username },
}

/// Source of a password. Never an argument: every process on the machine can read those.
#[derive(Debug, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}
