//! Where the adapters meet the use cases.

use std::sync::Arc;

use adapter_argon2::Argon2Hasher;
use adapter_jwt::{HmacRefreshTokens, JwtTokens};
use adapter_memory::{CachedBearers, GuessMemory, RequestQuotaMemory};
use domain::audit::{Refusals, Review};
use domain::quota::RequestQuota;
use domain::session::{Refresh, SessionLifetimes, SessionStore, Sessions};
use domain::student::Roll;
use domain::token::{Authenticate, Grants, TokenLifetime};
use domain::user::{Accounts, Guessing, LogIn, OwnPassword, PasswordPolicy};
use domain::{Clock, Random, RandomError, StoreError};
use thiserror::Error;

use crate::http::Services;
use crate::stores::Stores;
use crate::system::SystemRandom;

/// How tokens and sessions are made.
pub struct Tokens {
    pub signer: Arc<JwtTokens>,
    pub lifetime: TokenLifetime,
    pub sessions: SessionLifetimes,
}

/// What is asked of whoever uses the service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies {
    pub passwords: PasswordPolicy,
    pub requests: RequestQuota,
    pub guessing: Guessing,
}

/// Why the use cases could not be put together.
#[derive(Debug, Error)]
pub enum CompositionError {
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The use cases on real stores and the real hasher.
///
/// # Errors
/// [`CompositionError`] when the store cannot be asked for what all nodes share.
pub async fn services(
    stores: Stores,
    hasher: Argon2Hasher,
    tokens: Tokens,
    policies: Policies,
    clock: Arc<dyn Clock>,
) -> Result<Services, CompositionError> {
    let Policies { passwords: policy, requests, guessing } = policies;
    let random = Arc::new(SystemRandom);
    let passwords = Arc::new(hasher);
    let Tokens { signer, lifetime, sessions: lifetimes } = tokens;
    let refresh_tokens = Arc::new(HmacRefreshTokens::new(&derivation_key(&*stores.sessions).await?));
    let grants = Grants { tokens: signer.clone(), random: random.clone(), lifetime };
    let refusals = Arc::new(Refusals::new(stores.audit.clone()));
    let bearers = Arc::new(CachedBearers::new(stores.bearers, stores.bearers_source));
    Ok(Services {
        authenticate: Authenticate { tokens: signer.clone(), bearers, clock: clock.clone() },
        log_in: LogIn {
            users: stores.users.clone(),
            sessions: stores.sessions.clone(),
            passwords: passwords.clone(),
            guesses: Arc::new(GuessMemory::default()),
            refusals: refusals.clone(),
            refresh_tokens: refresh_tokens.clone(),
            grants: grants.clone(),
            clock: clock.clone(),
            lifetimes,
            guessing,
        },
        refresh: Refresh { sessions: stores.sessions.clone(), refresh_tokens, grants, clock: clock.clone(), lifetimes },
        sessions: Sessions { sessions: stores.sessions, users: stores.users.clone(), clock: clock.clone() },
        own_password: OwnPassword {
            users: stores.users.clone(),
            passwords: passwords.clone(),
            refusals: refusals.clone(),
            clock: clock.clone(),
            policy,
            guessing,
        },
        accounts: Accounts { users: stores.users, passwords, clock: clock.clone(), random, policy },
        roll: Roll::new(stores.students, clock.clone()),
        review: Review { log: stores.audit, clock: clock.clone() },
        refusals,
        quotas: Arc::new(RequestQuotaMemory::new(requests)),
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
