//! Where the adapters meet the use cases.

use std::sync::Arc;

use adapter_argon2::Argon2Hasher;
use adapter_jwt::{JwtTokens, SigningKey, TokenPolicy};
use domain::student::Roll;
use domain::token::{Authenticate, SignError, TokenLifetime};
use domain::user::{Accounts, LogIn};

use crate::http::Services;
use crate::stores::Stores;
use crate::system::{SystemClock, SystemRandom};

/// How tokens are made.
pub struct Tokens<'a> {
    pub key: &'a SigningKey,
    pub policy: TokenPolicy,
    pub lifetime: TokenLifetime,
}

/// The use cases on real stores, the real hasher and the machine's clock.
///
/// # Errors
/// [`SignError`] when the key cannot sign.
pub fn services(stores: Stores, hasher: Argon2Hasher, tokens: Tokens<'_>) -> Result<Services, SignError> {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let passwords = Arc::new(hasher);
    let lifetime = tokens.lifetime;
    let tokens = Arc::new(JwtTokens::new(tokens.key, tokens.policy)?);
    Ok(Services {
        authenticate: Authenticate { tokens: tokens.clone(), users: stores.users.clone(), clock: clock.clone() },
        log_in: LogIn {
            users: stores.users.clone(),
            passwords: passwords.clone(),
            tokens,
            clock: clock.clone(),
            random: random.clone(),
            lifetime,
        },
        accounts: Accounts { users: stores.users, passwords, clock: clock.clone(), random },
        roll: Roll::new(stores.students, clock),
        probe: stores.probe,
    })
}
