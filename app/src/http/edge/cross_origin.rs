//! Cross-origin resource sharing (CORS, Fetch standard). No other origin is allowed unless it is configured.

use std::str::FromStr;
use std::sync::LazyLock;

use poem::http::{HeaderValue, header};
use poem::{Request, Response};
use thiserror::Error;
use url::Url;

use super::preflight::{FailureLog, Preflight};
use crate::http::document;

/// Response headers that scripts of an allowed origin can read: the documented ones, and those of OPTIONS and 405.
static EXPOSED: LazyLock<HeaderValue> = LazyLock::new(|| {
    let documented = document::response_headers().into_iter().filter(|name| !name.starts_with("Access-Control-"));
    let names: Vec<_> = ["Accept-Patch", "Allow"].into_iter().chain(documented).collect();
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("ETag"))
});

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
pub struct AllowedOrigins {
    origins: Vec<Origin>,
    failures: FailureLog,
}

/// The part of a request that CORS evaluates.
pub struct CrossOrigin<'a> {
    allowed: &'a AllowedOrigins,
    given: Option<HeaderValue>,
    preflight: Option<Preflight>,
}

impl From<Vec<Origin>> for AllowedOrigins {
    fn from(origins: Vec<Origin>) -> Self {
        Self { origins, failures: FailureLog::default() }
    }
}

impl AllowedOrigins {
    /// Reads the CORS headers of a request.
    pub fn read(&self, request: &Request) -> CrossOrigin<'_> {
        let given = request.headers().get(header::ORIGIN).cloned();
        let preflight = given.as_ref().and_then(|_| Preflight::of(request));
        CrossOrigin { allowed: self, given, preflight }
    }
}

impl CrossOrigin<'_> {
    /// Adds the CORS headers to the response, and logs a preflight request that fails.
    pub fn complete(self, response: &mut Response) {
        let Self { allowed: AllowedOrigins { origins, failures }, given, preflight } = self;
        let origin = origins.iter().find(|origin| given.as_ref() == Some(&origin.0));
        if let Some(preflight) = &preflight {
            let failure = preflight.failure(origin.is_some(), response);
            failures.log(given.as_ref(), preflight, failure);
        }
        let is_success = response.status().is_success();
        let headers = response.headers_mut();
        if !origins.is_empty() {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        let Some(Origin(origin)) = origin else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        match preflight {
            Some(_) if is_success => Preflight::allow(headers),
            _ => drop(headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderMap;

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
        let allowed = AllowedOrigins::from(origins.iter().map(|it| it.parse().unwrap()).collect::<Vec<_>>());
        let request = Request::builder().header(header::ORIGIN, origin).finish();
        let mut response = Response::default();
        allowed.read(&request).complete(&mut response);
        response.headers().clone()
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
        assert_eq!(one[header::ACCESS_CONTROL_EXPOSE_HEADERS], *EXPOSED);
    }
}
