//! Contract of the [`RecordStore`](crate::record::RecordStore) of users, in addition to the cases for all records.

use futures_util::future::join_all;
use time::Duration;

use super::fixtures::{Store, T0, add_user, at, count_users, hash, new_user, stored_hash, users};
use super::{Case, Stores, cases};
use crate::access::Role;
use crate::record::RecordError;
use crate::user::{NewUser, SetPassword, Status, User, UserConflict, UserFilter, UserUpdate};
use crate::{Filter as _, Order, PageRequest, Text as _, UserId, Version};

/// The cases.
pub const USERS: &[Case<dyn Stores>] = cases![dyn Stores:
    each_kind_of_change_is_stored,
    several_changes_in_one_update_increment_the_version_once,
    stale_update_of_any_kind_changes_nothing,
    update_of_unknown_user_to_any_role_is_not_found,
    one_of_16_concurrent_role_changes_of_a_version_succeeds,
    removal_of_last_active_administrator_is_rejected,
    administrator_with_due_password_change_does_not_count_as_another,
    stale_version_is_reported_before_last_administrator,
    concurrent_deletion_keeps_one_administrator,
    concurrent_demotion_keeps_one_administrator,
    users_are_filtered_and_sorted,
];

fn is_stale<T>(outcome: &Result<T, RecordError<User>>) -> bool {
    matches!(outcome, Err(RecordError::Stale))
}

fn is_last_administrator<T>(outcome: &Result<T, RecordError<User>>) -> bool {
    matches!(outcome, Err(RecordError::Rejected(UserConflict::LastAdministrator)))
}

async fn each_kind_of_change_is_stored(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let later = at(T0 + Duration::HOUR);
    let updated = users(&store).update(asha.id, None, UserUpdate::role(Role::Registrar), &later).await.unwrap();
    assert_eq!((updated.role, updated.created_at, updated.updated_at), (Role::Registrar, T0, later.at));
    let updated = users(&store).update(asha.id, None, UserUpdate::status(Status::Disabled), &later).await.unwrap();
    assert_eq!((updated.role, updated.status), (Role::Registrar, Status::Disabled));
    let updated = users(&store).update(asha.id, None, UserUpdate::password(hash("two")), &later).await.unwrap();
    assert_eq!(users(&store).find(asha.id).await.unwrap(), Some(updated));
    assert_eq!(stored_hash(&store, "asha").await, hash("two"));
}

async fn several_changes_in_one_update_increment_the_version_once(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let both = UserUpdate { role: Some(Role::Admin), status: Some(Status::Disabled), ..UserUpdate::default() };
    let updated = users(&store).update(asha.id, Some(asha.version), both, &at(T0)).await.unwrap();
    assert_eq!((updated.role, updated.status), (Role::Admin, Status::Disabled));
    assert_eq!(updated.version.get(), asha.version.get() + 1);
    assert_eq!(users(&store).find(asha.id).await.unwrap(), Some(updated));
}

async fn stale_update_of_any_kind_changes_nothing(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let role = UserUpdate::role(Role::Registrar);
    let updated = users(&store).update(asha.id, Some(asha.version), role, &at(T0)).await.unwrap();
    let changes = [
        UserUpdate::role(Role::Viewer),
        UserUpdate::role(Role::Admin),
        UserUpdate::status(Status::Disabled),
        UserUpdate::password(hash("two")),
    ];
    for change in changes {
        let rejected = users(&store).update(asha.id, Some(asha.version), change, &at(T0)).await;
        assert!(is_stale(&rejected), "{rejected:?}");
    }
    assert_eq!(users(&store).find(asha.id).await.unwrap(), Some(updated));
    assert_eq!(stored_hash(&store, "asha").await, hash("one"));
}

async fn update_of_unknown_user_to_any_role_is_not_found(store: Store) {
    let unknown = UserId::try_from(1).unwrap();
    for expected in [None, Some(Version::FIRST)] {
        for role in Role::ALL {
            let rejected = users(&store).update(unknown, expected, UserUpdate::role(role), &at(T0)).await;
            assert!(matches!(rejected, Err(RecordError::NotFound)), "{rejected:?}");
        }
    }
}

async fn one_of_16_concurrent_role_changes_of_a_version_succeeds(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let by = at(T0);
    let changes = (0..16).map(|i| UserUpdate::role(if i % 2 == 0 { Role::Viewer } else { Role::Admin }));
    let updates = changes.map(|change| users(&store).update(asha.id, Some(asha.version), change, &by));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(updates).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(is_stale), "{lost:?}");
}

async fn removal_of_last_active_administrator_is_rejected(store: Store) {
    let root = add_user(&store, "root", Role::Admin).await;
    let spare = add_user(&store, "spare", Role::Admin).await;
    users(&store).update(spare.id, None, UserUpdate::status(Status::Disabled), &at(T0)).await.unwrap();
    for change in [UserUpdate::role(Role::Registrar), UserUpdate::status(Status::Disabled)] {
        let rejected = users(&store).update(root.id, None, change, &at(T0)).await;
        assert!(is_last_administrator(&rejected), "{rejected:?}");
    }
    let rejected = users(&store).delete(root.id, None, &at(T0)).await;
    assert!(is_last_administrator(&rejected), "{rejected:?}");
    assert_eq!(users(&store).find(root.id).await.unwrap(), Some(root.clone()));

    let permitted =
        [UserUpdate::role(Role::Admin), UserUpdate::status(Status::Active), UserUpdate::password(hash("two"))];
    for change in permitted {
        users(&store).update(root.id, None, change, &at(T0)).await.unwrap();
    }
    users(&store).delete(spare.id, None, &at(T0)).await.unwrap();
}

