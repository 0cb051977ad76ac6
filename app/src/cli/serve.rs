//! `rollbook serve`: the composition root.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::Arc;

use adapter_argon2::{Argon2Hasher, Limits};
use adapter_jwt::{JwtTokens, TokenPolicy};
use domain::login::LoginThrottling;
use domain::quota::RequestQuota;
use domain::session::SessionLifetimes;
use domain::token::TokenLifetime;
use domain::{Clock, MonotonicClock};
use time::Duration;

use super::arguments::Serve;
use super::durable_sessions::DurableSessions;
use super::failure::Failure;
use super::key_file::KeyFile;
use super::settings::Sources;
use super::signing_key::KeySource;
use super::temporary_store::{self, Purpose, TemporaryStore};
use super::{contract, demo, exposed_files, first_start, key_watch, listen_address, log, output, signing_key, user};
use crate::background_tasks::BackgroundTasks;
use crate::composition::{Policies, Tokens, use_cases};
use crate::http::{self, EdgeConfig, TrustedProxies, UseCases};
use crate::server::{self, Drain, Listener, Readiness};
use crate::stores::Stores;
use crate::system::{StartedClock, SystemClock};

/// The settings after the checks that need no store.
pub struct CheckedSettings {
    pub policy: TokenPolicy,
    pub lifetimes: (TokenLifetime, SessionLifetimes),
    pub purpose: Option<Purpose>,
    pub addresses: Vec<SocketAddr>,
    /// The signing keys, unless the store is temporary.
    pub keys: Option<KeySource>,
}

impl CheckedSettings {
    pub async fn of(serve: &Serve, sources: &Sources) -> Result<Self, Failure> {
        let policy = TokenPolicy::new(serve.issuer.clone(), serve.audience.clone(), serve.token_leeway)?;
        let lifetimes = lifetimes(serve)?;
        let addresses = serve.listen.resolve().await?;
        let purpose = Purpose::of(serve);
        let keys = match purpose {
            Some(purpose) => {
                purpose.validate(serve, &addresses)?;
                None
            }
            None => Some(KeySource::of(serve, &serve.store.selected(), sources)?),
        };
        Ok(Self { policy, lifetimes, purpose, addresses, keys })
    }
}

/// Serves until SIGTERM or SIGINT. All checks that need no store run before a store is opened.
pub async fn run(serve: Box<Serve>, sources: &Sources) -> Result<(), Failure> {
    log::start(&serve.log, serve.log_format);
    let mut stop = std::pin::pin!(server::stop_signal()?);
    let CheckedSettings { policy, lifetimes, purpose, addresses, keys } = CheckedSettings::of(&serve, sources).await?;
    let proxies = TrustedProxies::from(serve.trusted_proxy.clone()).with_header(serve.forwarded_header);
    let config = EdgeConfig { proxies, origins: serve.cors_origin.clone().into() };
    let listener = listen_address::bind(&addresses, &limits(&serve, config.proxies.clone())).await?;
    if let Some(purpose) = purpose {
        let store = TemporaryStore::create(&serve, purpose).await?;
        let outcome = async {
            let use_cases = match purpose {
                Purpose::Demo => start_demo(&serve, store.stores(), policy, lifetimes, &listener).await?,
                Purpose::Contract => start_contract_mode(&serve, store.stores(), policy, lifetimes, &listener).await?,
            };
            serve_until(stop, listener, use_cases, config, drain(&serve)).await;
            Ok(())
        };
        let outcome = outcome.await;
        store.delete().await?;
        return outcome;
    }
    let database = serve.store.database()?;
    let signer = keys.as_ref().map(|keys| signer(&serve, keys, policy)).transpose()?;
    let signer = signer.ok_or_else(|| Failure::new("the signing key is missing"))?;
    // A stop signal must end a slow connection attempt or the wait for another node's migration.
    let stores = tokio::select! {
        opened = open_stores(&serve) => opened?,
        () = &mut stop => return Ok(()),
    };
    exposed_files::warn(&database, keys.as_ref().and_then(KeySource::file), sources);
    let use_cases = compose(stores, signer, lifetimes, policies(&serve), Arc::new(SystemClock)).await?;
    print_address(&listener);
    serve_until(stop, listener, use_cases, config, drain(&serve)).await;
    Ok(())
}

