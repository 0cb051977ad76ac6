//! The URL of a database, with several hosts as in libpq (PostgreSQL documentation, section 34.1.1.2).

use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::postgres::PgConnectOptions;
use url::form_urlencoded;

use crate::OpenError;

/// Parameters for the driver, besides `options[NAME]`: those of libpq that it understands, and the size of its cache.
pub(crate) const DRIVER_PARAMETERS: [&str; 10] = [
    "application_name",
    "dbname",
    "options",
    "password",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// A parsed URL.
pub(crate) struct DatabaseUrl {
    /// The options to connect to each host, at least one.
    pub hosts: Vec<PgConnectOptions>,
    /// Whether only a session that accepts writes is used: `target_session_attrs`, and the default with several hosts.
    pub requires_writes: bool,
}

impl DatabaseUrl {
    /// # Errors
    /// [`OpenError`] without a quotation of the URL, because it may contain a password.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let (scheme, rest) = url.split_once("://").ok_or(OpenError::Url)?;
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(OpenError::Url);
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        // With an unencoded `/`, `?` or `#` in the password, its rest would be the name of the database or a parameter.
        if rest.contains(['#', '@']) {
            return Err(OpenError::Url);
        }
        let (user, servers) = authority.rsplit_once('@').map_or(("", authority), |(user, servers)| (user, servers));
        let parameters = Parameters::parse(query)?;
        let hosts = Self::servers(parameters.hosts.as_deref(), parameters.ports.as_deref(), servers)?
            .iter()
            .map(|(host, port)| options(user, host, port, path, &parameters.others))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { requires_writes: parameters.requires_writes.unwrap_or(hosts.len() > 1), hosts })
    }

    /// Hosts with their ports, of which each may be empty. The parameters take precedence over the authority.
    fn servers<'u>(
        hosts: Option<&'u str>,
        ports: Option<&'u str>,
        authority: &'u str,
    ) -> Result<Vec<(&'u str, &'u str)>, OpenError> {
        let mut servers: Vec<_> = match hosts {
            Some(hosts) => hosts.split(',').map(|host| (host, "")).collect(),
            None => authority.split(',').map(host_and_port).collect(),
        };
        match ports.map(|ports| ports.split(',').collect::<Vec<_>>()).as_deref() {
            None => {}
            Some(&[port]) => servers.iter_mut().for_each(|server| server.1 = port),
            Some(ports) if ports.len() == servers.len() => {
                servers.iter_mut().zip(ports).for_each(|(server, port)| server.1 = port);
            }
            Some(_) => return Err(OpenError::Url),
        }
        Ok(servers)
    }
}

/// The parameters of a URL.
#[derive(Default)]
struct Parameters {
    hosts: Option<String>,
    ports: Option<String>,
    requires_writes: Option<bool>,
    /// The other ones, for the driver.
    others: String,
}

impl Parameters {
    fn parse(query: &str) -> Result<Self, OpenError> {
        let mut parsed = Self::default();
        let mut others = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "host" => parsed.hosts = Some(value.into_owned()),
                "port" => parsed.ports = Some(value.into_owned()),
                "target_session_attrs" => {
                    parsed.requires_writes = Some(match &*value {
                        "any" => false,
                        "primary" | "read-write" => true,
                        _ => return Err(OpenError::SessionAttributes),
                    });
                }
                name if DRIVER_PARAMETERS.contains(&name) || name.starts_with("options[") => {
                    others.append_pair(name, &value);
                }
                // Not quoted: with an unencoded `&` in the password, it is a part of the password.
                _ => return Err(OpenError::UnknownParameter),
            }
        }
        Ok(Self { others: others.finish(), ..parsed })
    }
}

/// Splits a host, which may be an IPv6 address in brackets, from its port.
fn host_and_port(server: &str) -> (&str, &str) {
    match server.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (server, ""),
    }
}

