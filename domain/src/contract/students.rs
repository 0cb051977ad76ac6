//! Contract of the [`RecordStore`] of students, in addition to the cases for all records.

use std::sync::Arc;

use super::fixtures::{T0, at};
use super::{Case, cases};
use crate::record::{Record, RecordError, RecordStore, Sample as _};
use crate::student::{
    Age, ExternalId, NamePart, RollNumber, Student, StudentConflict, StudentFilter, StudentName, StudentPatch,
};
use crate::{Email, Filter as _, MAX_ID, Order, PageRequest, PageSize, Text};

pub(super) type Store = Arc<dyn RecordStore<Student>>;

/// The cases.
pub const STUDENTS: &[Case<dyn RecordStore<Student>>] = cases![dyn RecordStore<Student>:
    text_and_numbers_are_stored_exactly,
    age_can_be_cleared_and_set,
    replacement_sets_every_field,
    roll_number_filter_finds_its_student,
    email_filter_ignores_case,
    external_id_is_unique_and_case_sensitive,
    external_id_can_be_cleared_and_used_again,
    filters_are_combined_with_and,
    lists_are_sorted_in_each_order,
];

pub(super) fn student(name: &str, roll_no: i64) -> Student {
    Student {
        name: StudentName::parse(name).unwrap(),
        roll_no: RollNumber::parse(roll_no).unwrap(),
        external_id: None,
        ..Student::sample(1)
    }
}

pub(super) async fn insert(store: &Store, name: &str, roll_no: i64) -> Record<Student> {
    store.insert(student(name, roll_no), &at(T0)).await.unwrap()
}

pub(super) async fn names(store: &Store, filter: &StudentFilter) -> Vec<String> {
    let page = store.page(filter, PageRequest::LARGEST).await.unwrap();
    page.entries.into_iter().map(|student| student.name.as_str().to_owned()).collect()
}

pub(super) fn named(part: &str) -> StudentFilter {
    StudentFilter { name: Some(NamePart::parse(part).unwrap()), ..StudentFilter::default() }
}

fn with_roll_number(roll_no: i64) -> StudentFilter {
    StudentFilter { roll_no: Some(RollNumber::parse(roll_no).unwrap()), ..StudentFilter::default() }
}

async fn text_and_numbers_are_stored_exactly(store: Store) {
    let new = Student {
        email: Email::parse("A.B+c'd@EXAMPLE.org").unwrap(),
        age: None,
        external_id: ExternalId::parse("आ १२/\"'%_\\").ok(),
        ..student(" O'Neil \"%_\\ 李 👩‍🎓 é", MAX_ID)
    };
    let inserted = store.insert(new.clone(), &at(T0)).await.unwrap();
    assert_eq!(store.find(inserted.id).await.unwrap().unwrap().fields, new);
}

async fn age_can_be_cleared_and_set(store: Store) {
    let asha = insert(&store, "Asha", 7).await;
    for age in [None, Age::parse(21).ok(), None] {
        let patch = StudentPatch { age: Some(age), ..StudentPatch::default() };
        let updated = store.update(asha.id, None, patch, &at(T0)).await.unwrap();
        assert_eq!(updated.fields, Student { age, ..asha.fields.clone() });
        assert_eq!(store.find(asha.id).await.unwrap(), Some(updated));
    }
}

async fn replacement_sets_every_field(store: Store) {
    let asha = insert(&store, "Asha", 7).await;
    let next = Student {
        name: StudentName::parse("Ravi").unwrap(),
        email: Email::parse("ravi@example.org").unwrap(),
        roll_no: RollNumber::parse(8).unwrap(),
        age: None,
        external_id: None,
    };
    let updated = store.update(asha.id, None, next.clone().into(), &at(T0)).await.unwrap();
    assert_eq!((updated.id, &updated.fields), (asha.id, &next));
    assert_eq!(store.find(asha.id).await.unwrap(), Some(updated));
}

async fn roll_number_filter_finds_its_student(store: Store) {
    insert(&store, "Asha", 7).await;
    insert(&store, "Ravi", 8).await;
    assert_eq!(names(&store, &with_roll_number(8)).await, ["Ravi"]);
    assert!(names(&store, &with_roll_number(9)).await.is_empty());
}

async fn email_filter_ignores_case(store: Store) {
    for (roll_no, email) in (1..).zip(["A.b@Example.org", "ab@example.org", "a.B@example.ORG", "a.b@example.org.uk"]) {
        let email = Email::parse(email).unwrap();
        store.insert(Student { email, ..student("Asha", roll_no) }, &at(T0)).await.unwrap();
    }
    let filter = StudentFilter { email: Email::parse("A.B@EXAMPLE.org").ok(), ..StudentFilter::default() };
    let mut request = PageRequest::ONE;
    for (expected, has_next) in [(1, true), (3, false)] {
        let page = store.page(&filter, request.clone()).await.unwrap();
        let roll_numbers: Vec<_> = page.entries.iter().map(|student| student.roll_no.get()).collect();
        assert_eq!((roll_numbers, page.next.is_some()), (vec![expected], has_next));
        request.after = page.next;
    }
}

