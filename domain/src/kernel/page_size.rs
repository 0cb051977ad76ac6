//! Page size of lists.

use thiserror::Error;

/// Maximum number of entries of a page: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

/// The value is not a page size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an integer from {} to {}", PageSize::MIN, PageSize::MAX)]
pub struct PageSizeError;

impl PageSize {
    pub const MIN: u16 = 1;
    pub const MAX: u16 = 1_000;
    /// The smallest page size.
    pub const ONE: Self = Self(1);
    /// The largest page size.
    pub const LARGEST: Self = Self(Self::MAX);

    /// # Errors
    /// [`PageSizeError`] outside [`PageSize::MIN`] to [`PageSize::MAX`].
    pub fn parse(size: i64) -> Result<Self, PageSizeError> {
        match u16::try_from(size) {
            Ok(size @ Self::MIN..=Self::MAX) => Ok(Self(size)),
            _ => Err(PageSizeError),
        }
    }

    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_size_out_of_range_is_rejected() {
        assert_eq!(PageSize::parse(1_000).map(PageSize::get), Ok(1_000));
        for size in [-1, 0, 1_001, 65_537] {
            assert_eq!(PageSize::parse(size), Err(PageSizeError), "{size}");
        }
    }
}
