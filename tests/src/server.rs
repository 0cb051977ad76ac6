//! A server for one test alone: in this process, on a free port, with a database of its own.

#![expect(clippy::expect_used, reason = "a test that cannot have its server panics")]

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use adapter_argon2::{Argon2Hasher, Limits};
use adapter_jwt::{JwtTokens, SigningKey, TokenPolicy};
use adapter_postgres::{Options, PostgresStore};
use app::composition::{self, Tokens};
use app::http;
use app::server::{self, Listener};
use app::stores::Stores;
use domain::token::{Claims, TokenId, TokenLifetime, Tokens as _};
use domain::user::{NewUser, Password, PasswordHash, PasswordHasher, PasswordPolicy, Role, User};
use domain::{Actor, Who};
use time::{Duration, OffsetDateTime};
use tokio::sync::oneshot;

use crate::client::Client;
use crate::database::{PostgresDatabase, SqliteDatabase};

/// The key of every server in a test.
pub const SECRET: &str = "qM3vX8zLr5TtY2wNcB7dKf0hJsGpAeUi";

/// The password of every user that the harness makes.
pub const PASSWORD: &str = "a long enough pass phrase";

/// The time that the harness stamps on what it makes.
const MADE_AT: OffsetDateTime = time::macros::datetime!(2026-11-23 12:00 UTC);

/// Which store a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A database that lives as long as its test.
#[expect(dead_code, reason = "held for the sake of their drops")]
enum Database {
    Sqlite(SqliteDatabase),
    Postgres(Box<PostgresDatabase>),
}

/// A running server. It stops when it is dropped, and its database goes with it.
pub struct Server {
    pub stores: Stores,
    address: SocketAddr,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    _database: Database,
}

impl Server {
    /// A server with an empty store.
    pub async fn start(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let database = SqliteDatabase::create();
                let stores = Stores::sqlite(&database.path()).expect("an open store");
                Self::with(stores, Database::Sqlite(database)).await
            }
            Engine::Postgres => {
                let database = PostgresDatabase::create();
                let store = PostgresStore::connect(Options::new(database.url())).await.expect("an open store");
                Self::with(Arc::new(store).into(), Database::Postgres(Box::new(database))).await
            }
        }
    }

    async fn with(stores: Stores, database: Database) -> Self {
        let hasher = Argon2Hasher::new(Limits::default()).expect("a hasher");
        let signer = Arc::new(JwtTokens::new(&signing_key(), policy()).expect("a signer"));
        let services = composition::services(
            stores.clone(),
            hasher,
            Tokens { signer, lifetime: lifetime() },
            PasswordPolicy::default(),
        );
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), 64).await.expect("a free port");
        let address = listener.address();
        let (stop, stopped) = oneshot::channel();
        let endpoint = http::endpoint(services, http::TrustedProxies::default());
        tokio::spawn(server::serve(listener, endpoint, async {
            let _ = stopped.await;
        }));
        Self { stores, address, http: reqwest::Client::new(), stop: Some(stop), _database: database }
    }

    /// Where the server listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that shows no token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.http.clone(), format!("http://{}", self.address), None)
    }

    /// A client that shows this token.
    pub fn bearer(&self, token: impl Into<String>) -> Client {
        Client::new(self.http.clone(), format!("http://{}", self.address), Some(token.into()))
    }

    /// A client of a new user with this role, whose name is the role's.
    pub async fn client(&self, role: Role) -> Client {
        let user = self.add_user(role.as_str(), role).await;
        self.bearer(token_of(&user))
    }

    /// Makes a user with [`PASSWORD`].
    pub async fn add_user(&self, name: &str, role: Role) -> User {
        let password = password_hash().await;
        let new = NewUser { username: name.parse().expect("a username"), password, role };
        self.stores.users.insert(new, &operator()).await.expect("a new user")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// The operator, at a fixed time.
pub const fn operator() -> Actor {
    Actor { who: Who::Operator, at: MADE_AT }
}

/// A token for a user that the servers of tests take.
pub fn token_of(user: &User) -> String {
    #[expect(clippy::disallowed_methods, reason = "the server under test judges by the machine's clock")]
    let now = OffsetDateTime::now_utc();
    let id = TokenId::from_token("0123456789abcdef0123456789abcdef".to_owned());
    sign(&Claims::new(user.id, id, now, lifetime()))
}

/// Signs claims with the key of the servers of tests.
pub fn sign(claims: &Claims) -> String {
    let tokens = JwtTokens::new(&signing_key(), policy()).expect("a signer");
    tokens.sign(claims).expect("a token").expose().to_owned()
}

fn signing_key() -> SigningKey {
    SigningKey::parse(SECRET.as_bytes()).expect("a key")
}

fn policy() -> TokenPolicy {
    TokenPolicy::new("rollbook", "rollbook", Duration::ZERO).expect("a policy")
}

fn lifetime() -> TokenLifetime {
    TokenLifetime::new(Duration::minutes(15)).expect("a lifetime")
}

/// The hash of [`PASSWORD`], made once: hashing is slow on purpose.
async fn password_hash() -> PasswordHash {
    static HASH: LazyLock<tokio::sync::OnceCell<PasswordHash>> = LazyLock::new(tokio::sync::OnceCell::new);
    let hashed = HASH.get_or_init(|| async {
        let hasher = Argon2Hasher::new(Limits::default()).expect("a hasher");
        hasher.hash(Password::parse(PASSWORD).expect("a password")).await.expect("a hash")
    });
    hashed.await.clone()
}

/// Writes each case as two tests, one on each store: `on_each_store! { async fn rule(server) { … } }`.
#[macro_export]
macro_rules! on_each_store {
    ($(async fn $rule:ident($server:ident) $body:block)+) => {$(
        mod $rule {
            use super::*;

            async fn case($server: $crate::server::Server) $body

            #[tokio::test]
            async fn sqlite() {
                case($crate::server::Server::start($crate::server::Engine::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                case($crate::server::Server::start($crate::server::Engine::Postgres).await).await;
            }
        }
    )+};
}
