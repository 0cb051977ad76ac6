//! Login use case.

use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use thiserror::Error;
use time::Duration;

use super::{LoginThrottle, LoginThrottling};
use crate::audit::{Action, DeniedAccessLog, NewEvent};
use crate::quota::Budget;
use crate::record::Record;
use crate::session::{
    Grant, GrantError, Grants, NewSession, OpenSessionError, RefreshToken, RefreshTokens, Session, SessionLifetimes,
    SessionLimit, SessionStore, UserAgent,
};
use crate::user::{
    Admission, Attempts, CredentialStore, Credentials, GivenPassword, HashError, Password, PasswordHash,
    PasswordHasher, Share, Status, Throttled, User, Username, Verdict, key,
};
use crate::{Actor, ActorId, Clock, Origin, RandomError, StoreError, Target};

/// Logs in a user with username and password.
#[derive(Clone)]
pub struct LogIn {
    pub credentials: Arc<dyn CredentialStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub throttle: Arc<dyn LoginThrottle>,
    pub denied_access: Arc<DeniedAccessLog>,
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    pub grants: Grants,
    pub clock: Arc<dyn Clock>,
    pub lifetimes: SessionLifetimes,
    pub session_limit: SessionLimit,
    pub throttling: LoginThrottling,
}

/// Outcome of a login attempt, with the remaining quotas.
#[derive(Debug)]
pub struct LogInAttempt {
    /// `None` if the lookup of the username failed.
    pub limits: Option<LogInLimits>,
    pub outcome: Result<LoggedIn, LogInError>,
}

/// Remaining failed logins of the account and of the client address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogInLimits {
    pub account: Budget,
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

/// Result of the lookup of a username.
enum Candidate {
    Known(Box<Credentials>),
    /// Key of an unknown username.
    Unknown(String),
}

impl Candidate {
    /// The folded username.
    fn name(&self) -> String {
        match self {
            Self::Known(known) => known.user.username.folded(),
            Self::Unknown(name) => name.clone(),
        }
    }
}

