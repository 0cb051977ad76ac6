//! What every [`StudentStore`] must do.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use time::Duration;

use super::{Case, T0, at, cases};
use crate::student::{
    Age, Email, InsertError, NamePart, RemoveError, ReplaceError, RollNumber, Student, StudentFields, StudentFilter,
    StudentId, StudentName, StudentPatch, StudentStore,
};
use crate::{Cursor, MAX_ID, PageSize, Version};

type Store = Arc<dyn StudentStore>;

/// The cases.
pub const STUDENT_STORE: &[Case<dyn StudentStore>] = cases![dyn StudentStore:
    a_new_student_is_found_as_answered,
    text_and_numbers_are_kept_to_the_letter,
    an_unknown_student_is_none,
    a_roll_number_is_unique,
    one_of_many_concurrent_inserts_gets_the_roll_number,
    an_amendment_changes_what_it_sets,
    an_amendment_can_forget_the_age,
    a_replacement_sets_every_field,
    every_write_makes_a_new_version,
    a_stale_version_changes_nothing,
    one_of_many_concurrent_changes_of_a_version_succeeds,
    an_unknown_student_cannot_be_changed,
    a_taken_roll_number_changes_nothing,
    a_student_keeps_its_own_roll_number,
    a_removed_student_is_gone,
    a_stale_version_removes_nothing,
    a_removed_roll_number_is_free_again,
    an_id_is_never_used_twice,
    pages_walk_the_roll_once_in_order,
    a_cursor_outlives_its_student,
    a_name_is_found_by_a_part_whatever_its_case,
    a_search_takes_no_wildcards,
    a_roll_number_is_found,
    filters_are_joined_by_and,
];

fn fields(name: &str, roll_no: i64) -> StudentFields {
    StudentFields {
        name: StudentName::parse(name).unwrap(),
        email: Email::parse("someone@example.org").unwrap(),
        roll_no: RollNumber::parse(roll_no).unwrap(),
        age: Some(Age::parse(20).unwrap()),
    }
}

async fn enrol(store: &Store, name: &str, roll_no: i64) -> Student {
    store.insert(fields(name, roll_no), &at(T0)).await.unwrap()
}

async fn names(store: &Store, filter: &StudentFilter) -> Vec<String> {
    let page = store.page(filter, None, PageSize::LARGEST).await.unwrap();
    page.entries.into_iter().map(|s| s.fields.name.as_str().to_owned()).collect()
}

fn named(part: &str) -> StudentFilter {
    StudentFilter { name: Some(NamePart::parse(part).unwrap()), roll_no: None }
}

fn age(years: i64) -> StudentPatch {
    StudentPatch { age: Some(Some(Age::parse(years).unwrap())), ..StudentPatch::default() }
}

async fn a_new_student_is_found_as_answered(store: Store) {
    let made = enrol(&store, "Asha", 7).await;
    assert_eq!(made.fields, fields("Asha", 7));
    assert_eq!(made.version, Version::FIRST);
    assert_eq!((made.created_at, made.updated_at), (T0, T0));
    assert_eq!(store.find(made.id).await.unwrap(), Some(made));
}

async fn text_and_numbers_are_kept_to_the_letter(store: Store) {
    let mut new = fields(" O'Neil \"%_\\ 李 👩‍🎓 e\u{301}", MAX_ID);
    new.email = Email::parse("A.B+c'd@EXAMPLE.org").unwrap();
    new.age = None;
    let made = store.insert(new.clone(), &at(T0)).await.unwrap();
    assert_eq!(store.find(made.id).await.unwrap().unwrap().fields, new);
}

async fn an_unknown_student_is_none(store: Store) {
    for id in [1, MAX_ID] {
        assert_eq!(store.find(StudentId::try_from(id).unwrap()).await.unwrap(), None);
    }
}

async fn a_roll_number_is_unique(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let refused = store.insert(fields("Ravi", 7), &at(T0)).await;
    assert!(matches!(refused, Err(InsertError::RollNumberTaken)), "{refused:?}");
    assert_eq!(names(&store, &StudentFilter::default()).await, [asha.fields.name.as_str()]);
}

async fn one_of_many_concurrent_inserts_gets_the_roll_number(store: Store) {
    let by = at(T0);
    let made = join_all((0..16).map(|i| store.insert(fields(&format!("Student {i}"), 7), &by))).await;
    let (won, lost): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|lost| matches!(lost, Err(InsertError::RollNumberTaken))), "{lost:?}");
    assert_eq!(names(&store, &StudentFilter::default()).await.len(), 1);
}

