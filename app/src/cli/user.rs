//! `rollbook user …`: manages user accounts.

use std::sync::Arc;

use adapter_argon2::{Argon2Hasher, Limits};
use domain::UserId;
use domain::access::{Principal, Role, SessionsRead, SessionsWrite, UsersRead, UsersWrite};
use domain::audit::DeniedAccessLog;
use domain::record::{Precondition, Record, RecordError, Records};
use domain::session::{Session, Sessions, UserAgent};
use domain::user::{
    Accounts, NewPassword, NewUsername, PasswordPolicy, Status, User as Account, UserFilter, UserUpdate, Username,
};
use secrecy::ExposeSecret;
use time::format_description::well_known::Rfc3339;

use super::arguments::{User, UserCommand};
use super::failure::Failure;
use super::output;
use crate::stores::Stores;
use crate::system::{SystemClock, SystemRandom};

/// Runs a `user` subcommand.
pub async fn run(user: User) -> Result<(), Failure> {
    // Read first: an invalid password is rejected before the store is opened.
    let password = match &user.command {
        UserCommand::Create { username, password, .. } => {
            Some(password.new_password(username.as_username(), user.passwords.password_min_length)?)
        }
        UserCommand::SetPassword { username, password } => {
            Some(password.new_password(username, user.passwords.password_min_length)?)
        }
        _ => None,
    };
    let stores = user.store.open_existing().await?;
    let accounts = accounts(stores.clone(), user.passwords.password_min_length)?;
    let denied_access = accounts.denied_access.clone();
    let outcome = execute(user.command, password, &Operator::new(accounts, stores)?).await;
    let recorded = denied_access.flush().await;
    outcome.and_then(|()| Ok(recorded?))
}

async fn execute(command: UserCommand, password: Option<NewPassword>, operator: &Operator) -> Result<(), Failure> {
    match (command, password) {
        (UserCommand::Create { username, role, .. }, Some(password)) => operator.create(username, password, role).await,
        (UserCommand::SetPassword { username, .. }, Some(password)) => operator.set_password(username, password).await,
        (UserCommand::Create { .. } | UserCommand::SetPassword { .. }, None) => {
            Err(Failure::new("the password is missing"))
        }
        (UserCommand::List, _) => operator.list().await,
        (UserCommand::SetRole { username, role }, _) => {
            let message = format!("Changed the role of {username} to {role}.");
            operator.update(&username, UserUpdate::role(role), &message).await
        }
        (UserCommand::Disable { username }, _) => {
            let message = format!("Disabled {username}.");
            operator.update(&username, UserUpdate::status(Status::Disabled), &message).await
        }
        (UserCommand::Enable { username }, _) => {
            let message = format!("Enabled {username}.");
            operator.update(&username, UserUpdate::status(Status::Active), &message).await
        }
        (UserCommand::ResetPassword { username }, _) => operator.reset_password(&username).await,
        (UserCommand::Unlock { username }, _) => operator.unlock(&username).await,
        (UserCommand::ListSessions { username }, _) => operator.list_sessions(&username).await,
        (UserCommand::DeleteSessions { username }, _) => operator.delete_sessions(&username).await,
        (UserCommand::Delete { username }, _) => operator.delete(&username).await,
    }
}

/// Account use cases on an open store.
pub fn accounts(stores: Stores, policy: PasswordPolicy) -> Result<Accounts, Failure> {
    Ok(Accounts {
        denied_access: Arc::new(DeniedAccessLog::new(stores.audit)),
        users: stores.users,
        credentials: stores.credentials,
        passwords: Arc::new(Argon2Hasher::new(Limits::default())?),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        policy,
    })
}

/// The operator's permissions and use cases.
struct Operator {
    read: UsersRead,
    write: UsersWrite,
    accounts: Accounts,
    records: Records<Account>,
    stores: Stores,
}

impl Operator {
    fn new(accounts: Accounts, stores: Stores) -> Result<Self, Failure> {
        let principal = Principal::operator();
        let records = accounts.records();
        Ok(Self { read: principal.grant()?, write: principal.grant()?, accounts, records, stores })
    }