/// Fills the store, and prints the address and the known passwords.
async fn start_demo(
    serve: &Serve,
    stores: Stores,
    policy: TokenPolicy,
    lifetimes: (TokenLifetime, SessionLifetimes),
    listener: &Listener,
) -> Result<UseCases, Failure> {
    demo::fill(&stores, SystemClock.now()).await?;
    let signer = Arc::new(JwtTokens::new(&temporary_store::signing_key()?, policy)?);
    let use_cases = compose(stores, signer, lifetimes, policies(serve), Arc::new(SystemClock)).await?;
    print_address(listener);
    demo::warn();
    Ok(use_cases)
}

/// Fills the store and prints the announcement. Contract mode has a fixed start time, no login throttle and the largest quota.
async fn start_contract_mode(
    serve: &Serve,
    mut stores: Stores,
    policy: TokenPolicy,
    lifetimes: (TokenLifetime, SessionLifetimes),
    listener: &Listener,
) -> Result<UseCases, Failure> {
    let clock = Arc::new(StartedClock::at(contract::START));
    let samples = contract::fill(&stores).await?;
    let durable = DurableSessions::replace_in(&mut stores);
    let signer = Arc::new(JwtTokens::new(&temporary_store::signing_key()?, policy.clone())?);
    let relaxed = Policies { throttling: LoginThrottling::Unlimited, requests: RequestQuota::MAX, ..policies(serve) };
    let use_cases = compose(stores, Arc::clone(&signer), lifetimes, relaxed, clock).await?;
    contract::print_announcement(listener.address(), &samples, (&use_cases, &durable), &signer, (policy, lifetimes.0))
        .await?;
    Ok(use_cases)
}

fn limits(serve: &Serve, proxies: TrustedProxies) -> server::ConnectionLimits {
    server::ConnectionLimits {
        connections: serve.max_connections.get(),
        per_client: serve.max_connections_per_client.get(),
        proxies,
        idle_timeout: serve.idle_timeout,
    }
}

/// Policies from the command line.
const fn policies(serve: &Serve) -> Policies {
    Policies {
        passwords: serve.passwords.password_min_length,
        requests: serve.request_quota,
        throttling: LoginThrottling::Limited,
        sessions: serve.max_sessions,
        changes: serve.change_retention,
    }
}

async fn serve_until(
    stop: impl Future<Output = ()>,
    listener: Listener,
    mut use_cases: UseCases,
    config: EdgeConfig,
    drain: Drain,
) {
    let background_tasks = BackgroundTasks::start(&use_cases);
    use_cases.probe = Arc::new(Readiness::start(use_cases.probe, drain.clone()));
    let change_watch = use_cases.change_watch.clone();
    let drained = async {
        stop.await;
        drain.run().await;
        // Otherwise requests that wait for changes would delay the end.
        change_watch.stop();
    };
    server::serve(listener, http::endpoint(use_cases, config), drained, drain.clone()).await;
    background_tasks.stop().await;
}

fn drain(serve: &Serve) -> Drain {
    Drain::new(drain_delay(serve, io::stderr().is_terminal()))
}

/// On a terminal, the operator waits for the server to stop.
pub fn drain_delay(serve: &Serve, is_terminal: bool) -> std::time::Duration {
    let default = if is_terminal { 0 } else { 5 };
    serve.drain_delay.unwrap_or(std::time::Duration::from_secs(default))
}

/// The signer: a key ring, which is watched for changes, or a single secret.
fn signer(serve: &Serve, keys: &KeySource, policy: TokenPolicy) -> Result<Arc<JwtTokens>, Failure> {
    let secret = match keys {
        KeySource::Ring(path) => {
            let (file, ring) = KeyFile::open(path)?;
            let signer = Arc::new(JwtTokens::with_ring(ring, policy));
            key_watch::watch(file, Arc::clone(&signer))?;
            return Ok(signer);
        }
        KeySource::Variable => signing_key::of_variable()?,
        KeySource::File(path) => signing_key::read(path)?,
        KeySource::Generated(path) => {
            serve.store.data_dir()?;
            signing_key::generate(path)?;
            signing_key::read(path)?
        }
    };
    Ok(Arc::new(JwtTokens::new(&secret, policy)?))
}

async fn open_stores(serve: &Serve) -> Result<Stores, Failure> {
    let stores = serve.store.open_or_create(|url| serve.postgres.options(url)).await?;
    first_start::administrator(&user::accounts(stores.clone(), serve.passwords.password_min_length)?, &serve.store)
        .await?;
    Ok(stores)
}