async fn an_amendment_changes_what_it_sets(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let later = T0 + Duration::HOUR;
    let patch = StudentPatch { name: Some(StudentName::parse("Åsa").unwrap()), ..StudentPatch::default() };
    let changed = store.amend(asha.id, Some(asha.version), patch, &at(later)).await.unwrap();
    assert_eq!(changed.fields, fields("Åsa", 7));
    assert_eq!((changed.created_at, changed.updated_at), (T0, later));
    assert_eq!(store.find(asha.id).await.unwrap(), Some(changed));
    assert_eq!(names(&store, &named("åsA")).await, ["Åsa"]);
    assert!(names(&store, &named("asha")).await.is_empty());
}

async fn an_amendment_can_forget_the_age(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let patch = StudentPatch { age: Some(None), ..StudentPatch::default() };
    let changed = store.amend(asha.id, None, patch, &at(T0)).await.unwrap();
    assert_eq!(changed.fields.age, None);
    let changed = store.amend(asha.id, None, age(21), &at(T0)).await.unwrap();
    assert_eq!(changed.fields.age, Age::parse(21).ok());
}

async fn a_replacement_sets_every_field(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let next = StudentFields {
        name: StudentName::parse("Ravi").unwrap(),
        email: Email::parse("ravi@example.org").unwrap(),
        roll_no: RollNumber::parse(8).unwrap(),
        age: None,
    };
    let changed = store.replace(asha.id, None, next.clone(), &at(T0)).await.unwrap();
    assert_eq!((changed.id, &changed.fields), (asha.id, &next));
    assert_eq!(store.find(asha.id).await.unwrap(), Some(changed));
}

async fn every_write_makes_a_new_version(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let mut versions = HashSet::from([asha.version.get()]);
    for _ in 0..3 {
        let changed = store.replace(asha.id, None, asha.fields.clone(), &at(T0)).await.unwrap();
        assert!(versions.insert(changed.version.get()));
    }
}

async fn a_stale_version_changes_nothing(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let changed = store.amend(asha.id, Some(asha.version), age(21), &at(T0)).await.unwrap();
    let refused = store.amend(asha.id, Some(asha.version), age(22), &at(T0)).await;
    assert!(matches!(refused, Err(ReplaceError::Stale)), "{refused:?}");
    assert_eq!(store.find(asha.id).await.unwrap(), Some(changed));
}

async fn one_of_many_concurrent_changes_of_a_version_succeeds(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let by = at(T0);
    let changed = join_all((1..=16).map(|years| store.amend(asha.id, Some(asha.version), age(years), &by))).await;
    let (won, lost): (Vec<_>, Vec<_>) = changed.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|lost| matches!(lost, Err(ReplaceError::Stale))), "{lost:?}");
}

async fn an_unknown_student_cannot_be_changed(store: Store) {
    let nobody = StudentId::try_from(1).unwrap();
    for seen in [None, Some(Version::FIRST)] {
        let refused = store.amend(nobody, seen, age(21), &at(T0)).await;
        assert!(matches!(refused, Err(ReplaceError::Unknown)), "{refused:?}");
        let refused = store.remove(nobody, seen, &at(T0)).await;
        assert!(matches!(refused, Err(RemoveError::Unknown)), "{refused:?}");
    }
}

async fn a_taken_roll_number_changes_nothing(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    enrol(&store, "Ravi", 8).await;
    let refused = store.replace(asha.id, None, fields("Åsa", 8), &at(T0)).await;
    assert!(matches!(refused, Err(ReplaceError::RollNumberTaken)), "{refused:?}");
    assert_eq!(store.find(asha.id).await.unwrap(), Some(asha));
}

async fn a_student_keeps_its_own_roll_number(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let changed = store.replace(asha.id, None, fields("Åsa", 7), &at(T0)).await.unwrap();
    assert_eq!(changed.fields, fields("Åsa", 7));
}

async fn a_removed_student_is_gone(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    store.remove(asha.id, Some(asha.version), &at(T0)).await.unwrap();
    assert_eq!(store.find(asha.id).await.unwrap(), None);
    assert!(names(&store, &StudentFilter::default()).await.is_empty());
    let refused = store.remove(asha.id, None, &at(T0)).await;
    assert!(matches!(refused, Err(RemoveError::Unknown)), "{refused:?}");
}

