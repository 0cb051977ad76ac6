//! Whether a query can be read at all.

use percent_encoding::percent_decode_str;

/// Whether each `%` is followed by two hexadecimal digits (RFC 3986, section 2.1), and all of it is UTF-8 then.
pub fn is_readable(query: &str) -> bool {
    let mut escapes = query.split('%');
    // What stands before the first.
    escapes.next();
    let whole = escapes.all(|rest| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)));
    whole && percent_decode_str(query).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_decoded_cannot_be_read() {
        for query in ["", "name=asha", "name=%C3%A9&limit=3", "a=%25"] {
            assert!(is_readable(query), "{query}");
        }
        for query in ["%", "name=%z1", "name=%1", "name=%ff", "name=100%"] {
            assert!(!is_readable(query), "{query}");
        }
    }
}
