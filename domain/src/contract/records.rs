//! Contract of [`RecordStore`] for all types of records.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use time::Duration;

use super::fixtures::{T0, at};
use super::record_events::{
    conflicting_insert_records_no_event, conflicting_update_records_no_event, every_write_records_exactly_one_event,
    stale_and_unknown_writes_record_no_event,
};
use super::{AuditedStore, Case, cases};
use crate::record::{Record, RecordError, RecordStore, Sample, Unique};
use crate::{Cursor, Id, MAX_ID, Order, PageRequest, PageSize, Version};

type Store<R> = Arc<dyn RecordStore<R>>;

/// The cases for one resource.
#[must_use]
pub fn record_contract<R: Sample>() -> Vec<Case<dyn AuditedStore<R>>> {
    let all: &[Case<_>] = cases![dyn AuditedStore<R>:
        inserted_record_is_found_as_returned,
        unknown_id_finds_nothing,
        update_sets_only_the_fields_of_the_patch,
        every_update_increments_the_version,
        stale_update_changes_nothing,
        one_of_16_concurrent_updates_of_a_version_succeeds,
        write_of_unknown_record_is_not_found,
        deleted_record_is_not_found,
        stale_deletion_deletes_nothing,
        id_of_deleted_record_is_not_reused,
        pages_contain_each_record_once_in_id_order,
        full_last_page_has_no_next,
        cursor_of_deleted_record_remains_valid,
        every_write_records_exactly_one_event,
        stale_and_unknown_writes_record_no_event,
    ];
    let with_unique_field: &[Case<_>] = cases![dyn AuditedStore<R>:
        conflicting_insert_writes_nothing,
        one_of_16_concurrent_conflicting_inserts_succeeds,
        unique_value_of_deleted_record_can_be_reused,
        conflicting_insert_records_no_event,
    ];
    let with_patchable_unique_field: &[Case<_>] = cases![dyn AuditedStore<R>:
        conflicting_update_changes_nothing,
        stale_version_is_reported_before_a_conflict,
        record_keeps_its_unique_value_on_update,
        conflicting_update_records_no_event,
    ];
    let mut cases = all.to_vec();
    if let Some(unique) = R::UNIQUE {
        cases.extend(with_unique_field);
        cases.extend(unique.conflicting_patch.iter().flat_map(|_| with_patchable_unique_field));
    }
    cases
}

pub(super) async fn insert<R: Sample>(store: &dyn RecordStore<R>, n: u32) -> Record<R> {
    store.insert(R::sample(n), &at(T0)).await.unwrap()
}

pub(super) fn unique<R: Sample>() -> Unique<R> {
    R::UNIQUE.unwrap()
}

/// The patch that sets every field to the value in the record that conflicts with sample `n`.
pub(super) fn conflicting_patch<R: Sample>(n: u32) -> R::Patch {
    unique::<R>().conflicting_patch.unwrap()(n)
}

fn is_taken<T, R: Sample>(outcome: &Result<T, RecordError<R>>) -> bool {
    matches!(outcome, Err(RecordError::Rejected(conflict)) if (unique::<R>().is_taken)(conflict))
}

async fn all<R: Sample>(store: &Store<R>) -> Vec<Record<R>> {
    store.page(&R::Filter::default(), PageRequest::LARGEST).await.unwrap().entries
}

async fn inserted_record_is_found_as_returned<R: Sample>(store: Store<R>) {
    for n in 1..=3 {
        let inserted = insert(&*store, n).await;
        assert_eq!(inserted.fields, R::fields_of(&R::sample(n)));
        assert_eq!((inserted.version, inserted.created_at, inserted.updated_at), (Version::FIRST, T0, T0));
        assert_eq!(store.find(inserted.id).await.unwrap(), Some(inserted));
    }
}

async fn unknown_id_finds_nothing<R: Sample>(store: Store<R>) {
    for id in [1, MAX_ID] {
        assert_eq!(store.find(id.try_into().unwrap()).await.unwrap(), None);
    }
}

async fn conflicting_insert_writes_nothing<R: Sample>(store: Store<R>) {
    let holder = insert(&*store, 1).await;
    let rejected = store.insert((unique::<R>().conflicting)(1), &at(T0)).await;
    assert!(is_taken(&rejected), "{rejected:?}");
    assert_eq!(all(&store).await, [holder]);
}

