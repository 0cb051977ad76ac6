//! Contract of searches for students by parts of their names.

use futures_util::future::join_all;

use super::fixtures::{T0, at};
use super::students::{Store, insert, named, names, student};
use super::{Case, cases};
use crate::record::{Record, RecordStore};
use crate::student::{NamePart, Student, StudentName, StudentPatch};
use crate::{Page, PageRequest, PageSize, Text};

/// The cases.
pub const NAME_SEARCH: &[Case<dyn RecordStore<Student>>] = cases![dyn RecordStore<Student>:
    changed_name_replaces_old_one_in_search,
    deleted_name_is_not_found,
    name_is_found_ignoring_case_and_diacritics,
    vowel_signs_of_devanagari_are_significant,
    wildcards_in_a_name_search_are_literal,
    parts_of_1_to_100_characters_are_found,
    grams_that_are_not_adjacent_are_no_match,
    pages_of_a_search_contain_each_match_once,
    search_equals_a_scan_for_random_names_and_parts,
];

async fn changed_name_replaces_old_one_in_search(store: Store) {
    let asha = insert(&store, "Asha", 7).await;
    let patch = StudentPatch { name: StudentName::parse("Åsa").ok(), ..StudentPatch::default() };
    let updated = store.update(asha.id, None, patch, &at(T0)).await.unwrap();
    assert_eq!(updated.fields, student("Åsa", 7));
    assert_eq!(names(&store, &named("åsA")).await, ["Åsa"]);
    assert!(names(&store, &named("asha")).await.is_empty());
}

async fn name_is_found_ignoring_case_and_diacritics(store: Store) {
    for (roll_no, name) in (1..).zip(["Asha Rao", "Åsa Strauß", "Sasha", "Ravi", "İsmail", "Núñez"]) {
        insert(&store, name, roll_no).await;
    }
    assert_eq!(names(&store, &named("ASHA")).await, ["Asha Rao", "Sasha"]);
    assert_eq!(names(&store, &named("å")).await.len(), 5);
    assert_eq!(names(&store, &named("asa")).await, ["Åsa Strauß"]);
    assert_eq!(names(&store, &named("STRAUSS")).await, ["Åsa Strauß"]);
    for part in ["ismail", "ISMAIL", "İsmail", "I\u{307}SMA"] {
        assert_eq!(names(&store, &named(part)).await, ["İsmail"], "{part}");
    }
    for part in ["nunez", "NÚÑEZ", "nu\u{301}n\u{303}ez"] {
        assert_eq!(names(&store, &named(part)).await, ["Núñez"], "{part}");
    }
    assert!(names(&store, &named("xyz")).await.is_empty());
}

async fn vowel_signs_of_devanagari_are_significant(store: Store) {
    for (roll_no, name) in (1..).zip(["मीरा", "मरा", "क्\u{200d}ष"]) {
        insert(&store, name, roll_no).await;
    }
    assert_eq!(names(&store, &named("मीरा")).await, ["मीरा"]);
    assert_eq!(names(&store, &named("मरा")).await, ["मरा"]);
    assert_eq!(names(&store, &named("क्ष")).await, ["क्\u{200d}ष"]);
}

async fn wildcards_in_a_name_search_are_literal(store: Store) {
    for (roll_no, name) in (1..).zip(["100% Asha", "Under_score", "Back\\slash", "Plain"]) {
        insert(&store, name, roll_no).await;
    }
    assert_eq!(names(&store, &named("%")).await, ["100% Asha"]);
    assert_eq!(names(&store, &named("_")).await, ["Under_score"]);
    assert_eq!(names(&store, &named("\\")).await, ["Back\\slash"]);
}

