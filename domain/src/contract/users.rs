//! What every [`UserStore`] must do.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use time::Duration;

use super::{Case, T0, at, cases};
use crate::user::{
    InsertUserError, NewUser, PasswordHash, Role, Status, User, UserChange, UserChangeError, UserId, UserStore,
};
use crate::{MAX_ID, PageSize, Version};

type Store = Arc<dyn UserStore>;

/// The cases.
pub const USER_STORE: &[Case<dyn UserStore>] = cases![dyn UserStore:
    a_new_user_is_found_as_answered,
    an_unknown_user_is_none,
    a_username_is_unique_whatever_its_case,
    one_of_many_concurrent_inserts_gets_the_username,
    the_first_user_is_made_once,
    one_of_many_concurrent_first_users_is_made,
    a_change_is_kept,
    every_change_makes_a_new_version,
    an_unknown_user_cannot_be_changed,
    a_removed_user_is_gone,
    a_removed_username_is_free_again,
    an_id_is_never_used_twice,
    the_last_active_administrator_stays,
    of_two_administrators_only_one_can_leave_at_once,
    pages_walk_the_users_once_in_order,
    a_hash_is_upgraded_only_in_place_of_the_one_that_was_verified,
];

fn new(name: &str, role: Role) -> NewUser {
    NewUser { username: name.parse().unwrap(), password: hash("one"), role }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text.to_owned())
}

async fn add(store: &Store, name: &str, role: Role) -> User {
    store.insert(new(name, role), &at(T0)).await.unwrap()
}

async fn stored_hash(store: &Store, name: &str) -> PasswordHash {
    store.find_credentials(&name.parse().unwrap()).await.unwrap().unwrap().password
}

async fn a_new_user_is_found_as_answered(store: Store) {
    let made = add(&store, "Åsa", Role::Registrar).await;
    assert_eq!((made.username.as_str(), made.role, made.status), ("Åsa", Role::Registrar, Status::Active));
    assert_eq!((made.version, made.created_at, made.updated_at), (Version::FIRST, T0, T0));
    assert_eq!(store.find(made.id).await.unwrap().as_ref(), Some(&made));
    let known = store.find_credentials(&"åSA".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((known.user, known.password), (made, hash("one")));
}

async fn an_unknown_user_is_none(store: Store) {
    for id in [1, MAX_ID] {
        assert_eq!(store.find(UserId::try_from(id).unwrap()).await.unwrap(), None);
    }
    assert_eq!(store.find_credentials(&"asha".parse().unwrap()).await.unwrap(), None);
}

async fn a_username_is_unique_whatever_its_case(store: Store) {
    add(&store, "asha", Role::Viewer).await;
    let refused = store.insert(new("ASHA", Role::Admin), &at(T0)).await;
    assert!(matches!(refused, Err(InsertUserError::UsernameTaken)), "{refused:?}");
    assert_eq!(store.page(None, PageSize::LARGEST).await.unwrap().len(), 1);
}

async fn one_of_many_concurrent_inserts_gets_the_username(store: Store) {
    let by = at(T0);
    let made = join_all((0..16).map(|_| store.insert(new("asha", Role::Viewer), &by))).await;
    let (won, lost): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|lost| matches!(lost, Err(InsertUserError::UsernameTaken))), "{lost:?}");
}

async fn the_first_user_is_made_once(store: Store) {
    let first = store.insert_first(new("admin", Role::Admin), &at(T0)).await.unwrap().unwrap();
    assert_eq!(store.find(first.id).await.unwrap(), Some(first));
    assert_eq!(store.insert_first(new("other", Role::Admin), &at(T0)).await.unwrap(), None);
    assert_eq!(store.page(None, PageSize::LARGEST).await.unwrap().len(), 1);
}

