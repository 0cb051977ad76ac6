//! `rollbook serve`: the composition root.

use std::io::{self, IsTerminal};

use adapter_argon2::{Argon2Hasher, Limits};
use adapter_jwt::{SigningKey, TokenPolicy};
use domain::token::TokenLifetime;
use time::Duration;
use tracing_subscriber::EnvFilter;

use super::arguments::{LogFormat, Serve};
use super::demo::Demo;
use super::failure::Failure;
use super::{first_start, output, signing_key, user};
use crate::composition::{Tokens, services};
use crate::http::{self, Services};
use crate::server::{self, Listener};
use crate::stores::{Database, Stores};

/// Serves until SIGTERM or SIGINT. Whatever can be judged without a store is judged before one is touched.
pub async fn run(serve: Box<Serve>) -> Result<(), Failure> {
    log_to_stderr(&serve)?;
    let mut stop = std::pin::pin!(server::asked_to_stop()?);
    let policy = TokenPolicy::new(serve.issuer.clone(), serve.audience.clone(), serve.token_leeway)?;
    if serve.demo {
        Demo::may_listen(&serve)?;
    }
    let listener = Listener::bind(serve.listen, serve.max_connections.get()).await?;
    let proxies = serve.trusted_proxy.clone().into();
    if serve.demo {
        let demo = Demo::open(&serve).await?;
        let services = composed(&serve, demo.stores(), &Demo::signing_key()?, policy, Demo::TOKEN_LIFETIME)?;
        announce(&listener);
        Demo::warn();
        server::serve(listener, http::endpoint(services, proxies), stop).await;
        return demo.end().await;
    }
    let database = serve.store.database()?;
    let key = signing_key::signing_key(&serve, &database)?;
    // A database that takes its time, or another node's migration, must not keep an operator from stopping.
    let stores = tokio::select! {
        opened = opened(&serve, &database) => opened?,
        () = &mut stop => return Ok(()),
    };
    let services = composed(&serve, stores, &key, policy, Duration::minutes(15))?;
    announce(&listener);
    server::serve(listener, http::endpoint(services, proxies), stop).await;
    Ok(())
}

async fn opened(serve: &Serve, database: &Database) -> Result<Stores, Failure> {
    let stores = Stores::open(database).await?;
    first_start::administrator(&user::accounts(stores.clone())?, &serve.store).await?;
    Ok(stores)
}

/// A server whose announcement cannot be written serves all the same.
fn announce(listener: &Listener) {
    let address = listener.address();
    let _ = output::line(format_args!(
        "Rollbook listens on http://{address}/; its documentation is at http://{address}/docs/"
    ));
}

fn composed(
    serve: &Serve,
    stores: Stores,
    key: &SigningKey,
    policy: TokenPolicy,
    default_ttl: Duration,
) -> Result<Services, Failure> {
    let lifetime = match serve.token_ttl {
        Some(lifetime) => lifetime,
        None => TokenLifetime::new(default_ttl)?,
    };
    let hasher = Argon2Hasher::new(Limits::default())?;
    Ok(services(stores, hasher, Tokens { key, policy, lifetime })?)
}

fn log_to_stderr(serve: &Serve) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&serve.log)
        .map_err(|error| Failure::new(format!("--log {:?} is no filter: {error}", serve.log)))?;
    // A log that nobody reads any more must not take the server with it.
    let log = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match serve.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
