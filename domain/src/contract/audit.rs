//! What every [`AuditLog`] must do, and what every other store must leave in it.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::{Case, Stores, T0, add_user, at, cases, hash, new_user};
use crate::audit::{Action, AuditLog, Event, EventFilter, NewEvent, Target};
use crate::session::{NewSession, RefreshTokenDigest, Rotation, SessionLifetimes, SessionStore};
use crate::student::{Age, Email, RollNumber, StudentFields, StudentName, StudentPatch, StudentStore};
use crate::token::TokenLifetime;
use crate::user::{Attempts, Role, SetPassword, Status, UserChange, UserId, UserStore};
use crate::{Actor, Origin, PageSize, Version, Who};

type Store = Arc<dyn Stores>;

/// The cases.
pub const AUDIT_LOG: &[Case<dyn Stores>] = cases![dyn Stores:
    req_22_every_change_of_a_student_leaves_its_event,
    req_22_every_change_of_a_user_leaves_its_event,
    req_22_every_change_of_a_session_leaves_its_event,
    what_is_refused_leaves_no_event,
    appended_events_are_kept_to_the_letter,
    events_are_found_by_each_filter,
    pages_walk_the_events_once_in_order,
    pruning_removes_what_is_older_and_says_so,
];

/// User 7 from a known address, in a request.
fn somebody(at: OffsetDateTime) -> Actor {
    let origin = Origin { request_id: Some("r-1".into()), client: "2001:db8::7".parse().ok() };
    Actor { who: Who::User(UserId::try_from(7).unwrap()), at, origin }
}

async fn all(store: &Store, filter: &EventFilter) -> Vec<Event> {
    AuditLog::page(&**store, filter, None, PageSize::LARGEST).await.unwrap().entries
}

/// What was done since the last call, to what; asserts that each event says by whom, when and from where.
async fn told(store: &Store, by: &Actor) -> Vec<(Action, Option<String>, Option<String>)> {
    let events = all(store, &EventFilter::default()).await;
    store.prune(T0 + Duration::days(3650), &at(T0 - Duration::days(3650))).await.unwrap();
    let new = events.into_iter().filter(|event| event.what.action != Action::AuditPruned);
    new.map(|Event { what, .. }| {
        assert_eq!((&what.by.at, &what.by.origin), (&by.at, &by.origin), "{what:?}");
        (what.action, what.target.map(|target| target.to_string()), what.detail)
    })
    .collect()
}

fn event(action: Action, target: &str) -> (Action, Option<String>, Option<String>) {
    (action, Some(target.to_owned()), None)
}

fn detailed(action: Action, target: &str, detail: &str) -> (Action, Option<String>, Option<String>) {
    (action, Some(target.to_owned()), Some(detail.to_owned()))
}

fn student() -> StudentFields {
    StudentFields {
        name: StudentName::parse("Asha").unwrap(),
        email: Email::parse("asha@example.org").unwrap(),
        roll_no: RollNumber::parse(7).unwrap(),
        age: None,
    }
}

async fn req_22_every_change_of_a_student_leaves_its_event(store: Store) {
    let by = somebody(T0);
    let id = StudentStore::insert(&*store, student(), &by).await.unwrap().id;
    let target = Target::Student(id).to_string();
    assert_eq!(told(&store, &by).await, [event(Action::StudentEnrolled, &target)]);
    let patch = StudentPatch { age: Some(Some(Age::parse(20).unwrap())), ..StudentPatch::default() };
    store.amend(id, None, patch, &by).await.unwrap();
    store.replace(id, None, student(), &by).await.unwrap();
    let changed: Vec<_> = told(&store, &by).await.into_iter().map(|(action, target, _)| (action, target)).collect();
    assert_eq!(
        changed,
        [(Action::StudentChanged, Some(target.clone())), (Action::StudentChanged, Some(target.clone()))]
    );
    StudentStore::remove(&*store, id, None, &by).await.unwrap();
    assert_eq!(told(&store, &by).await, [event(Action::StudentRemoved, &target)]);
}

