//! Rules about rows that release 1.0 writes, before this release migrates the schema or while its nodes run.

use domain::audit::{AuditLog, EventFilter};
use domain::record::{Record, RecordStore, Sample};
use domain::student::{NameIndex, NamePart, Student, StudentFilter, StudentName, StudentPatch};
use domain::user::{NewUser, User};
use domain::{Actor, ActorId, PageRequest, PageSize, Text};
use libtest_mimic::Trial;
use time::macros::datetime;
use tokio::runtime::Runtime;

use super::Adapter;

static BY: Actor = Actor::here(ActorId::Operator, datetime!(2026-11-23 12:00 UTC));

/// Creates the trials from generic async functions.
macro_rules! trials {
    ($($name:ident),+ $(,)?) => {
        pub fn trials<A: Adapter>() -> Vec<Trial> {
            vec![$(Trial::test(format!("{}::release_1_0::{}", A::NAME, stringify!($name)), || {
                let database = A::create();
                Runtime::new()?.block_on(async {
                    let store = A::on(&database).await;
                    $name(&database, &store).await;
                });
                Ok(())
            })),+]
        }
    };
}

trials! {
    name_written_by_release_1_0_is_found,
    name_changed_by_release_1_0_is_found_by_the_new_one,
    completed_index_finds_the_same_students,
    pages_contain_each_match_once_before_filling,
    changed_name_with_equal_search_form_is_found,
    student_deleted_by_release_1_0_is_not_found,
    names_beyond_those_of_one_read_are_found_before_filling,
    student_that_changes_while_names_are_indexed_is_found,
    username_of_release_1_0_is_preferred,
    event_of_release_1_0_is_found_by_time,
    writes_of_release_1_0_are_changes,
}

async fn insert<A: Adapter>(store: &A, name: &str, n: u32) -> Record<Student> {
    let new = Student { name: StudentName::parse(name).expect("a name"), ..Student::sample(n) };
    RecordStore::<Student>::insert(store, new, &BY).await.expect("a student")
}

/// Inserts rows like the first student with another name, and with these roll numbers.
async fn insert_by_release_1_0<A: Adapter>(database: &A::Database, name: &str, folded: &str, first: i64, last: i64) {
    let sql = format!(
        "INSERT INTO students (name, name_folded, email, roll_no, version, created_at, updated_at)
         WITH RECURSIVE numbers (number) AS
             (SELECT {first} UNION ALL SELECT number + 1 FROM numbers WHERE number < {last})
         SELECT '{name}', '{folded}', email, number, 1, created_at, updated_at FROM students, numbers WHERE id = 1"
    );
    A::execute(database, &sql).await;
}

async fn roll_numbers<A: Adapter>(store: &A, part: &str, request: PageRequest) -> (Vec<i64>, PageRequest) {
    let filter = StudentFilter { name: NamePart::parse(part).ok(), ..StudentFilter::default() };
    let page = RecordStore::<Student>::page(store, &filter, request.clone()).await.expect("a page");
    let numbers = page.entries.iter().map(|student| student.roll_no.get()).collect();
    (numbers, PageRequest { after: page.next, ..request })
}

async fn found<A: Adapter>(store: &A, part: &str) -> Vec<i64> {
    roll_numbers(store, part, PageRequest::LARGEST).await.0
}

async fn name_written_by_release_1_0_is_found<A: Adapter>(database: &A::Database, store: &A) {
    insert(store, "Asha", 1).await;
    insert_by_release_1_0::<A>(database, "Nu\u{301}n\u{303}ez", "nu\u{301}n\u{303}ez", 2, 2).await;
    for part in ["nunez", "NÚÑEZ", "u\u{301}"] {
        assert_eq!(found(store, part).await, [2], "{part}");
    }
    assert_eq!(store.index_missing().await.expect("a step"), Some(1));
    assert_eq!(found(store, "nunez").await, [2]);
}

async fn name_changed_by_release_1_0_is_found_by_the_new_one<A: Adapter>(database: &A::Database, store: &A) {
    insert(store, "Asha", 1).await;
    A::execute(database, "UPDATE students SET name = 'Núñez', name_folded = 'núñez', version = 2").await;
    assert_eq!(found(store, "nunez").await, [1]);
    assert!(found(store, "asha").await.is_empty());
    assert_eq!(store.index_missing().await.expect("a step"), Some(1));
    assert_eq!((found(store, "nunez").await, found(store, "asha").await), (vec![1], vec![]));
    A::execute(database, "UPDATE students SET age = 21, version = 3").await;
    assert_eq!(store.missing().await.expect("a number"), 0);
}

async fn completed_index_finds_the_same_students<A: Adapter>(database: &A::Database, store: &A) {
    insert(store, "Núñez", 1).await;
    insert_by_release_1_0::<A>(database, "Núñez", "núñez", 2, 1_200).await;
    let dynamic: &dyn NameIndex = store;
    assert_eq!(dynamic.missing().await.expect("a number"), 1_199);
    let mut reported = Vec::new();
    dynamic.index_all(|percentage| reported.push(percentage)).await.expect("an index of all");
    assert!(reported.is_sorted() && reported.ends_with(&[100]), "{reported:?}");
    assert_eq!(dynamic.missing().await.expect("a number"), 0);
    let (first, next) = roll_numbers(store, "nunez", PageRequest::LARGEST).await;
    assert_eq!((first.len(), next.after.is_some()), (1_000, true));
}

