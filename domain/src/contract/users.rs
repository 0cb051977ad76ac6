//! What every [`UserStore`] must do with users.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use time::Duration;

use super::{Case, T0, add_user, at, cases, hash, new_user as new};
use crate::user::{
    InsertUserError, PasswordHash, Role, SetPassword, Status, User, UserChange, UserChangeError, UserId, UserStore,
};
use crate::{Cursor, MAX_ID, PageSize, Version};

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
    a_change_of_several_things_is_one_change,
    a_stale_version_changes_nothing,
    one_of_many_concurrent_changes_of_a_version_succeeds,
    an_unknown_user_cannot_be_changed,
    a_removed_user_is_gone,
    a_stale_version_removes_nothing,
    a_removed_username_is_free_again,
    an_id_is_never_used_twice,
    the_last_active_administrator_stays,
    a_stale_version_is_told_before_the_last_administrator,
    of_two_administrators_only_one_can_leave_at_once,
    of_two_administrators_only_one_can_step_down_at_once,
    pages_walk_the_users_once_in_order,
    a_cursor_outlives_its_user,
    a_hash_is_upgraded_only_in_place_of_the_one_that_was_verified,
    a_one_time_password_is_kept_with_its_time,
];

async fn add(store: &Store, name: &str, role: Role) -> User {
    add_user(&**store, name, role).await
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
    assert_eq!(store.page(None, PageSize::LARGEST).await.unwrap().entries.len(), 1);
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
    assert_eq!(store.page(None, PageSize::LARGEST).await.unwrap().entries.len(), 1);
}

async fn one_of_many_concurrent_first_users_is_made(store: Store) {
    let by = at(T0);
    let made = join_all((0..16).map(|i| store.insert_first(new(&format!("admin{i}"), Role::Admin), &by))).await;
    assert_eq!(made.into_iter().filter(|made| made.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!(store.page(None, PageSize::LARGEST).await.unwrap().entries.len(), 1);
}

async fn a_change_is_kept(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let later = at(T0 + Duration::HOUR);
    let changed = store.change(asha.id, None, UserChange::role(Role::Registrar), &later).await.unwrap();
    assert_eq!((changed.role, changed.created_at, changed.updated_at), (Role::Registrar, T0, later.at));
    let changed = store.change(asha.id, None, UserChange::status(Status::Disabled), &later).await.unwrap();
    assert_eq!((changed.role, changed.status), (Role::Registrar, Status::Disabled));
    let changed = store.change(asha.id, None, UserChange::password(hash("two")), &later).await.unwrap();
    assert_eq!(store.find(asha.id).await.unwrap(), Some(changed));
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
}

async fn every_change_makes_a_new_version(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let mut versions = HashSet::from([asha.version.get()]);
    for _ in 0..3 {
        let changed = store.change(asha.id, None, UserChange::role(Role::Viewer), &at(T0)).await.unwrap();
        assert!(versions.insert(changed.version.get()));
    }
}

async fn a_change_of_several_things_is_one_change(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let both = UserChange { role: Some(Role::Admin), status: Some(Status::Disabled), ..UserChange::default() };
    let changed = store.change(asha.id, Some(asha.version), both, &at(T0)).await.unwrap();
    assert_eq!((changed.role, changed.status), (Role::Admin, Status::Disabled));
    assert_eq!(changed.version.get(), asha.version.get() + 1);
    assert_eq!(store.find(asha.id).await.unwrap(), Some(changed));
}

async fn a_stale_version_changes_nothing(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let role = UserChange::role(Role::Registrar);
    let changed = store.change(asha.id, Some(asha.version), role, &at(T0)).await.unwrap();
    for change in [UserChange::role(Role::Viewer), UserChange::role(Role::Admin), UserChange::password(hash("two"))] {
        let refused = store.change(asha.id, Some(asha.version), change, &at(T0)).await;
        assert!(matches!(refused, Err(UserChangeError::Stale)), "{refused:?}");
    }
    assert_eq!(store.find(asha.id).await.unwrap(), Some(changed));
    assert_eq!(stored_hash(&store, "asha").await, hash("one"));
}

async fn one_of_many_concurrent_changes_of_a_version_succeeds(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let by = at(T0);
    let wanted = (0..16).map(|i| UserChange::role(if i % 2 == 0 { Role::Viewer } else { Role::Admin }));
    let changed = join_all(wanted.map(|change| store.change(asha.id, Some(asha.version), change, &by))).await;
    let (won, lost): (Vec<_>, Vec<_>) = changed.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|lost| matches!(lost, Err(UserChangeError::Stale))), "{lost:?}");
}