async fn administrator_with_due_password_change_does_not_count_as_another(store: Store) {
    let root = add_user(&store, "root", Role::Admin).await;
    let one_time = NewUser { one_time_until: Some(T0 + Duration::DAY), ..new_user("spare", Role::Admin) };
    let spare = users(&store).insert(one_time, &at(T0)).await.unwrap();
    let demotion = || UserUpdate::role(Role::Viewer);
    for rejected in [
        users(&store).update(root.id, None, demotion(), &at(T0)).await.map(drop),
        users(&store).update(root.id, None, UserUpdate::status(Status::Disabled), &at(T0)).await.map(drop),
        users(&store).delete(root.id, None, &at(T0)).await,
    ] {
        assert!(is_last_administrator(&rejected), "{rejected:?}");
    }
    users(&store).update(spare.id, None, UserUpdate::password(hash("two")), &at(T0)).await.unwrap();
    let reset = SetPassword { hash: hash("three"), one_time_until: Some(T0 + Duration::DAY), kept_session: None };
    let reset = UserUpdate { password: Some(reset), ..UserUpdate::default() };
    users(&store).update(root.id, None, reset, &at(T0)).await.unwrap();
    users(&store).delete(root.id, None, &at(T0)).await.unwrap();
}

async fn stale_version_is_reported_before_last_administrator(store: Store) {
    let root = add_user(&store, "root", Role::Admin).await;
    let change = UserUpdate::password(hash("two"));
    let stored = users(&store).update(root.id, None, change, &at(T0)).await.unwrap();
    let demotion = || UserUpdate::role(Role::Viewer);
    let rejected = users(&store).update(root.id, Some(root.version), demotion(), &at(T0)).await;
    assert!(is_stale(&rejected), "{rejected:?}");
    let rejected = users(&store).delete(root.id, Some(root.version), &at(T0)).await;
    assert!(is_stale(&rejected), "{rejected:?}");
    let rejected = users(&store).update(root.id, Some(stored.version), demotion(), &at(T0)).await;
    assert!(is_last_administrator(&rejected), "{rejected:?}");
    let rejected = users(&store).delete(root.id, Some(stored.version), &at(T0)).await;
    assert!(is_last_administrator(&rejected), "{rejected:?}");
    assert_eq!(users(&store).find(root.id).await.unwrap(), Some(stored));
}

async fn concurrent_deletion_keeps_one_administrator(store: Store) {
    let (one, two) = (add_user(&store, "one", Role::Admin).await, add_user(&store, "two", Role::Admin).await);
    let by = at(T0);
    let deletions = join_all([one.id, two.id].map(|id| users(&store).delete(id, None, &by))).await;
    assert_eq!(deletions.iter().filter(|deletion| deletion.is_ok()).count(), 1, "{deletions:?}");
    assert_eq!(deletions.iter().filter(|deletion| is_last_administrator(deletion)).count(), 1, "{deletions:?}");
    assert_eq!(count_users(&store).await, 1);
}

async fn concurrent_demotion_keeps_one_administrator(store: Store) {
    let (one, two) = (add_user(&store, "one", Role::Admin).await, add_user(&store, "two", Role::Admin).await);
    let by = at(T0);
    let changes = [(one.id, UserUpdate::role(Role::Viewer)), (two.id, UserUpdate::status(Status::Disabled))];
    let updates = changes.map(|(id, change)| users(&store).update(id, None, change, &by));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(updates).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    assert!(lost.iter().all(is_last_administrator), "{lost:?}");
}

async fn users_are_filtered_and_sorted(store: Store) {
    for (name, role) in [("ravi", Role::Viewer), ("Asha", Role::Admin), ("zoe", Role::Viewer), ("Meera", Role::Viewer)]
    {
        add_user(&store, name, role).await;
    }
    let zoe = users(&store).find(UserId::try_from(3).unwrap()).await.unwrap().unwrap();
    users(&store).update(zoe.id, None, UserUpdate::status(Status::Disabled), &at(T0)).await.unwrap();
    let username = |name: &str| UserFilter { username: name.parse().ok(), ..UserFilter::default() };
    let viewers = UserFilter { role: Some(Role::Viewer), ..UserFilter::default() };
    let active = UserFilter { status: Some(Status::Active), ..UserFilter::default() };
    for (filter, order, expected) in [
        (UserFilter::default(), "username", vec!["Asha", "Meera", "ravi", "zoe"]),
        (UserFilter::default(), "-id", vec!["Meera", "zoe", "Asha", "ravi"]),
        (viewers.clone(), "-username", vec!["zoe", "ravi", "Meera"]),
        (active.clone(), "id", vec!["ravi", "Asha", "Meera"]),
        (UserFilter { status: active.status, ..viewers }, "username", vec!["Meera", "ravi"]),
        (username("ASHA"), "id", vec!["Asha"]),
        (username("Ash"), "id", vec![]),
    ] {
        let order = Order::parse(order, UserFilter::SORT_KEYS).unwrap();
        let page = users(&store).page(&filter, PageRequest { order, ..PageRequest::LARGEST }).await.unwrap();
        let found: Vec<_> = page.entries.iter().map(|user| user.username.as_str()).collect();
        assert_eq!(found, expected, "{filter:?} {order}");
    }
}
