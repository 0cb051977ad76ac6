//! Detects guessable keys: uniform bytes, repeated patterns, sequences, and known words.
//!
//! The probability that a random key of 32 bytes, hexadecimal digits or letters is rejected is far below one in a million.

use super::known::{RUNS, SAMPLES, WORDS};
use super::{SigningKey, SigningKeyError};

/// Minimum number of other bytes in a secret that contains known words. Fewer bytes are a typical suffix of a word.
const MIN_OTHER_BYTES: usize = 16;

/// # Errors
/// [`SigningKeyError`] names the first weakness.
pub(super) fn check(secret: &[u8]) -> Result<(), SigningKeyError> {
    if is_known(secret) {
        Err(SigningKeyError::Known)
    } else if is_uniform(secret) {
        Err(SigningKeyError::TooUniform)
    } else if is_repeated(secret) {
        Err(SigningKeyError::Repeated)
    } else if is_sequence(secret) {
        Err(SigningKeyError::Sequence)
    } else {
        Ok(())
    }
}

fn is_uniform(secret: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in secret {
        seen[usize::from(*byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count() < SigningKey::MIN_DISTINCT_BYTES
}

/// Returns `true` if the secret is a pattern shorter than [`SigningKey::MIN_BYTES`], repeated at least once.
fn is_repeated(secret: &[u8]) -> bool {
    (1..SigningKey::MIN_BYTES)
        .take_while(|period| period * 2 <= secret.len())
        .any(|period| secret.iter().zip(&secret[period..]).all(|(byte, later)| byte == later))
}

/// Returns `true` if at least two thirds of the adjacent bytes are neighbours.
fn is_sequence(secret: &[u8]) -> bool {
    let neighbours = secret.windows(2).filter(|pair| are_neighbours(pair[0], pair[1])).count();
    neighbours * 3 >= secret.len().saturating_sub(1) * 2
}

/// Equal, consecutive in value, or adjacent in one of the [`RUNS`].
fn are_neighbours(a: u8, b: u8) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    a.abs_diff(b) <= 1 || RUNS.iter().any(|run| run.as_bytes().windows(2).any(|pair| pair == [a, b] || pair == [b, a]))
}

/// Returns `true` if the secret consists of known words and at most separators, a few other bytes, or a guessable remainder.
fn is_known(secret: &[u8]) -> bool {
    let mut covered = vec![false; secret.len()];
    for word in SAMPLES.iter().chain(WORDS).map(|word| word.as_bytes()) {
        for start in 0..(secret.len() + 1).saturating_sub(word.len()) {
            let end = start + word.len();
            if secret[start..end].iter().zip(word).all(|(byte, letter)| matches_letter(*byte, *letter)) {
                covered[start..end].fill(true);
            }
        }
    }
    if !covered.contains(&true) {
        return false;
    }
    let rest: Vec<u8> = secret
        .iter()
        .zip(covered)
        .filter(|(byte, covered)| !covered && !byte.is_ascii_punctuation() && !byte.is_ascii_whitespace())
        .map(|(byte, _)| *byte)
        .collect();
    rest.len() < MIN_OTHER_BYTES || is_uniform(&rest) || is_repeated(&rest) || is_sequence(&rest)
}

/// Compares a byte with a letter, ignoring case and common substitutions (`3` for `e`).
fn matches_letter(byte: u8, letter: u8) -> bool {
    let replaced: &[u8] = match letter.to_ascii_lowercase() {
        b'a' => b"4@",
        b'b' => b"8",
        b'e' => b"3",
        b'i' | b'l' => b"1!",
        b'o' => b"0",
        b's' => b"5$",
        b't' => b"7",
        _ => b"",
    };
    byte.eq_ignore_ascii_case(&letter) || replaced.contains(&byte)
}
