//! Lists of entity tags in `If-Match` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1).

use poem::http::{HeaderMap, HeaderName};
use thiserror::Error;

/// The value of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`, which matches every existing record.
    Any,
    Listed(Vec<Tag>),
}

/// An entity tag as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    is_weak: bool,
    /// With its quotes. Not necessarily UTF-8.
    opaque: Box<[u8]>,
}

/// The header is neither `*` nor a list of entity tags.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0} is neither * nor a list of entity tags")]
pub struct MalformedTags(pub HeaderName);

impl EntityTags {
    /// The value of all lines of a header; `None` if there are none.
    pub fn of(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, MalformedTags> {
        let mut lines = headers.get_all(name).iter().map(|line| line.as_bytes().trim_ascii()).peekable();
        if lines.peek().is_none() {
            return Ok(None);
        }
        let lines: Vec<_> = lines.collect();
        if lines == [b"*"] {
            return Ok(Some(Self::Any));
        }
        let tags = lines.into_iter().map(tags).collect::<Option<Vec<_>>>().map(|lines| lines.concat());
        match tags {
            Some(tags) if !tags.is_empty() => Ok(Some(Self::Listed(tags))),
            _ => Err(MalformedTags(name.clone())),
        }
    }

    /// Weak comparison with a strong tag.
    pub fn match_weakly(&self, tag: &str) -> bool {
        self.any(|listed| *listed.opaque == *tag.as_bytes())
    }

    /// Strong comparison with a strong tag.
    pub fn match_strongly(&self, tag: &str) -> bool {
        self.any(|listed| !listed.is_weak && *listed.opaque == *tag.as_bytes())
    }

    fn any(&self, matches: impl Fn(&Tag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(matches),
        }
    }
}

impl Tag {
    /// The text of a strong tag.
    pub fn strong(&self) -> Option<&str> {
        if self.is_weak { None } else { str::from_utf8(&self.opaque).ok() }
    }
}

/// The tags of a line, which may contain empty elements (RFC 9110, section 5.6.1.2).
fn tags(mut line: &[u8]) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    loop {
        line = line.trim_ascii_start();
        match line {
            [] => return Some(tags),
            [b',', rest @ ..] => line = rest,
            _ => {
                let (tag, rest) = tag(line)?;
                tags.push(tag);
                line = rest.trim_ascii_start();
                if !matches!(line, [] | [b',', ..]) {
                    return None;
                }
            }
        }
    }
}

/// The tag at the beginning, and the rest.
fn tag(line: &[u8]) -> Option<(Tag, &[u8])> {
    let opaque = line.strip_prefix(b"W/");
    let is_weak = opaque.is_some();
    let opaque = opaque.unwrap_or(line);
    let length = opaque.strip_prefix(b"\"")?.iter().position(|&b| b == b'"')? + 2;
    let (opaque, rest) = opaque.split_at(length);
    let is_valid = opaque.iter().all(|&b| b > b' ' && b != 0x7f);
    is_valid.then(|| (Tag { is_weak, opaque: opaque.into() }, rest))
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderValue, header};

    use super::*;

    fn parsed(lines: &[&str]) -> Option<EntityTags> {
        let lines = lines.iter().map(|line| (header::IF_MATCH, HeaderValue::from_bytes(line.as_bytes()).unwrap()));
        EntityTags::of(&lines.collect(), &header::IF_MATCH).unwrap_or_else(|error| panic!("{error}"))
    }

    /// REQ 26.
    #[test]
    fn list_of_entity_tags_is_read_in_every_valid_form() {
        assert_eq!(parsed(&[]), None);
        assert_eq!(parsed(&[" * "]), Some(EntityTags::Any));
        for lines in [
            &["\"a\""][..],
            &["\"b\" , \"a\""],
            &["\"b\",,\"a\","],
            &["\"b\"", "\"a\""],
            &["", "\"a\""],
            &["\"b,\"\t,\"a\""],
            &["\"\u{e9}\", W/\"b\", \"\", \"a\""],
        ] {
            let tags = parsed(lines).unwrap();
            assert!(tags.match_strongly("\"a\"") && tags.match_weakly("\"a\""), "{lines:?}");
            assert!(!tags.match_weakly("\"c\""), "{lines:?}");
        }
        let weak = parsed(&["W/\"a\""]).unwrap();
        assert!(weak.match_weakly("\"a\"") && !weak.match_strongly("\"a\""));
    }

    /// REQ 26.
    #[test]
    fn header_without_entity_tags_is_malformed() {
        for line in [
            "",
            ",",
            "a",
            "1-1",
            "\"a",
            "a\"",
            "\"a\"\"",
            "\"a\" \"b\"",
            "\"a\";x",
            "\"a b\"",
            "w/\"a\"",
            "W/a",
            "W/ \"a\"",
            "*, \"a\"",
            "**",
        ] {
            let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(line))]);
            assert_eq!(EntityTags::of(&headers, &header::IF_MATCH), Err(MalformedTags(header::IF_MATCH)), "{line:?}");
        }
        let twice =
            [(header::IF_MATCH, HeaderValue::from_static("*")), (header::IF_MATCH, HeaderValue::from_static("*"))];
        assert!(EntityTags::of(&twice.into_iter().collect(), &header::IF_MATCH).is_err());
    }
}
