//! Validation of the percent-encoding of a query.

use percent_encoding::percent_decode_str;

/// Returns `true` if each `%` is followed by two hexadecimal digits (RFC 3986, section 2.1), and the decoded query is UTF-8.
pub fn is_well_formed(query: &str) -> bool {
    let mut escapes = query.split('%');
    // The part before the first `%`.
    escapes.next();
    let whole = escapes.all(|rest| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)));
    whole && percent_decode_str(query).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_with_invalid_percent_encoding_is_malformed() {
        for query in ["", "name=asha", "name=%C3%A9&limit=3", "a=%25"] {
            assert!(is_well_formed(query), "{query}");
        }
        for query in ["%", "name=%z1", "name=%1", "name=%ff", "name=100%"] {
            assert!(!is_well_formed(query), "{query}");
        }
    }
}
