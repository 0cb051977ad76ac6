//! Query of a feed of changes.

use std::time::Duration;

use domain::PageSize;
use domain::student::{ChangePosition, ChangeToken};

use super::page_query::{AFTER, LIMIT, limit};
use super::{ParameterDoc, Query, QueryParameters};
use crate::http::problem::Problem;
use crate::http::wire::{Int, WireValue};

const WAIT: &str = "wait";

/// Maximum time in seconds that a request waits for a change: less than the deadline of a request.
type Wait = Int<0, 20>;

/// The position after which changes are requested, their number, and the time to wait for them.
pub struct ChangeQuery {
    pub after: ChangeToken,
    pub size: PageSize,
    pub wait: Duration,
}

impl QueryParameters for ChangeQuery {
    fn documented() -> Vec<ParameterDoc> {
        let after = "Token of the position after which to continue: `next` of the previous response, or a first one.";
        let wait = "Maximum time in seconds to wait for a change if there is none.";
        vec![
            ParameterDoc { is_required: true, ..ParameterDoc::optional(AFTER, after, ChangeToken::schema()) },
            limit(),
            ParameterDoc::with_default(WAIT, wait, Wait::schema(), 0),
        ]
    }

    fn parse(mut query: Query) -> Result<Self, Problem> {
        query.check_names([AFTER, LIMIT, WAIT]);
        let after = query.require(AFTER);
        let size = query.take(LIMIT).unwrap_or_default();
        let wait = query.take::<Wait>(WAIT).map_or(0, |Int(seconds)| seconds);
        query.finish()?;
        // An invalid token is an error above.
        let after = after.unwrap_or(ChangeToken { feed: 0, position: ChangePosition::START });
        Ok(Self { after, size, wait: Duration::from_secs(wait.unsigned_abs()) })
    }
}
