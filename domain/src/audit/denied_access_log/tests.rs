use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};

use time::{Duration, OffsetDateTime};

use super::*;
use crate::audit::{Action, MockAuditLog};
use crate::{Actor, ActorId, Origin, Target, UserId};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn user(id: u32) -> ActorId {
    ActorId::User(UserId::try_from(i64::from(id)).unwrap())
}

/// The address of this number, in a network of 250 addresses.
fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 + ((number / 250) << 8) + number % 250).into()
}

fn event(id: ActorId, action: Action, target: Option<Target>, client: IpAddr) -> NewEvent {
    let by = Actor { id, at: NOW, origin: Origin { request_id: Some("r-1".into()), client: Some(client) } };
    NewEvent { by, action, target, detail: None, count: 1 }
}

fn anonymous(target: Option<Target>, client: u32) -> NewEvent {
    event(ActorId::Anonymous, Action::LOGIN_DENIED, target, address(client))
}

/// A log, the events that it has appended, and a switch that makes appending fail.
fn log() -> (DeniedAccessLog, Arc<Mutex<Vec<NewEvent>>>, Arc<AtomicBool>) {
    let (appended, fails) = (Arc::<Mutex<Vec<NewEvent>>>::default(), Arc::<AtomicBool>::default());
    let (to, is_failing) = (appended.clone(), fails.clone());
    let mut store = MockAuditLog::new();
    store.expect_append().returning(move |events| {
        assert!(events.len() <= DeniedAccessLog::BATCH);
        if is_failing.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable("away"));
        }
        to.lock().unwrap().extend(events);
        Ok(())
    });
    (DeniedAccessLog::new(Arc::new(store)), appended, fails)
}

fn total(events: &[NewEvent]) -> u32 {
    events.iter().map(|event| event.count).sum()
}

/// REQ 22.
#[tokio::test]
async fn flood_of_anonymous_requests_merges_no_event_of_a_user() {
    let (log, appended, _) = log();
    let of_user = |n: u32| {
        let target = Target::operation(&format!("operation{}", n % 50));
        event(user(n / 50 + 1), Action::ACCESS_DENIED, Some(target), address(n))
    };
    for n in 0..10_000 {
        log.record(anonymous(None, n % 5_000));
        if n.is_multiple_of(50) {
            log.record(of_user(n / 100));
        }
    }
    log.flush().await.unwrap();
    let events = appended.lock().unwrap();
    assert_eq!(total(&events), 10_200);
    for n in 0..100 {
        assert!(events.contains(&NewEvent { count: 2, ..of_user(n) }), "{n}");
    }
    let merged: BTreeSet<_> = events.iter().filter_map(|event| event.detail.as_deref()).collect();
    assert!(merged.contains("merged by network: 10.0.19.0/24"), "{merged:?}");
    assert!(events.len() < 100 + 1_024 + 20, "{}", events.len());
}

/// REQ 22.
#[tokio::test]
async fn anonymous_events_keep_their_target_in_a_flood_on_others() {
    let (log, appended, _) = log();
    let target = |id| Some(Target::of(UserId::try_from(id).unwrap()));
    for n in 0..5_000 {
        log.record(anonymous(None, n));
        log.record(anonymous(target(1), n));
    }
    log.record(anonymous(target(2), 7));
    log.flush().await.unwrap();
    let events = appended.lock().unwrap();
    assert!(events.contains(&anonymous(target(2), 7)));
    let of_first: Vec<_> = events.iter().filter(|event| event.target == target(1)).cloned().collect();
    assert_eq!(total(&of_first), 5_000);
    let without_client: Vec<_> = of_first.iter().filter(|event| event.by.origin.client.is_none()).collect();
    assert_eq!((of_first.len(), without_client.len()), (61 + 20, 20));
    assert!(
        without_client.iter().all(|event| event.detail.as_deref().unwrap().starts_with("merged by network: 10.0."))
    );
}

/// REQ 22.
#[tokio::test]
async fn flood_of_one_user_is_merged_by_action_and_not_with_others() {
    let (log, appended, _) = log();
    let of_user = |id, n: u32| {
        let target = Target::operation(&format!("operation{n}"));
        event(user(id), Action::ACCESS_DENIED, Some(target), address(1))
    };
    for n in 0..1_000 {
        log.record(of_user(1, n));
    }
    log.record(of_user(2, 999));
    log.flush().await.unwrap();
    let events = appended.lock().unwrap();
    assert!(events.contains(&of_user(2, 999)));
    let whole = event(user(1), Action::ACCESS_DENIED, None, address(1));
    let mut merged = NewEvent { count: 759, detail: Some("merged: any target and address".to_owned()), ..whole };
    merged.by.origin.client = None;
    assert!(events.contains(&merged));
    assert_eq!((events.len(), total(&events)), (241 + 2, 1_001));
}