async fn req_22_every_change_of_a_user_leaves_its_event(store: Store) {
    let by = somebody(T0);
    let admin = store.insert_first(new_user("admin", Role::Admin), &by).await.unwrap().unwrap();
    let asha = UserStore::insert(&*store, new_user("asha", Role::Viewer), &by).await.unwrap();
    let target = Target::User(asha.id).to_string();
    let made = [event(Action::UserCreated, &Target::User(admin.id).to_string()), event(Action::UserCreated, &target)];
    assert_eq!(told(&store, &by).await, made);

    store.change(asha.id, None, UserChange::role(Role::Registrar), &by).await.unwrap();
    store.change(asha.id, None, UserChange::status(Status::Disabled), &by).await.unwrap();
    store.change(asha.id, None, UserChange::password(hash("two")), &by).await.unwrap();
    let one_time = SetPassword { hash: hash("three"), one_time_until: Some(T0 + Duration::DAY), spared: None };
    store.change(asha.id, None, UserChange { password: Some(one_time), ..UserChange::default() }, &by).await.unwrap();
    let changed = [
        detailed(Action::UserChanged, &target, "role registrar"),
        detailed(Action::UserChanged, &target, "status disabled"),
        event(Action::PasswordChanged, &target),
        event(Action::PasswordReset, &target),
    ];
    assert_eq!(told(&store, &by).await, changed);

    store.upgrade_hash(asha.id, &hash("three"), &hash("four"), &by).await.unwrap();
    let upgraded = told(&store, &by).await;
    assert!(matches!(&upgraded[..], [(Action::UserChanged, Some(of), Some(_))] if *of == target), "{upgraded:?}");

    let mut tried = by.clone();
    for _ in 0..Attempts::MOST {
        store.admit_login(asha.id, &tried).await.unwrap();
        tried.at += Attempts::LONGEST_WAIT;
    }
    tried.at -= Attempts::LONGEST_WAIT;
    assert_eq!(told(&store, &tried).await, [event(Action::UserLocked, &target)]);
    store.unlock(asha.id, &by).await.unwrap();
    assert_eq!(told(&store, &by).await, [event(Action::UserUnlocked, &target)]);
    UserStore::remove(&*store, asha.id, None, &by).await.unwrap();
    assert_eq!(told(&store, &by).await, [event(Action::UserRemoved, &target)]);
}

fn new_session(user_id: UserId, token: u8) -> NewSession {
    NewSession {
        user_id,
        verified: hash("one"),
        refresh_token: RefreshTokenDigest::new([token; 32]),
        lifetimes: SessionLifetimes::new(None, None, TokenLifetime::new(Duration::HOUR).unwrap()).unwrap(),
        user_agent: None,
    }
}

async fn req_22_every_change_of_a_session_leaves_its_event(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    told(&store, &at(T0)).await;
    let by = somebody(T0 + Duration::HOUR);
    let session = SessionStore::open(&*store, new_session(asha.id, 1), &by).await.unwrap();
    let target = Target::Session(session.id).to_string();
    assert_eq!(told(&store, &by).await, [event(Action::SessionOpened, &target)]);

    let rotation = Rotation {
        presented: RefreshTokenDigest::new([1; 32]),
        successor: RefreshTokenDigest::new([2; 32]),
        lifetimes: new_session(asha.id, 1).lifetimes,
        grace: Duration::seconds(10),
    };
    store.rotate(&rotation, &by).await.unwrap();
    let told_of = all(&store, &EventFilter::default()).await;
    assert_eq!(told_of.last().unwrap().what.by.who, Who::User(asha.id), "whoever shows the token is its user");
    assert_eq!(told(&store, &by).await, [event(Action::SessionRefreshed, &target)]);
    let later = somebody(by.at + Duration::MINUTE);
    store.rotate(&rotation, &later).await.unwrap_err();
    assert_eq!(told(&store, &later).await, [event(Action::SessionReplayed, &target)]);

    let session = SessionStore::open(&*store, new_session(asha.id, 3), &by).await.unwrap();
    told(&store, &by).await;
    store.end(session.id, asha.id, &by).await.unwrap();
    assert_eq!(told(&store, &by).await, [event(Action::SessionEnded, &Target::Session(session.id).to_string())]);

    for (token, expected) in [(4, Action::SessionEnded), (5, Action::SessionsExpired)] {
        let session = SessionStore::open(&*store, new_session(asha.id, token), &by).await.unwrap();
        told(&store, &by).await;
        let of_asha = if expected == Action::SessionEnded {
            store.end_all(asha.id, &by).await.unwrap();
            Some(Target::User(asha.id).to_string())
        } else {
            store.forget_expired(session.ends_at + Duration::DAY, &by).await.unwrap();
            None
        };
        assert_eq!(told(&store, &by).await, [(expected, of_asha, None)]);
    }
}

async fn what_is_refused_leaves_no_event(store: Store) {
    let admin = add_user(&*store, "admin", Role::Admin).await;
    let enrolled = StudentStore::insert(&*store, student(), &at(T0)).await.unwrap();
    told(&store, &at(T0)).await;
    let (by, stale) = (somebody(T0), Version::new(9));
    UserStore::insert(&*store, new_user("admin", Role::Admin), &by).await.unwrap_err();
    assert_eq!(store.insert_first(new_user("other", Role::Admin), &by).await.unwrap(), None);
    store.change(admin.id, stale, UserChange::role(Role::Viewer), &by).await.unwrap_err();
    store.change(admin.id, None, UserChange::role(Role::Viewer), &by).await.unwrap_err();
    UserStore::remove(&*store, admin.id, None, &by).await.unwrap_err();
    store.upgrade_hash(admin.id, &hash("other"), &hash("new"), &by).await.unwrap();
    StudentStore::insert(&*store, student(), &by).await.unwrap_err();
    store.replace(enrolled.id, stale, student(), &by).await.unwrap_err();
    StudentStore::remove(&*store, enrolled.id, stale, &by).await.unwrap_err();
    SessionStore::open(&*store, NewSession { verified: hash("other"), ..new_session(admin.id, 1) }, &by)
        .await
        .unwrap_err();
    assert_eq!(store.end_all(admin.id, &by).await.unwrap(), 0);
    assert_eq!(store.forget_expired(T0, &by).await.unwrap(), 0);
    assert_eq!(told(&store, &by).await, []);
}

