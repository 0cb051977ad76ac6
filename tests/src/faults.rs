//! Faults that no request provokes: decorators of the ports that fail for as long as a test says so.

use std::sync::{Arc, Mutex, PoisonError};

use app::http::Services;
use app::stores::Stores;
use async_trait::async_trait;
use domain::audit::{AuditLog, Event, EventFilter, NewEvent};
use domain::session::{
    Bearers, BearersListener, BearersSource, NewSession, OpenSessionError, Rotation, RotationError, Session, SessionId,
    SessionStore,
};
use domain::student::{
    InsertError, RemoveError, ReplaceError, Student, StudentFields, StudentFilter, StudentId, StudentPatch,
    StudentStore,
};
use domain::user::{
    Admission, Credentials, HashError, InsertUserError, NewUser, Password, PasswordHash, PasswordHasher, User,
    UserChange, UserChangeError, UserId, UserStore, Username, Verdict,
};
use domain::{Actor, Clock, Cursor, Page, PageSize, Probe, StoreError, Version};
use time::OffsetDateTime;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The store is away, full or busy; too many passwords wait.
    Unavailable,
    /// The store answers what it never should.
    Failed,
    /// The store never answers.
    Silent,
    /// A defect of ours.
    Panic,
}

/// Whether something is broken, and how.
#[derive(Default)]
pub struct Switch(Mutex<Option<Fault>>);

impl Switch {
    /// Breaks it, until it is mended.
    pub fn break_by(&self, fault: Fault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    pub fn mend(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn fault(&self) -> Option<Fault> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self) -> Result<(), StoreError> {
        match self.fault() {
            None | Some(Fault::Silent) => Ok(()),
            Some(Fault::Unavailable) => Err(StoreError::unavailable("a test has taken the store away")),
            Some(Fault::Failed) => Err(StoreError::failed("a test has damaged the store")),
            Some(Fault::Panic) => panic!("a test has planted a defect"),
        }
    }

    async fn pass(&self) -> Result<(), StoreError> {
        if self.fault() == Some(Fault::Silent) {
            std::future::pending::<()>().await;
        }
        self.judge()
    }
}

/// What a test can break, each by itself.
#[derive(Clone, Default)]
pub struct Faults {
    /// Every port of the store, but those that judge sessions.
    pub stores: Arc<Switch>,
    /// The ports that judge sessions: what every request with a token goes through.
    pub bearers: Arc<Switch>,
    pub clock: Arc<Switch>,
    /// What hashes passwords.
    pub hasher: Arc<Switch>,
}

impl Faults {
    /// The same stores, behind the switches.
    pub fn around(&self, stores: Stores) -> Stores {
        let Self { stores: switch, bearers, .. } = self;
        Stores {
            students: Arc::new(Faulty { inner: stores.students, switch: switch.clone() }),
            users: Arc::new(Faulty { inner: stores.users, switch: switch.clone() }),
            sessions: Arc::new(Faulty { inner: stores.sessions, switch: switch.clone() }),
            audit: Arc::new(Faulty { inner: stores.audit, switch: switch.clone() }),
            probe: Arc::new(Faulty { inner: stores.probe, switch: switch.clone() }),
            bearers: Arc::new(Faulty { inner: stores.bearers, switch: bearers.clone() }),
            bearers_source: Arc::new(Faulty { inner: stores.bearers_source, switch: bearers.clone() }),
        }
    }

    /// Puts the hasher of passwords behind its switch, wherever it is used.
    pub fn plant(&self, services: &mut Services) {
        let Services { log_in, own_password, accounts, .. } = services;
        for passwords in [&mut log_in.passwords, &mut own_password.passwords, &mut accounts.passwords] {
            *passwords = Arc::new(Faulty { inner: passwords.clone(), switch: self.hasher.clone() });
        }
    }

