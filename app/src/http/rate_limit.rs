//! What is left of the quotas of failed logins, in the fields that draft-ietf-httpapi-ratelimit-headers names.

use domain::user::{Budget, LogInLimits};
use poem::http::{HeaderName, HeaderValue, StatusCode};

use super::problem::Problem;

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The fields `RateLimit-Policy` and `RateLimit`: one quota for the account, one for the client's address.
pub struct RateLimit {
    /// How many may fail (`q`), in how many seconds (`w`).
    pub policy: String,
    /// How many are left (`r`), and in how many seconds there will be more (`t`).
    pub left: String,
}

impl From<LogInLimits> for RateLimit {
    fn from(limits: LogInLimits) -> Self {
        let policy =
            |name, budget: Budget| format!("\"{name}\";q={};w={}", budget.quota, budget.window.whole_seconds());
        let left = |name, budget: Budget| {
            let seconds = budget.next_in.as_seconds_f64().ceil();
            format!("\"{name}\";r={};t={seconds}", budget.left)
        };
        Self {
            policy: format!("{}, {}", policy("account", limits.account), policy("address", limits.address)),
            left: format!("{}, {}", left("account", limits.account), left("address", limits.address)),
        }
    }
}

impl RateLimit {
    /// A refused login, with what is left of the quotas. A problem that is nobody's fault keeps silent about them.
    pub fn beside(limits: Option<&Self>, problem: Problem) -> Problem {
        let counts = matches!(problem.status(), StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS);
        let Some(limits) = limits.filter(|_| counts) else { return problem };
        // Digits and our own words: always fit for a header.
        match (HeaderValue::try_from(&limits.policy), HeaderValue::try_from(&limits.left)) {
            (Ok(policy), Ok(left)) => problem.with_header(RATE_LIMIT_POLICY, policy).with_header(RATE_LIMIT, left),
            _ => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_too_short() {
        let budget = |quota, left, next_in| Budget { quota, window: Duration::seconds(300), left, next_in };
        let limits = LogInLimits {
            account: budget(5, 0, Duration::milliseconds(1_200)),
            address: budget(300, 299, Duration::ZERO),
        };
        let told = RateLimit::from(limits);
        assert_eq!(told.policy, "\"account\";q=5;w=300, \"address\";q=300;w=300");
        assert_eq!(told.left, "\"account\";r=0;t=2, \"address\";r=299;t=0");
    }
}
