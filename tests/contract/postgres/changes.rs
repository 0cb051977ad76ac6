//! The feed of changes on PostgreSQL: late commits, lag and restored tables.

use domain::PageSize;
use domain::student::{ChangeFeed, ChangesError};
use sqlx::{Connection as _, raw_sql};
use tests::database::PostgresDatabase;

use super::{connection, create, open, run};

/// The lower number of two transactions commits last.
#[tokio::test]
async fn change_of_a_late_commit_is_not_skipped() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let mut token = store.latest().await.unwrap();
    create(&store, "Asha", 1).await;
    let mut late = connection(&database).await;
    let mut transaction = late.begin().await.unwrap();
    let update = "UPDATE students SET age = 21, version = 2";
    raw_sql(update).execute(&mut *transaction).await.unwrap();
    create(&store, "Ravi", 2).await;
    let mut found = Vec::new();
    let mut oldest_hidden = None;
    // A transaction of another test may hide Asha at first.
    while found.is_empty() || oldest_hidden.is_none() {
        let changes = store.changes(token, PageSize::LARGEST).await.unwrap();
        found.extend(changes.entries.into_iter().map(|change| (change.student_id.get(), change.version.get())));
        (token, oldest_hidden) = (changes.next, changes.oldest_hidden);
    }
    assert_eq!(found, [(1, 1)], "Ravi is hidden");
    transaction.commit().await.unwrap();
    while found.len() < 3 {
        let changes = store.changes(token, PageSize::LARGEST).await.unwrap();
        found.extend(changes.entries.into_iter().map(|change| (change.student_id.get(), change.version.get())));
        token = changes.next;
    }
    assert_eq!(found, [(1, 1), (1, 2), (2, 1)]);
}

/// As by `pg_restore` into the same database. The numbers of its changes are those of another server.
#[tokio::test]
async fn token_of_a_restored_table_belongs_to_another_feed() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    create(&store, "Asha", 1).await;
    let token = store.latest().await.unwrap();
    let restore = "ALTER TABLE student_changes RENAME TO former;
         CREATE TABLE student_changes (LIKE former INCLUDING ALL);
         INSERT INTO student_changes OVERRIDING SYSTEM VALUE
         SELECT transaction + 1000000000000, number, student_id, student_version, changed_at FROM former;
         UPDATE student_feed SET feed = 1, deleted_transaction = 1000000000000, deleted_number = 1;
         DROP TABLE former";
    run(&database, restore).await.unwrap();
    assert!(matches!(store.changes(token, PageSize::ONE).await, Err(ChangesError::OtherFeed)));
    let token = store.latest().await.unwrap();
    assert!(token.position.transaction < 1_000_000_000_000, "the mark of the former feed");
    create(&store, "Ravi", 2).await;
    let mut found = Vec::new();
    while found.is_empty() {
        let changes = store.changes(token, PageSize::LARGEST).await.unwrap();
        found.extend(changes.entries.into_iter().map(|change| change.student_id.get()));
    }
    assert_eq!(found, [2]);
    assert_eq!(store.changes(token, PageSize::ONE).await.unwrap().oldest_hidden, None);
}
