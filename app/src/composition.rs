//! Composition of the use cases from the adapters.

use std::sync::Arc;

use adapter_argon2::Argon2Hasher;
use adapter_jwt::{JwtTokens, KeyedHashes};
use adapter_memory::{LoginThrottleMemory, RequestQuotaMemory, SessionCache, TurnsMemory};
use domain::audit::{DeniedAccessLog, Review};
use domain::login::{CountedAttempts, LogIn, LoginThrottling, OwnPassword, Withdrawals};
use domain::quota::RequestQuota;
use domain::session::{
    Authenticate, Grants, Refresh, SessionLifetimes, SessionLimit, SessionLookup, SessionStore, Sessions,
};
use domain::student::{ChangeRetention, FollowChanges};
use domain::token::TokenLifetime;
use domain::user::{Accounts, PasswordPolicy};
use domain::{Clock, MonotonicClock, Random, RandomError, StoreError};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::change_watch::ChangeWatch;
use crate::http::{ResourceRecords, UseCases};
use crate::stores::Stores;
use crate::system::SystemRandom;

/// Maximum number of exports that clients receive at the same time. Each has a temporary file.
const EXPORTS: usize = 8;

/// Signer and lifetimes of tokens and sessions.
pub struct Tokens {
    pub signer: Arc<JwtTokens>,
    pub lifetime: TokenLifetime,
    pub sessions: SessionLifetimes,
}

/// Rules for passwords, request rates, failed logins, sessions and changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies {
    pub passwords: PasswordPolicy,
    pub requests: RequestQuota,
    pub throttling: LoginThrottling,
    pub sessions: SessionLimit,
    pub changes: ChangeRetention,
}

/// Error while composing the use cases.
#[derive(Debug, Error)]
pub enum CompositionError {
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Composes the use cases from stores, hasher and signer.
///
/// # Errors
/// [`CompositionError`] when the key that all nodes share for refresh tokens cannot be generated or read.
pub async fn use_cases(
    stores: Stores,
    hasher: Argon2Hasher,
    tokens: Tokens,
    policies: Policies,
    (clock, monotonic): (Arc<dyn Clock>, Arc<dyn MonotonicClock>),
) -> Result<UseCases, CompositionError> {
    let Policies { passwords: policy, requests, throttling, sessions: session_limit, changes: retention } = policies;
    let random = Arc::new(SystemRandom);
    let passwords = Arc::new(hasher);
    let Tokens { signer, lifetime, sessions: lifetimes } = tokens;
    let keyed_hashes = Arc::new(KeyedHashes::new(&derivation_key(&*stores.sessions).await?));
    let attempts = CountedAttempts {
        credentials: stores.credentials.clone(),
        withdrawals: Arc::new(Withdrawals::new(stores.credentials.clone())),
        throttle: Arc::new(LoginThrottleMemory::new(monotonic.clone())),
        throttling,
        clock: clock.clone(),
    };
    let grants = Grants { tokens: signer.clone(), random: random.clone(), lifetime };
    let records = ResourceRecords::on(&stores, &clock);
    let denied_access = Arc::new(DeniedAccessLog::new(stores.audit.clone()));
    let session_lookup: Arc<dyn SessionLookup> =
        Arc::new(SessionCache::new(stores.session_lookup, stores.invalidation_feed));
    Ok(UseCases {
        records,
        authenticate: Authenticate {
            tokens: signer.clone(),
            session_lookup: session_lookup.clone(),
            denied_access: denied_access.clone(),
            clock: clock.clone(),
        },
        log_in: LogIn {
            attempts: attempts.clone(),
            sessions: stores.sessions.clone(),
            passwords: passwords.clone(),
            usernames: keyed_hashes.clone(),
            denied_access: denied_access.clone(),
            refresh_tokens: keyed_hashes.clone(),
            grants: grants.clone(),
            lifetimes,
            session_limit,
        },
        refresh: Refresh {
            sessions: stores.sessions.clone(),
            refresh_tokens: keyed_hashes,
            grants,
            denied_access: denied_access.clone(),
            clock: clock.clone(),
            lifetimes,
        },
        sessions: Sessions {
            sessions: stores.sessions,
            session_lookup,
            users: stores.users.clone(),
            denied_access: denied_access.clone(),
            clock: clock.clone(),
        },
        own_password: OwnPassword {
            users: stores.users.clone(),
            attempts,
            passwords: passwords.clone(),
            denied_access: denied_access.clone(),
            policy,
        },
        accounts: Accounts {
            users: stores.users,
            credentials: stores.credentials,
            passwords,
            denied_access: denied_access.clone(),
            clock: clock.clone(),
            random,
            policy,
        },
        review: Review { log: stores.audit, clock: clock.clone() },
        change_watch: ChangeWatch::new(stores.changes.clone()),
        changes: FollowChanges { feed: stores.changes, clock: clock.clone(), retention },
        denied_access,
        quotas: Arc::new(RequestQuotaMemory::new(requests, monotonic)),
        search_turns: Arc::new(TurnsMemory::of_users(Semaphore::MAX_PERMITS)),
        export_turns: Arc::new(TurnsMemory::of_users(EXPORTS)),
        name_index: stores.name_index,
        probe: stores.probe,
        key_set: signer,
        clock,
    })
}

async fn derivation_key(sessions: &dyn SessionStore) -> Result<[u8; 32], CompositionError> {
    let mut candidate = [0; 32];
    SystemRandom.fill(&mut candidate)?;
    Ok(sessions.derivation_key(candidate).await?)
}