async fn one_of_16_concurrent_conflicting_inserts_succeeds<R: Sample>(store: Store<R>) {
    let (by, conflicting) = (at(T0), unique::<R>().conflicting);
    let new = (0..16).map(|i| if i % 2 == 0 { R::sample(1) } else { conflicting(1) });
    let (won, lost): (Vec<_>, Vec<_>) =
        join_all(new.map(|new| store.insert(new, &by))).await.into_iter().partition(Result::is_ok);
    assert!(lost.iter().all(is_taken), "{lost:?}");
    assert_eq!(won.into_iter().map(Result::unwrap).collect::<Vec<_>>(), all(&store).await);
    assert_eq!(lost.len(), 15);
}

async fn unique_value_of_deleted_record_can_be_reused<R: Sample>(store: Store<R>) {
    let deleted = insert(&*store, 1).await;
    store.delete(deleted.id, None, &at(T0)).await.unwrap();
    let conflicting = (unique::<R>().conflicting)(1);
    let inserted = store.insert(conflicting.clone(), &at(T0)).await.unwrap();
    assert_eq!(inserted.fields, R::fields_of(&conflicting));
}

async fn update_sets_only_the_fields_of_the_patch<R: Sample>(store: Store<R>) {
    let (before, other) = (insert(&*store, 1).await, insert(&*store, 2).await);
    let later = T0 + Duration::HOUR;
    let updated = store.update(before.id, Some(before.version), R::patch(1), &at(later)).await.unwrap();
    assert_ne!(updated.fields, before.fields);
    assert_eq!(updated.fields, before.fields.patched(1));
    assert_eq!((updated.id, updated.created_at, updated.updated_at), (before.id, T0, later));
    assert_eq!(all(&store).await, [updated.clone(), other]);
    assert_eq!(store.find(updated.id).await.unwrap(), Some(updated));
}

async fn every_update_increments_the_version<R: Sample>(store: Store<R>) {
    let mut before = insert(&*store, 1).await;
    // The second patch sets the same values again, and the third sets no field.
    for patch in [R::patch(1), R::patch(1), R::Patch::default(), R::patch(2)] {
        let updated = store.update(before.id, Some(before.version), patch, &at(T0)).await.unwrap();
        assert_eq!(updated.version.get(), before.version.get() + 1);
        before = updated;
    }
}

async fn stale_update_changes_nothing<R: Sample>(store: Store<R>) {
    let first = insert(&*store, 1).await;
    let updated = store.update(first.id, Some(first.version), R::patch(1), &at(T0)).await.unwrap();
    for expected in [Some(first.version), Version::new(9)] {
        let rejected = store.update(first.id, expected, R::patch(2), &at(T0)).await;
        assert!(matches!(rejected, Err(RecordError::Stale)), "{rejected:?}");
    }
    assert_eq!(store.find(first.id).await.unwrap(), Some(updated));
}

async fn one_of_16_concurrent_updates_of_a_version_succeeds<R: Sample>(store: Store<R>) {
    let Record { id, version, .. } = insert(&*store, 1).await;
    let by = at(T0);
    let updates = (1..=16).map(|n| store.update(id, Some(version), R::patch(n), &by));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(updates).await.into_iter().partition(Result::is_ok);
    assert!(lost.iter().all(|lost| matches!(lost, Err(RecordError::Stale))), "{lost:?}");
    assert_eq!(won.into_iter().map(Result::unwrap).collect::<Vec<_>>(), all(&store).await);
    assert_eq!(lost.len(), 15);
}

async fn write_of_unknown_record_is_not_found<R: Sample>(store: Store<R>) {
    let unknown = Id::try_from(1).unwrap();
    for expected in [None, Some(Version::FIRST)] {
        let rejected = store.update(unknown, expected, R::patch(1), &at(T0)).await;
        assert!(matches!(rejected, Err(RecordError::NotFound)), "{rejected:?}");
        let rejected = store.delete(unknown, expected, &at(T0)).await;
        assert!(matches!(rejected, Err(RecordError::NotFound)), "{rejected:?}");
    }
    assert_eq!(all(&store).await, []);
}