async fn an_unknown_user_cannot_be_changed(store: Store) {
    let nobody = UserId::try_from(1).unwrap();
    for seen in [None, Some(Version::FIRST)] {
        for role in [Role::Admin, Role::Viewer] {
            let refused = store.change(nobody, seen, UserChange::role(role), &at(T0)).await;
            assert!(matches!(refused, Err(UserChangeError::Unknown)), "{refused:?}");
        }
        let refused = store.remove(nobody, seen, &at(T0)).await;
        assert!(matches!(refused, Err(UserChangeError::Unknown)), "{refused:?}");
    }
}

async fn a_removed_user_is_gone(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    store.remove(asha.id, None, &at(T0)).await.unwrap();
    assert_eq!(store.find(asha.id).await.unwrap(), None);
    assert_eq!(store.find_credentials(&asha.username).await.unwrap(), None);
    let refused = store.remove(asha.id, None, &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::Unknown)), "{refused:?}");
}

async fn a_stale_version_removes_nothing(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let changed = store.change(asha.id, None, UserChange::role(Role::Registrar), &at(T0)).await.unwrap();
    let refused = store.remove(asha.id, Some(asha.version), &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::Stale)), "{refused:?}");
    assert_eq!(store.find(asha.id).await.unwrap().as_ref(), Some(&changed));
    store.remove(asha.id, Some(changed.version), &at(T0)).await.unwrap();
}

async fn a_removed_username_is_free_again(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    store.remove(asha.id, None, &at(T0)).await.unwrap();
    assert_eq!(add(&store, "asha", Role::Viewer).await.username, asha.username);
}

async fn an_id_is_never_used_twice(store: Store) {
    let mut ids = HashSet::new();
    for _ in 0..3 {
        let made = add(&store, "asha", Role::Viewer).await;
        assert!(ids.insert(made.id), "{} was given twice", made.id);
        store.remove(made.id, None, &at(T0)).await.unwrap();
    }
}

async fn the_last_active_administrator_stays(store: Store) {
    let root = add(&store, "root", Role::Admin).await;
    let spare = add(&store, "spare", Role::Admin).await;
    store.change(spare.id, None, UserChange::status(Status::Disabled), &at(T0)).await.unwrap();
    for change in [UserChange::role(Role::Registrar), UserChange::status(Status::Disabled)] {
        let refused = store.change(root.id, None, change, &at(T0)).await;
        assert!(matches!(refused, Err(UserChangeError::LastAdministrator)), "{refused:?}");
    }
    let refused = store.remove(root.id, None, &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::LastAdministrator)), "{refused:?}");
    assert_eq!(store.find(root.id).await.unwrap(), Some(root.clone()));

    for harmless in
        [UserChange::role(Role::Admin), UserChange::status(Status::Active), UserChange::password(hash("two"))]
    {
        store.change(root.id, None, harmless, &at(T0)).await.unwrap();
    }
    store.remove(spare.id, None, &at(T0)).await.unwrap();
}

async fn a_stale_version_is_told_before_the_last_administrator(store: Store) {
    let root = add(&store, "root", Role::Admin).await;
    let now = store.change(root.id, None, UserChange::password(hash("two")), &at(T0)).await.unwrap();
    let step_down = || UserChange::role(Role::Viewer);
    let refused = store.change(root.id, Some(root.version), step_down(), &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::Stale)), "{refused:?}");
    let refused = store.remove(root.id, Some(root.version), &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::Stale)), "{refused:?}");
    let refused = store.change(root.id, Some(now.version), step_down(), &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::LastAdministrator)), "{refused:?}");
    let refused = store.remove(root.id, Some(now.version), &at(T0)).await;
    assert!(matches!(refused, Err(UserChangeError::LastAdministrator)), "{refused:?}");
    assert_eq!(store.find(root.id).await.unwrap(), Some(now));
}

