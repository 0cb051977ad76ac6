//! Secrets and passwords as text, read in the same way from files, variables and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Maximum size in bytes; larger than any valid secret, password or key ring.
pub const MAX_BYTES: u64 = 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The content without a UTF-8 byte order mark at the start and a line end at the end, which editors and shells add.
pub fn trimmed(content: &[u8]) -> &[u8] {
    let content = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    content.strip_suffix(b"\n").map_or(content, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Reads a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut content)?;
    Ok(trimmed(&content).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_mark_and_one_line_end_are_removed() {
        for content in ["secret", "secret\n", "secret\r\n", "\u{feff}secret", "\u{feff}secret\r\n"] {
            assert_eq!(trimmed(content.as_bytes()), b"secret", "{content:?}");
        }
        for (content, text) in
            [("\n", ""), ("\u{feff}", ""), (" a \n\n", " a \n"), ("a\r", "a\r"), ("a\u{feff}", "a\u{feff}")]
        {
            assert_eq!(trimmed(content.as_bytes()), text.as_bytes(), "{content:?}");
        }
    }
}
