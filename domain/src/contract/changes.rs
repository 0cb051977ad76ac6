//! Contract of the feed of changes of students.

use futures_util::future::{join, join_all};
use time::Duration;

use super::fixtures::{Store, T0, at, students};
use super::students::student;
use super::{Case, Stores, cases};
use crate::record::Record;
use crate::student::{
    Age, Change, ChangePosition, ChangeToken, ChangesError, Student, StudentFilter, StudentId, StudentPatch,
};
use crate::{PageRequest, PageSize, Version};

/// The cases.
pub const CHANGE_FEED: &[Case<dyn Stores>] = cases![dyn Stores:
    every_write_of_a_student_is_one_change,
    rejected_write_is_no_change,
    change_contains_the_student_as_it_is_now,
    pages_of_changes_contain_each_change_once,
    concurrent_writes_are_all_changes,
    tokens_outside_of_the_feed_are_rejected,
    deleted_changes_expire_the_tokens_before_them,
    changes_are_deleted_up_to_the_first_one_that_is_not_old,
];

async fn latest(store: &Store) -> ChangeToken {
    store.latest().await.unwrap()
}

/// Number of reads after which changes are missing.
const MAX_READS: u32 = 50_000;

/// Reads this number of changes in pages. They may appear late, because other cases have transactions on the same server.
async fn changes(store: &Store, mut after: ChangeToken, size: i64, count: usize) -> (Vec<Change>, ChangeToken) {
    let (mut found, mut reads) = (Vec::new(), 0);
    while found.len() < count {
        let page = store.changes(after, PageSize::parse(size).unwrap()).await.unwrap();
        assert!(page.entries.len() == usize::try_from(size).unwrap() || !page.has_more);
        found.extend(page.entries);
        after = page.next;
        reads += 1;
        assert!(reads < MAX_READS, "{found:?}");
    }
    (found, after)
}

/// Id and version of each of this number of changes.
async fn versions(store: &Store, after: ChangeToken, size: i64, count: usize) -> Vec<(StudentId, i64)> {
    let (found, _) = changes(store, after, size, count).await;
    found.into_iter().map(|change| (change.student_id, change.version.get())).collect()
}

async fn insert(store: &Store, roll_no: i64) -> Record<Student> {
    students(store).insert(student("Asha", roll_no), &at(T0)).await.unwrap()
}

fn set_age(years: i64) -> StudentPatch {
    StudentPatch { age: Some(Age::parse(years).ok()), ..StudentPatch::default() }
}

async fn every_write_of_a_student_is_one_change(store: Store) {
    let start = latest(&store).await;
    let asha = insert(&store, 1).await;
    let later = T0 + Duration::HOUR;
    students(&store).update(asha.id, None, set_age(21), &at(later)).await.unwrap();
    students(&store).update(asha.id, None, set_age(21), &at(later)).await.unwrap();
    students(&store).delete(asha.id, None, &at(later)).await.unwrap();
    let (found, _) = changes(&store, start, 1_000, 4).await;
    let expected = [(1, Some(T0)), (2, Some(later)), (3, Some(later)), (4, None)];
    assert_eq!(found.len(), expected.len());
    for (change, (version, at)) in found.into_iter().zip(expected) {
        assert_eq!((change.student_id, change.version.get(), change.student), (asha.id, version, None));
        assert!(at.is_none_or(|at| at == change.at), "{}", change.at);
        assert_eq!(change.at.nanosecond() % 1_000, 0, "whole microseconds");
    }
}

async fn rejected_write_is_no_change(store: Store) {
    let start = latest(&store).await;
    let asha = insert(&store, 1).await;
    students(&store).insert(student("Ravi", 1), &at(T0)).await.unwrap_err();
    let stale = Version::new(7);
    students(&store).update(asha.id, stale, set_age(21), &at(T0)).await.unwrap_err();
    students(&store).delete(asha.id, stale, &at(T0)).await.unwrap_err();
    let ravi = insert(&store, 2).await;
    assert_eq!(versions(&store, start, 1_000, 2).await, [(asha.id, 1), (ravi.id, 1)]);
}

async fn change_contains_the_student_as_it_is_now(store: Store) {
    let start = latest(&store).await;
    let asha = insert(&store, 1).await;
    let updated = students(&store).update(asha.id, None, set_age(21), &at(T0)).await.unwrap();
    let (found, _) = changes(&store, start, 1_000, 2).await;
    assert!(found.iter().all(|change| change.student.as_ref() == Some(&updated)), "{found:?}");
}

