//! Contract of [`AuditLog`].

use std::slice;

use time::Duration;

use super::fixtures::{Store, T0, at, events, requester};
use super::{Case, Stores, cases};
use crate::audit::{Action, AuditLog, Event, EventFilter, NewEvent};
use crate::{Actor, ActorId, PageRequest, PageSize, Target, UserKind};

/// The cases.
pub const AUDIT_LOG: &[Case<dyn Stores>] = cases![dyn Stores:
    appended_events_are_stored_exactly,
    unknown_action_and_target_kind_are_stored_and_found,
    events_are_found_by_each_filter,
    pages_contain_each_event_once_in_id_order,
    pruning_deletes_older_events_and_records_one,
];

async fn appended_events_are_stored_exactly(store: Store) {
    let whole = NewEvent {
        by: requester(T0),
        action: Action::ACCESS_DENIED,
        target: Some(Target::operation("listUsers")),
        detail: Some("as «viewer»".into()),
        count: u32::MAX,
    };
    let bare = NewEvent {
        by: Actor::here(ActorId::Anonymous, T0 + Duration::MICROSECOND),
        action: Action::LOGIN_DENIED,
        target: None,
        detail: None,
        count: 1,
    };
    store.append(vec![whole.clone(), bare.clone()]).await.unwrap();
    assert_eq!(events(&*store, &EventFilter::default()).await, [whole, bare]);
    store.append(Vec::new()).await.unwrap();
}

/// A store may contain actions and targets of a later release.
async fn unknown_action_and_target_kind_are_stored_and_found(store: Store) {
    let (action, target): (Action, Target) = ("course.published".parse().unwrap(), "course:7".parse().unwrap());
    let published = NewEvent::once(&at(T0), action.clone(), target.clone());
    let other = NewEvent::once(&at(T0), Action::KEY_ROTATED, Target::key("course:7"));
    store.append(vec![published.clone(), other.clone()]).await.unwrap();
    assert_eq!(events(&*store, &EventFilter::default()).await, [published.clone(), other]);
    let by_action = EventFilter { action: Some(action), ..EventFilter::default() };
    let by_target = EventFilter { target: Some(target), ..EventFilter::default() };
    let by_both = EventFilter { action: by_action.action.clone(), ..by_target.clone() };
    for filter in [by_action, by_target, by_both] {
        let found = events(&*store, &filter).await;
        assert_eq!(found, slice::from_ref(&published), "{filter:?}");
        let texts = (found[0].action.as_str(), found[0].target.as_ref().map(Target::to_string));
        assert_eq!(texts, ("course.published", Some("course:7".to_owned())));
    }
}

async fn events_are_found_by_each_filter(store: Store) {
    let target = |text: &str| text.parse::<Target>().ok();
    let minute = |minute| T0 + Duration::minutes(minute);
    let (created, updated) = (Action::created::<UserKind>(), Action::updated::<UserKind>());
    let stored = [
        (ActorId::Operator, Action::KEY_GENERATED, target("key:a"), minute(0)),
        (ActorId::Operator, Action::KEY_ROTATED, target("key:b"), minute(1)),
        (ActorId::Service, created.clone(), target("user:1"), minute(2)),
        (ActorId::Operator, updated.clone(), target("user:1"), minute(3)),
    ];
    let stored = stored.map(|(who, action, target, at)| NewEvent {
        by: Actor::here(who, at),
        action,
        target,
        detail: None,
        count: 1,
    });
    store.append(stored.to_vec()).await.unwrap();
    let default = EventFilter::default();
    let cases = [
        (default.clone(), &[0, 1, 2, 3][..]),
        (EventFilter { actor: Some(ActorId::Operator), ..default.clone() }, &[0, 1, 3]),
        (EventFilter { action: Some(created), ..default.clone() }, &[2]),
        (EventFilter { target: target("user:1"), ..default.clone() }, &[2, 3]),
        (EventFilter { since: Some(minute(1)), ..default.clone() }, &[1, 2, 3]),
        (EventFilter { before: Some(minute(1)), ..default.clone() }, &[0]),
        (EventFilter { since: Some(minute(1)), before: Some(minute(3)), ..default.clone() }, &[1, 2]),
        (EventFilter { actor: Some(ActorId::Operator), target: target("user:1"), ..default.clone() }, &[3]),
        (EventFilter { action: Some(updated), actor: Some(ActorId::Service), ..default.clone() }, &[]),
        (EventFilter { target: target("user:1"), before: Some(minute(3)), ..default }, &[2]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|index| stored[*index].clone()).collect();
        assert_eq!(events(&*store, &filter).await, expected, "{filter:?}");
    }
}

async fn pages_contain_each_event_once_in_id_order(store: Store) {
    let actions = [Action::KEY_GENERATED, Action::KEY_ROTATED];
    let event = |i: usize| NewEvent::once(&at(T0), actions[i % 2].clone(), Target::key(&format!("k{i}")));
    let stored: Vec<_> = (0..9).map(event).collect();
    store.append(stored.clone()).await.unwrap();
    for (action, expected) in [(None, 9), (Some(Action::KEY_GENERATED), 5), (Some(Action::KEY_ROTATED), 4)] {
        let filter = EventFilter { action: action.clone(), ..EventFilter::default() };
        let listed = all_pages(&*store, &filter).await;
        assert_eq!(listed.len(), expected);
        assert!(listed.windows(2).all(|pair| pair[0].id < pair[1].id));
        let matching = stored.iter().filter(|event| action.as_ref().is_none_or(|action| event.action == *action));
        assert!(listed.iter().map(|event| &event.what).eq(matching));
    }
}

/// The events of all pages of two.
async fn all_pages(log: &dyn AuditLog, filter: &EventFilter) -> Vec<Event> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = log.page(filter, PageRequest { after, size: PageSize::parse(2).unwrap() }).await.unwrap();
        assert!(page.entries.len() <= 2);
        listed.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return listed;
        }
    }
}

async fn pruning_deletes_older_events_and_records_one(store: Store) {
    let stored = |i| NewEvent::once(&at(T0 + Duration::days(i)), Action::KEY_ROTATED, Target::key(&format!("k{i}")));
    store.append((0..4).map(stored).collect()).await.unwrap();
    let by = at(T0 + Duration::days(9));
    assert_eq!(store.prune(T0, &by).await.unwrap(), 0);
    assert_eq!(events(&*store, &EventFilter::default()).await.len(), 4);
    assert_eq!(store.prune(T0 + Duration::days(2), &by).await.unwrap(), 2);
    let pruned = NewEvent { by, action: Action::AUDIT_PRUNED, target: None, detail: None, count: 2 };
    assert_eq!(events(&*store, &EventFilter::default()).await, [stored(2), stored(3), pruned]);
}
