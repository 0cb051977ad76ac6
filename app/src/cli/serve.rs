//! `rollbook serve`: the composition root.

use std::io;

use adapter_argon2::{Argon2Hasher, Limits};
use adapter_jwt::{SigningKey, TokenPolicy};
use domain::token::TokenLifetime;
use time::Duration;
use tracing_subscriber::EnvFilter;

use super::arguments::{LogFormat, Serve};
use super::demo::Demo;
use super::failure::Failure;
use super::{first_start, signing_key, user};
use crate::composition::{Tokens, services};
use crate::http::{self, Services};
use crate::server::{self, Listener};
use crate::stores::Stores;

/// Serves until SIGTERM or SIGINT.
pub async fn run(serve: Box<Serve>) -> Result<(), Failure> {
    log_to_stderr(&serve)?;
    let stop = server::asked_to_stop()?;
    let listener = Listener::bind(serve.listen, serve.max_connections.get()).await?;
    let address = listener.address();
    let proxies = serve.trusted_proxy.clone().into();
    if serve.demo {
        let demo = Demo::open(&serve).await?;
        let services = composed(&serve, demo.stores(), demo.signing_key()?, Demo::TOKEN_LIFETIME)?;
        demo.announce(address);
        server::serve(listener, http::endpoint(services, proxies), stop).await;
        return demo.end().await;
    }
    let database = serve.store.database()?;
    let key = signing_key::signing_key(&serve, &database)?;
    let stores = Stores::open(&database).await?;
    first_start::administrator(&user::accounts(stores.clone())?, &serve.store).await?;
    let services = composed(&serve, stores, key, Duration::minutes(15))?;
    println!("Rollbook listens on http://{address}/; its documentation is at http://{address}/docs/");
    server::serve(listener, http::endpoint(services, proxies), stop).await;
    Ok(())
}

fn composed(serve: &Serve, stores: Stores, key: SigningKey, default_ttl: Duration) -> Result<Services, Failure> {
    let lifetime = match serve.token_ttl {
        Some(lifetime) => lifetime,
        None => TokenLifetime::new(default_ttl)?,
    };
    let policy = TokenPolicy::new(serve.issuer.clone(), serve.audience.clone(), serve.token_leeway)?;
    let hasher = Argon2Hasher::new(Limits::default())?;
    Ok(services(stores, hasher, Tokens { key: &key, policy, lifetime })?)
}

fn log_to_stderr(serve: &Serve) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&serve.log)
        .map_err(|error| Failure::new(format!("--log {:?} is no filter: {error}", serve.log)))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match serve.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
