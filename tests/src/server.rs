//! A server for a single test: in this process, on a free port, with a separate database.

#![expect(clippy::expect_used, reason = "a test panics if it cannot start its server")]

mod users;

use std::net::SocketAddr;
use std::sync::Arc;

use adapter_argon2::{Argon2Hasher, Limits};
use adapter_jwt::{JwtTokens, SigningKey, TokenPolicy};
use adapter_postgres::{Options, PostgresStore};
use app::composition::{self, Policies, Tokens};
use app::http::{self, EdgeConfig};
use app::server::{self, ConnectionLimits, Drain, Listener};
use app::stores::Stores;
use app::system::SystemClock;
use domain::audit::DeniedAccessLog;
use domain::quota::RequestQuota;
use domain::session::SessionLifetimes;
use domain::token::TokenLifetime;
use domain::{Clock, MonotonicClock};
use time::Duration;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::clock::TestClock;
use crate::database::{PostgresDatabase, SqliteDatabase};
use crate::faults::Faults;

pub use self::users::{PASSWORD, operator, sign};

/// The signing secret of all test servers.
pub const SECRET: &str = "qM3vX8zLr5TtY2wNcB7dKf0hJsGpAeUi";

/// Maximum number of connections: more than any test opens, because idle ones keep their places.
const MAX_CONNECTIONS: usize = 4_096;
/// Time that a connection of a test server stays open between two requests.
pub const IDLE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(75);

/// The origin that all test clients send.
pub const ORIGIN: &str = "https://roll.example.org";

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
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
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
