//! Contract of the audit events for writes of users and sessions. The events common to all records are part of
//! [`record_contract`](super::record_contract).

use time::Duration;

use super::fixtures::{
    Store, T0, add_user, at, events, hash, new_session, new_user, requester, rotation, sessions, students, users,
};
use super::{Case, Stores, cases};
use crate::access::Role;
use crate::audit::{Action, EventFilter, NewEvent};
use crate::record::{Patch as _, Record, Sample as _};
use crate::session::NewSession;
use crate::student::{Student, StudentPatch};
use crate::user::{Account, Attempts, SetPassword, Status, User, UserUpdate};
use crate::{Actor, ActorId, Target, UserKind};

/// The cases.
pub const AUDIT_EVENTS: &[Case<dyn Stores>] = cases![dyn Stores:
    replacement_of_student_records_event_with_every_field,
    every_change_of_a_user_records_its_event,
    failed_login_records_event_only_if_it_locks_account,
    every_change_of_a_session_records_its_event,
    end_of_all_sessions_records_one_event,
    change_that_ends_sessions_records_one_event_with_their_count,
    rejected_operation_records_no_event,
];

/// The action, the target and the detail of an event.
type Summary = (Action, Option<String>, Option<String>);

/// All events, without their ids.
async fn audit(store: &Store) -> Vec<NewEvent> {
    events(&**store, &EventFilter::default()).await
}

/// Removes all events from the audit log and asserts that each has the time and origin of `by`.
async fn take(store: &Store, by: &Actor) -> Vec<Summary> {
    let events = audit(store).await;
    store.prune(T0 + Duration::days(3650), u32::MAX, &at(T0 - Duration::days(3650))).await.unwrap();
    let new = events.into_iter().filter(|event| event.action != Action::AUDIT_PRUNED);
    new.map(|event| {
        assert_eq!((&event.by.at, &event.by.origin), (&by.at, &by.origin), "{event:?}");
        (event.action, event.target.map(|target| target.to_string()), event.detail)
    })
    .collect()
}

fn event(action: Action, target: &Target) -> Summary {
    (action, Some(target.to_string()), None)
}

fn detailed(action: Action, target: &Target, detail: &str) -> Summary {
    (action, Some(target.to_string()), Some(detail.to_owned()))
}

/// REQ 22.
async fn replacement_of_student_records_event_with_every_field(store: Store) {
    let Record { id, .. } = students(&store).insert(Student::sample(1), &at(T0)).await.unwrap();
    take(&store, &at(T0)).await;
    let by = requester(T0);
    let patch = StudentPatch::from(Student::sample(1));
    assert_eq!(patch.detail().as_deref(), Some("name, email, roll_no, age, external_id"));
    students(&store).update(id, None, patch, &by).await.unwrap();
    let updated = detailed(Action::updated::<Student>(), &Target::of(id), "name, email, roll_no, age, external_id");
    assert_eq!(take(&store, &by).await, [updated]);
}

/// REQ 22.
async fn every_change_of_a_user_records_its_event(store: Store) {
    let by = requester(T0);
    let admin = store.insert_first(new_user("admin", Role::Admin), &by).await.unwrap().unwrap();
    assert_eq!(take(&store, &by).await, [event(Action::created::<UserKind>(), &Target::of(admin.id))]);

    let asha = add_user(&store, "asha", Role::Viewer).await;
    take(&store, &at(T0)).await;
    let (target, updated) = (Target::of(asha.id), Action::updated::<UserKind>);
    let password = |name, until| Some(SetPassword { hash: hash(name), one_time_until: until, kept_session: None });
    let several =
        UserUpdate { role: Some(Role::Viewer), status: Some(Status::Active), password: password("two", None) };
    let one_time = UserUpdate { password: password("three", Some(T0 + Duration::DAY)), ..UserUpdate::default() };
    let changes = [
        (UserUpdate::role(Role::Registrar), vec![detailed(updated(), &target, "role registrar")]),
        (UserUpdate::status(Status::Disabled), vec![detailed(updated(), &target, "status disabled")]),
        (UserUpdate::password(hash("one")), vec![event(Action::PASSWORD_CHANGED, &target)]),
        (
            several,
            vec![event(Action::PASSWORD_CHANGED, &target), detailed(updated(), &target, "role viewer, status active")],
        ),
        (one_time, vec![event(Action::PASSWORD_RESET, &target)]),
    ];
    for (change, expected) in changes {
        users(&store).update(asha.id, None, change, &by).await.unwrap();
        assert_eq!(take(&store, &by).await, expected);
    }
    store.upgrade_hash(asha.id, &hash("three"), &hash("four"), &by).await.unwrap();
    let upgraded = UserUpdate::hash_upgraded(asha.id, &by).detail.unwrap();
    assert_eq!(take(&store, &by).await, [detailed(updated(), &target, &upgraded)]);
}