async fn one_of_many_concurrent_first_users_is_made(store: Store) {
    let by = at(T0);
    let made = join_all((0..16).map(|i| store.insert_first(new(&format!("admin{i}"), Role::Admin), &by))).await;
    assert_eq!(made.into_iter().filter(|made| made.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!(store.page(None, PageSize::LARGEST).await.unwrap().len(), 1);
}

async fn a_change_is_kept(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let later = at(T0 + Duration::HOUR);
    let changed = store.change(asha.id, UserChange::Role(Role::Registrar), &later).await.unwrap();
    assert_eq!((changed.role, changed.created_at, changed.updated_at), (Role::Registrar, T0, later.at));
    let changed = store.change(asha.id, UserChange::Status(Status::Disabled), &later).await.unwrap();
    assert_eq!((changed.role, changed.status), (Role::Registrar, Status::Disabled));
    let changed = store.change(asha.id, UserChange::Password(hash("two")), &later).await.unwrap();
    assert_eq!(store.find(asha.id).await.unwrap(), Some(changed));
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
}

async fn every_change_makes_a_new_version(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let mut versions = HashSet::from([asha.version.get()]);
    for _ in 0..3 {
        let changed = store.change(asha.id, UserChange::Role(Role::Viewer), &at(T0)).await.unwrap();
        assert!(versions.insert(changed.version.get()));
    }
}

async fn an_unknown_user_cannot_be_changed(store: Store) {
    let nobody = UserId::try_from(1).unwrap();
    let refused = store.change(nobody, UserChange::Role(Role::Admin), &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::Unknown)), "{refused:?}");
    let refused = store.remove(nobody, &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::Unknown)), "{refused:?}");
}

async fn a_removed_user_is_gone(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    store.remove(asha.id, &at(T0)).await.unwrap();
    assert_eq!(store.find(asha.id).await.unwrap(), None);
    assert_eq!(store.find_credentials(&asha.username).await.unwrap(), None);
    let refused = store.remove(asha.id, &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::Unknown)), "{refused:?}");
}

async fn a_removed_username_is_free_again(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    store.remove(asha.id, &at(T0)).await.unwrap();
    assert_eq!(add(&store, "asha", Role::Viewer).await.username, asha.username);
}

async fn an_id_is_never_used_twice(store: Store) {
    let mut ids = HashSet::new();
    for _ in 0..3 {
        let made = add(&store, "asha", Role::Viewer).await;
        assert!(ids.insert(made.id), "{} was given twice", made.id);
        store.remove(made.id, &at(T0)).await.unwrap();
    }
}

async fn the_last_active_administrator_stays(store: Store) {
    let root = add(&store, "root", Role::Admin).await;
    let spare = add(&store, "spare", Role::Admin).await;
    store.change(spare.id, UserChange::Status(Status::Disabled), &at(T0)).await.unwrap();
    for change in [UserChange::Role(Role::Registrar), UserChange::Status(Status::Disabled)] {
        let refused = store.change(root.id, change, &at(T0)).await;
        assert!(matches!(refused, Err(UserChangeError::LastAdministrator)), "{refused:?}");
    }
    let refused = store.remove(root.id, &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::LastAdministrator)), "{refused:?}");
    assert_eq!(store.find(root.id).await.unwrap(), Some(root.clone()));

    for harmless in
        [UserChange::Role(Role::Admin), UserChange::Status(Status::Active), UserChange::Password(hash("two"))]
    {
        store.change(root.id, harmless, &at(T0)).await.unwrap();
    }
    store.remove(spare.id, &at(T0)).await.unwrap();
}

async fn of_two_administrators_only_one_can_leave_at_once(store: Store) {
    let (one, two) = (add(&store, "one", Role::Admin).await, add(&store, "two", Role::Admin).await);
    let by = at(T0);
    let left = join_all([one.id, two.id].map(|id| store.remove(id, &by))).await;
    assert_eq!(left.iter().filter(|left| left.is_ok()).count(), 1, "{left:?}");
    assert_eq!(store.page(None, PageSize::LARGEST).await.unwrap().len(), 1);
}

async fn pages_walk_the_users_once_in_order(store: Store) {
    let mut made = Vec::new();
    for name in ["c", "a", "b"] {
        made.push(add(&store, name, Role::Viewer).await);
    }
    let two = PageSize::parse(2).unwrap();
    let mut seen = store.page(None, two).await.unwrap();
    assert_eq!(seen.len(), 2);
    seen.extend(store.page(Some(made[1].id), two).await.unwrap());
    assert_eq!(seen, made);
}

async fn a_hash_is_upgraded_only_in_place_of_the_one_that_was_verified(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    store.upgrade_hash(asha.id, &hash("one"), &hash("two")).await.unwrap();
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
    store.upgrade_hash(asha.id, &hash("one"), &hash("three")).await.unwrap();
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
    assert_eq!(store.find(asha.id).await.unwrap(), Some(asha), "an upgrade is no change of the user");
}
