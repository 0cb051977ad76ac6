//! Users of a test server, their sessions and their tokens.

use std::sync::LazyLock;

use adapter_argon2::{Argon2Hasher, Limits};
use adapter_jwt::{JwtTokens, KeyedHashes};
use app::system::SystemRandom;
use domain::access::Role;
use domain::record::Record;
use domain::session::{NewSession, RefreshToken, RefreshTokens, SessionLimit};
use domain::token::{Claims, TokenId, Tokens as _};
use domain::user::{Accounts, NewUser, Password, PasswordHash, PasswordHasher, Share, User};
use domain::{Actor, ActorId};
use time::OffsetDateTime;

use super::{Server, lifetime, lifetimes, policy, signing_key};
use crate::client::Client;

/// The password of all users that the harness creates.
pub const PASSWORD: &str = "a long enough pass phrase";

/// The time at which the harness creates records.
const CREATED_AT: OffsetDateTime = time::macros::datetime!(2026-11-23 12:00 UTC);

impl Server {
    /// A client of a new user with this role, named after the role.
    pub async fn client(&self, role: Role) -> Client {
        let user = self.add_user(role.as_str(), role).await;
        self.client_of(&user).await
    }

    /// A client with a new session of this user.
    pub async fn client_of(&self, user: &Record<User>) -> Client {
        self.bearer(self.token_of(user).await)
    }

    /// A token for a new session of this user.
    pub async fn token_of(&self, user: &Record<User>) -> String {
        sign(&self.claims_of(user).await)
    }

    /// The claims of a token for a new session of this user, which is opened without a login.
    pub async fn claims_of(&self, user: &Record<User>) -> Claims {
        let token = RefreshToken::random(&SystemRandom).expect("a refresh token");
        let new = NewSession {
            user_id: user.id,
            verified: password_hash().await,
            refresh_token: RefreshTokens::digest(&KeyedHashes::new(&[7; 32]), &token),
            lifetimes: lifetimes(),
            limit: SessionLimit::default(),
            user_agent: None,
        };
        let by = Actor::here(ActorId::User(user.id), self.setup.clock.now());
        let session = self.stores.sessions.open(new, &by).await.expect("a new session");
        let id = TokenId::random(&SystemRandom).expect("an id");
        Claims::new(user.id, session.id, id, by.at, lifetime())
    }

    /// Creates a user with [`PASSWORD`].
    pub async fn add_user(&self, name: &str, role: Role) -> Record<User> {
        self.add(name, role, None).await
    }

    /// Creates a user with [`PASSWORD`] and a due password change.
    pub async fn add_user_with_due_password_change(&self, name: &str, role: Role) -> Record<User> {
        self.add(name, role, Some(self.setup.clock.now() + Accounts::ONE_TIME)).await
    }

    async fn add(&self, name: &str, role: Role, one_time_until: Option<OffsetDateTime>) -> Record<User> {
        let password = password_hash().await;
        let new = NewUser { username: name.parse().expect("a username"), password, role, one_time_until };
        self.stores.users.insert(new, &operator()).await.expect("a new user")
    }
}

/// The operator, at a fixed time.
pub const fn operator() -> Actor {
    Actor::here(ActorId::Operator, CREATED_AT)
}

/// Signs claims with the key of the test servers.
pub fn sign(claims: &Claims) -> String {
    let tokens = JwtTokens::new(&signing_key(), policy()).expect("a signer");
    tokens.sign(claims).expect("a token").expose().to_owned()
}

/// The hash of [`PASSWORD`]. Computed once, because hashing is slow by design.
async fn password_hash() -> PasswordHash {
    static HASH: LazyLock<tokio::sync::OnceCell<PasswordHash>> = LazyLock::new(tokio::sync::OnceCell::new);
    let hashed = HASH.get_or_init(|| async {
        let hasher = Argon2Hasher::new(Limits::default()).expect("a hasher");
        hasher.hash(Password::parse(PASSWORD).expect("a password"), Share::LOCAL).await.expect("a hash")
    });
    hashed.await.clone()
}
