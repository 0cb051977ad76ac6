//! Whether guessing of passwords is held back.

/// Whether failed logins make an account and an address wait (ASVS 6.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginThrottling {
    /// Failures are counted: the next try waits, and at last the account is locked.
    #[default]
    Limited,
    /// Failures are not counted: for a store with public passwords.
    Unlimited,
}
