//! Orders of lists.

use std::fmt;

use super::hex;

/// Field by which a list can be sorted.
#[derive(Debug, PartialEq, Eq)]
pub struct SortKey {
    pub name: &'static str,
    pub kind: SortKeyKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKeyKind {
    Number,
    /// Compared by code points.
    Text,
}

/// Value of a sort key. Written as its kind and lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortValue {
    Number(i64),
    Text(String),
}

impl SortValue {
    /// Maximum number of characters of a text. Texts that are equal so far are in order of id.
    pub const MAX_CHARS: usize = 200;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, digits) = text.split_at_checked(1)?;
        match kind {
            "n" => Some(Self::Number(i64::from_be_bytes(hex::decode(digits)?))),
            "t" => {
                let text = String::from_utf8(hex::decode_all(digits)?).ok()?;
                (text.chars().count() <= Self::MAX_CHARS && !text.contains('\0')).then_some(Self::Text(text))
            }
            _ => None,
        }
    }

    const fn kind(&self) -> SortKeyKind {
        match self {
            Self::Number(_) => SortKeyKind::Number,
            Self::Text(_) => SortKeyKind::Text,
        }
    }
}

impl fmt::Display for SortValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "n{}", hex::encode(&number.to_be_bytes())),
            Self::Text(text) => write!(f, "t{}", hex::encode(text.as_bytes())),
        }
    }
}

/// Order of a list. Entries with equal keys are in order of id, in the same direction. Written as the name of the key or `id`,
/// after `-` if it is descending. The default is ascending by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Order {
    /// `None` for the id.
    pub key: Option<&'static SortKey>,
    pub descending: bool,
}

impl Order {
    /// Ascending by id.
    pub const BY_ID: Self = Self { key: None, descending: false };

    /// Every order by the id or one of the keys. A list without keys has one order.
    pub fn all(keys: &'static [SortKey]) -> impl Iterator<Item = Self> {
        let directions = if keys.is_empty() { &[false][..] } else { &[false, true] };
        let keys = [None].into_iter().chain(keys.iter().map(Some));
        keys.flat_map(move |key| directions.iter().map(move |&descending| Self { key, descending }))
    }

    /// Parses an order by the id or one of the keys.
    #[must_use]
    pub fn parse(text: &str, keys: &'static [SortKey]) -> Option<Self> {
        Self::all(keys).find(|order| order.to_string() == text)
    }

    pub(super) fn has(&self, value: Option<&SortValue>) -> bool {
        self.key.map(|key| key.kind) == value.map(SortValue::kind)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.key.map_or("id", |key| key.name);
        write!(f, "{}{name}", if self.descending { "-" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[SortKey] = &[SortKey { name: "age", kind: SortKeyKind::Number }];

    #[test]
    fn order_has_one_text_form() {
        let orders: Vec<_> = Order::all(KEYS).map(|order| order.to_string()).collect();
        assert_eq!(orders, ["id", "-id", "age", "-age"]);
        for order in Order::all(KEYS) {
            assert_eq!(Order::parse(&order.to_string(), KEYS), Some(order));
        }
        for wrong in ["", "-", "--id", "+id", "ID", "name", "id,age"] {
            assert_eq!(Order::parse(wrong, KEYS), None, "{wrong:?}");
        }
    }

    #[test]
    fn sort_value_has_one_text_form() {
        for value in [SortValue::Number(i64::MIN), SortValue::Number(7), SortValue::Text("é".repeat(200))] {
            assert_eq!(SortValue::parse(&value.to_string()), Some(value));
        }
        for wrong in ["", "n", "n07", "x07", "é", "tff", "t0", "t00", &SortValue::Text("x".repeat(201)).to_string()] {
            assert_eq!(SortValue::parse(wrong), None, "{wrong:?}");
        }
    }
}
