//! `rollbook user …`: the accounts, kept by the person at the machine.

use std::sync::Arc;

use adapter_argon2::{Argon2Hasher, Limits};
use domain::PageSize;
use domain::user::{
    AccountError, Accounts, Admin, PasswordPolicy, Principal, Status, User as Account, UserChange, UserId, Username,
};
use time::format_description::well_known::Rfc3339;

use super::arguments::{User, UserCommand};
use super::failure::Failure;
use super::output;
use crate::stores::Stores;
use crate::system::{SystemClock, SystemRandom};

/// Runs one of the commands on accounts.
pub async fn run(user: User) -> Result<(), Failure> {
    let admin = Principal::operator().admin()?;
    // Asked for first: a password that will not do should not wait for the store.
    let password = match &user.command {
        UserCommand::Add { username, password, .. } | UserCommand::SetPassword { username, password } => {
            Some(password.new_password(username, user.passwords.password_min_length)?)
        }
        _ => None,
    };
    let accounts = accounts(Stores::open(&user.store.database()?).await?, user.passwords.password_min_length)?;
    match (user.command, password) {
        (UserCommand::Add { username, role, .. }, Some(password)) => {
            let made = accounts.add(&admin, username, password, role).await?;
            output::line(format_args!("Made {} with the role {}.", made.username, made.role))?;
        }
        (UserCommand::SetPassword { username, .. }, Some(password)) => {
            let id = id_of(&accounts, &admin, &username).await?;
            accounts.set_password(&admin, id, password).await?;
            output::line(format_args!("Set the password of {username}."))?;
        }
        (UserCommand::Add { .. } | UserCommand::SetPassword { .. }, None) => {
            return Err(Failure::new("no password was given"));
        }
        (UserCommand::List, _) => list(&accounts, &admin).await?,
        (UserCommand::SetRole { username, role }, _) => {
            let id = id_of(&accounts, &admin, &username).await?;
            accounts.change(&admin, id, None, UserChange::role(role)).await?;
            output::line(format_args!("{username} has the role {role} now."))?;
        }
        (UserCommand::Disable { username }, _) => {
            let id = id_of(&accounts, &admin, &username).await?;
            accounts.change(&admin, id, None, UserChange::status(Status::Disabled)).await?;
            output::line(format_args!("{username} is disabled now."))?;
        }
        (UserCommand::Enable { username }, _) => {
            let id = id_of(&accounts, &admin, &username).await?;
            accounts.change(&admin, id, None, UserChange::status(Status::Active)).await?;
            output::line(format_args!("{username} is active now."))?;
        }
        (UserCommand::Remove { username }, _) => {
            let id = id_of(&accounts, &admin, &username).await?;
            accounts.remove(&admin, id, None).await?;
            output::line(format_args!("Removed {username}."))?;
        }
    }
    Ok(())
}

/// The use cases of accounts on an open store.
pub fn accounts(stores: Stores, policy: PasswordPolicy) -> Result<Accounts, Failure> {
    Ok(Accounts {
        users: stores.users,
        passwords: Arc::new(Argon2Hasher::new(Limits::default())?),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        policy,
    })
}

async fn id_of(accounts: &Accounts, admin: &Admin, username: &Username) -> Result<UserId, Failure> {
    match accounts.named(admin, username).await {
        Ok(user) => Ok(user.id),
        Err(AccountError::Unknown) => {
            Err(Failure::new(format!("there is no user {username}; rollbook user list shows who there is")))
        }
        Err(error) => Err(error.into()),
    }
}

async fn list(accounts: &Accounts, admin: &Admin) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = accounts.page(admin, after, PageSize::LARGEST).await?;
        for user in &page.entries {
            output::line(line(user)?)?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Id, name, role, status and the time of the last change, with tabs between them.
fn line(user: &Account) -> Result<String, Failure> {
    let (status, changed) = (user.status.as_str(), user.updated_at.format(&Rfc3339)?);
    Ok(format!("{}\t{}\t{}\t{status}\t{changed}", user.id, user.username, user.role))
}
