//! The embedded list of common passwords. README.md beside it says where it is from, and how it was made.

use std::cmp::Ordering;

/// One folded password a line, of 8 characters or more; in order of code points, so that it can be searched as it is.
pub(super) const LIST: &str = include_str!("list.txt");

/// Whether a folded text is an entry, by binary search over the bytes: nothing is built, nothing allocated.
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

/// Where the line over the middle of some lines starts and ends, its line feed not included.
fn middle_line(lines: &str) -> (usize, usize) {
    let bytes = lines.as_bytes();
    let middle = (bytes.len() - 1) / 2;
    let is_end = |&byte: &u8| byte == b'\n';
    let start = bytes[..middle].iter().rposition(is_end).map_or(0, |end| end + 1);
    let end = bytes[middle..].iter().position(is_end).map_or(bytes.len(), |length| middle + length);
    (start, end)
}