async fn appended_events_are_kept_to_the_letter(store: Store) {
    let whole = NewEvent {
        by: somebody(T0),
        action: Action::AccessRefused,
        target: Some(Target::Operation("listUsers".into())),
        detail: Some("as «viewer»".into()),
        count: u32::MAX,
    };
    let bare = NewEvent {
        by: Actor::here(Who::Anonymous, T0 + Duration::MICROSECOND),
        action: Action::LoginRefused,
        target: None,
        detail: None,
        count: 1,
    };
    store.append(vec![whole.clone(), bare.clone()]).await.unwrap();
    let kept: Vec<_> = all(&store, &EventFilter::default()).await.into_iter().map(|event| event.what).collect();
    assert_eq!(kept, [whole, bare]);
    store.append(Vec::new()).await.unwrap();
}

async fn events_are_found_by_each_filter(store: Store) {
    let target = |text: &str| text.parse::<Target>().ok();
    let minute = |minute| T0 + Duration::minutes(minute);
    let events = [
        (Who::Operator, Action::KeyGenerated, target("key:a"), minute(0)),
        (Who::Operator, Action::KeyRotated, target("key:b"), minute(1)),
        (Who::Service, Action::UserCreated, target("user:1"), minute(2)),
        (Who::Operator, Action::UserChanged, target("user:1"), minute(3)),
    ];
    let events = events.map(|(who, action, target, at)| NewEvent {
        by: Actor::here(who, at),
        action,
        target,
        detail: None,
        count: 1,
    });
    store.append(events.to_vec()).await.unwrap();
    let default = EventFilter::default();
    let cases = [
        (default.clone(), &[0, 1, 2, 3][..]),
        (EventFilter { actor: Some(Who::Operator), ..default.clone() }, &[0, 1, 3]),
        (EventFilter { action: Some(Action::UserCreated), ..default.clone() }, &[2]),
        (EventFilter { target: target("user:1"), ..default.clone() }, &[2, 3]),
        (EventFilter { since: Some(minute(1)), ..default.clone() }, &[1, 2, 3]),
        (EventFilter { until: Some(minute(1)), ..default.clone() }, &[0]),
        (EventFilter { since: Some(minute(1)), until: Some(minute(3)), ..default.clone() }, &[1, 2]),
        (EventFilter { actor: Some(Who::Operator), target: target("user:1"), ..default.clone() }, &[3]),
        (EventFilter { action: Some(Action::UserChanged), actor: Some(Who::Service), ..default.clone() }, &[]),
        (EventFilter { target: target("user:1"), until: Some(minute(3)), ..default }, &[2]),
    ];
    for (filter, expected) in cases {
        let found: Vec<_> = all(&store, &filter).await.into_iter().map(|event| event.what).collect();
        let expected: Vec<_> = expected.iter().map(|index| events[*index].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

async fn pages_walk_the_events_once_in_order(store: Store) {
    let kinds = [Action::KeyGenerated, Action::KeyRotated];
    let events: Vec<_> = (0..9).map(|i| NewEvent::once(&at(T0), kinds[i % 2], Target::Key(format!("k{i}")))).collect();
    store.append(events.clone()).await.unwrap();
    for (action, expected) in [(None, 9), (Some(Action::KeyGenerated), 5), (Some(Action::KeyRotated), 4)] {
        let filter = EventFilter { action, ..EventFilter::default() };
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let page = AuditLog::page(&*store, &filter, after, PageSize::parse(2).unwrap()).await.unwrap();
            assert!(page.entries.len() <= 2);
            walked.extend(page.entries);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(walked.len(), expected);
        assert!(walked.windows(2).all(|pair| pair[0].id < pair[1].id));
        let wanted = events.iter().filter(|event| action.is_none_or(|action| event.action == action));
        assert!(walked.iter().map(|event| &event.what).eq(wanted));
    }
}

async fn pruning_removes_what_is_older_and_says_so(store: Store) {
    let kept = |i| NewEvent::once(&at(T0 + Duration::days(i)), Action::KeyRotated, Target::Key(format!("k{i}")));
    store.append((0..4).map(kept).collect()).await.unwrap();
    let by = at(T0 + Duration::days(9));
    assert_eq!(store.prune(T0, &by).await.unwrap(), 0);
    assert_eq!(all(&store, &EventFilter::default()).await.len(), 4);
    assert_eq!(store.prune(T0 + Duration::days(2), &by).await.unwrap(), 2);
    let left: Vec<_> = all(&store, &EventFilter::default()).await.into_iter().map(|event| event.what).collect();
    let pruned = NewEvent { by, action: Action::AuditPruned, target: None, detail: None, count: 2 };
    assert_eq!(left, [kept(2), kept(3), pruned]);
}
