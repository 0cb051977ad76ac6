//! What every store keeps: records with an id for ever and a version for now.

use std::fmt::Display;
use std::str::FromStr;

use crate::Version;

/// Something kept under an id that is never used twice, and changed from version to version.
pub trait Record {
    /// Names one record of its kind.
    type Id: Copy + PartialEq + Display + FromStr + Into<i64>;

    fn id(&self) -> Self::Id;

    fn version(&self) -> Version;
}
