//! `rollbook user …`: the accounts, kept by the person at the machine.

use std::sync::Arc;

use adapter_argon2::{Argon2Hasher, Limits};
use domain::UserId;
use domain::access::{Principal, Role, SessionsRead, SessionsWrite, UsersRead, UsersWrite};
use domain::record::{Precondition, Record, RecordError, Records};
use domain::session::{Session, SessionStore, Sessions, UserAgent};
use domain::user::{Accounts, NewPassword, PasswordPolicy, Status, User as Account, UserChange, Username};
use secrecy::ExposeSecret;
use time::format_description::well_known::Rfc3339;

use super::arguments::{User, UserCommand};
use super::failure::Failure;
use super::output;
use crate::stores::Stores;
use crate::system::{SystemClock, SystemRandom};

/// Runs one of the commands on accounts.
pub async fn run(user: User) -> Result<(), Failure> {
    // Asked for first: a password that will not do should not wait for the store.
    let password = match &user.command {
        UserCommand::Add { username, password, .. } | UserCommand::SetPassword { username, password } => {
            Some(password.new_password(username, user.passwords.password_min_length)?)
        }
        _ => None,
    };
    let stores = Stores::open(&user.store.database()?).await?;
    let sessions = stores.sessions.clone();
    let accounts = accounts(stores, user.passwords.password_min_length)?;
    let operator = Operator::new(accounts, sessions)?;
    match (user.command, password) {
        (UserCommand::Add { username, role, .. }, Some(password)) => operator.add(username, password, role).await,
        (UserCommand::SetPassword { username, .. }, Some(password)) => operator.set_password(username, password).await,
        (UserCommand::Add { .. } | UserCommand::SetPassword { .. }, None) => Err(Failure::new("no password was given")),
        (UserCommand::List, _) => operator.list().await,
        (UserCommand::SetRole { username, role }, _) => {
            let told = format!("{username} has the role {role} now.");
            operator.change(&username, UserChange::role(role), &told).await
        }
        (UserCommand::Disable { username }, _) => {
            let told = format!("{username} is disabled now.");
            operator.change(&username, UserChange::status(Status::Disabled), &told).await
        }
        (UserCommand::Enable { username }, _) => {
            let told = format!("{username} is active now.");
            operator.change(&username, UserChange::status(Status::Active), &told).await
        }
        (UserCommand::ResetPassword { username }, _) => operator.reset_password(&username).await,
        (UserCommand::Unlock { username }, _) => operator.unlock(&username).await,
        (UserCommand::Sessions { username }, _) => operator.list_sessions(&username).await,
        (UserCommand::EndSessions { username }, _) => operator.end_sessions(&username).await,
        (UserCommand::Delete { username }, _) => operator.delete(&username).await,
    }
}

/// The use cases of accounts on an open store.
pub fn accounts(stores: Stores, policy: PasswordPolicy) -> Result<Accounts, Failure> {
    Ok(Accounts {
        users: stores.users,
        credentials: stores.credentials,
        passwords: Arc::new(Argon2Hasher::new(Limits::default())?),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        policy,
    })
}

/// The person at the machine, and what that person may use.
struct Operator {
    read: UsersRead,
    write: UsersWrite,
    accounts: Accounts,
    records: Records<Account>,
    sessions: Arc<dyn SessionStore>,
}

impl Operator {
    fn new(accounts: Accounts, sessions: Arc<dyn SessionStore>) -> Result<Self, Failure> {
        let principal = Principal::operator();
        let records = accounts.records();
        Ok(Self { read: principal.grant()?, write: principal.grant()?, accounts, records, sessions })
    }

    async fn add(&self, username: Username, password: NewPassword, role: Role) -> Result<(), Failure> {
        let made = self.accounts.create(&self.write, username, password, role).await?;
        output::line(format_args!("Made {} with the role {}.", made.username, made.role))
    }

    async fn set_password(&self, username: Username, password: NewPassword) -> Result<(), Failure> {
        self.accounts.set_password(&self.write, self.id_of(&username).await?, password).await?;
        output::line(format_args!("Set the password of {username}."))
    }

    async fn change(&self, username: &Username, change: UserChange, told: &str) -> Result<(), Failure> {
        self.records.update(&self.write, self.id_of(username).await?, &Precondition::Any, change).await?;
        output::line(told)
    }

    async fn reset_password(&self, username: &Username) -> Result<(), Failure> {
        let reset = self.accounts.reset_password(&self.write, self.id_of(username).await?).await?;
        let until = reset.expires_at.format(&Rfc3339)?;
        output::line(format_args!(
            "The one-time password of {username} is {}; it is shown this once, is good until {until}, and has to be \
             changed before anything else.",
            reset.password.expose_secret()
        ))
    }

    async fn unlock(&self, username: &Username) -> Result<(), Failure> {
        self.accounts.unlock(&self.write, self.id_of(username).await?).await?;
        output::line(format_args!("{username} may try to log in again."))
    }

    async fn delete(&self, username: &Username) -> Result<(), Failure> {
        self.records.delete(&self.write, self.id_of(username).await?, &Precondition::Any).await?;
        output::line(format_args!("Deleted {username}."))
    }

    async fn list(&self) -> Result<(), Failure> {
        output::pages(async |request| self.records.list(&self.read, &(), request).await, line).await
    }

    async fn list_sessions(&self, username: &Username) -> Result<(), Failure> {
        let (id, sessions) = (self.id_of(username).await?, self.sessions());
        let by: SessionsRead = Principal::operator().grant()?;
        let page = async |request| sessions.list_of_user(&by, id, request).await;
        output::pages(page, session_line).await
    }

    async fn end_sessions(&self, username: &Username) -> Result<(), Failure> {
        let by: SessionsWrite = Principal::operator().grant()?;
        let ended = self.sessions().end_all(&by, self.id_of(username).await?).await?;
        output::line(format_args!("Ended {ended} sessions of {username}."))
    }

    fn sessions(&self) -> Sessions {
        let Accounts { users, clock, .. } = &self.accounts;
        Sessions { sessions: self.sessions.clone(), users: users.clone(), clock: clock.clone() }
    }

    async fn id_of(&self, username: &Username) -> Result<UserId, Failure> {
        match self.accounts.get_by_name(&self.read, username).await {
            Ok(user) => Ok(user.id),
            Err(RecordError::NotFound) => {
                Err(Failure::new(format!("there is no user {username}; rollbook user list shows who there is")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Id, name, role, status and the time of the last change, with tabs between them.
fn line(user: &Record<Account>) -> Result<String, Failure> {
    let (status, changed) = (user.status.as_str(), user.updated_at.format(&Rfc3339)?);
    Ok(format!("{}\t{}\t{}\t{status}\t{changed}", user.id, user.username, user.role))
}

/// Id, the times of opening, of the last refresh and of the last chance for the next, address and program, with tabs
/// between them and a dash for what is not known.
fn session_line(session: &Session) -> Result<String, Failure> {
    let [opened, refreshed, expires] =
        [session.opened_at, session.refreshed_at, session.expires_at].map(|time| time.format(&Rfc3339));
    let client = session.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
    let program = session.user_agent.as_ref().map_or("-", UserAgent::as_str);
    Ok(format!("{}\t{}\t{}\t{}\t{client}\t{program}", session.id, opened?, refreshed?, expires?))
}
