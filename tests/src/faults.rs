//! Fault injection: decorators of the ports that return injected faults.

use std::sync::{Arc, Mutex, PoisonError};

use app::http::UseCases;
use app::stores::Stores;
use async_trait::async_trait;
use domain::audit::{AuditLog, Event, EventFilter, NewEvent};
use domain::record::{Record, RecordResult, RecordStore, Resource, Visiting};
use domain::session::{
    InvalidationFeed, InvalidationListener, NewSession, OpenSessionError, Rotation, RotationError, Session,
    SessionLookup, SessionStore,
};
use domain::student::{ChangeFeed, ChangeToken, Changes, ChangesError, NameIndex};
use domain::user::{
    Account, Admission, CredentialStore, Credentials, HashError, NewUser, Password, PasswordHash, PasswordHasher,
    Share, User, Username, Verdict,
};
use domain::{
    Actor, Clock, Id, Moment, MonotonicClock, Page, PageRequest, PageSize, Probe, SessionId, StoreError, UserId,
    Version,
};
use time::OffsetDateTime;

/// An injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The store is unreachable, full or busy, or the queue of the password hasher is full.
    Unavailable,
    /// The store returns corrupt data.
    Failed,
    /// The store never returns.
    Hang,
    /// The port panics, as after a defect of the service.
    Panic,
}

/// The fault that is injected into a port, if any.
#[derive(Default)]
pub struct Switch(Mutex<Option<Fault>>);

impl Switch {
    /// Injects a fault until [`Switch::clear`].
    pub fn inject(&self, fault: Fault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    /// Removes the fault.
    pub fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn fault(&self) -> Option<Fault> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), StoreError> {
        match self.fault() {
            None | Some(Fault::Hang) => Ok(()),
            Some(Fault::Unavailable) => Err(StoreError::unavailable("injected fault: unavailable")),
            Some(Fault::Failed) => Err(StoreError::failed("injected fault: failed")),
            Some(Fault::Panic) => panic!("injected fault: panic"),
        }
    }

    async fn check_or_hang(&self) -> Result<(), StoreError> {
        if self.fault() == Some(Fault::Hang) {
            std::future::pending::<()>().await;
        }
        self.check()
    }
}

/// Independent fault switches of a server.
#[derive(Clone, Default)]
pub struct Faults {
    /// All ports of the store except those of session lookup.
    pub stores: Arc<Switch>,
    /// The ports of session lookup, which every request with a token uses.
    pub session_lookup: Arc<Switch>,
    pub clock: Arc<Switch>,
    /// The password hasher.
    pub hasher: Arc<Switch>,
}

impl Faults {
    /// The same stores with the switches.
    pub fn wrap_stores(&self, stores: Stores) -> Stores {
        let Self { stores: switch, session_lookup, .. } = self;
        /// Wraps all ports; `domain::resources!` supplies the record ports.
        macro_rules! wrap_all {
            ($($records:ident: $resource:ty,)+) => {
                Stores {
                    $($records: Arc::new(Faulty { inner: stores.$records, switch: switch.clone() }),)+
            credentials: Arc::new(Faulty { inner: stores.credentials, switch: switch.clone() }),
            sessions: Arc::new(Faulty { inner: stores.sessions, switch: switch.clone() }),
            audit: Arc::new(Faulty { inner: stores.audit, switch: switch.clone() }),
            name_index: Arc::new(Faulty { inner: stores.name_index, switch: switch.clone() }),
            changes: Arc::new(Faulty { inner: stores.changes, switch: switch.clone() }),
            probe: Arc::new(Faulty { inner: stores.probe, switch: switch.clone() }),
            session_lookup: Arc::new(Faulty { inner: stores.session_lookup, switch: session_lookup.clone() }),
            invalidation_feed: Arc::new(Faulty { inner: stores.invalidation_feed, switch: session_lookup.clone() }),
                }
            };
        }
        domain::resources!(wrap_all)
    }

    /// Wraps the password hasher of each use case.
    pub fn wrap_hasher(&self, use_cases: &mut UseCases) {
        let UseCases { log_in, own_password, accounts, .. } = use_cases;
        for passwords in [&mut log_in.passwords, &mut own_password.passwords, &mut accounts.passwords] {
            *passwords = Arc::new(Faulty { inner: passwords.clone(), switch: self.hasher.clone() });
        }
    }

    /// The same clocks with their switch.
    pub fn wrap_clocks(
        &self,
        (clock, monotonic): (Arc<dyn Clock>, Arc<dyn MonotonicClock>),
    ) -> (Arc<dyn Clock>, Arc<dyn MonotonicClock>) {
        let switch = || self.clock.clone();
        (Arc::new(Faulty { inner: clock, switch: switch() }), Arc::new(Faulty { inner: monotonic, switch: switch() }))
    }
}

/// A port that fails while its switch has a fault.
struct Faulty<P: ?Sized> {
    inner: Arc<P>,
    switch: Arc<Switch>,
}