    /// The same clock, behind its switch.
    pub fn around_clock(&self, clock: Arc<dyn Clock>) -> Arc<dyn Clock> {
        Arc::new(Faulty { inner: clock, switch: self.clock.clone() })
    }
}

/// A port that fails while its switch says so.
struct Faulty<P: ?Sized> {
    inner: Arc<P>,
    switch: Arc<Switch>,
}

/// Each method of a port: first the switch, then the port itself.
macro_rules! faulty {
    ($port:ident { $(async fn $method:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+ }) => {
        #[async_trait]
        impl $port for Faulty<dyn $port> {
            $(async fn $method(&self, $($argument: $kind),*) -> $answer {
                self.switch.pass().await?;
                self.inner.$method($($argument),*).await
            })+
        }
    };
}

faulty!(StudentStore {
    async fn insert(new: StudentFields, by: &Actor) -> Result<Student, InsertError>;
    async fn find(id: StudentId) -> Result<Option<Student>, StoreError>;
    async fn page(filter: &StudentFilter, after: Option<Cursor>, size: PageSize) -> Result<Page<Student>, StoreError>;
    async fn amend(id: StudentId, seen: Option<Version>, patch: StudentPatch, by: &Actor) -> Result<Student, ReplaceError>;
    async fn remove(id: StudentId, seen: Option<Version>, by: &Actor) -> Result<(), RemoveError>;
});

faulty!(UserStore {
    async fn insert(new: NewUser, by: &Actor) -> Result<User, InsertUserError>;
    async fn insert_first(new: NewUser, by: &Actor) -> Result<Option<User>, StoreError>;
    async fn find(id: UserId) -> Result<Option<User>, StoreError>;
    async fn find_credentials(username: &Username) -> Result<Option<Credentials>, StoreError>;
    async fn page(after: Option<Cursor>, size: PageSize) -> Result<Page<User>, StoreError>;
    async fn change(id: UserId, seen: Option<Version>, change: UserChange, by: &Actor) -> Result<User, UserChangeError>;
    async fn upgrade_hash(id: UserId, from: &PasswordHash, to: &PasswordHash, by: &Actor) -> Result<(), StoreError>;
    async fn admit_login(id: UserId, by: &Actor) -> Result<Admission, StoreError>;
    async fn pretend_to_admit_login() -> Result<(), StoreError>;
    async fn withdraw_login(id: UserId) -> Result<(), StoreError>;
    async fn unlock(id: UserId, by: &Actor) -> Result<User, UserChangeError>;
    async fn remove(id: UserId, seen: Option<Version>, by: &Actor) -> Result<(), UserChangeError>;
});

faulty!(SessionStore {
    async fn open(new: NewSession, by: &Actor) -> Result<Session, OpenSessionError>;
    async fn rotate(rotation: &Rotation, by: &Actor) -> Result<Session, RotationError>;
    async fn page(of: UserId, now: OffsetDateTime, after: Option<Cursor>, size: PageSize) -> Result<Page<Session>, StoreError>;
    async fn end(id: SessionId, of: UserId, by: &Actor) -> Result<bool, StoreError>;
    async fn end_all(of: UserId, by: &Actor) -> Result<u64, StoreError>;
    async fn forget_expired(before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError>;
    async fn derivation_key(candidate: [u8; 32]) -> Result<[u8; 32], StoreError>;
});

faulty!(AuditLog {
    async fn append(events: Vec<NewEvent>) -> Result<(), StoreError>;
    async fn page(filter: &EventFilter, after: Option<Cursor>, size: PageSize) -> Result<Page<Event>, StoreError>;
    async fn prune(before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError>;
});

faulty!(Probe {
    async fn ready() -> Result<(), StoreError>;
});

faulty!(Bearers {
    async fn bearer(session: SessionId) -> Result<Option<Arc<User>>, StoreError>;
});

#[async_trait]
impl PasswordHasher for Faulty<dyn PasswordHasher> {
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        self.switch.pass().await.map_err(|_| HashError::Busy)?;
        self.inner.hash(password).await
    }

    async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verdict, HashError> {
        self.switch.pass().await.map_err(|_| HashError::Busy)?;
        self.inner.verify(password, stored).await
    }
}

impl BearersSource for Faulty<dyn BearersSource> {
    fn tell(&self, listener: Arc<dyn BearersListener>) {
        self.inner.tell(listener);
    }

    fn is_heard(&self) -> Result<bool, StoreError> {
        self.switch.judge()?;
        self.inner.is_heard()
    }
}

impl Clock for Faulty<dyn Clock> {
    fn now(&self) -> OffsetDateTime {
        assert!(self.switch.fault().is_none(), "a test has broken the clock");
        self.inner.now()
    }
}
