//! Login use case.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::{Pin, pin};
use std::sync::Arc;

use thiserror::Error;
use time::Duration;

use super::counted::{AttemptError, Attempted, CountedAttempts, unless};
use super::{LoginInProgress, LoginThrottle, LoginThrottling};
use crate::audit::{Action, DeniedAccessLog, NewEvent};
use crate::quota::Budget;
use crate::record::Record;
use crate::session::{
    Grant, GrantError, Grants, NewSession, OpenSessionError, RefreshToken, RefreshTokens, Session, SessionLifetimes,
    SessionLimit, SessionStore, UserAgent,
};
use crate::user::{
    Account, Attempts, Credentials, GivenPassword, HashError, Password, PasswordHash, PasswordHasher, Share, Status,
    Throttled, User, Username, UsernameDigests, Verdict, key,
};
use crate::{Actor, ActorId, Origin, RandomError, StoreError, Target, UserId};

/// Logs in a user with username and password.
#[derive(Clone)]
pub struct LogIn {
    pub attempts: CountedAttempts,
    pub sessions: Arc<dyn SessionStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub usernames: Arc<dyn UsernameDigests>,
    pub denied_access: Arc<DeniedAccessLog>,
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    pub grants: Grants,
    pub lifetimes: SessionLifetimes,
    pub session_limit: SessionLimit,
}

/// Outcome of a login attempt, with the remaining quotas.
#[derive(Debug)]
pub struct LogInAttempt {
    pub limits: LogInLimits,
    pub outcome: Result<LoggedIn, LogInError>,
}

/// Remaining failed logins of the account and of the client address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogInLimits {
    /// `None` if the attempt ended before its admission.
    pub account: Option<Budget>,
    pub address: Budget,
}

/// Successful login.
#[derive(Debug)]
pub struct LoggedIn {
    pub user: Record<User>,
    pub session: Session,
    pub grant: Grant,
    /// Error that prevented the upgrade of an outdated hash. The next login tries again.
    pub outdated_hash_kept: Option<LogInError>,
}

/// Reason why a login was rejected.
#[derive(Debug, Error)]
pub enum LogInError {
    /// Unknown username, wrong or expired password, or disabled account: indistinguishable by design.
    #[error("the credentials are not valid")]
    InvalidCredentials,
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl AttemptError for LogInError {
    fn is_failure(&self) -> bool {
        matches!(self, Self::InvalidCredentials)
    }
}

/// Result of the lookup of a username.
struct Candidate {
    account: Account,
    known: Option<Credentials>,
}

impl LogIn {
    /// Verifies a username and a password, and opens a session.
    ///
    /// The duration does not depend on whether the username exists (ASVS 6.3.8). If the hash of a correct password has outdated
    /// parameters, it is replaced (ASVS 11.4.2). If the address or the account is throttled, the attempt is rejected without
    /// hashing and is not counted (ASVS 6.3.1); a throttled address causes no query.
    ///
    /// When `cancelled` completes, the attempt ends and is withdrawn. A caller whose client may disconnect completes it, instead
    /// of dropping the returned future.
    pub async fn log_in(
        &self,
        username: &str,
        password: &str,
        user_agent: Option<UserAgent>,
        origin: Origin,
        cancelled: impl Future<Output = ()> + Send,
    ) -> LogInAttempt {
        let by = Actor { id: ActorId::Anonymous, at: self.attempts.clock.now(), origin };
        let address = client(&by);
        let mut cancelled = pin!(cancelled);
        let (account, outcome) = match self.begin(address, cancelled.as_mut()).await {
            Ok(login) => {
                let (account, outcome) = match self.candidate(username).await {
                    Ok(candidate) => self.log_in_candidate(&candidate, password, user_agent, &by, cancelled).await,
                    Err(error) => (None, Err(error.into())),
                };
                if let (Some(login), Err(LogInError::InvalidCredentials)) = (login, &outcome) {
                    login.failed();
                }
                (account, outcome)
            }
            Err(error) => {
                if let LogInError::Throttled(_) = error {
                    self.record_denied_login(None, &by);
                }
                (None, Err(error))
            }
        };
        LogInAttempt { limits: LogInLimits { account, address: self.throttle().budget(address) }, outcome }
    }

