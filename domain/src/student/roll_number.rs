//! Roll numbers of students.

use thiserror::Error;

use crate::MAX_ID;

/// A roll number: 1 to 2^53 - 1, unique among students.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RollNumber(i64);

/// The value is not a roll number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an integer from 1 to {MAX_ID}")]
pub struct RollNumberError;

impl RollNumber {
    /// # Errors
    /// [`RollNumberError`] outside 1 to 2^53 - 1.
    pub fn parse(number: i64) -> Result<Self, RollNumberError> {
        match number {
            1..=MAX_ID => Ok(Self(number)),
            _ => Err(RollNumberError),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_number_is_positive_and_exact_in_json() {
        assert_eq!(RollNumber::parse(7).map(RollNumber::get), Ok(7));
        for number in [i64::MIN, -1, 0, MAX_ID + 1, i64::MAX] {
            assert_eq!(RollNumber::parse(number), Err(RollNumberError), "{number}");
        }
    }
}