/// Matches are rare, so that a page needs more rows than its size.
async fn pages_contain_each_match_once_before_filling<A: Adapter>(database: &A::Database, store: &A) {
    insert(store, "İsmail", 1).await;
    for roll_no in 2..=30 {
        let name = if roll_no % 7 == 0 { "İsmail" } else { "Asha" };
        insert_by_release_1_0::<A>(database, name, "unused", roll_no, roll_no).await;
    }
    let mut request = PageRequest { size: PageSize::parse(2).expect("a size"), ..PageRequest::default() };
    let mut pages = Vec::new();
    loop {
        let (numbers, next) = roll_numbers(store, "ismail", request).await;
        pages.push(numbers);
        request = next;
        if request.after.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec![1, 7], vec![14, 21], vec![28]]);
}

/// The search form that this release writes is cleared, because it looks like a change by release 1.0.
async fn changed_name_with_equal_search_form_is_found<A: Adapter>(_: &A::Database, store: &A) {
    let asha = insert(store, "Asha", 1).await;
    let patch = StudentPatch { name: StudentName::parse("Áshá").ok(), ..StudentPatch::default() };
    let changed = RecordStore::<Student>::update(store, asha.id, None, patch, &BY).await.expect("a student");
    assert_eq!(changed.name.as_str(), "Áshá");
    assert_eq!(found(store, "asha").await, [1]);
}

async fn student_deleted_by_release_1_0_is_not_found<A: Adapter>(database: &A::Database, store: &A) {
    insert(store, "Asha", 1).await;
    insert(store, "Sasha", 2).await;
    A::execute(database, "DELETE FROM students WHERE id = 1").await;
    assert_eq!(found(store, "asha").await, [2]);
    let dynamic: &dyn NameIndex = store;
    dynamic.index_all(|_| {}).await.expect("an index of all");
    assert_eq!(found(store, "asha").await, [2]);
}

async fn names_beyond_those_of_one_read_are_found_before_filling<A: Adapter>(database: &A::Database, store: &A) {
    insert(store, "Asha", 1).await;
    insert_by_release_1_0::<A>(database, "Asha", "asha", 2, 1_100).await;
    insert_by_release_1_0::<A>(database, "Núñez", "núñez", 1_101, 1_101).await;
    insert(store, "Nunez", 1_102).await;
    assert_eq!(found(store, "nunez").await, [1_101, 1_102]);
}

async fn student_that_changes_while_names_are_indexed_is_found<A: Adapter>(database: &A::Database, store: &A) {
    insert(store, "Asha", 1).await;
    insert_by_release_1_0::<A>(database, "Asha", "asha", 2, 1_100).await;
    store.index_missing().await.expect("a step");
    for (id, name) in [(2, "Núñez"), (1_000, "Nunez")] {
        A::execute(database, &format!("UPDATE students SET name = '{name}', version = 2 WHERE id = {id}")).await;
    }
    for _ in 0..2 {
        assert_eq!(found(store, "nunez").await, [2, 1_000]);
        let dynamic: &dyn NameIndex = store;
        dynamic.index_all(|_| {}).await.expect("an index of all");
    }
}

/// Two users that release 1.0 distinguished.
async fn username_of_release_1_0_is_preferred<A: Adapter>(database: &A::Database, store: &A) {
    for (n, name) in (1..).zip(["A\u{30a}sa", "other"]) {
        let new = NewUser { username: name.parse().expect("a username"), ..User::sample(n) };
        RecordStore::<User>::insert(store, new, &BY).await.expect("a user");
    }
    let rename = "UPDATE users SET username = 'A\u{30a}sa', username_folded = 'a\u{30a}sa' WHERE id = 2";
    A::execute(database, rename).await;
    for (name, id) in [("Åsa", 1), ("A\u{30a}SA", 2), ("\u{212b}sa", 1), ("Åｓa", 1)] {
        let found = store.find_credentials(&name.parse().expect("a username")).await.expect("a result");
        assert_eq!(found.map(|found| found.user.id.get()), Some(id), "{name}");
    }
}

async fn event_of_release_1_0_is_found_by_time<A: Adapter>(database: &A::Database, store: &A) {
    insert(store, "Asha", 1).await;
    let copy = "INSERT INTO audit_events (at, actor, action, count) SELECT at, 'service', action, 1 FROM audit_events";
    A::execute(database, copy).await;
    let filter = EventFilter { since: Some(BY.at), ..EventFilter::default() };
    let found = AuditLog::page(store, &filter, PageRequest::LARGEST).await.expect("a page").entries;
    let actors: Vec<_> = found.into_iter().map(|event| event.what.by.id).collect();
    assert_eq!(actors, [ActorId::Operator, ActorId::Service]);
}

async fn writes_of_release_1_0_are_changes<A: Adapter>(database: &A::Database, store: &A) {
    let mut token = store.latest().await.expect("a token");
    insert(store, "Asha", 1).await;
    insert_by_release_1_0::<A>(database, "Ravi", "ravi", 2, 2).await;
    A::execute(database, "UPDATE students SET age = 21, version = version + 1 WHERE id = 2").await;
    A::execute(database, "DELETE FROM students WHERE id = 2").await;
    let mut found = Vec::new();
    // Transactions of other tests delay the feed on PostgreSQL.
    for _ in 0..50_000 {
        let changes = store.changes(token, PageSize::LARGEST).await.expect("changes");
        found.extend(changes.entries.iter().map(|change| (change.student_id.get(), change.version.get())));
        token = changes.next;
        if found.len() >= 4 {
            break;
        }
    }
    assert_eq!(found, [(1, 1), (2, 1), (2, 2), (2, 3)]);
    // Columns that only new nodes know change without a new version.
    A::execute(database, "UPDATE students SET name_search = NULL").await;
    insert(store, "Meera", 3).await;
    let mut later = Vec::new();
    for _ in 0..50_000 {
        later = store.changes(token, PageSize::LARGEST).await.expect("changes").entries;
        if !later.is_empty() {
            break;
        }
    }
    assert_eq!(later.len(), 1);
}
