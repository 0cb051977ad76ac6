//! Which pages of other origins may read answers (CORS, as the Fetch standard has it). None, unless they are configured.

use std::str::FromStr;

use poem::http::{HeaderMap, HeaderValue, header};
use thiserror::Error;
use url::Url;

/// What a page may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Deprecation, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, X-Request-Id",
);
/// What a page may send beside what any page may.
const ALLOWED: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id");
/// Seconds for which a browser need not ask again: the most that all of them heed.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// An origin (RFC 6454): scheme, host and, where it is not the scheme's own, port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// The text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write it as https://roll.example.org, without a path; * is no origin")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError)?;
        let is_origin = matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text;
        if !is_origin {
            return Err(OriginError);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| OriginError)
    }
}

/// The origins whose pages may read answers.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<Origin>);

impl From<Vec<Origin>> for AllowedOrigins {
    fn from(origins: Vec<Origin>) -> Self {
        Self(origins)
    }
}

impl AllowedOrigins {
    /// The origin of a request, where its pages may read the answer.
    pub fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(header::ORIGIN)?;
        self.0.iter().find(|allowed| allowed.0 == origin).map(|allowed| allowed.0.clone())
    }

    /// Says in an answer who may read it. An answer to OPTIONS says what may be asked, too: its `Allow` does.
    pub fn tell(&self, origin: Option<HeaderValue>, answer: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin else { return };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        match answer.get(header::ALLOW).cloned() {
            Some(allow) => {
                answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
                answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED);
                answer.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            }
            None => drop(answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_nothing_behind_them() {
        for origin in ["https://roll.example.org", "http://localhost:3000", "https://[2001:db8::1]:8443"] {
            assert!(origin.parse::<Origin>().is_ok(), "{origin}");
        }
        for wrong in [
            "*",
            "null",
            "roll.example.org",
            "https://roll.example.org/",
            "https://a.example/x",
            "ftp://a.example",
            "https://a.example:443",
        ] {
            assert_eq!(wrong.parse::<Origin>(), Err(OriginError), "{wrong}");
        }
    }

    fn told(origins: &[&str], origin: &str) -> HeaderMap {
        let allowed = AllowedOrigins(origins.iter().map(|origin| origin.parse().unwrap()).collect());
        let request = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_str(origin).unwrap())]);
        let mut answer = HeaderMap::new();
        allowed.tell(allowed.allowed(&request), &mut answer);
        answer
    }

    #[test]
    fn req_32_no_other_origin_reads_anything_unless_it_is_configured() {
        assert!(told(&[], "https://a.example").is_empty());
        let other = told(&["https://a.example"], "https://b.example");
        assert_eq!(other.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
        assert_eq!(other[header::VARY], "Origin", "what is kept for one is not for the other");
        let one = told(&["https://b.example", "https://a.example"], "https://a.example");
        assert_eq!(one[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert_eq!(one[header::ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
    }
}