/// The options to connect to one host, whose name is percent-encoded if it comes from the authority.
fn options(user: &str, host: &str, port: &str, path: &str, parameters: &str) -> Result<PgConnectOptions, OpenError> {
    let defaults = PgConnectOptions::new_without_pgpass();
    let host = if host.is_empty() { defaults.get_host() } else { host };
    let host =
        if host.starts_with('/') { utf8_percent_encode(host, NON_ALPHANUMERIC).to_string() } else { host.to_owned() };
    let (at, colon) = (if user.is_empty() { "" } else { "@" }, if port.is_empty() { "" } else { ":" });
    let url = format!("postgres://{user}{at}{host}{colon}{port}{path}?{parameters}");
    // The cause is dropped because it may contain the URL.
    let options = PgConnectOptions::from_str(&url).map_err(|_| OpenError::Url)?;
    // PgBouncer rejects this startup parameter, and the store has no floating-point numbers.
    let options = options.extra_float_digits(None);
    Ok(if options.get_application_name().is_none() { options.application_name("rollbook") } else { options })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hosts of a URL, and whether it requires writes.
    fn parsed(url: &str) -> Result<(Vec<String>, bool), OpenError> {
        let DatabaseUrl { hosts, requires_writes } = DatabaseUrl::parse(url)?;
        let show = |host: &PgConnectOptions| match host.get_socket() {
            Some(socket) => format!("{}@{}", host.get_username(), socket.display()),
            None => format!("{}@{}:{}", host.get_username(), host.get_host(), host.get_port()),
        };
        Ok((hosts.iter().map(show).collect(), requires_writes))
    }

    #[test]
    fn hosts_come_from_authority_or_parameters() {
        for (url, hosts) in [
            ("postgres://asha:pw@db:5433/roll", &["asha@db:5433"][..]),
            (
                "postgres://asha@db1:5433,db2:5434,[::1]:5435/roll",
                &["asha@db1:5433", "asha@db2:5434", "asha@[::1]:5435"],
            ),
            ("postgres://asha@db1,db2/roll?port=6000", &["asha@db1:6000", "asha@db2:6000"]),
            ("postgres://asha@/roll?host=db1,db2&port=6000,6001", &["asha@db1:6000", "asha@db2:6001"]),
            ("postgres://asha@/roll?host=/run/postgresql", &["asha@/run/postgresql"]),
            ("postgres:///roll?host=%2Frun%2Fpostgresql&user=asha", &["asha@/run/postgresql"]),
            ("postgres://asha@%2Frun%2Fpostgresql/roll", &["asha@/run/postgresql"]),
        ] {
            let (found, requires_writes) = parsed(url).unwrap();
            assert_eq!(
                (&found[..], requires_writes),
                (&hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()[..], hosts.len() > 1),
                "{url}"
            );
        }
    }

    #[test]
    fn session_attributes_decide_whether_writes_are_required() {
        let requires_writes =
            |value| parsed(&format!("postgres://a@one,two/roll?target_session_attrs={value}")).map(|url| url.1);
        assert!(requires_writes("read-write").unwrap() && requires_writes("primary").unwrap());
        assert!(!requires_writes("any").unwrap());
        assert!(matches!(requires_writes("standby"), Err(OpenError::SessionAttributes)));
    }

    #[test]
    fn unknown_parameter_is_rejected_without_its_name() {
        for unknown in ["conect_timeout=s3cret", "s3cret", "password=a&s3cret", "sslpassword=s3cret"] {
            let error =
                parsed(&format!("postgres://asha:s3cret@db/roll?sslmode=disable&{unknown}")).unwrap_err().to_string();
            assert!(error.contains("application_name") && !error.contains("s3cret"), "{error}");
        }
        let known = "postgres://db/roll?sslmode=require&application_name=school&options[geqo]=off&user=asha";
        assert_eq!(DatabaseUrl::parse(known).unwrap().hosts[0].get_application_name(), Some("school"));
    }

    #[test]
    fn number_of_ports_must_match_hosts() {
        assert!(matches!(parsed("postgres://db1,db2,db3/roll?port=1,2"), Err(OpenError::Url)));
    }
}
