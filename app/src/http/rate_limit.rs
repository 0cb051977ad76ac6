//! Quotas of requests and of failed logins in the header fields of draft-ietf-httpapi-ratelimit-headers.

use domain::login::LogInLimits;
use domain::quota::Budget;
use poem::Response;
use poem::http::{HeaderName, HeaderValue};

use super::problem::{Problem, listed};

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Values of the header fields `RateLimit-Policy` and `RateLimit`.
#[derive(Clone)]
pub struct RateLimit {
    /// Quota (`q`) and window in seconds (`w`).
    pub policy: String,
    /// Remaining quota (`r`) and seconds until it increases (`t`).
    pub left: String,
}

/// Quotas of the account, if the login was counted for it, and of the client address.
impl From<LogInLimits> for RateLimit {
    fn from(limits: LogInLimits) -> Self {
        let quotas =
            limits.account.map(|account| ("account", account)).into_iter().chain([("address", limits.address)]);
        let list = |member: fn(&str, Budget) -> String| {
            quotas.clone().map(|(name, budget)| member(name, budget)).collect::<Vec<_>>().join(", ")
        };
        Self { policy: list(policy), left: list(left) }
    }
}

fn policy(name: &str, budget: Budget) -> String {
    format!("\"{name}\";q={};w={}", budget.quota, budget.window.whole_seconds())
}

fn left(name: &str, budget: Budget) -> String {
    let partial = i64::from(budget.next_in.subsec_nanoseconds() > 0);
    let seconds = budget.next_in.whole_seconds() + partial;
    format!("\"{name}\";r={};t={seconds}", budget.left)
}

impl RateLimit {
    /// Quota of requests of one client.
    pub fn of_requests(budget: Budget) -> Self {
        Self { policy: policy("requests", budget), left: left("requests", budget) }
    }

    /// Adds this quota to the quotas in the response. Server errors (5xx) contain no quotas.
    pub fn add_to(self, outcome: poem::Result<Response>) -> poem::Result<Response> {
        let mut response = match outcome {
            Ok(response) => response,
            Err(error) => return Err(self.add_to_problem(error.into()).into()),
        };
        if !response.status().is_server_error() {
            let headers = response.headers_mut();
            for (name, member) in self.into_members().into_iter().flatten() {
                let list = headers.get(&name).map(|list| listed(list, &member));
                headers.insert(name, list.unwrap_or(member));
            }
        }
        Ok(response)
    }

    /// As [`RateLimit::add_to`], for a problem.
    pub fn add_to_problem(self, problem: Problem) -> Problem {
        if problem.status().is_server_error() {
            return problem;
        }
        let members = self.into_members().into_iter().flatten();
        members.fold(problem, |problem, (name, member)| problem.with_listed(name, member))
    }

    /// The header fields. Digits and fixed names are always valid header values.
    fn into_members(self) -> Option<[(HeaderName, HeaderValue); 2]> {
        let (policy, left) = (HeaderValue::try_from(self.policy).ok()?, HeaderValue::try_from(self.left).ok()?);
        Some([(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, left)])
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn reset_time_is_rounded_up_to_whole_seconds() {
        let budget = |quota, left, next_in| Budget { quota, window: Duration::seconds(300), left, next_in };
        let limits = LogInLimits {
            account: Some(budget(5, 0, Duration::milliseconds(1_200))),
            address: budget(300, 299, Duration::ZERO),
        };
        let fields = RateLimit::from(limits);
        assert_eq!(fields.policy, "\"account\";q=5;w=300, \"address\";q=300;w=300");
        assert_eq!(fields.left, "\"account\";r=0;t=2, \"address\";r=299;t=0");
    }
}
