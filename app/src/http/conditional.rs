//! Conditional requests on records (RFC 9110, section 13).

use std::fmt;

use domain::student::Student;
use domain::user::User;
use domain::{Record, Version};
use poem::http::{HeaderMap, HeaderName, header};

use super::problem::{Kind, Problem};

/// A record that is answered with an entity tag.
pub trait Tagged: Record {
    /// What the tags of this kind of record begin with, and those of no other.
    const PREFIX: &'static str;
}

impl Tagged for Student {
    const PREFIX: &'static str = "";
}

impl Tagged for User {
    const PREFIX: &'static str = "u";
}

/// A record's entity tag: strong, and no two records ever share one, for it holds the kind, the id and the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag {
    prefix: &'static str,
    id: i64,
    version: Version,
}

impl EntityTag {
    pub fn of<R: Tagged>(record: &R) -> Self {
        Self { prefix: R::PREFIX, id: record.id().into(), version: record.version() }
    }

    /// Reads an opaque tag without its quotes; `None` for one that is not of this kind of record.
    fn parse<R: Tagged>(opaque: &str) -> Option<Self> {
        let (id, version) = opaque.strip_prefix(R::PREFIX)?.split_once('-')?;
        let id: R::Id = id.parse().ok()?;
        let tag = Self { prefix: R::PREFIX, id: id.into(), version: Version::new(version.parse().ok()?)? };
        (tag.to_string().trim_matches('"') == opaque).then_some(tag)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}{}-{}\"", self.prefix, self.id, self.version.get())
    }
}

/// The text of a condition: its header's lines, joined (RFC 9110, section 5.3). `None` where there is none; what
/// cannot be read is a list of no tag of ours.
fn condition(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("unreadable")).collect();
    if lines.is_empty() { None } else { Some(lines.join(", ")) }
}

/// The tags that a condition lists.
enum Listed<'a> {
    /// `*`: whatever there is.
    Any,
    /// Each with whether it is weak.
    Tags(Vec<(bool, &'a str)>),
}

impl<'a> Listed<'a> {
    /// Reads `*` or a list of entity tags; `None` for anything else.
    fn parse(text: &'a str) -> Option<Self> {
        let mut rest = text.trim();
        if rest == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        while !rest.is_empty() {
            let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
            let (opaque, behind) = quoted.strip_prefix('"')?.split_once('"')?;
            tags.push((weak, opaque));
            rest = behind.trim_start();
            rest = match rest.strip_prefix(',') {
                Some(more) => more.trim_start_matches([' ', '\t', ',']),
                None if rest.is_empty() => rest,
                None => return None,
            };
        }
        Some(Self::Tags(tags))
    }
}

/// Whether `If-None-Match` names this version: then a read is answered 304, and a write 412. The comparison is weak
/// (RFC 9110, section 13.1.2); a header that cannot be read names nothing.
pub fn none_match_fails<R: Tagged>(headers: &HeaderMap, record: &R) -> bool {
    let if_none_match = condition(headers, header::IF_NONE_MATCH);
    match if_none_match.as_deref().and_then(Listed::parse) {
        Some(Listed::Any) => true,
        Some(Listed::Tags(tags)) => {
            tags.iter().any(|(_, opaque)| EntityTag::parse::<R>(opaque) == Some(EntityTag::of(record)))
        }
        None => false,
    }
}

/// The version that a write's conditions demand of the record `id`, which `find` looks up where that is needed:
/// `None` where any will do.
///
/// `If-Match` is compared strongly (RFC 9110, section 13.1.1): a tag of another record never matches. With
/// `If-None-Match` the version that was looked at is the one that may be written.
///
/// # Errors
/// What `find` fails with, else 412 where a condition fails.
pub async fn demanded_version<R: Tagged, E: Into<Problem>>(
    headers: &HeaderMap,
    id: R::Id,
    find: impl Future<Output = Result<R, E>>,
) -> Result<Option<Version>, Problem> {
    let if_match = condition(headers, header::IF_MATCH);
    if headers.contains_key(header::IF_NONE_MATCH) {
        let record = find.await.map_err(Into::into)?;
        let named = if_match.as_deref().is_none_or(|if_match| names(if_match, &record));
        let fails = !named || none_match_fails(headers, &record);
        return if fails { Err(Problem::new(Kind::StaleVersion)) } else { Ok(Some(record.version())) };
    }
    let Some(if_match) = if_match else { return Ok(None) };
    match Listed::parse(&if_match) {
        Some(Listed::Any) => return Ok(None),
        // The common case needs no look-up: the store compares.
        Some(Listed::Tags(tags)) if tags.len() == 1 => {
            let tag = tags.first().filter(|(weak, _)| !weak).and_then(|(_, opaque)| EntityTag::parse::<R>(opaque));
            if let Some(tag) = tag.filter(|tag| tag.id == id.into()) {
                return Ok(Some(tag.version));
            }
        }
        Some(Listed::Tags(_)) | None => {}
    }
    let record = find.await.map_err(Into::into)?;
    if names(&if_match, &record) { Ok(Some(record.version())) } else { Err(Problem::new(Kind::StaleVersion)) }
}

/// Whether `If-Match` names this version, compared strongly.
fn names<R: Tagged>(if_match: &str, record: &R) -> bool {
    match Listed::parse(if_match) {
        Some(Listed::Any) => true,
        Some(Listed::Tags(tags)) => {
            tags.iter().any(|&(weak, opaque)| !weak && EntityTag::parse::<R>(opaque) == Some(EntityTag::of(record)))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Option<Vec<(bool, &str)>> {
        match Listed::parse(text)? {
            Listed::Any => None,
            Listed::Tags(tags) => Some(tags),
        }
    }

    #[test]
    fn req_26_a_list_of_tags_is_read() {
        assert!(matches!(Listed::parse(" * "), Some(Listed::Any)));
        assert_eq!(tags("\"1-1\""), Some(vec![(false, "1-1")]));
        assert_eq!(tags("\"1-1\" , W/\"a,b\",,\"\""), Some(vec![(false, "1-1"), (true, "a,b"), (false, "")]));
        for wrong in ["1-1", "\"1-1", "\"a\" \"b\"", "w/\"a\""] {
            assert!(Listed::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn req_26_a_tag_has_one_spelling() {
        let tag = EntityTag { prefix: "", id: 7, version: Version::FIRST };
        assert_eq!(tag.to_string(), "\"7-1\"");
        assert_eq!(EntityTag::parse::<Student>("7-1"), Some(tag));
        for wrong in ["7", "7-0", "7-01", "07-1", "7-+1", "7-1-1", "0-1", ""] {
            assert_eq!(EntityTag::parse::<Student>(wrong), None, "{wrong}");
            assert_eq!(EntityTag::parse::<User>(&format!("u{wrong}")), None, "u{wrong}");
        }
    }

    #[test]
    fn req_26_records_of_two_kinds_share_no_tag() {
        let tag = EntityTag { prefix: User::PREFIX, id: 7, version: Version::FIRST };
        assert_eq!(tag.to_string(), "\"u7-1\"");
        assert_eq!(EntityTag::parse::<User>("u7-1"), Some(tag));
        assert_eq!(EntityTag::parse::<User>("7-1"), None);
        assert_eq!(EntityTag::parse::<Student>("u7-1"), None);
    }
}
