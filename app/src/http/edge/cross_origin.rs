//! Cross-origin resource sharing (CORS, Fetch standard). No other origin is allowed unless it is configured.

use std::str::FromStr;

use poem::http::{HeaderMap, HeaderValue, header};
use thiserror::Error;
use url::Url;

/// Response headers that scripts of an allowed origin can read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Deprecation, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, X-Request-Id",
);
/// Request headers that are allowed in addition to the CORS-safelisted ones.
const ALLOWED: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id");
/// Lifetime of a preflight result in seconds. Some browsers limit it to this value.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// An origin (RFC 6454): scheme, host and, unless it is the scheme's default, port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// The text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must have the form https://roll.example.org, without a path; * is not supported")]
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

/// The origins that CORS allows to read responses.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<Origin>);

impl From<Vec<Origin>> for AllowedOrigins {
    fn from(origins: Vec<Origin>) -> Self {
        Self(origins)
    }
}

impl AllowedOrigins {
    /// The origin of a request, if it is allowed.
    pub fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(header::ORIGIN)?;
        self.0.iter().find(|allowed| allowed.0 == origin).map(|allowed| allowed.0.clone())
    }

    /// Adds the CORS headers to a response. A response with `Allow` belongs to an OPTIONS request and also gets the preflight
    /// headers.
    pub fn apply(&self, origin: Option<HeaderValue>, response: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        response.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin else { return };
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        match response.get(header::ALLOW).cloned() {
            Some(allow) => {
                response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
                response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED);
                response.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            }
            None => drop(response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_with_path_or_default_port_is_rejected() {
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

    fn response_headers(origins: &[&str], origin: &str) -> HeaderMap {
        let allowed = AllowedOrigins(origins.iter().map(|origin| origin.parse().unwrap()).collect());
        let request = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_str(origin).unwrap())]);
        let mut response = HeaderMap::new();
        allowed.apply(allowed.allowed(&request), &mut response);
        response
    }

    /// REQ 32.
    #[test]
    fn origin_that_is_not_configured_is_not_allowed() {
        assert!(response_headers(&[], "https://a.example").is_empty());
        let other = response_headers(&["https://a.example"], "https://b.example");
        assert_eq!(other.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
        assert_eq!(other[header::VARY], "Origin", "caches must key the response by origin");
        let one = response_headers(&["https://b.example", "https://a.example"], "https://a.example");
        assert_eq!(one[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert_eq!(one[header::ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
    }
}