async fn conflicting_update_changes_nothing<R: Sample>(store: Store<R>) {
    let (before, holder) = (insert(&*store, 1).await, insert(&*store, 2).await);
    let rejected = store.update(before.id, Some(before.version), conflicting_patch::<R>(2), &at(T0)).await;
    assert!(is_taken(&rejected), "{rejected:?}");
    assert_eq!(all(&store).await, [before, holder]);
}

async fn stale_version_is_reported_before_a_conflict<R: Sample>(store: Store<R>) {
    let (before, _) = (insert(&*store, 1).await, insert(&*store, 2).await);
    let rejected = store.update(before.id, Version::new(9), conflicting_patch::<R>(2), &at(T0)).await;
    assert!(matches!(rejected, Err(RecordError::Stale)), "{rejected:?}");
}

async fn record_keeps_its_unique_value_on_update<R: Sample>(store: Store<R>) {
    let before = insert(&*store, 1).await;
    let updated = store.update(before.id, None, conflicting_patch::<R>(1), &at(T0)).await.unwrap();
    assert_eq!(updated.fields, R::fields_of(&(unique::<R>().conflicting)(1)));
}

async fn deleted_record_is_not_found<R: Sample>(store: Store<R>) {
    let (deleted, other) = (insert(&*store, 1).await, insert(&*store, 2).await);
    store.delete(deleted.id, Some(deleted.version), &at(T0)).await.unwrap();
    assert_eq!(store.find(deleted.id).await.unwrap(), None);
    for expected in [None, Some(deleted.version)] {
        let rejected = store.delete(deleted.id, expected, &at(T0)).await;
        assert!(matches!(rejected, Err(RecordError::NotFound)), "{rejected:?}");
    }
    assert_eq!(all(&store).await, [other]);
}

async fn stale_deletion_deletes_nothing<R: Sample>(store: Store<R>) {
    let first = insert(&*store, 1).await;
    let updated = store.update(first.id, None, R::patch(1), &at(T0)).await.unwrap();
    let rejected = store.delete(first.id, Some(first.version), &at(T0)).await;
    assert!(matches!(rejected, Err(RecordError::Stale)), "{rejected:?}");
    assert_eq!(store.find(first.id).await.unwrap().as_ref(), Some(&updated));
    store.delete(first.id, Some(updated.version), &at(T0)).await.unwrap();
}

async fn id_of_deleted_record_is_not_reused<R: Sample>(store: Store<R>) {
    let mut ids = HashSet::new();
    for _ in 0..3 {
        let Record { id, .. } = insert(&*store, 1).await;
        assert!(ids.insert(id), "{id} is reused");
        store.delete(id, None, &at(T0)).await.unwrap();
    }
}

async fn pages_contain_each_record_once_in_id_order<R: Sample>(store: Store<R>) {
    let mut inserted = Vec::new();
    for n in [6, 1, 4, 7, 3, 5, 2] {
        inserted.push(insert(&*store, n).await);
    }
    let (two, filter) = (PageSize::parse(2).unwrap(), R::Filter::default());
    let (mut listed, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.page(&filter, PageRequest { after, size: two, ..PageRequest::default() }).await.unwrap();
        assert!(page.entries.len() <= 2);
        listed.extend(page.entries);
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert!(listed.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert_eq!((listed, pages), (inserted, 4));
}

async fn full_last_page_has_no_next<R: Sample>(store: Store<R>) {
    for n in 1..=3 {
        insert(&*store, n).await;
    }
    let page = store
        .page(&R::Filter::default(), PageRequest { size: PageSize::parse(3).unwrap(), ..PageRequest::default() })
        .await
        .unwrap();
    assert_eq!((page.entries.len(), page.next), (3, None));
}

async fn cursor_of_deleted_record_remains_valid<R: Sample>(store: Store<R>) {
    let (first, second) = (insert(&*store, 1).await, insert(&*store, 2).await);
    store.delete(first.id, None, &at(T0)).await.unwrap();
    let page = store
        .page(
            &R::Filter::default(),
            PageRequest { after: Some(Cursor::after(&first, None, Order::BY_ID)), ..PageRequest::ONE },
        )
        .await
        .unwrap();
    assert_eq!((page.entries, page.next), (vec![second], None));
}
