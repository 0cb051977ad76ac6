//! A server for a single test: in this process, on a free port, with a separate database.

#![expect(clippy::expect_used, reason = "a test panics if it cannot start its server")]

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use adapter_argon2::{Argon2Hasher, Limits};
use adapter_jwt::{JwtTokens, KeyedHashes, SigningKey, TokenPolicy};
use adapter_postgres::{Options, PostgresStore};
use app::composition::{self, Policies, Tokens};
use app::http::{self, EdgeConfig};
use app::server::{self, ConnectionLimits, Drain, Listener};
use app::stores::Stores;
use app::system::{SystemClock, SystemRandom};
use domain::access::Role;
use domain::audit::DeniedAccessLog;
use domain::quota::RequestQuota;
use domain::record::Record;
use domain::session::{NewSession, RefreshToken, RefreshTokens, SessionLifetimes, SessionLimit};
use domain::token::{Claims, TokenId, TokenLifetime, Tokens as _};
use domain::user::{Accounts, NewUser, Password, PasswordHash, PasswordHasher, Share, User};
use domain::{Actor, ActorId, Clock, MonotonicClock};
use time::{Duration, OffsetDateTime};
use tokio::sync::oneshot;

use crate::client::Client;
use crate::clock::TestClock;
use crate::database::{PostgresDatabase, SqliteDatabase};
use crate::faults::Faults;

/// The signing secret of all test servers.
pub const SECRET: &str = "qM3vX8zLr5TtY2wNcB7dKf0hJsGpAeUi";

/// Maximum number of connections: more than any test opens, because idle ones keep their places.
const MAX_CONNECTIONS: usize = 4_096;
/// Time that a connection of a test server stays open between two requests.
pub const IDLE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(75);
/// The password of all users that the harness creates.
pub const PASSWORD: &str = "a long enough pass phrase";

/// The origin that all test clients send.
pub const ORIGIN: &str = "https://roll.example.org";

/// The time at which the harness creates records.
const CREATED_AT: OffsetDateTime = time::macros::datetime!(2026-11-23 12:00 UTC);

/// The store of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A database, deleted on drop.
enum Database {
    Sqlite(SqliteDatabase),
    Postgres(Box<PostgresDatabase>),
}

impl Database {
    fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(SqliteDatabase::create()),
            Engine::Postgres => Self::Postgres(Box::new(PostgresDatabase::create())),
        }
    }

    async fn open(&self) -> Stores {
        match self {
            Self::Sqlite(database) => Stores::sqlite(&database.path()).expect("an open store"),
            Self::Postgres(database) => {
                let store = PostgresStore::connect(Options::new(database.url())).await.expect("an open store");
                Arc::new(store).into()
            }
        }
    }
}

/// Settings of a server that tests can change.
#[derive(Clone)]
pub struct Setup {
    pub clock: Arc<dyn Clock>,
    pub monotonic: Arc<dyn MonotonicClock>,
    pub policies: Policies,
    pub config: EdgeConfig,
    /// Fault switches, for tests that inject faults.
    pub faults: Option<Faults>,
}

impl Default for Setup {
    fn default() -> Self {
        let config = EdgeConfig { origins: vec![ORIGIN.parse().expect("an origin")].into(), ..EdgeConfig::default() };
        // Some tests exceed the default quota.
        let policies = Policies { requests: RequestQuota::MAX, ..Policies::default() };
        Self { clock: Arc::new(SystemClock), monotonic: Arc::new(SystemClock), policies, config, faults: None }
    }
}

impl Setup {
    /// The default settings with a clock that the test controls.
    pub fn with_clock(clock: &Arc<TestClock>) -> Self {
        Self { clock: clock.clone(), monotonic: clock.clone(), ..Self::default() }
    }
}

/// A running server. Dropping it stops the server and deletes its database.
pub struct Server {
    pub stores: Stores,
    /// Denied accesses that are not yet in the audit log.
    pub denied_access: Arc<DeniedAccessLog>,
    setup: Setup,
    address: SocketAddr,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    database: Arc<Database>,
}

impl Server {
    /// Starts a server with an empty store.
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, Setup::default()).await
    }

    /// Starts a server with an empty store and these settings.
    pub async fn start_with(engine: Engine, setup: Setup) -> Self {
        Self::on(Arc::new(Database::create(engine)), setup).await
    }

    /// Starts another server with the same database and settings.
    pub async fn another_node(&self) -> Self {
        Self::on(self.database.clone(), self.setup.clone()).await
    }

    async fn on(database: Arc<Database>, setup: Setup) -> Self {
        let stores = database.open().await;
        let hasher = Argon2Hasher::new(Limits::default()).expect("a hasher");
        let signer = Arc::new(JwtTokens::new(&signing_key(), policy()).expect("a signer"));
        let tokens = Tokens { signer, lifetime: lifetime(), sessions: lifetimes() };
        // The harness uses the stores without faults.
        let clocks = (setup.clock.clone(), setup.monotonic.clone());
        let (ports, clocks) = match &setup.faults {
            Some(faults) => (faults.wrap_stores(stores.clone()), faults.wrap_clocks(clocks)),
            None => (stores.clone(), clocks),
        };
        let use_cases = composition::use_cases(ports, hasher, tokens, setup.policies, clocks);
        let mut use_cases = use_cases.await.expect("use cases");
        if let Some(faults) = &setup.faults {
            faults.wrap_hasher(&mut use_cases);
        }
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), limits(&setup.config)).await.expect("a free port");
        let address = listener.address();
        let (stop, stopped) = oneshot::channel();
        let denied_access = use_cases.denied_access.clone();
        let endpoint = http::endpoint(use_cases, setup.config.clone());
        let stopped = async {
            let _ = stopped.await;
        };
        tokio::spawn(server::serve(listener, endpoint, stopped, Drain::default()));
        Self { stores, denied_access, setup, address, http: reqwest::Client::new(), stop: Some(stop), database }
    }

    /// The value of `--database` for the store.
    pub fn store_url(&self) -> String {
        match &*self.database {
            Database::Sqlite(database) => format!("sqlite:{}", database.path().display()),
            Database::Postgres(database) => database.url(),
        }
    }

    /// The address of the server.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.http.clone(), format!("http://{}", self.address), None)
    }

    /// A client with this bearer token.
    pub fn bearer(&self, token: impl Into<String>) -> Client {
        Client::new(self.http.clone(), format!("http://{}", self.address), Some(token.into()))
    }

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

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
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

fn signing_key() -> SigningKey {
    SigningKey::parse(SECRET.as_bytes()).expect("a key")
}

fn policy() -> TokenPolicy {
    TokenPolicy::new("rollbook", "rollbook", Duration::ZERO).expect("a policy")
}

fn lifetimes() -> SessionLifetimes {
    SessionLifetimes::new(None, None, lifetime()).expect("lifetimes")
}

fn lifetime() -> TokenLifetime {
    TokenLifetime::new(Duration::minutes(15)).expect("a lifetime")
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

/// Declares two tests for each case, one per store: `on_each_store! { async fn case_name(server) { … } }`.
#[macro_export]
macro_rules! on_each_store {
    ($($(#[$meta:meta])* async fn $case:ident($server:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $case {
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

/// Limits of connections that no test reaches.
pub fn limits(config: &EdgeConfig) -> ConnectionLimits {
    ConnectionLimits {
        connections: MAX_CONNECTIONS,
        per_client: MAX_CONNECTIONS,
        proxies: config.proxies.clone(),
        idle_timeout: IDLE_TIMEOUT,
    }
}
