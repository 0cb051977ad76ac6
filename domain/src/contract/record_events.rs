//! Contract of the audit events for writes of every [`RecordStore`], part of
//! [`record_contract`](super::record_contract).

use std::sync::Arc;

use time::Duration;

use super::AuditedStore;
use super::fixtures::{T0, events, requester};
use super::records::{conflicting_patch, insert, unique};
use crate::audit::{Action, EventFilter, NewEvent};
use crate::record::{Patch as _, RecordStore, Sample};
use crate::{Id, Kind as _, Target, Version};

type Store<R> = Arc<dyn AuditedStore<R>>;

fn records<R: Sample>(store: &Store<R>) -> &dyn RecordStore<R> {
    &**store
}

/// All events, without their ids.
async fn audit<R: Sample>(store: &Store<R>) -> Vec<NewEvent> {
    events(&**store, &EventFilter::default()).await
}

/// REQ 22.
pub(super) async fn every_write_records_exactly_one_event<R: Sample>(store: Store<R>) {
    let by = [0, 1, 2, 3, 4].map(|minute| requester(T0 + Duration::minutes(minute)));
    let patches = [R::patch(1), R::patch(1), R::Patch::default()];
    let id = records(&store).insert(R::sample(1), &by[0]).await.unwrap().id;
    for (patch, by) in patches.iter().zip(&by[1..]) {
        records(&store).update(id, None, patch.clone(), by).await.unwrap();
    }
    records(&store).delete(id, None, &by[4]).await.unwrap();

    let event = |by, action| NewEvent::once(by, action, Target::of(id));
    let updated = Action::updated::<R::Kind>;
    let expected = [
        event(&by[0], Action::created::<R::Kind>()),
        event(&by[1], updated()).with_detail(patches[0].detail()),
        event(&by[2], updated()).with_detail(patches[1].detail()),
        event(&by[3], updated()).with_detail(patches[2].detail()),
        event(&by[4], Action::deleted::<R::Kind>()),
    ];
    assert_eq!(audit(&store).await, expected);
    assert_eq!(expected[0].action.as_str(), format!("{}.created", R::Kind::NAME));
}

pub(super) async fn stale_and_unknown_writes_record_no_event<R: Sample>(store: Store<R>) {
    let known = insert(records(&store), 1).await;
    let before = audit(&store).await;
    let (by, unknown) = (requester(T0), Id::try_from(known.id.get() + 1).unwrap());
    for (id, expected) in [(known.id, Version::new(9)), (unknown, None), (unknown, Some(known.version))] {
        records(&store).update(id, expected, R::patch(1), &by).await.unwrap_err();
        records(&store).delete(id, expected, &by).await.unwrap_err();
    }
    assert_eq!(audit(&store).await, before);
}

pub(super) async fn conflicting_insert_records_no_event<R: Sample>(store: Store<R>) {
    insert(records(&store), 1).await;
    let before = audit(&store).await;
    records(&store).insert((unique::<R>().conflicting)(1), &requester(T0)).await.unwrap_err();
    assert_eq!(audit(&store).await, before);
}

pub(super) async fn conflicting_update_records_no_event<R: Sample>(store: Store<R>) {
    let (known, _) = (insert(records(&store), 1).await, insert(records(&store), 2).await);
    let before = audit(&store).await;
    records(&store).update(known.id, None, conflicting_patch::<R>(2), &requester(T0)).await.unwrap_err();
    assert_eq!(audit(&store).await, before);
}
