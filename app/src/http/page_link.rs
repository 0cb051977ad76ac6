//! The `Link` header of lists that are answered page by page (RFC 8288).

use std::fmt::Write;

use domain::{Cursor, PageSize};

/// The header's value for the next page: the same question of `path`, behind `next`.
pub fn next_link(path: &str, next: Cursor, size: PageSize, filters: &[(&str, &str)]) -> String {
    let mut link = format!("<{path}?after={next}&limit={}", size.get());
    for (name, value) in filters {
        let _ = write!(link, "&{name}=");
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                link.push(char::from(byte));
            } else {
                let _ = write!(link, "%{byte:02X}");
            }
        }
    }
    link + ">; rel=\"next\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn req_27_a_link_asks_the_same_question() {
        let next: Cursor = "000000000000001a".parse().unwrap();
        assert_eq!(
            next_link("/roll/students", next, PageSize::default(), &[("name", "å&b"), ("roll_no", "7")]),
            "</roll/students?after=000000000000001a&limit=50&name=%C3%A5%26b&roll_no=7>; rel=\"next\""
        );
    }
}