fn with_external_id(id: &str, name: &str, roll_no: i64) -> Student {
    Student { external_id: Some(ExternalId::parse(id).unwrap()), ..student(name, roll_no) }
}

async fn external_id_is_unique_and_case_sensitive(store: Store) {
    for (roll_no, id) in (1..).zip(["A12", "a12", "007", "7"]) {
        store.insert(with_external_id(id, id, roll_no), &at(T0)).await.unwrap();
    }
    let filter = |id| StudentFilter { external_id: ExternalId::parse(id).ok(), ..StudentFilter::default() };
    for (id, found) in [("A12", vec!["A12"]), ("a12", vec!["a12"]), ("7", vec!["7"]), ("07", vec![])] {
        assert_eq!(names(&store, &filter(id)).await, found, "{id}");
    }
    let is_taken = |outcome| matches!(outcome, Err(RecordError::Rejected(StudentConflict::ExternalIdTaken)));
    assert!(is_taken(store.insert(with_external_id("007", "Asha", 9), &at(T0)).await));
    let first = store.page(&filter("A12"), PageRequest::ONE).await.unwrap().entries.remove(0);
    let patch = StudentPatch { external_id: Some(ExternalId::parse("a12").ok()), ..StudentPatch::default() };
    assert!(is_taken(store.update(first.id, None, patch, &at(T0)).await));
    assert_eq!(store.find(first.id).await.unwrap(), Some(first));
}

async fn external_id_can_be_cleared_and_used_again(store: Store) {
    let asha = store.insert(with_external_id("A12", "Asha", 1), &at(T0)).await.unwrap();
    let set = |external_id| StudentPatch { external_id: Some(external_id), ..StudentPatch::default() };
    let cleared = store.update(asha.id, None, set(None), &at(T0)).await.unwrap();
    assert_eq!(cleared.fields, Student { external_id: None, ..asha.fields });
    let ravi = store.insert(with_external_id("A12", "Ravi", 2), &at(T0)).await.unwrap();
    // Any number of students have none.
    store.update(ravi.id, None, set(None), &at(T0)).await.unwrap();
    let meera = store.insert(Student { external_id: None, ..student("Meera", 3) }, &at(T0)).await.unwrap();
    let updated = store.update(meera.id, None, set(ExternalId::parse("A12").ok()), &at(T0)).await.unwrap();
    assert_eq!(store.find(meera.id).await.unwrap(), Some(updated));
}

async fn filters_are_combined_with_and(store: Store) {
    insert(&store, "Asha", 7).await;
    insert(&store, "Asha", 8).await;
    let filter = StudentFilter { name: named("asha").name, ..with_roll_number(8) };
    let page = store.page(&filter, PageRequest::LARGEST).await.unwrap();
    assert_eq!(page.entries.iter().map(|student| student.roll_no.get()).collect::<Vec<_>>(), [8]);
    let filter = StudentFilter { name: named("ravi").name, ..with_roll_number(8) };
    assert!(names(&store, &filter).await.is_empty());
}

/// Several students have the same name, so that pages end among them.
async fn lists_are_sorted_in_each_order(store: Store) {
    let stored =
        [("Ravi", 5), ("Émile", 9), ("asha", 3), ("Asha", 10), ("Zoe", 1), ("Eva", 7), ("Ásha", 2), ("Ravi", 4)];
    for (name, roll_no) in stored {
        insert(&store, name, roll_no).await;
    }
    for (order, expected) in
        [("id", [5, 9, 3, 10, 1, 7, 2, 4]), ("roll_no", [1, 2, 3, 4, 5, 7, 9, 10]), ("name", [3, 10, 2, 9, 7, 5, 4, 1])]
    {
        for (order, expected) in
            [(order.to_owned(), expected.to_vec()), (format!("-{order}"), expected.into_iter().rev().collect())]
        {
            let order = Order::parse(&order, StudentFilter::SORT_KEYS).unwrap();
            for size in 1..=9 {
                let (mut found, mut request) =
                    (Vec::new(), PageRequest { order, size: PageSize::parse(size).unwrap(), after: None });
                // Ends if a page is repeated.
                while found.len() <= expected.len() {
                    let page = store.page(&StudentFilter::default(), request.clone()).await.unwrap();
                    found.extend(page.entries.iter().map(|student| student.roll_no.get()));
                    let Some(next) = page.next else { break };
                    assert_eq!(next.order(StudentFilter::SORT_KEYS), Some(order));
                    request.after = next.to_string().parse().ok();
                }
                assert_eq!(found, expected, "{order} {size}");
            }
        }
    }
}
