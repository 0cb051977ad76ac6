//! The response headers `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) of deprecated operations.

use poem::http::{HeaderMap, HeaderName, HeaderValue};

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Start of the deprecation: 2026-11-23T00:00:00Z, as a date of structured fields (RFC 9651, section 3.3.7).
const SINCE: HeaderValue = HeaderValue::from_static("@1795392000");
/// Earliest removal of the operations: an HTTP date (RFC 9110, section 5.6.7).
const UNTIL: HeaderValue = HeaderValue::from_static("Mon, 24 Nov 2036 00:00:00 GMT");

/// Adds both headers to a response.
pub fn add_headers(headers: &mut HeaderMap) {
    headers.extend([(DEPRECATION, SINCE), (SUNSET, UNTIL)]);
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc2822;
    use time::macros::datetime;
    use time::{OffsetDateTime, Weekday};

    use super::*;

    #[test]
    fn dates_match_their_comments() {
        let since = SINCE.to_str().unwrap().strip_prefix('@').unwrap().parse().unwrap();
        assert_eq!(OffsetDateTime::from_unix_timestamp(since).unwrap(), datetime!(2026-11-23 00:00 UTC));
        let until = OffsetDateTime::parse(UNTIL.to_str().unwrap(), &Rfc2822).unwrap();
        assert_eq!(until, datetime!(2036-11-24 00:00 UTC));
        assert_eq!(until.weekday(), Weekday::Monday);
    }
}
