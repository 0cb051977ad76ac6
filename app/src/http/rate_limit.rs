//! What is left of the quotas of requests and of failed logins, in the fields that draft-ietf-httpapi-ratelimit-headers names.

use domain::quota::Budget;
use domain::user::LogInLimits;
use poem::Response;
use poem::http::{HeaderName, HeaderValue, StatusCode};

use super::problem::{Problem, listed};

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The fields `RateLimit-Policy` and `RateLimit`.
#[derive(Clone)]
pub struct RateLimit {
    /// How many may fail (`q`), in how many seconds (`w`).
    pub policy: String,
    /// How many are left (`r`), and in how many seconds there will be more (`t`).
    pub left: String,
}

/// One quota for the account, one for the client's address.
impl From<LogInLimits> for RateLimit {
    fn from(limits: LogInLimits) -> Self {
        Self {
            policy: format!("{}, {}", policy("account", limits.account), policy("address", limits.address)),
            left: format!("{}, {}", left("account", limits.account), left("address", limits.address)),
        }
    }
}

fn policy(name: &str, budget: Budget) -> String {
    format!("\"{name}\";q={};w={}", budget.quota, budget.window.whole_seconds())
}

fn left(name: &str, budget: Budget) -> String {
    let begun = i64::from(budget.next_in.subsec_nanoseconds() > 0);
    let seconds = budget.next_in.whole_seconds() + begun;
    format!("\"{name}\";r={};t={seconds}", budget.left)
}

impl RateLimit {
    /// The quota of all requests.
    pub fn of_requests(budget: Budget) -> Self {
        Self { policy: policy("requests", budget), left: left("requests", budget) }
    }

    /// An outcome that tells of this quota, beside those that it tells of already. What is our own fault keeps silent
    /// about them.
    pub fn told(self, outcome: poem::Result<Response>) -> poem::Result<Response> {
        let Some(members) = self.into_members() else { return outcome };
        match outcome {
            Ok(mut answer) if !answer.status().is_server_error() => {
                let headers = answer.headers_mut();
                for (name, member) in members {
                    let list = headers.get(&name).map(|list| listed(list, &member));
                    headers.insert(name, list.unwrap_or(member));
                }
                Ok(answer)
            }
            Err(error) => {
                let problem = Problem::from(error);
                if problem.status().is_server_error() {
                    return Err(problem.into());
                }
                let told = members.into_iter().fold(problem, |told, (name, member)| told.with_listed(name, member));
                Err(told.into())
            }
            failed @ Ok(_) => failed,
        }
    }

    /// Digits and our own words: always fit for headers.
    fn into_members(self) -> Option<[(HeaderName, HeaderValue); 2]> {
        let (policy, left) = (HeaderValue::try_from(self.policy).ok()?, HeaderValue::try_from(self.left).ok()?);
        Some([(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, left)])
    }

    /// A refused login, with what is left of the quotas. A problem that is nobody's fault keeps silent about them.
    pub fn beside(limits: Option<&Self>, problem: Problem) -> Problem {
        let counts = matches!(problem.status(), StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS);
        let Some(limits) = limits.filter(|_| counts) else { return problem };
        let members = limits.clone().into_members().into_iter().flatten();
        members.fold(problem, |told, (name, member)| told.with_listed(name, member))
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