    async fn create(&self, username: NewUsername, password: NewPassword, role: Role) -> Result<(), Failure> {
        let user = self.accounts.create(&self.write, username, password, role).await?;
        output::line(format_args!("Created {} with the role {}.", user.username, user.role))?;
        if !self.has_administrator().await? {
            output::message(
                "There is no administrator yet, and `rollbook serve` creates one only in a store without users; create one with: \
                 rollbook user create NAME --role admin",
            );
        }
        Ok(())
    }

    async fn has_administrator(&self) -> Result<bool, Failure> {
        let mut has_administrator = false;
        let visit = |user: &Record<Account>| {
            has_administrator |= user.role == Role::Admin && user.status == Status::Active;
            Ok(())
        };
        output::each(async |request| self.records.list(&self.read, &UserFilter::default(), request).await, visit)
            .await?;
        Ok(has_administrator)
    }

    async fn set_password(&self, username: Username, password: NewPassword) -> Result<(), Failure> {
        self.accounts.set_password(&self.write, self.id_of(&username).await?, password).await?;
        output::line(format_args!("Set the password of {username}."))
    }

    async fn update(&self, username: &Username, change: UserUpdate, message: &str) -> Result<(), Failure> {
        self.accounts.update(&self.write, self.id_of(username).await?, &Precondition::Any, change).await?;
        output::line(message)
    }

    async fn reset_password(&self, username: &Username) -> Result<(), Failure> {
        let reset = self.accounts.reset_password(&self.write, self.id_of(username).await?).await?;
        let until = reset.expires_at.format(&Rfc3339)?;
        output::line(format_args!(
            "The one-time password of {username} is {}; it is shown only once, expires at {until}, and must be changed \
             at the first login.",
            reset.password.expose_secret()
        ))
    }

    async fn unlock(&self, username: &Username) -> Result<(), Failure> {
        self.accounts.unlock(&self.write, self.id_of(username).await?).await?;
        output::line(format_args!("Unlocked {username}."))
    }

    async fn delete(&self, username: &Username) -> Result<(), Failure> {
        self.accounts.delete(&self.write, self.id_of(username).await?, &Precondition::Any).await?;
        output::line(format_args!("Deleted {username}."))
    }

    async fn list(&self) -> Result<(), Failure> {
        output::pages(async |request| self.records.list(&self.read, &UserFilter::default(), request).await, line).await
    }

    async fn list_sessions(&self, username: &Username) -> Result<(), Failure> {
        let (id, sessions) = (self.id_of(username).await?, self.sessions());
        let by: SessionsRead = Principal::operator().grant()?;
        let page = async |request| sessions.list_of_user(&by, id, request).await;
        output::pages(page, session_line).await
    }

    async fn delete_sessions(&self, username: &Username) -> Result<(), Failure> {
        let by: SessionsWrite = Principal::operator().grant()?;
        let ended = self.sessions().end_all(&by, self.id_of(username).await?).await?;
        output::line(format_args!("Ended {ended} sessions of {username}."))
    }

    fn sessions(&self) -> Sessions {
        let Stores { sessions, session_lookup, users, .. } = self.stores.clone();
        let Accounts { denied_access, clock, .. } = self.accounts.clone();
        Sessions { sessions, session_lookup, users, denied_access, clock }
    }

    async fn id_of(&self, username: &Username) -> Result<UserId, Failure> {
        match self.accounts.get_by_name(&self.read, username).await {
            Ok(user) => Ok(user.id),
            Err(RecordError::NotFound) => {
                Err(Failure::new(format!("user {username} does not exist; list all users with: rollbook user list")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Id, username, role, status and time of the last change, separated by tabs.
fn line(user: &Record<Account>) -> Result<String, Failure> {
    let (status, changed) = (user.status.as_str(), user.updated_at.format(&Rfc3339)?);
    Ok(format!("{}\t{}\t{}\t{status}\t{changed}", user.id, user.username, user.role))
}

/// Id, time opened, time of the last refresh, time of expiry, address and user agent, separated by tabs; `-` if unknown.
fn session_line(session: &Session) -> Result<String, Failure> {
    let [opened, refreshed, expires] =
        [session.opened_at, session.refreshed_at, session.expires_at].map(|time| time.format(&Rfc3339));
    let client = session.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
    let user_agent = session.user_agent.as_ref().map_or("-", UserAgent::as_str);
    Ok(format!("{}\t{}\t{}\t{}\t{client}\t{user_agent}", session.id, opened?, refreshed?, expires?))
}
