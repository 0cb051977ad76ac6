//! Conditional requests on students (RFC 9110, section 13).

use std::fmt;

use domain::Version;
use domain::student::{FindError, Roll, Student, StudentId};
use domain::user::Reader;

use super::problem::{Kind, Problem};

/// A student's entity tag: strong, and no two records ever share one, for it holds the id and the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag {
    id: StudentId,
    version: Version,
}

impl EntityTag {
    pub const fn of(student: &Student) -> Self {
        Self { id: student.id, version: student.version }
    }

    /// Reads an opaque tag without its quotes; `None` for one that is not of ours.
    fn parse(opaque: &str) -> Option<Self> {
        let (id, version) = opaque.split_once('-')?;
        let tag = Self { id: id.parse().ok()?, version: Version::new(version.parse().ok()?)? };
        (tag.to_string().trim_matches('"') == opaque).then_some(tag)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}-{}\"", self.id, self.version.get())
    }
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

/// Whether `If-None-Match` says that the client has this version already: then 304 is the answer. The
/// comparison is weak (RFC 9110, section 13.1.2); a header that cannot be read is no condition.
pub fn none_match_fails(if_none_match: Option<&str>, student: &Student) -> bool {
    match if_none_match.and_then(Listed::parse) {
        Some(Listed::Any) => true,
        Some(Listed::Tags(tags)) => {
            tags.iter().any(|(_, opaque)| EntityTag::parse(opaque) == Some(EntityTag::of(student)))
        }
        None => false,
    }
}

/// The version that `If-Match` demands of a student: `None` where any will do.
///
/// The comparison is strong (RFC 9110, section 13.1.1). A tag of another record never matches.
///
/// # Errors
/// 404 where no such student exists, else 412 where no listed tag can be the student's.
pub async fn demanded_version(
    if_match: Option<&str>,
    id: StudentId,
    roll: &Roll,
    reader: &Reader,
) -> Result<Option<Version>, Problem> {
    let Some(if_match) = if_match else { return Ok(None) };
    let versions: Vec<_> = match Listed::parse(if_match) {
        Some(Listed::Any) => return Ok(None),
        Some(Listed::Tags(tags)) => tags
            .iter()
            .filter_map(|&(weak, opaque)| EntityTag::parse(opaque).filter(|_| !weak))
            .filter(|tag| tag.id == id)
            .map(|tag| tag.version)
            .collect(),
        None => Vec::new(),
    };
    if let [version] = versions[..] {
        return Ok(Some(version));
    }
    let now = roll.find(reader, id).await.map_err(|error: FindError| Problem::from(error))?.version;
    if versions.contains(&now) { Ok(Some(now)) } else { Err(Problem::new(Kind::StaleVersion)) }
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
        let tag = EntityTag { id: StudentId::try_from(7).unwrap(), version: Version::FIRST };
        assert_eq!(tag.to_string(), "\"7-1\"");
        assert_eq!(EntityTag::parse("7-1"), Some(tag));
        for wrong in ["7", "7-0", "7-01", "07-1", "7-+1", "7-1-1", ""] {
            assert_eq!(EntityTag::parse(wrong), None, "{wrong}");
        }
    }
}
