//! Session cache: active users by session, until they are invalidated.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::record::Record;
use domain::session::{InvalidationFeed, InvalidationListener, SessionLookup};
use domain::user::User;
use domain::{SessionId, StoreError, UserId};
use quick_cache::sync::Cache;

/// Caches the lookups of a store until its invalidation feed reports a change.
pub struct SessionCache {
    store: Arc<dyn SessionLookup>,
    feed: Arc<dyn InvalidationFeed>,
    state: Arc<CacheState>,
}

/// The cached entries, bounded in number. Users are stored once, apart from their sessions.
struct CacheState {
    users_of_sessions: Cache<SessionId, UserId>,
    users: Cache<UserId, Arc<Record<User>>>,
    /// Number of invalidations. Locked during each invalidation and each insertion.
    generation: Mutex<u64>,
}

impl SessionCache {
    /// Maximum number of cached sessions, and of cached users.
    pub const CAPACITY: usize = 100_000;

    /// Creates an empty cache and subscribes it to the invalidation feed.
    pub fn new(store: Arc<dyn SessionLookup>, feed: Arc<dyn InvalidationFeed>) -> Self {
        let state = Arc::new(CacheState {
            users_of_sessions: Cache::new(Self::CAPACITY),
            users: Cache::new(Self::CAPACITY),
            generation: Mutex::new(0),
        });
        feed.subscribe(state.clone());
        Self { store, feed, state }
    }
}

#[async_trait]
impl SessionLookup for SessionCache {
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError> {
        if !self.feed.is_current()? {
            return self.store.active_user(session).await;
        }
        if let Some(user) = self.state.cached_user(session) {
            return Ok(Some(user));
        }
        let generation = self.state.generation();
        let found = self.store.active_user(session).await?;
        if let Some(user) = &found {
            self.state.insert_if_current(session, user, generation);
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

    /// Inserts the result of a lookup that started at generation `started`, unless an invalidation has occurred since.
    fn insert_if_current(&self, session: SessionId, user: &Arc<Record<User>>, started: u64) {
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        if *generation == started {
            self.users.insert(user.id, Arc::clone(user));
            self.users_of_sessions.insert(session, user.id);
        }
    }

    fn invalidate(&self, remove: impl FnOnce()) {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        remove();
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

    /// A store with one session of one user, which counts its lookups.
    struct Store {
        listener: OnceLock<Arc<dyn InvalidationListener>>,
        lookups: AtomicU32,
        current: AtomicBool,
        /// If `true`, the session ends during each lookup.
        ends_during_lookup: AtomicBool,
    }

    impl Store {
        fn cached() -> (Arc<Self>, SessionCache) {
            let store = Arc::new(Self {
                listener: OnceLock::new(),
                lookups: AtomicU32::new(0),
                current: AtomicBool::new(true),
                ends_during_lookup: AtomicBool::new(false),
            });
            (store.clone(), SessionCache::new(store.clone(), store))
        }

        fn listener(&self) -> &Arc<dyn InvalidationListener> {
            self.listener.get().unwrap()
        }

        fn take_lookups(&self) -> u32 {
            self.lookups.swap(0, Ordering::Relaxed)
        }
    }

    #[async_trait]
    impl SessionLookup for Store {
        async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError> {
            self.lookups.fetch_add(1, Ordering::Relaxed);
            if self.ends_during_lookup.load(Ordering::Relaxed) {
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

    async fn look_up(cache: &SessionCache, session: i64) -> Option<i64> {
        cache.active_user(session.try_into().unwrap()).await.unwrap().map(|user| user.id.get())
    }

    #[tokio::test]
    async fn cached_session_is_not_queried_again() {
        let (store, cache) = Store::cached();
        for _ in 0..3 {
            assert_eq!(look_up(&cache, SESSION).await, Some(USER));
        }
        assert_eq!(store.take_lookups(), 1);
    }

    #[tokio::test]
    async fn invalidated_entry_is_queried_again() {
        let (store, cache) = Store::cached();
        let changes: [fn(&dyn InvalidationListener); 3] = [
            |listener| listener.user_changed(USER.try_into().unwrap()),
            |listener| listener.session_ended(SESSION.try_into().unwrap()),
            |listener| listener.anything_changed(),
        ];
        for change in changes {
            look_up(&cache, SESSION).await;
            store.take_lookups();
            change(&**store.listener());
            look_up(&cache, SESSION).await;
            assert_eq!(store.take_lookups(), 1);
        }
    }

    #[tokio::test]
    async fn read_that_races_an_invalidation_is_not_cached() {
        let (store, cache) = Store::cached();
        store.ends_during_lookup.store(true, Ordering::Relaxed);
        look_up(&cache, SESSION).await;
        store.ends_during_lookup.store(false, Ordering::Relaxed);
        store.take_lookups();
        look_up(&cache, SESSION).await;
        assert_eq!(store.take_lookups(), 1, "the first result may be stale");
        look_up(&cache, SESSION).await;
        assert_eq!(store.take_lookups(), 0);
    }

    #[tokio::test]
    async fn lookup_without_current_feed_bypasses_the_cache() {
        let (store, cache) = Store::cached();
        store.current.store(false, Ordering::Relaxed);
        for _ in 0..3 {
            look_up(&cache, SESSION).await;
        }
        assert_eq!(store.take_lookups(), 3);
        store.current.store(true, Ordering::Relaxed);
        look_up(&cache, SESSION).await;
        assert_eq!(store.take_lookups(), 1);
    }

    #[tokio::test]
    async fn unknown_session_is_not_cached() {
        let (store, cache) = Store::cached();
        for _ in 0..2 {
            assert_eq!(look_up(&cache, 99).await, None);
        }
        assert_eq!(store.take_lookups(), 2);
    }
}
