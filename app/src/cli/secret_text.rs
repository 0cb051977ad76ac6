//! Secrets and passwords as text, read in the same way from files, variables and standard input.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

/// Maximum size in bytes; larger than any valid secret, password, key ring or key set.
const MAX_BYTES: u64 = 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The content without a UTF-8 byte order mark at the start and a line end at the end, which editors and shells add.
pub fn trimmed(content: &[u8]) -> &[u8] {
    let content = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    content.strip_suffix(b"\n").map_or(content, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Reads a file.
///
/// # Errors
/// [`io::Error`], also for a file that is larger than 1 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut content)?;
    within_limit(&content)
}

/// Reads the first line.
///
/// # Errors
/// [`io::Error`], also for a line that is longer than 1 MiB.
pub fn read_line(input: impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(MAX_BYTES + 1).read_until(b'\n', &mut line)?;
    within_limit(&line)
}

fn within_limit(content: &[u8]) -> io::Result<Vec<u8>> {
    if content.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than the limit of 1 MiB"));
    }
    Ok(trimmed(content).to_owned())
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

    #[test]
    fn text_above_one_mebibyte_is_an_error_that_states_the_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let largest = vec![b'x'; 1 << 20];
        std::fs::write(file.path(), &largest).unwrap();
        assert_eq!(read(file.path()).unwrap(), largest);
        assert_eq!(read_line(&largest[..]).unwrap(), largest);
        let larger = vec![b'x'; (1 << 20) + 1];
        std::fs::write(file.path(), &larger).unwrap();
        for error in [read(file.path()).unwrap_err(), read_line(&larger[..]).unwrap_err()] {
            assert!(error.to_string().contains("1 MiB"), "{error}");
        }
    }
}
