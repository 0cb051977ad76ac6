//! The path under which a proxy publishes the service.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, HeaderValue, header};

const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Maximum length in bytes.
const MAX_LENGTH: usize = 256;

/// An absolute path without a slash at its end: `/rollbook`, for example. Its segments are not empty, not `.` or `..`, and
/// consist of unreserved characters (RFC 3986, section 2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPrefix(Arc<str>);

impl PathPrefix {
    /// The valid prefix in `X-Forwarded-Prefix`.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(X_FORWARDED_PREFIX).iter();
        let given = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
        let prefix = given.strip_suffix('/').unwrap_or(given);
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let is_segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(is_plain);
        let is_valid = prefix.len() <= MAX_LENGTH && prefix.strip_prefix('/')?.split('/').all(is_segment);
        is_valid.then(|| Self(prefix.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Prepends the prefix to the absolute paths in `Location` and `Link`.
    pub fn prepend_to_paths(&self, headers: &mut HeaderMap) {
        for (name, begin) in [(header::LOCATION, "/"), (header::LINK, "</")] {
            let Some(path) = headers.get(&name).and_then(|value| value.to_str().ok()?.strip_prefix(begin)) else {
                continue;
            };
            let begin = begin.trim_end_matches('/');
            if let Ok(value) = HeaderValue::try_from(format!("{begin}{}/{path}", self.0)) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_prepended_to_location_and_link() {
        let link = HeaderValue::from_static("</students?after=1>; rel=\"next\"");
        let location = HeaderValue::from_static("/students/7");
        let mut headers = HeaderMap::from_iter([(header::LOCATION, location), (header::LINK, link)]);
        PathPrefix("/roll".into()).prepend_to_paths(&mut headers);
        assert_eq!(headers["location"], "/roll/students/7");
        assert_eq!(headers["link"], "</roll/students?after=1>; rel=\"next\"");
    }

    /// REQ 30.
    #[test]
    fn forwarded_prefix_is_a_clean_absolute_path_or_ignored() {
        let prefix = |values: &[&str]| {
            let lines = values.iter().map(|value| (X_FORWARDED_PREFIX, value.parse().unwrap()));
            PathPrefix::of(&lines.collect()).map(|prefix| prefix.as_str().to_owned())
        };
        for (value, expected) in
            [("/roll", "/roll"), ("/roll/book/", "/roll/book"), ("/v1.0~a_b-c/...", "/v1.0~a_b-c/...")]
        {
            assert_eq!(prefix(&[value]).as_deref(), Some(expected));
        }
        let long = format!("/{}", "x".repeat(MAX_LENGTH));
        for value in [
            "",
            "/",
            "//",
            "roll",
            "//evil.example",
            "/a//b",
            "/..",
            "/../..",
            "/./a",
            "/a/..",
            "/a/../b",
            "/a b",
            "/a\"b",
            "/a,/b",
            "/%2e%2e",
            "/a?b",
            "/a#b",
            "/a;b",
            "/\\evil",
            "https://evil.example",
            &long,
        ] {
            assert_eq!(prefix(&[value]), None, "{value}");
        }
        assert_eq!(prefix(&["/a", "/a"]), None);
        assert_eq!(prefix(&[]), None);
    }
}
