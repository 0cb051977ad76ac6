//! Setting of the login throttle.

/// Whether failed logins throttle the account and the client address (ASVS 6.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginThrottling {
    /// Failures are counted. They delay the next attempt and finally lock the account.
    #[default]
    Limited,
    /// Failures are not counted: for a store with public passwords.
    Unlimited,
}