async fn of_two_administrators_only_one_can_leave_at_once(store: Store) {
    let (one, two) = (add(&store, "one", Role::Admin).await, add(&store, "two", Role::Admin).await);
    let by = at(T0);
    let left = join_all([one.id, two.id].map(|id| store.remove(id, None, &by))).await;
    assert_eq!(left.iter().filter(|left| left.is_ok()).count(), 1, "{left:?}");
    assert_eq!(store.page(None, PageSize::LARGEST).await.unwrap().entries.len(), 1);
}

async fn of_two_administrators_only_one_can_step_down_at_once(store: Store) {
    let (one, two) = (add(&store, "one", Role::Admin).await, add(&store, "two", Role::Admin).await);
    let by = at(T0);
    let wanted = [(one.id, UserChange::role(Role::Viewer)), (two.id, UserChange::status(Status::Disabled))];
    let changed = join_all(wanted.map(|(id, change)| store.change(id, None, change, &by))).await;
    let (won, lost): (Vec<_>, Vec<_>) = changed.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|lost| matches!(lost, Err(UserChangeError::LastAdministrator))), "{lost:?}");
}

async fn pages_walk_the_users_once_in_order(store: Store) {
    let mut made = Vec::new();
    for name in ["c", "a", "d", "b"] {
        made.push(add(&store, name, Role::Viewer).await);
    }
    let three = PageSize::parse(3).unwrap();
    let first = store.page(None, three).await.unwrap();
    assert_eq!(first.entries.len(), 3);
    let last = store.page(first.next, three).await.unwrap();
    assert_eq!((last.entries.len(), last.next), (1, None));
    assert_eq!([first.entries, last.entries].concat(), made);

    let all = store.page(None, PageSize::parse(4).unwrap()).await.unwrap();
    assert_eq!((all.entries.len(), all.next), (4, None), "a full last page has no next");
}

async fn a_cursor_outlives_its_user(store: Store) {
    let first = add(&store, "asha", Role::Viewer).await;
    let second = add(&store, "ravi", Role::Viewer).await;
    store.remove(first.id, None, &at(T0)).await.unwrap();
    let page = store.page(Some(Cursor::behind(&first)), PageSize::ONE).await.unwrap();
    assert_eq!(page.entries, [second]);
}

async fn a_hash_is_upgraded_only_in_place_of_the_one_that_was_verified(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    store.upgrade_hash(asha.id, &hash("one"), &hash("two"), &at(T0)).await.unwrap();
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
    store.upgrade_hash(asha.id, &hash("one"), &hash("three"), &at(T0)).await.unwrap();
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
    assert_eq!(store.find(asha.id).await.unwrap(), Some(asha), "an upgrade is no change of the user");
}

async fn a_one_time_password_is_kept_with_its_time(store: Store) {
    let asha = add(&store, "asha", Role::Viewer).await;
    let until = T0 + Duration::DAY;
    let one_time = SetPassword { hash: hash("two"), one_time_until: Some(until), spared: None };
    let change = UserChange { password: Some(one_time), ..UserChange::default() };
    assert!(store.change(asha.id, None, change, &at(T0)).await.unwrap().password_change_due);
    let known = store.find_credentials(&asha.username).await.unwrap().unwrap();
    assert_eq!((known.password, known.password_expires_at), (hash("two"), Some(until)));
    let changed = store.change(asha.id, None, UserChange::role(Role::Admin), &at(T0)).await.unwrap();
    assert!(changed.password_change_due);
    let changed = store.change(asha.id, None, UserChange::password(hash("three")), &at(T0)).await.unwrap();
    assert!(!changed.password_change_due);
    assert_eq!(store.find_credentials(&asha.username).await.unwrap().unwrap().password_expires_at, None);
}
