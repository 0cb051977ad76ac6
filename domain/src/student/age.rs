//! Age of a student.

use thiserror::Error;

/// An age in completed years, 1 to 150.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(u8);

/// The value is not an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an integer from {} to {}", Age::MIN, Age::MAX)]
pub struct AgeError;

impl Age {
    pub const MIN: u8 = 1;
    pub const MAX: u8 = 150;

    /// # Errors
    /// [`AgeError`] outside [`Age::MIN`] to [`Age::MAX`].
    pub fn parse(years: i64) -> Result<Self, AgeError> {
        match u8::try_from(years) {
            Ok(years @ Self::MIN..=Self::MAX) => Ok(Self(years)),
            _ => Err(AgeError),
        }
    }

    /// The age in years.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_out_of_range_is_rejected() {
        for years in [1, 20, 150] {
            assert_eq!(Age::parse(years).map(|age| i64::from(age.get())), Ok(years));
        }
        for years in [i64::MIN, -1, 0, 151, 257, i64::MAX] {
            assert_eq!(Age::parse(years), Err(AgeError), "{years}");
        }
    }
}