/// REQ 22.
#[tokio::test]
async fn few_owners_leave_room_for_the_events_of_others() {
    let target = |id: u32| Some(Target::of(UserId::try_from(i64::from(id)).unwrap()));
    let of_target = |id, n| anonymous(target(id), n);
    let of_user = |id, n: u32| {
        let target = Target::operation(&format!("operation{n}"));
        event(user(id), Action::ACCESS_DENIED, Some(target), address(1))
    };
    let of_client = |n: u32| {
        let client = std::net::Ipv6Addr::from_bits((0x2001_0db8_0001 << 80) | (u128::from(n) << 64) | u128::from(n));
        event(ActorId::Anonymous, Action::TOKEN_DENIED, None, client.into())
    };
    let others: Vec<_> =
        (1..=5).flat_map(|n| [of_target(99, n * 250), of_user(99, n), anonymous(None, n * 250)]).collect();
    let record = |log: &DeniedAccessLog| {
        for n in 0..500 {
            for owner in 1..=32 {
                log.record(of_target(owner, n));
                log.record(of_user(owner, n));
            }
            for subnet in [0, 1_000, 2_000] {
                log.record(of_client(subnet + n));
            }
        }
        for other in &others {
            log.record(other.clone());
        }
    };
    let (log_of_working_store, expected, _) = log();
    record(&log_of_working_store);
    log_of_working_store.flush().await.unwrap();
    let (log, appended, fails) = log();
    record(&log);
    fails.store(true, Ordering::Relaxed);
    log.flush().await.unwrap_err();
    fails.store(false, Ordering::Relaxed);
    log.flush().await.unwrap();
    let events = appended.lock().unwrap();
    let texts = |events: &[NewEvent]| events.iter().map(|event| format!("{event:?}")).collect::<BTreeSet<_>>();
    assert_eq!(texts(&events), texts(&expected.lock().unwrap()), "an unavailable store merges no more events");
    assert_eq!(total(&events), 2 * 32 * 500 + 3 * 500 + 15);
    for other in others {
        assert!(events.contains(&other), "{other:?}");
    }
}

/// REQ 22.
#[tokio::test]
async fn number_of_events_is_bounded_for_any_requests() {
    let (log, appended, _) = log();
    for n in 0..20_000 {
        for action in [Action::LOGIN_DENIED, Action::ACCESS_DENIED] {
            let target = Some(Target::of(UserId::try_from(i64::from(n + 1)).unwrap()));
            let network = address(n * 250);
            log.record(event(user(n + 1), action.clone(), target.clone(), network));
            log.record(event(ActorId::Anonymous, action.clone(), target, network));
            log.record(event(ActorId::Anonymous, action, None, network));
        }
    }
    log.flush().await.unwrap();
    let events = appended.lock().unwrap();
    assert_eq!(total(&events), 120_000);
    assert_eq!(events.len(), 8_192 + 4_096 + 3 * 2_048 + 2 * 1_024 + 4);
    let last = events.iter().filter(|event| event.by.id == ActorId::Service);
    assert!(last.clone().count() == 2 && last.clone().all(|event| event.detail.as_deref() == Some("merged: any user")));
}

/// REQ 22.
#[tokio::test]
async fn events_that_were_not_appended_are_kept_for_the_next_flush() {
    let (log, appended, fails) = log();
    fails.store(true, Ordering::Relaxed);
    for n in 0..2_000 {
        log.record(anonymous(None, n));
    }
    log.flush().await.unwrap_err();
    let mut later = anonymous(None, 1);
    later.by.at += Duration::SECOND;
    log.record(later.clone());
    log.flush().await.unwrap_err();
    fails.store(false, Ordering::Relaxed);
    log.flush().await.unwrap();
    let events = appended.lock().unwrap();
    assert_eq!(total(&events), 2_001);
    assert!(events.contains(&NewEvent { count: 2, ..anonymous(None, 1) }), "the time of the first");
}