async fn pages_of_changes_contain_each_change_once(store: Store) {
    let start = latest(&store).await;
    let mut expected = Vec::new();
    for roll_no in 1..=7 {
        expected.push((insert(&store, roll_no).await.id, 1));
    }
    for size in [1, 2, 7, 8] {
        assert_eq!(versions(&store, start, size, 7).await, expected, "{size}");
    }
    let (_, end) = changes(&store, start, 3, 7).await;
    let none = store.changes(end, PageSize::ONE).await.unwrap();
    assert_eq!((none.entries.len(), none.next, none.has_more), (0, end, false));
    assert_eq!(latest(&store).await, end);
}

/// A follower reads while the writes go on.
async fn concurrent_writes_are_all_changes(store: Store) {
    const WRITERS: i64 = 16;
    const WRITES: i64 = 8;
    let start = latest(&store).await;
    let writers = (0..WRITERS).map(async |writer| {
        let asha = insert(&store, 1 + writer).await;
        for years in 1..WRITES {
            students(&store).update(asha.id, None, set_age(years), &at(T0)).await.unwrap();
        }
    });
    let total = usize::try_from(WRITERS * WRITES).unwrap();
    let (_, mut found) = join(join_all(writers), versions(&store, start, 5, total)).await;
    found.sort_unstable();
    let list = students(&store).page(&StudentFilter::default(), PageRequest::LARGEST).await.unwrap();
    let expected = list.entries.iter().flat_map(|student| (1..=WRITES).map(|version| (student.id, version)));
    assert_eq!(found, expected.collect::<Vec<_>>());
}

async fn tokens_outside_of_the_feed_are_rejected(store: Store) {
    insert(&store, 1).await;
    let token = latest(&store).await;
    let read = async |token| store.changes(token, PageSize::ONE).await;
    let other = ChangeToken { feed: token.feed ^ 1, ..token };
    assert!(matches!(read(other).await, Err(ChangesError::OtherFeed)));
    for (transactions, number) in [(0, i64::MAX), (1 << 62, 0)] {
        let position = ChangePosition { transaction: token.position.transaction + transactions, number };
        assert!(matches!(read(ChangeToken { position, ..token }).await, Err(ChangesError::FromTheFuture)));
    }
    let start = ChangeToken { position: ChangePosition::START, ..token };
    read(start).await.unwrap();
}

async fn deleted_changes_expire_the_tokens_before_them(store: Store) {
    let start = latest(&store).await;
    for roll_no in 1..=5 {
        insert(&store, roll_no).await;
    }
    let (_, second) = changes(&store, start, 1, 2).await;
    let (_, third) = changes(&store, start, 1, 3).await;
    let (_, end) = changes(&store, start, 1, 5).await;
    assert_eq!(store.delete_before(T0 + Duration::HOUR, 3).await.unwrap(), 3);
    for expired in [start, second] {
        assert!(matches!(store.changes(expired, PageSize::ONE).await, Err(ChangesError::Expired)));
    }
    assert_eq!(versions(&store, third, 1, 2).await.len(), 2);
    assert_eq!(store.delete_before(T0 + Duration::HOUR, 3).await.unwrap(), 2);
    assert_eq!(store.delete_before(T0 + Duration::HOUR, 3).await.unwrap(), 0);
    assert_eq!(latest(&store).await, end, "the position of an emptied feed");
    let last = insert(&store, 6).await;
    assert_eq!(versions(&store, end, 1, 1).await, [(last.id, 1)]);
}

async fn changes_are_deleted_up_to_the_first_one_that_is_not_old(store: Store) {
    let start = latest(&store).await;
    for (roll_no, days) in (1..).zip([0, 1, 3, 1]) {
        let by = at(T0 + Duration::days(days));
        students(&store).insert(student("Asha", roll_no), &by).await.unwrap();
    }
    let (_, second) = changes(&store, start, 1, 2).await;
    changes(&store, second, 1, 2).await;
    assert_eq!(store.delete_before(T0 + Duration::days(2), 1_000).await.unwrap(), 2);
    assert_eq!(versions(&store, second, 1_000, 2).await.len(), 2);
}
