//! The index for the search of names.

use domain::grams;
use domain::record::RecordStore;
use domain::student::{NamePart, Student, StudentFilter};
use domain::{Cursor, PageRequest, search_form};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, raw_sql};
use tests::database::PostgresDatabase;

use super::{connection, create, open, open_with};

/// Inserts this many students, none of which contains the letter q.
async fn fill(connection: &mut PgConnection, rows: u32) {
    let insert = format!(
        "INSERT INTO students (name, name_folded, name_search, email, roll_no, version, created_at, updated_at)
         SELECT name, name, name, 'a@example.org', number, 1, now(), now()
         FROM (SELECT number, 'asha ' || number AS name FROM generate_series(1, {rows}) AS number) AS named"
    );
    raw_sql(AssertSqlSafe(insert)).execute(connection).await.unwrap();
}

async fn found(store: &impl RecordStore<Student>, part: &str) -> Vec<String> {
    let filter = StudentFilter { name: NamePart::parse(part).ok(), ..StudentFilter::default() };
    let page = store.page(&filter, PageRequest::default()).await.unwrap();
    page.entries.iter().map(|student| student.name.to_string()).collect()
}

/// The plan that PostgreSQL uses for any parameters.
async fn generic_plan(connection: &mut PgConnection, sql: &str, parameters: &str) -> String {
    let explain = format!("SET plan_cache_mode = force_generic_plan; PREPARE search AS {sql}");
    raw_sql(AssertSqlSafe(explain)).execute(&mut *connection).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE search({parameters})"));
    let lines: Vec<String> = sqlx::query_scalar(explain).persistent(false).fetch_all(&mut *connection).await.unwrap();
    raw_sql("DEALLOCATE search").execute(connection).await.unwrap();
    lines.join("\n")
}

/// The first search reads a window, whose size follows from the statistics of ANALYZE; the second needs the index.
#[tokio::test]
async fn searches_use_their_index_before_and_after_analyze() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let mut connection = connection(&database).await;
    fill(&mut connection, 10_100).await;
    create(&store, "Quentin", 20_000).await;
    drop(store);
    for (analyze, window) in [("SELECT", "%LIMIT 4096) AS next%"), ("VACUUM ANALYZE students", "%LIMIT 1024) AS next%")]
    {
        raw_sql(analyze).execute(&mut connection).await.unwrap();
        let store = open_with(1, &database.url()).await;
        for (part, marker, parameters, index) in [
            ("asha", window, "0, 51, 'asha'", "Index Scan using students_pkey"),
            ("quentin", "%name_grams%", "0, 51, 'quentin', '{que}'", "Bitmap Index Scan on students_name_grams"),
        ] {
            assert!(!found(&store, part).await.is_empty());
            // The only connection of the store shows its last statement.
            let last = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND query LIKE $1 \
                        AND application_name = 'rollbook'";
            let sql: String = sqlx::query_scalar(last).bind(marker).fetch_one(&mut connection).await.unwrap();
            let plan = generic_plan(&mut connection, &sql, parameters).await;
            assert!(plan.contains(index) && !plan.contains("Seq Scan") && !plan.contains("BitmapAnd"), "{plan}");
        }
    }
}

#[tokio::test]
async fn rare_names_beyond_the_first_windows_are_found() {
    let database = PostgresDatabase::create();
    let store = open(&database).await;
    let mut connection = connection(&database).await;
    fill(&mut connection, 25_000).await;
    create(&store, "Quentin", 30_000).await;
    assert_eq!(found(&store, "quentin").await, ["Quentin"]);
    assert_eq!(found(&store, "q").await, ["Quentin"]);
    assert_eq!(found(&store, "25").await.len(), 50);
    assert_eq!(found(&store, "a 2500").await, ["asha 2500", "asha 25000"]);
}

/// The index would find most students.
#[tokio::test]
async fn last_page_of_a_frequent_name_needs_no_index() {
    let database = PostgresDatabase::create();
    let store = open_with(1, &database.url()).await;
    let mut connection = connection(&database).await;
    fill(&mut connection, 12_000).await;
    let filter = StudentFilter { name: NamePart::parse("asha").ok(), ..StudentFilter::default() };
    let after: Cursor = format!("{:016x}", 11_990).parse().unwrap();
    let page =
        RecordStore::<Student>::page(&store, &filter, PageRequest { after: Some(after), ..PageRequest::default() });
    assert_eq!(page.await.unwrap().entries.len(), 10);
    let last = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%name_grams%' \
                AND application_name = 'rollbook'";
    assert_eq!(sqlx::query_scalar::<_, i64>(last).fetch_one(&mut connection).await.unwrap(), 0);
}

#[tokio::test]
async fn grams_in_the_database_are_those_of_the_domain() {
    let database = PostgresDatabase::create();
    let _store = open(&database).await;
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    for name in ["a", "éa", "Asha Rao", "aaaa", "मीरा", "李小龍", "𝒜𝒷c", "%_\\'\"", "ß ﷺ"] {
        let form = search_form(name);
        let select = sqlx::query_scalar("SELECT name_grams($1)").bind(&form);
        let stored: Vec<String> = select.fetch_one(&mut connection).await.unwrap();
        let stored = stored.iter().map(String::as_str).collect();
        assert_eq!(grams(&form), stored, "{name}");
    }
}
