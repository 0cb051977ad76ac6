//! The bearers of sessions, kept for as long as they stand.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::record::Record;
use domain::session::{InvalidationFeed, InvalidationListener, SessionLookup};
use domain::user::User;
use domain::{SessionId, StoreError, UserId};
use quick_cache::sync::Cache;

/// Keeps what the store answered until the store tells that it has changed.
pub struct SessionCache {
    store: Arc<dyn SessionLookup>,
    source: Arc<dyn InvalidationFeed>,
    state: Arc<CacheState>,
}

/// What is kept, in bounded memory. A session is kept apart from its user, of whom there is one however many sessions
/// there are.
struct CacheState {
    users_of_sessions: Cache<SessionId, UserId>,
    users: Cache<UserId, Arc<Record<User>>>,
    /// Counts what was invalidated. Held by whoever invalidates, and by whoever keeps something.
    generation: Mutex<u64>,
}

impl SessionCache {
    /// How many sessions are kept, and how many users; who was not asked for in the longest time gives way.
    pub const CAPACITY: usize = 100_000;

    /// Listens to the source from now on.
    pub fn new(store: Arc<dyn SessionLookup>, source: Arc<dyn InvalidationFeed>) -> Self {
        let state = Arc::new(CacheState {
            users_of_sessions: Cache::new(Self::CAPACITY),
            users: Cache::new(Self::CAPACITY),
            generation: Mutex::new(0),
        });
        source.subscribe(state.clone());
        Self { store, source, state }
    }
}

#[async_trait]
impl SessionLookup for SessionCache {
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError> {
        if !self.source.is_current()? {
            return self.store.active_user(session).await;
        }
        if let Some(user) = self.state.cached_user(session) {
            return Ok(Some(user));
        }
        let generation = self.state.generation();
        let found = self.store.active_user(session).await?;
        if let Some(user) = &found {
            self.state.keep(session, user, generation);
        }
        Ok(found)
    }
}

impl CacheState {
    fn cached_user(&self, session: SessionId) -> Option<Arc<Record<User>>> {
        self.users.get(&self.users_of_sessions.get(&session)?)
    }

    fn generation(&self) -> u64 {
        *self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was read since `then`, unless something was invalidated meanwhile: it may have been this.
    fn keep(&self, session: SessionId, user: &Arc<Record<User>>, then: u64) {
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        if *generation == then {
            self.users.insert(user.id, Arc::clone(user));
            self.users_of_sessions.insert(session, user.id);
        }
    }

    fn invalidate(&self, forget: impl FnOnce()) {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        forget();
    }
}

impl InvalidationListener for CacheState {
    fn user_changed(&self, id: UserId) {
        self.invalidate(|| drop(self.users.remove(&id)));
    }

    fn session_ended(&self, id: SessionId) {
        self.invalidate(|| {
            self.users_of_sessions.remove(&id);
        });
    }

    fn anything_changed(&self) {
        self.invalidate(|| {
            self.users_of_sessions.clear();
            self.users.clear();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use domain::Version;
    use domain::access::Role;
    use domain::user::Status;
    use time::macros::datetime;

    use super::*;

    /// A store with one session of one user, which counts how often it is asked.
    struct Store {
        listener: OnceLock<Arc<dyn InvalidationListener>>,
        asked: AtomicU32,
        current: AtomicBool,
        /// Whether the session ends while the store is being asked, after it has read.
        ends_meanwhile: AtomicBool,
    }

    impl Store {
        fn cached() -> (Arc<Self>, SessionCache) {
            let store = Arc::new(Self {
                listener: OnceLock::new(),
                asked: AtomicU32::new(0),
                current: AtomicBool::new(true),
                ends_meanwhile: AtomicBool::new(false),
            });
            (store.clone(), SessionCache::new(store.clone(), store))
        }

        fn listener(&self) -> &Arc<dyn InvalidationListener> {
            self.listener.get().unwrap()
        }

        fn asked(&self) -> u32 {
            self.asked.swap(0, Ordering::Relaxed)
        }
    }

    #[async_trait]
    impl SessionLookup for Store {
        async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.ends_meanwhile.load(Ordering::Relaxed) {
                self.listener().session_ended(session);
            }
            let at = datetime!(2026-11-23 12:00 UTC);
            Ok((session == SESSION.try_into().unwrap()).then(|| {
                Arc::new(Record {
                    id: USER.try_into().unwrap(),
                    fields: User {
                        username: "asha".parse().unwrap(),
                        role: Role::Viewer,
                        status: Status::Active,
                        password_change_due: false,
                    },
                    version: Version::FIRST,
                    created_at: at,
                    updated_at: at,
                })
            }))
        }
    }

    impl InvalidationFeed for Store {
        fn subscribe(&self, listener: Arc<dyn InvalidationListener>) {
            assert!(self.listener.set(listener).is_ok());
        }

        fn is_current(&self) -> Result<bool, StoreError> {
            Ok(self.current.load(Ordering::Relaxed))
        }
    }

    const SESSION: i64 = 12;
    const USER: i64 = 7;

    async fn ask(cache: &SessionCache, session: i64) -> Option<i64> {
        cache.active_user(session.try_into().unwrap()).await.unwrap().map(|user| user.id.get())
    }

    #[tokio::test]
    async fn what_is_known_costs_no_query() {
        let (store, cache) = Store::cached();
        for _ in 0..3 {
            assert_eq!(ask(&cache, SESSION).await, Some(USER));
        }
        assert_eq!(store.asked(), 1);
    }

    #[tokio::test]
    async fn what_has_changed_is_asked_anew() {
        let (store, cache) = Store::cached();
        let changes: [fn(&dyn InvalidationListener); 3] = [
            |listener| listener.user_changed(USER.try_into().unwrap()),
            |listener| listener.session_ended(SESSION.try_into().unwrap()),
            |listener| listener.anything_changed(),
        ];
        for change in changes {
            ask(&cache, SESSION).await;
            store.asked();
            change(&**store.listener());
            ask(&cache, SESSION).await;
            assert_eq!(store.asked(), 1);
        }
    }

    #[tokio::test]
    async fn what_is_read_while_something_is_invalidated_is_not_kept() {
        let (store, cache) = Store::cached();
        store.ends_meanwhile.store(true, Ordering::Relaxed);
        ask(&cache, SESSION).await;
        store.ends_meanwhile.store(false, Ordering::Relaxed);
        store.asked();
        ask(&cache, SESSION).await;
        assert_eq!(store.asked(), 1, "the first answer may have been out of date");
        ask(&cache, SESSION).await;
        assert_eq!(store.asked(), 0);
    }

    #[tokio::test]
    async fn a_source_that_is_not_heard_is_asked_each_time_and_nothing_is_kept() {
        let (store, cache) = Store::cached();
        store.current.store(false, Ordering::Relaxed);
        for _ in 0..3 {
            ask(&cache, SESSION).await;
        }
        assert_eq!(store.asked(), 3);
        store.current.store(true, Ordering::Relaxed);
        ask(&cache, SESSION).await;
        assert_eq!(store.asked(), 1);
    }

    #[tokio::test]
    async fn a_session_of_nobody_is_asked_for_each_time() {
        let (store, cache) = Store::cached();
        for _ in 0..2 {
            assert_eq!(ask(&cache, 99).await, None);
        }
        assert_eq!(store.asked(), 2);
    }
}
