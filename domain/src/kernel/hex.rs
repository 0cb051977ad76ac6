//! Lower-case hexadecimal encoding.

use std::fmt::Write;

/// Encodes each byte as two digits.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Decodes exactly `N` bytes. Accepts only the output of [`encode`].
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() == N * 2 { decode_all(text)?.try_into().ok() } else { None }
}

/// Decodes any number of bytes. Accepts only the output of [`encode`].
pub fn decode_all(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f').then(|| char::from(c).to_digit(16)).flatten();
    let byte = |pair: &[u8]| match *pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_text_form() {
        assert_eq!(encode(&[0, 0x7f, 0xff]), "007fff");
        assert_eq!(decode("007fff"), Some([0, 0x7f, 0xff]));
        for wrong in ["", "007ff", "007FFF", "007ffg", "+07fff", "007fff00", "é7fff"] {
            assert_eq!(decode::<3>(wrong), None, "{wrong}");
        }
    }
}
