//! The feed of changes on PostgreSQL: late commits, lag and restored tables.

use domain::PageSize;
use domain::student::{ChangeFeed, ChangeToken, ChangesError};
use sqlx::{Connection as _, raw_sql};
use tests::database::PostgresDatabase;

use super::{connection, create, open, run};

/// Reads the ids and versions of changes until they suffice, by whether more are hidden. Transactions of other tests hide some for a
/// moment.
async fn read_until(
    store: &impl ChangeFeed,
    mut token: ChangeToken,
    is_enough: impl Fn(&[(i64, i64)], bool) -> bool,
) -> (Vec<(i64, i64)>, ChangeToken) {
    let mut found = Vec::new();
    for _ in 0..50_000 {
        let changes = store.changes(token, PageSize::LARGEST).await.unwrap();
        found.extend(changes.entries.into_iter().map(|change| (change.student_id.get(), change.version.get())));
        token = changes.next;
        if is_enough(&found, changes.oldest_hidden.is_some()) {
            return (found, token);
        }
    }
    panic!("changes are missing: {found:?}");
}

/// The lower number of two transactions commits last.
#[tokio::test]
async fn change_of_a_late_commit_is_not_skipped() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let token = store.latest().await.unwrap();
    create(&store, "Asha", 1).await;
    let mut late = connection(&database).await;
    let mut transaction = late.begin().await.unwrap();
    let update = "UPDATE students SET age = 21, version = 2";
    raw_sql(update).execute(&mut *transaction).await.unwrap();
    create(&store, "Ravi", 2).await;
    let (found, token) = read_until(&store, token, |found, is_hidden| !found.is_empty() && is_hidden).await;
    assert_eq!(found, [(1, 1)], "Ravi is hidden");
    transaction.commit().await.unwrap();
    let (found, _) = read_until(&store, token, |found, _| found.len() >= 2).await;
    assert_eq!(found, [(1, 2), (2, 1)]);
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
    let (found, _) = read_until(&store, token, |found, _| !found.is_empty()).await;
    assert_eq!(found, [(2, 1)]);
    assert_eq!(store.changes(token, PageSize::ONE).await.unwrap().oldest_hidden, None);
}
