//! Where the adapters meet the use cases.

use std::sync::Arc;

use adapter_argon2::Argon2Hasher;
use adapter_jwt::JwtTokens;
use domain::student::Roll;
use domain::token::{Authenticate, TokenLifetime};
use domain::user::{Accounts, LogIn, PasswordPolicy};

use crate::http::Services;
use crate::stores::Stores;
use crate::system::{SystemClock, SystemRandom};

/// How tokens are made.
pub struct Tokens {
    pub signer: Arc<JwtTokens>,
    pub lifetime: TokenLifetime,
}

/// The use cases on real stores, the real hasher and the machine's clock.
pub fn services(stores: Stores, hasher: Argon2Hasher, tokens: Tokens, policy: PasswordPolicy) -> Services {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let passwords = Arc::new(hasher);
    let Tokens { signer, lifetime } = tokens;
    Services {
        authenticate: Authenticate { tokens: signer.clone(), users: stores.users.clone(), clock: clock.clone() },
        log_in: LogIn {
            users: stores.users.clone(),
            passwords: passwords.clone(),
            tokens: signer.clone(),
            clock: clock.clone(),
            random: random.clone(),
            lifetime,
        },
        accounts: Accounts { users: stores.users, passwords, clock: clock.clone(), random, policy },
        roll: Roll::new(stores.students, clock.clone()),
        probe: stores.probe,
        key_set: signer,
        clock,
    }
}