async fn pages_of_a_search_contain_each_match_once(store: Store) {
    for (roll_no, name) in (1..).zip(["Asha", "Ravi", "Sasha", "Meera", "Asha"]) {
        insert(&store, name, roll_no).await;
    }
    let roll_numbers = |page: &Page<Record<Student>>| page.entries.iter().map(|s| s.roll_no.get()).collect::<Vec<_>>();
    let two = PageSize::parse(2).unwrap();
    let first = store.page(&named("asha"), PageRequest { size: two, ..PageRequest::default() }).await.unwrap();
    let last = store
        .page(&named("asha"), PageRequest { after: first.next.clone(), size: two, ..PageRequest::default() })
        .await
        .unwrap();
    assert_eq!((roll_numbers(&first), roll_numbers(&last)), (vec![1, 3], vec![5]));
    assert!(first.next.is_some() && last.next.is_none());
}

async fn deleted_name_is_not_found(store: Store) {
    let asha = insert(&store, "Asha", 7).await;
    insert(&store, "Sasha", 8).await;
    store.delete(asha.id, None, &at(T0)).await.unwrap();
    assert_eq!(names(&store, &named("asha")).await, ["Sasha"]);
    assert_eq!(names(&store, &named("a")).await, ["Sasha"]);
}

async fn parts_of_1_to_100_characters_are_found(store: Store) {
    let name: String = ('a'..='z').chain('α'..='ω').chain('अ'..='ह').take(100).collect();
    assert_eq!(name.chars().count(), 100);
    insert(&store, &name, 1).await;
    insert(&store, "Asha", 2).await;
    let starts: Vec<_> = name.char_indices().map(|(start, _)| start).chain([name.len()]).collect();
    for size in [1, 2, 3, 4, 6, 10, 50, 100] {
        for window in starts.windows(size + 1) {
            let part = &name[window[0]..window[size]];
            let found = names(&store, &named(part)).await;
            assert!(found.contains(&name), "{part}");
        }
    }
}

async fn grams_that_are_not_adjacent_are_no_match(store: Store) {
    insert(&store, "abcxbcd", 1).await;
    insert(&store, "abcd", 2).await;
    assert_eq!(names(&store, &named("abcd")).await, ["abcd"]);
}

/// Names and parts of few letters of several scripts, so that many names match. Some change and some are deleted.
async fn search_equals_a_scan_for_random_names_and_parts(store: Store) {
    const LETTERS: [char; 12] = ['a', 'á', 'B', 'ß', ' ', '\'', '%', 'д', 'Σ', 'म', '李', '𝒜'];
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut text = |size: usize| -> String { (0..size).map(|_| LETTERS[random(LETTERS.len())]).collect() };
    let new: Vec<_> =
        (1..=200).map(|roll_no| student(&format!("x{}", text(roll_no % 20)), roll_no.try_into().unwrap())).collect();
    let by = at(T0);
    let inserted = join_all(new.into_iter().map(|new| store.insert(new, &by))).await;
    let mut stored: Vec<Record<Student>> = inserted.into_iter().map(Result::unwrap).collect();
    for index in 0..40 {
        let name = StudentName::parse(format!("y{}", text(5))).ok();
        let id = stored[index * 3].id;
        stored[index * 3] =
            store.update(id, None, StudentPatch { name, ..StudentPatch::default() }, &by).await.unwrap();
        store.delete(stored.remove(index * 3 + 1).id, None, &by).await.unwrap();
    }
    stored.sort_by_key(|student| student.id.get());
    for size in (1..=4).cycle().take(200) {
        let Ok(part) = NamePart::parse(&text(size)) else { continue };
        let expected: Vec<_> = stored.iter().filter(|student| part.matches(&student.name)).map(|s| s.id).collect();
        let filter = named(part.as_str());
        let mut request = PageRequest { size: PageSize::parse(7).unwrap(), ..PageRequest::default() };
        let mut found = Vec::new();
        loop {
            let page: Page<Record<Student>> = store.page(&filter, request.clone()).await.unwrap();
            found.extend(page.entries.iter().map(|student| student.id));
            request.after = page.next;
            if request.after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{:?}", part.as_str());
    }
}
