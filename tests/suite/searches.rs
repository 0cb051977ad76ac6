//! Searches that take long, beside other requests.

use std::pin::pin;

use adapter_postgres::Options;
use domain::access::Role;
use futures_util::future::{join, join_all};
use serde_json::json;
use sqlx::{Connection, PgConnection, raw_sql};
use tests::server::{Engine, Server};

/// Replaces the students by a view whose search form waits until the lock of [`HOLD`] is released. A statement that waits for a
/// lock would be ended. Pages do not read the search form.
const MAKE_SEARCHES_WAIT: &str = "
    CREATE FUNCTION waiting(form text) RETURNS text STABLE LANGUAGE plpgsql AS $$
    BEGIN
        WHILE NOT pg_try_advisory_xact_lock_shared(7) LOOP
            PERFORM pg_sleep(0.01);
        END LOOP;
        RETURN form;
    END
    $$;
    ALTER TABLE students RENAME TO all_students;
    CREATE VIEW students AS SELECT id, name, email, roll_no, age, external_id, version, created_at, updated_at,
        waiting(name_search) AS name_search FROM all_students;
";
const HOLD: &str = "SELECT pg_advisory_lock(7)";
const RELEASE: &str = "SELECT pg_advisory_unlock(7)";
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND application_name = 'rollbook' AND state = 'active' AND query LIKE '%name_search%'";

async fn until_waiting(count: usize, watcher: &mut PgConnection) {
    while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut *watcher).await.unwrap() < i64::try_from(count).unwrap()
    {
    }
}

/// Number of searches that run at the same time: fewer than half of the connections.
const PLACES: usize = (Options::DEFAULT_POOL_SIZE.get() - 1) / 2;

#[tokio::test]
async fn searches_delay_neither_pages_nor_look_ups() {
    let server = Server::start(Engine::Postgres).await;
    let asha = server.client(Role::Registrar).await;
    let mut others = Vec::new();
    for number in 0..PLACES {
        let user = server.add_user(&format!("user{number}"), Role::Viewer).await;
        others.push(server.client_of(&user).await);
    }
    let meera = json!({"name": "Meera Rao", "email": "meera@example.org", "roll_no": 1});
    asha.send("POST", "/students", &meera).await.expect(201);
    let mut watcher = PgConnection::connect(&server.store_url()).await.unwrap();
    raw_sql(MAKE_SEARCHES_WAIT).execute(&mut watcher).await.unwrap();
    raw_sql(HOLD).execute(&mut watcher).await.unwrap();

    let mut own = pin!(join_all((0..8).map(|_| asha.get("/students?name=rao"))));
    let mut searches = pin!(join_all(others.iter().map(|other| other.get("/student?name=rao"))));
    tokio::select! {
        _ = &mut own => panic!("a search has ended early"),
        () = until_waiting(1, &mut watcher) => {}
    }
    let meanwhile = async {
        until_waiting(PLACES, &mut watcher).await;
        asha.get("/students").await.expect(200);
        others[0].get("/students?roll_no=1").await.expect(200);
    };
    tokio::select! {
        biased;
        () = meanwhile => {}
        _ = &mut own => panic!("a search has ended early"),
        _ = &mut searches => panic!("a search has ended early"),
    }
    raw_sql(RELEASE).execute(&mut watcher).await.unwrap();
    for found in searches.await {
        found.expect(200);
    }
    for found in own.await {
        assert_eq!(found.expect(200)["students"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn searches_of_one_user_run_one_after_another() {
    let server = Server::start(Engine::Postgres).await;
    let (asha, ravi) = (server.client(Role::Registrar).await, server.client(Role::Viewer).await);
    let mut watcher = PgConnection::connect(&server.store_url()).await.unwrap();
    let meera = json!({"name": "Meera Rao", "email": "meera@example.org", "roll_no": 1});
    asha.send("POST", "/students", &meera).await.expect(201);
    raw_sql(MAKE_SEARCHES_WAIT).execute(&mut watcher).await.unwrap();
    raw_sql(HOLD).execute(&mut watcher).await.unwrap();

    let own = join_all((0..8).map(|_| asha.get("/students?name=rao")));
    let mut searches = pin!(join(own, ravi.get("/students?name=rao")));
    tokio::select! {
        _ = &mut searches => panic!("a search has ended early"),
        () = until_waiting(2, &mut watcher) => {}
    }
    // Would the others run, too, they would have begun by the end of another request of each user.
    tokio::select! {
        _ = &mut searches => panic!("a search has ended early"),
        _ = join(asha.get("/students"), ravi.get("/students")) => {}
    }
    let waiting: i64 = sqlx::query_scalar(WAITING).fetch_one(&mut watcher).await.unwrap();
    assert_eq!(waiting, 2, "one search of each user");
    raw_sql(RELEASE).execute(&mut watcher).await.unwrap();
    let (own, other) = searches.await;
    assert!(own.iter().chain([&other]).all(|found| found.status == 200));
}