async fn a_stale_version_removes_nothing(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    let changed = store.amend(asha.id, None, age(21), &at(T0)).await.unwrap();
    let refused = store.remove(asha.id, Some(asha.version), &at(T0)).await;
    assert!(matches!(refused, Err(RemoveError::Stale)), "{refused:?}");
    assert_eq!(store.find(asha.id).await.unwrap(), Some(changed));
}

async fn a_removed_roll_number_is_free_again(store: Store) {
    let asha = enrol(&store, "Asha", 7).await;
    store.remove(asha.id, None, &at(T0)).await.unwrap();
    assert_eq!(enrol(&store, "Ravi", 7).await.fields.roll_no, asha.fields.roll_no);
}

async fn an_id_is_never_used_twice(store: Store) {
    let mut ids = HashSet::new();
    for _ in 0..3 {
        let made = enrol(&store, "Asha", 7).await;
        assert!(ids.insert(made.id), "{} was given twice", made.id);
        store.remove(made.id, None, &at(T0)).await.unwrap();
    }
}

async fn pages_walk_the_roll_once_in_order(store: Store) {
    let mut made = Vec::new();
    for i in 1..=7 {
        made.push(enrol(&store, &format!("Student {i}"), 100 - i).await);
    }
    let two = PageSize::parse(2).unwrap();
    let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.page(&StudentFilter::default(), after, two).await.unwrap();
        assert!(page.entries.len() <= 2);
        seen.extend(page.entries);
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), (made, 4));

    let all = store.page(&StudentFilter::default(), None, PageSize::parse(7).unwrap()).await.unwrap();
    assert_eq!((all.entries.len(), all.next), (7, None), "a full last page has no next");
}

async fn a_cursor_outlives_its_student(store: Store) {
    let first = enrol(&store, "Asha", 1).await;
    enrol(&store, "Ravi", 2).await;
    store.remove(first.id, None, &at(T0)).await.unwrap();
    let page = store.page(&StudentFilter::default(), Some(Cursor::behind(&first)), PageSize::ONE).await.unwrap();
    assert_eq!(page.entries[0].fields.name.as_str(), "Ravi");
}

async fn a_name_is_found_by_a_part_whatever_its_case(store: Store) {
    for (i, name) in (1..).zip(["Asha Rao", "Åsa Strauß", "Sasha", "Ravi"]) {
        enrol(&store, name, i).await;
    }
    assert_eq!(names(&store, &named("ASHA")).await, ["Asha Rao", "Sasha"]);
    assert_eq!(names(&store, &named("å")).await, ["Åsa Strauß"]);
    assert_eq!(names(&store, &named("STRAUSS")).await, ["Åsa Strauß"]);
    assert!(names(&store, &named("xyz")).await.is_empty());
}

async fn a_search_takes_no_wildcards(store: Store) {
    for (i, name) in (1..).zip(["100% Asha", "Under_score", "Back\\slash", "Plain"]) {
        enrol(&store, name, i).await;
    }
    assert_eq!(names(&store, &named("%")).await, ["100% Asha"]);
    assert_eq!(names(&store, &named("_")).await, ["Under_score"]);
    assert_eq!(names(&store, &named("\\")).await, ["Back\\slash"]);
}

async fn a_roll_number_is_found(store: Store) {
    enrol(&store, "Asha", 7).await;
    enrol(&store, "Ravi", 8).await;
    let by_roll_no = |n| StudentFilter { roll_no: RollNumber::parse(n).ok(), name: None };
    assert_eq!(names(&store, &by_roll_no(8)).await, ["Ravi"]);
    assert!(names(&store, &by_roll_no(9)).await.is_empty());
}

async fn filters_are_joined_by_and(store: Store) {
    enrol(&store, "Asha", 7).await;
    enrol(&store, "Asha", 8).await;
    let filter = StudentFilter { roll_no: RollNumber::parse(8).ok(), ..named("asha") };
    let page = store.page(&filter, None, PageSize::LARGEST).await.unwrap();
    assert_eq!(page.entries.iter().map(|s| s.fields.roll_no.get()).collect::<Vec<_>>(), [8]);
    let filter = StudentFilter { roll_no: RollNumber::parse(8).ok(), ..named("ravi") };
    assert!(names(&store, &filter).await.is_empty());
}
