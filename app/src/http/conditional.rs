//! Conditional requests on records (RFC 9110, section 13).

use std::fmt;

use domain::record::{Precondition, Record, Resource};
use domain::{Id, Kind, Version};
use poem::http::{HeaderMap, header};
use poem::{FromRequest, Request, RequestBody};
use serde::{Serialize, Serializer};

use super::entity_tags::{EntityTags, MalformedTags};
use super::problem::{Problem, ProblemType};

/// Strong entity tag of a record, unique because it contains the kind, the id and the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag {
    kind: &'static str,
    id: i64,
    version: Version,
}

impl EntityTag {
    pub fn of<R: Resource>(record: &Record<R>) -> Self {
        Self::new(record.id, record.version)
    }

    fn new<K: Kind>(id: Id<K>, version: Version) -> Self {
        Self { kind: K::NAME, id: id.get(), version }
    }

    /// The version in a tag of the record `id`; `None` if the tag is not exactly in the form that the server writes.
    fn version_of<K: Kind>(id: Id<K>, tag: &str) -> Option<Version> {
        let version = tag.trim_end_matches('"').rsplit('-').next()?.parse().ok().and_then(Version::new)?;
        (Self::new(id, version).to_string() == tag).then_some(version)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}-{}-{}\"", self.kind, self.id, self.version.get())
    }
}

impl Serialize for EntityTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `If-None-Match` of a read.
#[derive(Debug, Clone)]
pub struct ReadCondition(Option<EntityTags>);

/// `If-Match` and `If-None-Match` of a write.
#[derive(Debug, Clone)]
pub struct WriteConditions {
    if_match: Option<EntityTags>,
    if_none_match: Option<EntityTags>,
}

impl<'a> FromRequest<'a> for ReadCondition {
    /// A malformed header is ignored: the response is the whole record.
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(EntityTags::of(request.headers(), &header::IF_NONE_MATCH).unwrap_or_default()))
    }
}

impl<'a> FromRequest<'a> for WriteConditions {
    /// A malformed header is an error: otherwise a write would ignore its condition.
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let conditions = Self::of(request.headers());
        Ok(conditions.map_err(|error| Problem::new(ProblemType::MalformedCondition).caused_by(error))?)
    }
}

impl ReadCondition {
    /// Returns `true` if `If-None-Match` matches the record, so that a read returns 304. The comparison is weak (RFC 9110,
    /// section 13.1.2).
    pub fn is_cached<R: Resource>(&self, record: &Record<R>) -> bool {
        self.0.as_ref().is_some_and(|tags| tags.match_weakly(&EntityTag::of(record).to_string()))
    }
}

impl WriteConditions {
    fn of(headers: &HeaderMap) -> Result<Self, MalformedTags> {
        let tags = |name| EntityTags::of(headers, name);
        Ok(Self { if_match: tags(&header::IF_MATCH)?, if_none_match: tags(&header::IF_NONE_MATCH)? })
    }

    /// Precondition of a write to the record `id`.
    ///
    /// `If-Match` is compared strongly (RFC 9110, section 13.1.1): a tag of another record never matches.
    pub fn for_write<K: Kind>(self, id: Id<K>) -> Precondition {
        let Self { if_match, if_none_match } = self;
        if if_none_match.is_none() {
            match &if_match {
                None | Some(EntityTags::Any) => return Precondition::Any,
                Some(EntityTags::Listed(tags)) => {
                    // Common case: the store compares the version within its write.
                    if let [tag] = &**tags
                        && let Some(version) = tag.strong().and_then(|tag| EntityTag::version_of(id, tag))
                    {
                        return Precondition::Version(version);
                    }
                }
            }
        }
        Precondition::When(Box::new(move |version| {
            let tag = EntityTag::new(id, version).to_string();
            if_match.as_ref().is_none_or(|tags| tags.match_strongly(&tag))
                && !if_none_match.as_ref().is_some_and(|tags| tags.match_weakly(&tag))
        }))
    }
}

#[cfg(test)]
mod tests {
    use domain::UserId;
    use domain::student::StudentId;
    use poem::http::HeaderValue;

    use super::*;

    /// REQ 26.
    #[test]
    fn entity_tag_has_one_valid_form() {
        let id = StudentId::try_from(7).unwrap();
        assert_eq!(EntityTag::new(id, Version::FIRST).to_string(), "\"student-7-1\"");
        assert_eq!(EntityTag::version_of(id, "\"student-7-1\""), Some(Version::FIRST));
        for wrong in ["7", "7-0", "7-01", "07-1", "7-+1", "7-1-1", "8-1", ""] {
            assert_eq!(EntityTag::version_of(id, &format!("\"student-{wrong}\"")), None, "{wrong}");
        }
        for wrong in ["\"7-1\"", "student-7-1", "\"student-7-1", "\"student-7-1\"\"", "W/\"student-7-1\""] {
            assert_eq!(EntityTag::version_of(id, wrong), None, "{wrong}");
        }
    }

    /// REQ 26.
    #[test]
    fn records_of_two_kinds_share_no_tag() {
        let id = UserId::try_from(7).unwrap();
        assert!(EntityTag::version_of(id, "\"user-7-1\"").is_some());
        assert_eq!(EntityTag::version_of(id, "\"student-7-1\""), None);
    }

    /// REQ 26.
    #[test]
    fn write_precondition_follows_request_headers() {
        let id = StudentId::try_from(7).unwrap();
        let precondition = |if_match: Option<&'static str>, if_none_match: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.extend(if_match.map(|text| (header::IF_MATCH, HeaderValue::from_static(text))));
            headers.extend(if_none_match.map(|text| (header::IF_NONE_MATCH, HeaderValue::from_static(text))));
            WriteConditions::of(&headers).unwrap().for_write(id)
        };
        assert!(matches!(precondition(None, None), Precondition::Any));
        assert!(matches!(precondition(Some("*"), None), Precondition::Any));
        assert!(matches!(precondition(Some("\"student-7-1\""), None), Precondition::Version(Version::FIRST)));
        for (if_match, if_none_match, holds) in [
            (Some("\"student-7-2\", \"student-7-1\""), None, true),
            (Some("\"student-8-1\""), None, false),
            (Some("W/\"student-7-1\""), None, false),
            (Some("\"\" ,\"a,b\",, \"student-7-1\""), None, true),
            (None, Some("*"), false),
            (None, Some("W/\"student-7-1\""), false),
            (None, Some("\"student-7-2\""), true),
            (Some("\"student-7-1\""), Some("\"student-7-2\""), true),
        ] {
            let Precondition::When(condition) = precondition(if_match, if_none_match) else { panic!("{if_match:?}") };
            assert_eq!(condition(Version::FIRST), holds, "{if_match:?} {if_none_match:?}");
        }
    }
}
