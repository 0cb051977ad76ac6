//! The id of a request, in the response and the log.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use poem::Request;
use poem::http::{HeaderName, HeaderValue};

/// The header with the id, in requests and responses.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request's id: the client's, if it is valid (1 to 128 letters, digits, `.`, `_` and `-`), otherwise a new one.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id of a request.
    pub fn of(request: &Request) -> Self {
        match request.headers().get(X_REQUEST_ID) {
            Some(given) if is_valid(given.as_bytes()) => Self(given.clone()),
            _ => Self::new(),
        }
    }

    /// A new id, unique in this process and with high probability among all processes.
    fn new() -> Self {
        static PROCESS: LazyLock<u32> = LazyLock::new(|| getrandom::u32().unwrap_or_else(|_| std::process::id()));
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let text = format!("{:08x}-{:x}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed));
        Self(HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unnamed")))
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn is_valid(id: &[u8]) -> bool {
    (1..=128).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ 33.
    #[test]
    fn valid_request_id_is_kept_and_others_are_replaced() {
        let of = |id: &str| RequestId::of(&Request::builder().header("X-Request-Id", id).finish());
        assert_eq!(of("abc-1.2_3").as_str(), "abc-1.2_3");
        for wrong in ["", "a b", "a\"b", "a,b", &"x".repeat(129)] {
            assert_ne!(of(wrong).as_str(), wrong);
        }
        assert_ne!(RequestId::new().as_str(), RequestId::new().as_str());
    }
}
