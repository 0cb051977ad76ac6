//! Setting of the login throttle.

/// Throttling of the account and the client address after failed logins (ASVS 6.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginThrottling {
    /// Failures are counted. They delay the next attempt and finally lock the account.
    #[default]
    Limited,
    /// Failures are not counted: for a store with public passwords.
    Unlimited,
}