/// Implements a port: each method checks the switch and then calls the inner port.
macro_rules! faulty {
    ($port:ident $(<$resource:ident>)? {
        $(async fn $method:ident$(<$lifetime:lifetime>)?($($argument:ident: $kind:ty),*) -> $output:ty;)+
    }) => {
        #[async_trait]
        impl $(<$resource: Resource>)? $port $(<$resource>)? for Faulty<dyn $port $(<$resource>)?> {
            $(async fn $method$(<$lifetime>)?(&self, $($argument: $kind),*) -> $output {
                self.switch.check_or_hang().await?;
                self.inner.$method($($argument),*).await
            })+
        }
    };
}

faulty!(RecordStore<R> {
    async fn insert(new: R::New, by: &Actor) -> RecordResult<R>;
    async fn find(id: Id<R::Kind>) -> Result<Option<Record<R>>, StoreError>;
    async fn page(filter: &R::Filter, request: PageRequest) -> Result<Page<Record<R>>, StoreError>;
    async fn export<'v>(filter: &R::Filter, visitor: Visiting<'v, R>) -> Result<(), StoreError>;
    async fn update(id: Id<R::Kind>, expected: Option<Version>, patch: R::Patch, by: &Actor) -> RecordResult<R>;
    async fn delete(id: Id<R::Kind>, expected: Option<Version>, by: &Actor) -> RecordResult<R, ()>;
});

faulty!(CredentialStore {
    async fn insert_first(new: NewUser, by: &Actor) -> Result<Option<Record<User>>, StoreError>;
    async fn find_credentials(username: &Username) -> Result<Option<Credentials>, StoreError>;
    async fn upgrade_hash(id: UserId, from: &PasswordHash, to: &PasswordHash, by: &Actor) -> Result<(), StoreError>;
    async fn admit_login(account: Account, by: &Actor) -> Result<Admission, StoreError>;
    async fn withdraw_login(account: Account, counted: u32) -> Result<(), StoreError>;
    async fn unlock(id: UserId, by: &Actor) -> RecordResult<User>;
});

faulty!(SessionStore {
    async fn open(new: NewSession, by: &Actor) -> Result<Session, OpenSessionError>;
    async fn rotate(rotation: &Rotation, by: &Actor) -> Result<Session, RotationError>;
    async fn page(of: UserId, now: OffsetDateTime, request: PageRequest) -> Result<Page<Session>, StoreError>;
    async fn end(id: SessionId, of: UserId, by: &Actor) -> Result<bool, StoreError>;
    async fn end_all(of: UserId, by: &Actor) -> Result<u64, StoreError>;
    async fn delete_expired(before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError>;
    async fn derivation_key(candidate: [u8; 32]) -> Result<[u8; 32], StoreError>;
});

faulty!(AuditLog {
    async fn append(events: Vec<NewEvent>) -> Result<(), StoreError>;
    async fn page(filter: &EventFilter, request: PageRequest) -> Result<Page<Event>, StoreError>;
    async fn prune(before: OffsetDateTime, limit: u32, by: &Actor) -> Result<u64, StoreError>;
    async fn maintain(last_prune_before: OffsetDateTime, by: &Actor) -> Result<(), StoreError>;
});

faulty!(NameIndex {
    async fn index_missing() -> Result<Option<u64>, StoreError>;
    async fn missing() -> Result<u64, StoreError>;
});

faulty!(ChangeFeed {
    async fn changes(after: ChangeToken, size: PageSize) -> Result<Changes, ChangesError>;
    async fn latest() -> Result<ChangeToken, StoreError>;
    async fn delete_before(before: OffsetDateTime, limit: u32) -> Result<u64, StoreError>;
});

faulty!(Probe {
    async fn ready() -> Result<(), StoreError>;
});

faulty!(SessionLookup {
    async fn active_user(session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError>;
});

#[async_trait]
impl PasswordHasher for Faulty<dyn PasswordHasher> {
    async fn hash(&self, password: Password, share: Share) -> Result<PasswordHash, HashError> {
        self.switch.check_or_hang().await.map_err(|_| HashError::Busy)?;
        self.inner.hash(password, share).await
    }

    async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        share: Share,
    ) -> Result<Verdict, HashError> {
        self.switch.check_or_hang().await.map_err(|_| HashError::Busy)?;
        self.inner.verify(password, stored, share).await
    }
}

impl InvalidationFeed for Faulty<dyn InvalidationFeed> {
    fn subscribe(&self, listener: Arc<dyn InvalidationListener>) {
        self.inner.subscribe(listener);
    }

    fn is_current(&self) -> Result<bool, StoreError> {
        self.switch.check()?;
        self.inner.is_current()
    }
}

impl MonotonicClock for Faulty<dyn MonotonicClock> {
    fn moment(&self) -> Moment {
        assert!(self.switch.fault().is_none(), "injected fault: clock");
        self.inner.moment()
    }
}

impl Clock for Faulty<dyn Clock> {
    fn now(&self) -> OffsetDateTime {
        assert!(self.switch.fault().is_none(), "injected fault: clock");
        self.inner.now()
    }
}