/// REQ 22.
async fn failed_login_records_event_only_if_it_locks_account(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    take(&store, &at(T0)).await;
    let target = Target::of(asha.id);
    let mut by = requester(T0);
    for _ in 1..Attempts::LOCKING_FAILURES {
        store.admit_login(Account::User(asha.id), &by).await.unwrap().unwrap();
        by.at += Attempts::MAX_DELAY;
    }
    assert_eq!(take(&store, &by).await, []);
    store.admit_login(Account::User(asha.id), &by).await.unwrap().unwrap();
    assert_eq!(take(&store, &by).await, [event(Action::USER_LOCKED, &target)]);
    store.unlock(asha.id, &by).await.unwrap();
    assert_eq!(take(&store, &by).await, [event(Action::USER_UNLOCKED, &target)]);
}

/// REQ 22.
async fn every_change_of_a_session_records_its_event(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    take(&store, &at(T0)).await;
    let by = requester(T0 + Duration::HOUR);
    let session = sessions(&store).open(new_session(asha.id, 1), &by).await.unwrap();
    let target = Target::of(session.id);
    assert_eq!(take(&store, &by).await, [event(Action::SESSION_OPENED, &target)]);

    store.rotate(&rotation(1), &by).await.unwrap();
    let refreshed = audit(&store).await;
    assert_eq!(refreshed.last().unwrap().by.id, ActorId::User(asha.id), "the actor is the user of the session");
    assert_eq!(take(&store, &by).await, [event(Action::SESSION_REFRESHED, &target)]);
    let later = requester(by.at + Duration::MINUTE);
    store.rotate(&rotation(1), &later).await.unwrap_err();
    assert_eq!(take(&store, &later).await, [event(Action::SESSION_REPLAYED, &target)]);

    let session = sessions(&store).open(new_session(asha.id, 3), &by).await.unwrap();
    take(&store, &by).await;
    store.end(session.id, asha.id, &by).await.unwrap();
    assert_eq!(take(&store, &by).await, [event(Action::SESSION_ENDED, &Target::of(session.id))]);
}

/// Opens two sessions and clears the audit log.
async fn two_sessions(store: &Store, user: &Record<User>, token: u8) {
    for token in [token, token + 1] {
        sessions(store).open(new_session(user.id, token), &at(T0)).await.unwrap();
    }
    take(store, &at(T0)).await;
}

/// REQ 22.
async fn end_of_all_sessions_records_one_event(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let by = requester(T0 + Duration::days(3000));
    two_sessions(&store, &asha, 1).await;
    store.end_all(asha.id, &by).await.unwrap();
    let ended = NewEvent { count: 2, ..NewEvent::once(&by, Action::SESSION_ENDED, Target::of(asha.id)) };
    assert_eq!(audit(&store).await.last(), Some(&ended));
    assert_eq!(take(&store, &by).await, [event(Action::SESSION_ENDED, &Target::of(asha.id))]);

    two_sessions(&store, &asha, 3).await;
    store.delete_expired(by.at, &by).await.unwrap();
    let expired = NewEvent { target: None, action: Action::SESSIONS_EXPIRED, ..ended };
    assert_eq!(audit(&store).await.last(), Some(&expired));
    assert_eq!(take(&store, &by).await, [(Action::SESSIONS_EXPIRED, None, None)]);
}

/// REQ 22.
async fn change_that_ends_sessions_records_one_event_with_their_count(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let by = requester(T0);
    let ended = NewEvent { count: 2, ..NewEvent::once(&by, Action::SESSION_ENDED, Target::of(asha.id)) };
    two_sessions(&store, &asha, 1).await;
    users(&store).update(asha.id, None, UserUpdate::password(hash("one")), &by).await.unwrap();
    assert!(audit(&store).await.contains(&ended));
    assert_eq!(take(&store, &by).await.len(), 2);

    two_sessions(&store, &asha, 3).await;
    users(&store).delete(asha.id, None, &by).await.unwrap();
    assert!(audit(&store).await.contains(&ended));
    assert_eq!(take(&store, &by).await.len(), 2);
}

async fn rejected_operation_records_no_event(store: Store) {
    let admin = add_user(&store, "admin", Role::Admin).await;
    take(&store, &at(T0)).await;
    let by = requester(T0);
    assert_eq!(store.insert_first(new_user("other", Role::Admin), &by).await.unwrap(), None);
    users(&store).update(admin.id, None, UserUpdate::role(Role::Viewer), &by).await.unwrap_err();
    users(&store).delete(admin.id, None, &by).await.unwrap_err();
    let kept_session = Some(1.try_into().unwrap());
    let password = SetPassword { hash: hash("new"), one_time_until: None, kept_session };
    let in_ended_session = UserUpdate { password: Some(password), ..UserUpdate::default() };
    users(&store).update(admin.id, None, in_ended_session, &by).await.unwrap_err();
    store.upgrade_hash(admin.id, &hash("other"), &hash("new"), &by).await.unwrap();
    store.unlock((admin.id.get() + 1).try_into().unwrap(), &by).await.unwrap_err();
    let outdated = NewSession { verified: hash("other"), ..new_session(admin.id, 1) };
    sessions(&store).open(outdated, &by).await.unwrap_err();
    store.rotate(&rotation(1), &by).await.unwrap_err();
    assert_eq!(store.end_all(admin.id, &by).await.unwrap(), 0);
    assert_eq!(store.delete_expired(T0, &by).await.unwrap(), 0);
    assert_eq!(take(&store, &by).await, []);
}
