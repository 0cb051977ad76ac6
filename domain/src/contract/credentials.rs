//! Contract of [`CredentialStore`](crate::user::CredentialStore).

use futures_util::future::join_all;
use time::Duration;

use super::fixtures::{Store, T0, add_user, at, count_users, hash, new_user, stored_hash, users};
use super::{Case, Stores, cases};
use crate::Text as _;
use crate::access::Role;
use crate::user::{SetPassword, UserUpdate};

/// The cases.
pub const CREDENTIAL_STORE: &[Case<dyn Stores>] = cases![dyn Stores:
    credentials_are_found_by_name_ignoring_case,
    credentials_are_found_in_any_normal_form_and_width,
    unknown_name_has_no_credentials,
    deleted_user_has_no_credentials,
    first_user_is_inserted_once,
    one_of_16_concurrent_first_users_is_inserted,
    hash_upgrade_replaces_only_the_verified_hash,
    one_time_password_is_stored_with_its_expiry,
];

async fn credentials_are_found_by_name_ignoring_case(store: Store) {
    let asa = add_user(&store, "Åsa", Role::Registrar).await;
    add_user(&store, "asa", Role::Viewer).await;
    assert_eq!(asa.username.as_str(), "Åsa");
    for name in ["Åsa", "åSA"] {
        let found = store.find_credentials(&name.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((&found.user, found.password, found.password_expires_at), (&asa, hash("one"), None));
    }
}

async fn credentials_are_found_in_any_normal_form_and_width(store: Store) {
    let asa = add_user(&store, "A\u{30a}sa", Role::Registrar).await;
    assert_eq!(asa.username.as_str(), "Åsa");
    for name in ["Åsa", "a\u{30a}SA", "Ａ\u{30a}ｓa"] {
        let found = store.find_credentials(&name.parse().unwrap()).await.unwrap();
        assert_eq!(found.as_ref().map(|found| &found.user), Some(&asa), "{name}");
    }
}

async fn unknown_name_has_no_credentials(store: Store) {
    assert_eq!(store.find_credentials(&"asha".parse().unwrap()).await.unwrap(), None);
}

async fn deleted_user_has_no_credentials(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    users(&store).delete(asha.id, None, &at(T0)).await.unwrap();
    assert_eq!(store.find_credentials(&asha.username).await.unwrap(), None);
}

async fn first_user_is_inserted_once(store: Store) {
    let first = store.insert_first(new_user("admin", Role::Admin), &at(T0)).await.unwrap().unwrap();
    assert_eq!(users(&store).find(first.id).await.unwrap(), Some(first));
    assert_eq!(store.insert_first(new_user("other", Role::Admin), &at(T0)).await.unwrap(), None);
    assert_eq!(count_users(&store).await, 1);
}

async fn one_of_16_concurrent_first_users_is_inserted(store: Store) {
    let by = at(T0);
    let new = (0..16).map(|i| new_user(&format!("admin{i}"), Role::Admin));
    let inserted = join_all(new.map(|new| store.insert_first(new, &by))).await;
    assert_eq!(inserted.into_iter().filter(|inserted| inserted.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!(count_users(&store).await, 1);
}

async fn hash_upgrade_replaces_only_the_verified_hash(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    store.upgrade_hash(asha.id, &hash("one"), &hash("two"), &at(T0)).await.unwrap();
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
    store.upgrade_hash(asha.id, &hash("one"), &hash("three"), &at(T0)).await.unwrap();
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
    assert_eq!(users(&store).find(asha.id).await.unwrap(), Some(asha), "an upgrade does not change the record");
}

async fn one_time_password_is_stored_with_its_expiry(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let expiry = T0 + Duration::DAY;
    let one_time = SetPassword { hash: hash("two"), one_time_until: Some(expiry), kept_session: None };
    let change = UserUpdate { password: Some(one_time), ..UserUpdate::default() };
    assert!(users(&store).update(asha.id, None, change, &at(T0)).await.unwrap().password_change_due);
    let found = store.find_credentials(&asha.username).await.unwrap().unwrap();
    assert_eq!((found.password, found.password_expires_at), (hash("two"), Some(expiry)));

    let updated = users(&store).update(asha.id, None, UserUpdate::role(Role::Admin), &at(T0)).await.unwrap();
    assert!(updated.password_change_due);
    let change = UserUpdate::password(hash("three"));
    let updated = users(&store).update(asha.id, None, change, &at(T0)).await.unwrap();
    assert!(!updated.password_change_due);
    assert_eq!(store.find_credentials(&asha.username).await.unwrap().unwrap().password_expires_at, None);
}
