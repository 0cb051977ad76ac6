//! Rules for the head of every request, before its operation is known.

use poem::Request;
use poem::http::uri::Authority;
use poem::http::{HeaderMap, HeaderValue, Version, header};

use crate::http::problem::{Problem, ProblemType};

/// Maximum length of the request target in bytes.
const MAX_TARGET: usize = 16 * 1024;
/// Maximum size of the header fields in bytes, sufficient for the largest token and the other headers.
const MAX_FIELDS: usize = 48 * 1024;
/// Maximum number of header lines.
const MAX_LINES: usize = 90;

/// Rejects a head that is too large, an invalid `Host`, and unsupported transfer codings. The limits are lower than those of
/// the server's HTTP parser, whose responses have no body.
pub fn check(request: &Request) -> Result<(), Problem> {
    let (uri, headers) = (request.uri(), request.headers());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    if authority + uri.path_and_query().map_or(0, |target| target.as_str().len()) > MAX_TARGET {
        return Err(Problem::new(ProblemType::TargetTooLong));
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > MAX_LINES || size > MAX_FIELDS {
        return Err(Problem::new(ProblemType::HeadTooLarge));
    }
    if !has_valid_host(request.version(), headers) {
        return Err(Problem::new(ProblemType::InvalidHost));
    }
    // hyper rejects a request whose last transfer coding is not chunked.
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(|coding| !is_chunked(coding)) || codings.next().is_some() {
        return Err(Problem::new(ProblemType::UnsupportedTransferCoding));
    }
    Ok(())
}

/// Returns `true` if there is exactly one valid `Host`, or none in HTTP/1.0 (RFC 9112, section 3.2).
fn has_valid_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => is_host(host),
        _ => false,
    }
}

/// Returns `true` for a host that is not empty, with an optional port (RFC 9110, sections 4.2.1 and 7.2).
fn is_host(value: &HeaderValue) -> bool {
    let Ok(authority) = Authority::try_from(value.as_bytes()) else { return false };
    let port = authority.as_str().strip_prefix(authority.host());
    let port = port.map(|port| port.strip_prefix(':').unwrap_or(port));
    !authority.host().is_empty() && port.is_some_and(is_port)
}

fn is_port(text: &str) -> bool {
    text.is_empty() || (text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ 24.
    #[test]
    fn request_needs_exactly_one_valid_host_unless_it_is_http_1_0() {
        let valid = |version, hosts: &[&str]| {
            let hosts = hosts.iter().map(|host| (header::HOST, HeaderValue::from_str(host).unwrap()));
            has_valid_host(version, &hosts.collect())
        };
        for host in ["rollbook", "roll.example.org:8000", "127.0.0.1:80", "[::1]", "[2001:db8::1]:443", "a_b", "x:"] {
            assert!(valid(Version::HTTP_11, &[host]), "{host}");
        }
        for host in [
            "",
            ":80",
            "a b",
            "user@host",
            "host/path",
            "host:x",
            "host:80:80",
            "host:+80",
            "host:65536",
            "[::1",
            "http://host",
            "ho?st",
            "h\"",
            "a#b",
            "a\\b",
        ] {
            assert!(!valid(Version::HTTP_11, &[host]) && !valid(Version::HTTP_10, &[host]), "{host}");
        }
        assert!(!valid(Version::HTTP_11, &[]) && valid(Version::HTTP_10, &[]));
        assert!(!valid(Version::HTTP_11, &["a", "a"]) && !valid(Version::HTTP_10, &["a", "a"]));
    }
}
