//! Conditional requests on records (RFC 9110, section 13).

use std::fmt;

use domain::record::{Precondition, Record, Resource};
use domain::{Id, Kind, Version};
use poem::http::{HeaderMap, header};
use poem::web::headers::{ETag, HeaderMapExt, IfMatch, IfNoneMatch};
use poem::{FromRequest, Request, RequestBody};
use serde::{Serialize, Serializer};

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

    /// The tag as a typed header, for comparisons.
    fn header(self) -> Option<ETag> {
        self.to_string().parse().ok()
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

/// `If-Match` and `If-None-Match` of a request.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// Text of `If-Match` if the request has exactly one such header.
    only: Option<String>,
    if_match: Option<IfMatch>,
    if_none_match: Option<IfNoneMatch>,
}

impl<'a> FromRequest<'a> for Conditions {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::of(request.headers()))
    }
}

impl Conditions {
    fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(header::IF_MATCH).iter();
        let only = lines.next().filter(|_| lines.next().is_none()).and_then(|line| line.to_str().ok());
        Self { only: only.map(str::to_owned), if_match: headers.typed_get(), if_none_match: headers.typed_get() }
    }

    /// Returns `true` if `If-None-Match` matches the record, so that a read returns 304. The comparison is weak (RFC 9110,
    /// section 13.1.2). Malformed entity tags match nothing.
    pub fn match_cached<R: Resource>(&self, record: &Record<R>) -> bool {
        let (Some(listed), Some(tag)) = (&self.if_none_match, EntityTag::of(record).header()) else { return false };
        !listed.precondition_passes(&tag)
    }

    /// Precondition of a write to the record `id`.
    ///
    /// `If-Match` is compared strongly (RFC 9110, section 13.1.1): a tag of another record never matches.
    pub fn for_write<K: Kind>(self, id: Id<K>) -> Precondition {
        let Self { only, if_match, if_none_match } = self;
        if if_none_match.is_none() {
            if if_match.as_ref().is_none_or(IfMatch::is_any) {
                return Precondition::Any;
            }
            // Common case: the store compares the version within its write.
            if let Some(version) = only.and_then(|text| EntityTag::version_of(id, &text)) {
                return Precondition::Version(version);
            }
        }
        Precondition::When(Box::new(move |version| {
            let Some(tag) = EntityTag::new(id, version).header() else { return false };
            if_match.as_ref().is_none_or(|listed| listed.precondition_passes(&tag))
                && if_none_match.as_ref().is_none_or(|listed| listed.precondition_passes(&tag))
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
            Conditions::of(&headers).for_write(id)
        };
        assert!(matches!(precondition(None, None), Precondition::Any));
        assert!(matches!(precondition(Some("*"), None), Precondition::Any));
        assert!(matches!(precondition(Some("\"student-7-1\""), None), Precondition::Version(Version::FIRST)));
        for (if_match, if_none_match, holds) in [
            (Some("\"student-7-2\", \"student-7-1\""), None, true),
            (Some("\"student-8-1\""), None, false),
            (Some("W/\"student-7-1\""), None, false),
            (Some("nonsense"), None, false),
            (Some("\"a b\""), None, false),
            (Some("student-7-1"), None, false),
            (Some("\"student-7-1"), None, false),
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
