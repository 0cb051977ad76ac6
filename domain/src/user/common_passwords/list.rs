//! Embedded list of common passwords. `README.md` in this folder documents its source.

use std::cmp::Ordering;

/// One folded password of at least 8 characters per line, sorted by code point for binary search.
pub(super) const LIST: &str = include_str!("list.txt");

/// Returns `true` if a folded text is an entry. Binary search over the bytes, without allocation.
pub(super) fn contains(folded: &str) -> bool {
    let mut rest = LIST;
    while !rest.is_empty() {
        let (start, end) = middle_line(rest);
        match folded.cmp(&rest[start..end]) {
            Ordering::Equal => return true,
            Ordering::Less => rest = &rest[..start],
            Ordering::Greater => rest = rest.get(end + 1..).unwrap_or_default(),
        }
    }
    false
}

/// Start and end of the line at the middle of `lines`, without its line feed.
fn middle_line(lines: &str) -> (usize, usize) {
    let bytes = lines.as_bytes();
    let middle = (bytes.len() - 1) / 2;
    let is_end = |&byte: &u8| byte == b'\n';
    let start = bytes[..middle].iter().rposition(is_end).map_or(0, |end| end + 1);
    let end = bytes[middle..].iter().position(is_end).map_or(bytes.len(), |length| middle + length);
    (start, end)
}
