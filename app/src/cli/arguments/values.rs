//! Parsers of values. No error quotes the value, which may be a database URL in the wrong place.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use adapter_jwt::SigningKey;
use domain::quota::{RequestQuota, RequestQuotaError};
use domain::session::{SessionLimit, SessionLimitError};
use domain::student::{ChangeRetention, ChangeToken};
use domain::token::TokenLifetime;
use domain::user::{PasswordPolicy, PasswordPolicyError};
use ipnet::IpNet;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::cli::settings::is_secret_like;
use crate::http::Origin;

pub fn duration(text: &str) -> Result<Duration, String> {
    let given = humantime::parse_duration(text).map_err(|_| "write it as 15m, 8h or 30d".to_owned())?;
    Duration::try_from(given).map_err(|_| "is too long".to_owned())
}

pub fn instant(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "write it as 2026-11-23T12:00:00Z".to_owned())
}

pub fn lifetime(text: &str) -> Result<TokenLifetime, String> {
    TokenLifetime::new(duration(text)?).map_err(|error| error.to_string())
}

pub fn session_limit(text: &str) -> Result<SessionLimit, String> {
    let limit = text.parse().map_err(|_| SessionLimitError).and_then(SessionLimit::new);
    limit.map_err(|error| error.to_string())
}

pub fn change_retention(text: &str) -> Result<ChangeRetention, String> {
    ChangeRetention::new(duration(text)?).map_err(|error| error.to_string())
}

pub fn change_token(text: &str) -> Result<ChangeToken, String> {
    text.parse().map_err(|error: domain::student::ChangeTokenError| error.to_string())
}

pub fn limited(text: &str, max: std::time::Duration) -> Result<std::time::Duration, String> {
    let given = duration(text)?.try_into().map_err(|_| "is too long".to_owned())?;
    if given <= max { Ok(given) } else { Err(format!("must be at most {max:?}")) }
}

pub fn within(text: &str, possible: RangeInclusive<std::time::Duration>) -> Result<std::time::Duration, String> {
    let given = duration(text)?.try_into().map_err(|_| "is too long".to_owned())?;
    if possible.contains(&given) {
        Ok(given)
    } else {
        Err(format!("must be {:?} to {:?}", possible.start(), possible.end()))
    }
}

pub fn password_policy(text: &str) -> Result<PasswordPolicy, String> {
    let policy = text.parse().map_err(|_| PasswordPolicyError).and_then(PasswordPolicy::new);
    policy.map_err(|error| error.to_string())
}

pub fn request_quota(text: &str) -> Result<RequestQuota, String> {
    let quota = text.parse().map_err(|_| RequestQuotaError).and_then(RequestQuota::new);
    quota.map_err(|error| error.to_string())
}

/// A network, or an address as a network of one. Lists in variables may have white space around commas.
pub fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network = text.parse().or_else(|_| address()).ok();
    // Addresses of clients are compared in their IPv4 form.
    let is_mapped = |network: &IpNet| network.addr() != network.addr().to_canonical();
    network.filter(|network| !is_mapped(network)).ok_or("write it as 10.0.0.0/8 or 10.0.0.7".to_owned())
}

pub fn origin(text: &str) -> Result<Origin, String> {
    text.trim().parse().map_err(|error: <Origin as std::str::FromStr>::Err| error.to_string())
}

/// A path of a directory.
pub fn path(text: &str) -> Result<PathBuf, String> {
    quotable(text, is_secret_like(text))
}

/// A path of a file, in whose place the content may be passed by mistake, such as a secret.
pub fn file(text: &str) -> Result<PathBuf, String> {
    quotable(text, is_secret_like(text) || SigningKey::parse(text.as_bytes()).is_ok())
}

/// Later messages quote the path, so it must not be a secret: one that looks like a secret must exist, or its directory.
fn quotable(text: &str, looks_like_a_secret: bool) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    // Base64 may start with a slash.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty() && *parent != Path::new("/"));
    if text.is_empty() {
        Err("must not be empty".to_owned())
    } else if looks_like_a_secret && !path.exists() && !directory.is_some_and(Path::exists) {
        Err("must be a path, not a URL or the content of a file; a path with @ or of 32 characters and more needs an existing \
             directory, as in ./NAME; only the variable ROLLBOOK_JWT_SECRET contains the secret itself"
            .to_owned())
    } else {
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_that_looks_like_a_url_needs_an_existing_directory() {
        let home = tempfile::tempdir().unwrap();
        let unit = home.path().join("rollbook@school");
        let unit = unit.to_str().unwrap();
        assert_eq!(path(unit), Ok(unit.into()));
        for secret in ["hunter2@host", "user:hunter2@host/db", "postgres://user:hunter2@host/db", "{\"keys\":[]}", ""] {
            assert!(path(secret).is_err(), "{secret}");
        }
    }

    #[test]
    fn random_file_name_needs_an_existing_directory() {
        let home = tempfile::tempdir().unwrap();
        let random = "kJ9vQ2xWz7LmN4pRtY8bC3dF6gHsA1eU";
        let existing = home.path().join(random);
        assert_eq!(file(existing.to_str().unwrap()), Ok(existing));
        assert_eq!(file(&format!("./{random}")), Ok(format!("./{random}").into()));
        assert_eq!(path(random), Ok(random.into()), "no directory has a secret as its content");
        for secret in
            [random.to_owned(), format!("/{random}"), format!("{random}/{random}"), format!("/{random}/{random}")]
        {
            assert!(file(&secret).is_err_and(|reason| !reason.contains(random)), "{secret}");
        }
    }

    #[test]
    fn mapped_address_of_a_proxy_is_its_ipv4_address() {
        assert_eq!(network("::ffff:10.0.0.7"), network("10.0.0.7"));
        assert_eq!(network(" 10.0.0.7 "), Ok("10.0.0.7/32".parse().unwrap()));
        assert!(network("::ffff:10.0.0.0/104").is_err());
    }
}