impl LogIn {
    /// Verifies a username and a password, and opens a session.
    ///
    /// The duration does not depend on whether the username exists (ASVS 6.3.8). If the hash of a correct password has outdated
    /// parameters, it is replaced (ASVS 11.4.2). If the account or the address is throttled, the attempt is rejected without
    /// hashing and is not counted (ASVS 6.3.1).
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
        let by = Actor { id: ActorId::Anonymous, at: self.clock.now(), origin };
        let candidate = match self.candidate(username).await {
            Ok(candidate) => candidate,
            Err(error) => return LogInAttempt { limits: None, outcome: Err(error.into()) },
        };
        let mut failures = None;
        let outcome = if self.throttling == LoginThrottling::Unlimited {
            failures = Some(0);
            self.verify(&candidate, password, user_agent, &by).await
        } else {
            let verify = self.verify(&candidate, password, user_agent, &by);
            self.attempt(&candidate, &by, unless(cancelled, verify), &mut failures).await
        };
        if let Err(LogInError::InvalidCredentials | LogInError::Throttled(_)) = &outcome {
            self.record_denied_login(&candidate, &by);
        }
        LogInAttempt { limits: Some(self.limits(&candidate, failures, &outcome, &by)), outcome }
    }

    async fn candidate(&self, username: &str) -> Result<Candidate, StoreError> {
        let known = match username.parse::<Username>() {
            Ok(username) => self.credentials.find_credentials(&username).await?,
            Err(_) => None,
        };
        Ok(known.map_or_else(|| Candidate::Unknown(key(username)), |known| Candidate::Known(Box::new(known))))
    }

    /// Verifies the attempt unless it is throttled. Sets `failures` to the number of consecutive failures if it was counted.
    async fn attempt(
        &self,
        candidate: &Candidate,
        by: &Actor,
        verify: impl Future<Output = Option<Result<LoggedIn, LogInError>>> + Send,
        failures: &mut Option<u32>,
    ) -> Result<LoggedIn, LogInError> {
        if let Err(address) = self.throttle.take(client(by)) {
            return Err(Throttled::RetryAfter { retry_after: address.next_in }.into());
        }
        let outcome = self.attempt_account(candidate, by, verify, failures).await;
        if !matches!(outcome, Err(LogInError::InvalidCredentials)) {
            self.throttle.give_back(client(by));
        }
        outcome
    }

    async fn attempt_account(
        &self,
        candidate: &Candidate,
        by: &Actor,
        verify: impl Future<Output = Option<Result<LoggedIn, LogInError>>> + Send,
        failures: &mut Option<u32>,
    ) -> Result<LoggedIn, LogInError> {
        let mut progress = self.throttle.begin(&candidate.name()).await.ok_or(HashError::Busy)?;
        // Admitted attempts count as failures until they end.
        let admission = loop {
            progress.admitting().await;
            let admission = self.admit(candidate, by).await?;
            if !matches!(admission, Err(Throttled::RetryAfter { .. })) || !progress.throttled().await {
                break admission;
            }
        };
        // A throttled account has no remaining attempts.
        *failures = Some(admission.unwrap_or(Attempts::FREE_FAILURES));
        admission?;
        progress.admitted();
        // A cancelled request gets no response.
        let outcome = verify.await.unwrap_or(Err(HashError::Busy.into()));
        if !matches!(outcome, Ok(_) | Err(LogInError::InvalidCredentials)) {
            *failures = failures.map(|failures| failures.saturating_sub(1));
            // If the store fails again, the attempt remains counted until the next success.
            let _ = self.withdraw(candidate).await;
        }
        outcome
    }

    /// Counts the attempt unless it is throttled.
    async fn admit(&self, candidate: &Candidate, by: &Actor) -> Result<Admission, StoreError> {
        match candidate {
            Candidate::Known(known) => self.credentials.admit_login(known.user.id, by).await,
            Candidate::Unknown(name) => {
                let admission = self.throttle.admit_unknown(name);
                if admission.is_ok() {
                    self.credentials.admit_dummy_login().await?;
                }
                Ok(admission)
            }
        }
    }

    async fn withdraw(&self, candidate: &Candidate) -> Result<(), StoreError> {
        match candidate {
            Candidate::Known(known) => self.credentials.withdraw_login(known.user.id).await,
            Candidate::Unknown(name) => {
                self.throttle.withdraw_unknown(name);
                self.credentials.admit_dummy_login().await
            }
        }
    }

    async fn verify(
        &self,
        candidate: &Candidate,
        password: &str,
        user_agent: Option<UserAgent>,
        by: &Actor,
    ) -> Result<LoggedIn, LogInError> {
        let password = GivenPassword::parse(password).map_err(|_| LogInError::InvalidCredentials)?;
        let known = match candidate {
            Candidate::Known(known) => Some(known),
            Candidate::Unknown(_) => None,
        };
        let stored = known.map(|known| known.password.clone());
        let share = Share::of(&by.origin, candidate.name());
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
        self.credentials.upgrade_hash(known.user.id, &known.password, &fresh, by).await?;
        Ok(fresh)
    }

    fn record_denied_login(&self, candidate: &Candidate, by: &Actor) {
        let target = match candidate {
            Candidate::Known(known) => Some(Target::of(known.user.id)),
            Candidate::Unknown(_) => None,
        };
        self.denied_access.record(NewEvent {
            by: by.clone(),
            action: Action::LOGIN_DENIED,
            target,
            detail: None,
            count: 1,
        });
    }

    /// Remaining attempts, from the count of this attempt: with a shared count, concurrent attempts would distinguish unknown
    /// usernames.
    fn limits(
        &self,
        candidate: &Candidate,
        counted: Option<u32>,
        outcome: &Result<LoggedIn, LogInError>,
        by: &Actor,
    ) -> LogInLimits {
        let failures = match (outcome, counted, candidate) {
            (Ok(_), ..) => 0,
            (_, Some(failures), _) => failures,
            // The address was throttled before the account was read.
            (_, None, Candidate::Known(known)) => known.attempts.failures(),
            (_, None, Candidate::Unknown(name)) => self.throttle.failures_of_unknown(name),
        };
        let wait = match outcome {
            Err(LogInError::Throttled(Throttled::RetryAfter { retry_after })) => *retry_after,
            Err(LogInError::Throttled(Throttled::Locked)) => Attempts::MAX_DELAY,
            Err(LogInError::InvalidCredentials) => Attempts::delay_after(failures),
            _ => Duration::ZERO,
        };
        let account = Budget {
            quota: Attempts::FREE_FAILURES,
            window: Attempts::MAX_DELAY,
            left: Attempts::FREE_FAILURES.saturating_sub(failures),
            next_in: wait,
        };
        LogInLimits { account, address: self.throttle.budget(client(by)) }
    }
}

/// Runs `work` until `cancelled` completes.
async fn unless<T>(cancelled: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    let (mut cancelled, mut work) = (pin!(cancelled), pin!(work));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => cancelled.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Clients with an unknown address share one budget.
fn client(by: &Actor) -> IpAddr {
    by.origin.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests;
