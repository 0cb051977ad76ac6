//! The list of what is documented and no test shows, each with its reason. It may only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::promise::Promise;
use crate::failure::{Failure, Result, Settle};
use crate::openapi::base::{Base, Since};
use crate::workspace::root;

/// The list, in the workspace: promises in the report's words, each with its reason.
pub const FILE: &str = "tests/unseen.yaml";

/// What the list holds.
#[derive(Debug, Default)]
pub struct Unseen(BTreeMap<Promise, String>);

/// The list and the document at the commit before.
pub struct Before {
    pub commit: String,
    pub list: Unseen,
    /// The operations that were documented then.
    pub operations: BTreeSet<String>,
}

impl Unseen {
    /// The list as it is.
    pub fn now() -> Result<Self> {
        Self::parse(&fs::read_to_string(root().join(FILE)).or_fail(FILE)?)
    }

    fn parse(text: &str) -> Result<Self> {
        let entries: Value = yaml_serde::from_str(text).or_fail(FILE)?;
        let mut list = BTreeMap::new();
        for (promise, reason) in entries.as_object().into_iter().flatten() {
            let promise = promise.parse().map_err(|why| Failure::new(format_args!("{FILE}: {why}")))?;
            let Some(reason) = reason.as_str().filter(|reason| !reason.trim().is_empty()) else {
                return Err(Failure::new(format_args!("{FILE}: {promise} has no reason")));
            };
            list.insert(promise, reason.to_owned());
        }
        Ok(Self(list))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Why a promise is unseen, where the list says so.
    pub fn reason(&self, promise: &Promise) -> Option<&str> {
        self.0.iter().find(|(listed, _)| listed.covers(promise)).map(|(_, reason)| reason.as_str())
    }

    /// What is wrong with the list itself: one sentence for each entry that is seen by now, or names nothing that is
    /// documented, or was not there before.
    pub fn faults(&self, all: &BTreeSet<Promise>, seen: &BTreeSet<Promise>, before: Option<&Before>) -> Vec<String> {
        let mut faults = Vec::new();
        for promise in self.0.keys() {
            if !all.contains(promise) {
                faults.push(format!("{promise} is not documented: take it out"));
            } else if seen.contains(promise) {
                faults.push(format!("{promise} was seen: take it out"));
            }
            // An operation that is new may bring what it cannot show.
            if let Some(before) = before
                && before.operations.contains(&promise.operation)
                && before.list.reason(promise).is_none()
            {
                let commit = before.commit.get(..10).unwrap_or(&before.commit);
                faults.push(format!("{promise} was not listed at {commit}: the list may only shrink"));
            }
        }
        faults
    }
}

impl Before {
    /// The list at the merge-base; `None` where there was none.
    pub async fn find() -> Result<Option<Self>> {
        let Some(base) = Base::at(&Since::MergeBase).await? else { return Ok(None) };
        let Some(text) = base.file(FILE).await else { return Ok(None) };
        let operations = super::document::Document::of(base.document).operations;
        let operations = operations.into_iter().map(|operation| operation.id).collect();
        Ok(Some(Self { commit: base.commit, list: Unseen::parse(&text)?, operations }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::promise::What;
    use super::*;

    fn promise(text: &str) -> Promise {
        text.parse().unwrap()
    }

    fn before(list: &str, operations: &[&str]) -> Before {
        let operations = operations.iter().map(ToString::to_string).collect();
        Before { commit: "0123456789abcdef".into(), list: Unseen::parse(list).unwrap(), operations }
    }

    #[test]
    fn a_status_that_is_unseen_covers_what_hangs_on_it() {
        let list = Unseen::parse("getMe 500: why\ngetMe 200 header ETag: why").unwrap();
        for covered in [
            "getMe 500",
            "getMe 500 header Retry-After",
            "getMe 500 text/plain",
            "getMe 500 /problems/x",
            "getMe 200 header ETag",
        ] {
            assert!(list.reason(&promise(covered)).is_some(), "{covered}");
        }
        for bare in ["getMe 200", "getMe 200 header Link", "getYou 500"] {
            assert!(list.reason(&promise(bare)).is_none(), "{bare}");
        }
        assert!(matches!(promise("getMe 200 header ETag").what, What::Header(_)));
    }

    #[test]
    fn the_list_may_only_shrink() {
        let list = Unseen::parse("getMe 500: why\ngetNew 500: why").unwrap();
        let all = ["getMe 500", "getNew 500"].map(promise).into();
        let none = BTreeSet::new();
        assert!(list.faults(&all, &none, None).is_empty(), "the first list");
        assert!(list.faults(&all, &none, Some(&before("getMe 500: why", &["getMe"]))).is_empty(), "a new operation");
        let grown = list.faults(&all, &none, Some(&before("getMe 500: why", &["getMe", "getNew"])));
        assert_eq!(grown, ["getNew 500 was not listed at 0123456789: the list may only shrink"]);
    }

    #[test]
    fn what_is_seen_or_gone_has_no_place_in_the_list() {
        let list = Unseen::parse("getMe 500: why\ngetNew 500: why").unwrap();
        let faults = list.faults(&[promise("getMe 500")].into(), &[promise("getMe 500")].into(), None);
        assert_eq!(faults, ["getMe 500 was seen: take it out", "getNew 500 is not documented: take it out"]);
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        for wrong in ["getMe 500: ''", "getMe 500:", "getMe: why", "getMe 200 footer X: why"] {
            assert!(Unseen::parse(wrong).is_err(), "{wrong}");
        }
    }
}