    /// Counts a login for its client address, unless throttling is off.
    async fn begin(
        &self,
        address: IpAddr,
        cancelled: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<Option<Box<dyn LoginInProgress>>, LogInError> {
        if self.attempts.throttling == LoginThrottling::Unlimited {
            return Ok(None);
        }
        let begun = unless(cancelled, self.throttle().begin_login(address)).await.ok_or(HashError::Busy)?;
        let login = begun.map_err(|exhausted| Throttled::RetryAfter { retry_after: exhausted.next_in })?;
        Ok(Some(login.ok_or(HashError::Busy)?))
    }

    /// Returns the outcome, and the remaining attempts of the account.
    async fn log_in_candidate(
        &self,
        candidate: &Candidate,
        password: &str,
        user_agent: Option<UserAgent>,
        by: &Actor,
        cancelled: impl Future<Output = ()> + Send,
    ) -> (Option<Budget>, Result<LoggedIn, LogInError>) {
        let verify = self.verify(candidate, password, user_agent, by);
        let Attempted { failures, outcome } = self.attempts.attempt(candidate.account, by, cancelled, verify).await;
        if let Err(LogInError::InvalidCredentials | LogInError::Throttled(_)) = &outcome {
            self.record_denied_login(candidate.known.as_ref().map(|known| known.user.id), by);
        }
        (failures.map(|failures| account_budget(failures, &outcome)), outcome)
    }

    async fn candidate(&self, username: &str) -> Result<Candidate, StoreError> {
        let unknown = Account::Unknown(self.usernames.digest(&key(username)));
        let known = match username.parse::<Username>() {
            Ok(username) => self.attempts.credentials.find_credentials(&username).await?,
            Err(_) => None,
        };
        Ok(Candidate { account: known.as_ref().map_or(unknown, |known| Account::User(known.user.id)), known })
    }

    async fn verify(
        &self,
        candidate: &Candidate,
        password: &str,
        user_agent: Option<UserAgent>,
        by: &Actor,
    ) -> Result<LoggedIn, LogInError> {
        let password = GivenPassword::parse(password).map_err(|_| LogInError::InvalidCredentials)?;
        let known = candidate.known.as_ref();
        let stored = known.map(|known| known.password.clone());
        let share = Share::of(&by.origin, candidate.account);
        let verdict = password.verify(&*self.passwords, stored, share).await?;
        let is_usable = |known: &Credentials| {
            known.user.status == Status::Active && known.password_expires_at.is_none_or(|expiry| by.at < expiry)
        };
        let known = known
            .filter(|known| verdict != Verdict::Incorrect && is_usable(known))
            .ok_or(LogInError::InvalidCredentials)?;
        let by = Actor { id: ActorId::User(known.user.id), ..by.clone() };

        // A failed upgrade does not reject a correct password.
        let (verified, outdated_hash_kept) = match verdict {
            Verdict::CorrectButOutdated => match self.upgrade(known, password.preferred().clone(), share, &by).await {
                Ok(fresh) => (fresh, None),
                Err(error) => (known.password.clone(), Some(error)),
            },
            Verdict::Correct | Verdict::Incorrect => (known.password.clone(), None),
        };
        let refresh_token = RefreshToken::random(&*self.grants.random)?;
        let new = NewSession {
            user_id: known.user.id,
            verified,
            refresh_token: self.refresh_tokens.digest(&refresh_token),
            lifetimes: self.lifetimes,
            limit: self.session_limit,
            user_agent,
        };
        let session = self.sessions.open(new, &by).await.map_err(|error| match error {
            OpenSessionError::Outdated => LogInError::InvalidCredentials,
            OpenSessionError::Store(error) => error.into(),
        })?;
        let grant = self.grants.grant(&session, refresh_token, by.at)?;
        Ok(LoggedIn { user: known.user.clone(), session, grant, outdated_hash_kept })
    }

    async fn upgrade(
        &self,
        known: &Credentials,
        password: Password,
        share: Share,
        by: &Actor,
    ) -> Result<PasswordHash, LogInError> {
        let fresh = self.passwords.hash(password, share).await?;
        self.attempts.credentials.upgrade_hash(known.user.id, &known.password, &fresh, by).await?;
        Ok(fresh)
    }

    fn record_denied_login(&self, target: Option<UserId>, by: &Actor) {
        self.denied_access.record(NewEvent::denied(by, Action::LOGIN_DENIED, target.map(Target::of), None));
    }

    fn throttle(&self) -> &dyn LoginThrottle {
        &*self.attempts.throttle
    }
}

/// Remaining attempts, from the count of this attempt: with a shared count, concurrent attempts would distinguish unknown usernames.
fn account_budget(failures: u32, outcome: &Result<LoggedIn, LogInError>) -> Budget {
    let failures = if outcome.is_ok() { 0 } else { failures };
    let wait = match outcome {
        Err(LogInError::Throttled(Throttled::RetryAfter { retry_after })) => *retry_after,
        Err(LogInError::Throttled(Throttled::Locked)) => Attempts::MAX_DELAY,
        Err(LogInError::InvalidCredentials) => Attempts::delay_after(failures),
        _ => Duration::ZERO,
    };
    Budget {
        quota: Attempts::FREE_FAILURES,
        window: Attempts::MAX_DELAY,
        left: Attempts::FREE_FAILURES.saturating_sub(failures),
        next_in: wait,
    }
}

/// Clients with an unknown address share one budget.
fn client(by: &Actor) -> IpAddr {
    by.origin.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests;
