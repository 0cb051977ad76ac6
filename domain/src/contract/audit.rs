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
    events_out_of_order_are_found_by_time,
    pruning_deletes_older_events_and_records_one,
    pruning_in_batches_records_one_event_with_the_total,
    interrupted_pruning_is_recorded_by_the_next,
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
    all_pages_of(PageSize::parse(2).unwrap(), log, filter).await
}

async fn all_pages_of(size: PageSize, log: &dyn AuditLog, filter: &EventFilter) -> Vec<Event> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = log.page(filter, PageRequest { after, size, ..PageRequest::default() }).await.unwrap();
        assert!(page.entries.len() <= usize::from(size.get()));
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
    assert_eq!(store.prune(T0, 10, &by).await.unwrap(), 0);
    assert_eq!(events(&*store, &EventFilter::default()).await.len(), 4);
    assert_eq!(store.prune(T0 + Duration::days(2), 10, &by).await.unwrap(), 2);
    let pruned = NewEvent { by, action: Action::AUDIT_PRUNED, target: None, detail: None, count: 2 };
    assert_eq!(events(&*store, &EventFilter::default()).await, [stored(2), stored(3), pruned]);
}

/// 5,000 events, during which the clock was set forward for a while and back for a while, and of which some were stored late.
fn events_out_of_order() -> Vec<NewEvent> {
    let actors = [ActorId::Operator, ActorId::Service, ActorId::Anonymous];
    let actions = [Action::KEY_ROTATED, Action::KEY_RETIRED];
    let event = |i: u16| {
        let step = match i {
            100..110 => Duration::days(9_000),
            2_000..2_010 => Duration::days(-9_000),
            _ if i.is_multiple_of(7) => Duration::seconds(-5),
            _ => Duration::ZERO,
        };
        let by = Actor::here(actors[usize::from(i % 3)], T0 + Duration::seconds(i64::from(i)) + step);
        let target = Some(Target::key(&format!("k{}", i % 5)));
        NewEvent { by, action: actions[usize::from(i % 2)].clone(), target, detail: None, count: 1 }
    };
    (0..5_000).map(event).collect()
}

/// Time ranges with and without the other conditions.
fn filters_by_time() -> Vec<EventFilter> {
    let times = [0, 1_023, 2_500, 4_999, 9_000 * 86_400].map(|second| Some(T0 + Duration::seconds(second)));
    let times: Vec<_> = times.into_iter().chain([None]).collect();
    let ranges = times.iter().flat_map(|since| times.iter().map(move |before| (*since, *before)));
    let others = [
        EventFilter::default(),
        EventFilter { actor: Some(ActorId::Operator), ..EventFilter::default() },
        EventFilter { action: Some(Action::KEY_RETIRED), target: Some(Target::key("k3")), ..EventFilter::default() },
        EventFilter {
            actor: Some(ActorId::Anonymous),
            action: Some(Action::KEY_ROTATED),
            target: Some(Target::key("k4")),
            ..EventFilter::default()
        },
    ];
    let filters = ranges.flat_map(|(since, before)| others.clone().map(|other| EventFilter { since, before, ..other }));
    filters.collect()
}

fn matches(EventFilter { actor, action, target, since, before }: &EventFilter, event: &NewEvent) -> bool {
    actor.is_none_or(|actor| event.by.id == actor)
        && action.as_ref().is_none_or(|action| event.action == *action)
        && (target.is_none() || event.target == *target)
        && since.is_none_or(|since| event.by.at >= since)
        && before.is_none_or(|before| event.by.at < before)
}

async fn events_out_of_order_are_found_by_time(store: Store) {
    let stored = events_out_of_order();
    for events in stored.chunks(1_000) {
        store.append(events.to_vec()).await.unwrap();
    }
    for filter in filters_by_time() {
        let found = all_pages_of(PageSize::LARGEST, &*store, &filter).await;
        let expected = stored.iter().filter(|event| matches(&filter, event));
        assert!(found.iter().map(|event| &event.what).eq(expected), "{filter:?}");
    }
}

async fn pruning_in_batches_records_one_event_with_the_total(store: Store) {
    let stored = |i| NewEvent::once(&at(T0 + Duration::days(i)), Action::KEY_ROTATED, Target::key(&format!("k{i}")));
    store.append((0..6).rev().map(stored).collect()).await.unwrap();
    let (by, before) = (at(T0 + Duration::days(9)), T0 + Duration::days(5));
    for (deleted, left) in [(2, vec![5, 4, 3, 2]), (2, vec![5, 4])] {
        assert_eq!(store.prune(before, 2, &by).await.unwrap(), deleted);
        let left: Vec<_> = left.into_iter().map(stored).collect();
        assert_eq!(events(&*store, &EventFilter::default()).await, left, "the earliest are deleted first");
    }
    assert_eq!(store.prune(before, 2, &by).await.unwrap(), 1);
    let pruned = NewEvent { by, action: Action::AUDIT_PRUNED, target: None, detail: None, count: 5 };
    assert_eq!(events(&*store, &EventFilter::default()).await, [stored(5), pruned]);
}

/// A process that is killed makes no further call.
async fn interrupted_pruning_is_recorded_by_the_next(store: Store) {
    let stored = |i| NewEvent::once(&at(T0 + Duration::days(i)), Action::KEY_ROTATED, Target::key(&format!("k{i}")));
    store.append((0..4).map(stored).collect()).await.unwrap();
    assert_eq!(store.prune(T0 + Duration::days(9), 3, &at(T0)).await.unwrap(), 3);
    let by = Actor::here(ActorId::Operator, T0 + Duration::HOUR);
    store.maintain(T0, &by).await.unwrap();
    assert_eq!(events(&*store, &EventFilter::default()).await, [stored(3)], "a deletion in progress");
    for _ in 0..2 {
        store.maintain(T0 + Duration::MICROSECOND, &by).await.unwrap();
    }
    let pruned = NewEvent { by: by.clone(), action: Action::AUDIT_PRUNED, target: None, detail: None, count: 3 };
    assert_eq!(events(&*store, &EventFilter::default()).await, [stored(3), pruned.clone()]);
    // Without another deletion, the next one records its own number alone.
    assert_eq!(store.prune(T0 + Duration::days(9), 3, &by).await.unwrap(), 2);
    assert_eq!(events(&*store, &EventFilter::default()).await, [NewEvent { count: 2, ..pruned }]);
}