/// Prints the address. A write error does not stop the server.
fn print_address(listener: &Listener) {
    let address = listener.address();
    let _ =
        output::line(format_args!("Rollbook is listening on http://{address}/; documentation: http://{address}/docs/"));
}

/// Lifetimes of tokens and sessions.
fn lifetimes(serve: &Serve) -> Result<(TokenLifetime, SessionLifetimes), Failure> {
    let token = match serve.token_ttl {
        Some(lifetime) => lifetime,
        None if Purpose::of(serve).is_some() => TokenLifetime::new(Purpose::TOKEN_LIFETIME)?,
        None => TokenLifetime::new(Duration::minutes(15))?,
    };
    let sessions = SessionLifetimes::new(serve.session_idle_ttl, serve.session_ttl, token)
        .map_err(|error| Failure::new(format!("--session-idle-ttl or --session-ttl is invalid: {error}")))?;
    Ok((token, sessions))
}

async fn compose(
    stores: Stores,
    signer: Arc<JwtTokens>,
    (lifetime, sessions): (TokenLifetime, SessionLifetimes),
    policies: Policies,
    clock: Arc<impl Clock + MonotonicClock + 'static>,
) -> Result<UseCases, Failure> {
    let hasher = Argon2Hasher::new(Limits::default())?;
    let tokens = Tokens { signer, lifetime, sessions };
    Ok(use_cases(stores, hasher, tokens, policies, (clock.clone(), clock)).await?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use adapter_postgres::Options;
    use clap::Parser;
    use domain::session::SessionLimit;

    use super::*;
    use crate::cli::arguments::{Arguments, Command};

    fn parse(options: &[&str]) -> Result<Box<Serve>, clap::Error> {
        let Command::Serve(serve) = Arguments::try_parse_from([&["rollbook", "serve"], options].concat())?.command
        else {
            panic!("another subcommand")
        };
        Ok(serve)
    }

    fn postgres(option: &str) -> Result<Options, clap::Error> {
        Ok(parse(&[option])?.postgres.options("postgres://db".to_owned()))
    }

    #[test]
    fn server_drains_for_5_seconds_unless_on_a_terminal() {
        let default = parse(&[]).unwrap();
        assert_eq!([false, true].map(|is_terminal| drain_delay(&default, is_terminal).as_secs()), [5, 0]);
        let given = parse(&["--drain-delay=7s"]).unwrap();
        assert_eq!([false, true].map(|is_terminal| drain_delay(&given, is_terminal).as_secs()), [7, 7]);
    }

    #[test]
    fn demo_requires_every_address_of_the_host_to_be_loopback() {
        let serve = parse(&["--demo"]).unwrap();
        let validate = |addresses: &[&str]| {
            let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            Purpose::Demo.validate(&serve, &addresses).map_err(|failure| failure.to_string())
        };
        assert_eq!(validate(&["127.0.0.1:80", "[::1]:80"]), Ok(()));
        assert!(validate(&["127.0.0.1:80", "192.0.2.1:80"]).unwrap_err().contains("192.0.2.1:80"));
    }

    #[test]
    fn user_has_at_most_100_sessions_unless_configured() {
        let limit = |options: &[&str]| policies(&parse(options).unwrap()).sessions;
        assert_eq!(limit(&[]), SessionLimit::new(100).unwrap());
        assert_eq!(limit(&["--max-sessions=3"]), SessionLimit::new(3).unwrap());
    }

    #[test]
    fn database_pool_has_8_connections_unless_configured() {
        assert_eq!(parse(&[]).unwrap().postgres.options(String::new()).pool_size.get(), 8);
        let (min, max) = Options::POOL_SIZES.into_inner();
        for size in [min, max] {
            assert_eq!(postgres(&format!("--database-pool-size={size}")).unwrap().pool_size.get(), size);
        }
        for size in [min - 1, max + 1] {
            assert!(postgres(&format!("--database-pool-size={size}")).is_err(), "{size}");
        }
    }

    #[test]
    fn database_is_awaited_for_30_seconds_or_up_to_1_hour() {
        assert_eq!(parse(&[]).unwrap().postgres.options(String::new()).wait, Duration::from_secs(30));
        for (option, wait) in [("--database-wait=0s", 0), ("--database-wait=1h", 3_600)] {
            assert_eq!(postgres(option).unwrap().wait, Duration::from_secs(wait));
        }
        assert!(postgres("--database-wait=3601s").is_err());
    }
}
