//! The contract suites: one list of cases a port, which every implementation must pass.
//!
//! A runner crosses [`StudentStore`](crate::student::StudentStore)'s and
//! [`UserStore`](crate::user::UserStore)'s cases with every adapter, each case on an empty store of its own,
//! so that no adapter forgets one. A case panics where the contract is broken.

#![expect(clippy::unwrap_used, reason = "a case is a test: it panics where the contract is broken")]

mod students;
mod users;

use std::pin::Pin;
use std::sync::Arc;

use time::OffsetDateTime;
use time::macros::datetime;

pub use students::STUDENT_STORE;
pub use users::USER_STORE;

use crate::{Actor, Who};

/// The run of one case.
pub type CaseRun = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One thing that every implementation of a port must do.
pub struct Case<P: ?Sized> {
    /// The rule it proves.
    pub name: &'static str,
    /// Runs it on an empty store.
    pub run: fn(Arc<P>) -> CaseRun,
}

/// Makes the list of cases of one port out of async functions.
macro_rules! cases {
    ($port:ty: $($name:ident),* $(,)?) => {
        &[$($crate::contract::Case::<$port> {
            name: stringify!($name),
            run: |store| Box::pin($name(store)),
        }),*]
    };
}
use cases;

/// When the cases begin.
const T0: OffsetDateTime = datetime!(2026-11-23 12:00:00.123456 UTC);

/// Somebody who writes at `at`.
const fn at(at: OffsetDateTime) -> Actor {
    Actor::here(Who::Operator, at)
}
