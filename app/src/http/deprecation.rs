//! What answers of deprecated operations say of their end: the fields `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).

use poem::http::{HeaderName, HeaderValue, Method};
use poem::{Endpoint, Request, Response};

use super::document::{Operations, PathItem};

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Since when there is something better: 2026-11-23T00:00:00Z, as a date of structured fields (RFC 9651, section 3.3.7).
const SINCE: HeaderValue = HeaderValue::from_static("@1795392000");
/// Until when the operations stay at least, as an HTTP date (RFC 9110, section 5.6.7).
const UNTIL: HeaderValue = HeaderValue::from_static("Mon, 24 Nov 2036 00:00:00 GMT");

/// Tells it in every answer of a deprecated operation, whatever came of the request.
pub struct Announced<E> {
    inner: E,
    items: Vec<&'static PathItem>,
}

impl<E> Announced<E> {
    /// Stands outside of whatever makes answers.
    pub fn new(inner: E) -> Self {
        Self { inner, items: Operations::of_document().deprecated().collect() }
    }

    fn concerns(&self, request: &Request) -> bool {
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let mut items = self.items.iter().filter(|item| item.is_at(request.uri().path()));
        items.any(|item| item.operation(method).is_some_and(|operation| operation.is_deprecated))
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Announced<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let concerned = self.concerns(&request);
        let mut answer = self.inner.call(request).await?;
        if concerned {
            answer.headers_mut().extend([(DEPRECATION, SINCE), (SUNSET, UNTIL)]);
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc2822;
    use time::macros::datetime;
    use time::{OffsetDateTime, Weekday};

    use super::*;

    #[test]
    fn both_dates_are_those_that_the_comments_say() {
        let since = SINCE.to_str().unwrap().strip_prefix('@').unwrap().parse().unwrap();
        assert_eq!(OffsetDateTime::from_unix_timestamp(since).unwrap(), datetime!(2026-11-23 00:00 UTC));
        let until = OffsetDateTime::parse(UNTIL.to_str().unwrap(), &Rfc2822).unwrap();
        assert_eq!(until, datetime!(2036-11-24 00:00 UTC));
        assert_eq!(until.weekday(), Weekday::Monday);
    }
}
