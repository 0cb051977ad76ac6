//! Tests of `/students.csv` and `/students.ndjson`.

use std::fs;
use std::time::Duration;

use domain::access::Role;
use rusqlite::Connection;
use serde_json::{Value, json};
use tests::client::Client;
use tests::on_each_store;
use tests::server::{Engine, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::backup::{failed, succeeded};
use crate::connections::connect;
use crate::installation::{Installation, TIMEOUT, mode, stop};

async fn create(client: &Client, name: &str, roll_no: i64, age: Option<i64>, external_id: Option<&str>) -> Value {
    let email = "+someone@example.org";
    let body = json!({"name": name, "email": email, "roll_no": roll_no, "age": age, "external_id": external_id});
    client.send("POST", "/students", &body).await.expect(201)
}

async fn create_three(client: &Client) {
    create(client, "Asha, \"Rao\"", 1, Some(20), Some("007")).await;
    create(client, "मीरा", 2, None, None).await;
    create(client, "=1+1", 3, None, Some("-7")).await;
}

fn quoted(etag: &Value) -> String {
    format!("\"{}\"", etag.as_str().unwrap().replace('"', "\"\""))
}

on_each_store! {
    async fn ndjson_export_contains_the_documents_of_the_list(server) {
        let client = server.client(Role::Registrar).await;
        create_three(&client).await;
        let listed = client.get("/students").await.expect(200);
        let export = client.get("/students.ndjson").await;
        assert_eq!(export.header("content-type"), "application/x-ndjson");
        assert_eq!(export.header("content-disposition"), "attachment; filename=\"students.ndjson\"");
        let lines: Vec<Value> = export.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(json!(lines), listed["students"]);
        assert!(export.text().ends_with("}\n"));
    }

    async fn csv_export_contains_the_fields_of_the_list(server) {
        let client = server.client(Role::Registrar).await;
        let header = "id,name,email,roll_no,age,external_id,etag,created_at,updated_at\r\n";
        assert_eq!(client.get("/students.csv").await.text(), header);
        create_three(&client).await;
        let listed = client.get("/students").await.expect(200);
        let export = client.get("/students.csv").await;
        assert_eq!(export.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(export.header("content-disposition"), "attachment; filename=\"students.csv\"");
        let names = ["\"Asha, \"\"Rao\"\"\",+someone@example.org,1,20,007", "मीरा,+someone@example.org,2,,", "=1+1,+someone@example.org,3,,-7"];
        let mut expected = vec![header.trim_end().to_owned()];
        for (student, cells) in listed["students"].as_array().unwrap().iter().zip(names) {
            let times = [&student["created_at"], &student["updated_at"]].map(|time| time.as_str().unwrap());
            expected.push(format!("{},{cells},{},{}", student["id"], quoted(&student["etag"]), times.join(",")));
        }
        assert_eq!(export.text(), expected.join("\r\n") + "\r\n");
    }

    async fn export_for_a_spreadsheet_contains_no_formulas(server) {
        let client = server.client(Role::Registrar).await;
        create_three(&client).await;
        let export = client.get("/students.csv?spreadsheet=true").await.text();
        assert!(export.starts_with("\u{feff}id,name,"), "{export}");
        assert!(export.contains(",'=1+1,'+someone@example.org,3,,'-7,"), "{export}");
        assert_eq!(client.get("/students.csv?spreadsheet=false").await.text(), client.get("/students.csv").await.text());
    }

    async fn exports_take_the_filters_of_the_list(server) {
        let client = server.client(Role::Registrar).await;
        create_three(&client).await;
        for (query, roll_numbers) in [("name=rao", vec![1]), ("external_id=-7", vec![3]), ("roll_no=2", vec![2]), ("name=x", vec![])] {
            let export = client.get(&format!("/students.ndjson?{query}")).await.text();
            let found: Vec<Value> = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["roll_no"].clone()).collect();
            assert_eq!(json!(found), json!(roll_numbers), "{query}");
            let rows = client.get(&format!("/students.csv?{query}")).await.text().lines().count();
            assert_eq!(rows, roll_numbers.len() + 1, "{query}");
        }
        for (path, parameter) in [
            ("/students.csv?limit=7", "limit"),
            ("/students.csv?spreadsheet=yes", "spreadsheet"),
            ("/students.ndjson?spreadsheet=true", "spreadsheet"),
            ("/students.ndjson?roll_no=0", "roll_no"),
        ] {
            let problem = client.get(path).await.expect_problem(422, "invalid-fields");
            assert_eq!(problem["errors"][0]["parameter"], parameter, "{path}");
        }
    }

    async fn exports_require_the_permission_to_read(server) {
        assert_eq!(server.client(Role::Viewer).await.get("/students.csv").await.status.as_u16(), 200);
        let anonymous = server.anonymous();
        for path in ["/students.csv", "/students.ndjson"] {
            assert_eq!(anonymous.get(path).await.status.as_u16(), 401);
        }
    }
}

/// Of three batches.
#[tokio::test]
async fn long_export_is_complete() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    create(&client, "Asha", 1, None, None).await;
    let copy = "INSERT INTO students (name, name_folded, email, roll_no, version, created_at, updated_at)
         WITH RECURSIVE numbers (number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < 2500)
         SELECT name, name_folded, email, number, 1, created_at, updated_at FROM students, numbers WHERE id = 1";
    Connection::open(server.store_url().strip_prefix("sqlite:").unwrap()).unwrap().execute_batch(copy).unwrap();
    let export = client.get("/students.ndjson").await.text();
    assert_eq!(export.lines().count(), 2_500);
    assert!(export.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

/// A reader of the store would keep its log from being truncated.
#[tokio::test]
async fn client_that_does_not_read_holds_no_state_of_the_store() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client(Role::Registrar).await;
    create(&client, "Asha", 1, None, None).await;
    let store = Connection::open(server.store_url().strip_prefix("sqlite:").unwrap()).unwrap();
    // About 12 MB as NDJSON, more than the buffers of a connection.
    let copy = "INSERT INTO students (name, name_folded, email, roll_no, version, created_at, updated_at)
         WITH RECURSIVE numbers (number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < 60000)
         SELECT name, name_folded, email, number, 1, created_at, updated_at FROM students, numbers WHERE id = 1";
    store.execute_batch(copy).unwrap();
    store.busy_timeout(Duration::ZERO).unwrap();
    let mut connection = connect(&server.address().to_string()).await;
    let token = client.token().unwrap();
    let request = format!("GET /students.ndjson HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut start = [0; 4];
    connection.read_exact(&mut start).await.unwrap();
    create(&client, "Late", 70_000, None, None).await;
    let is_held = || {
        let checkpoint = store.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        checkpoint.unwrap()
    };
    let released = async {
        while is_held() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIMEOUT, released).await.expect("the log is truncated");
    // The export is complete all the same: an empty chunk ends it.
    let mut rest = Vec::new();
    while !rest.ends_with(b"\r\n0\r\n\r\n") {
        assert!(connection.read_buf(&mut rest).await.unwrap() > 0, "the connection was closed");
    }
    assert_eq!(rest.windows(6).filter(|field| field == b"\"etag\"").count(), 60_000);
}

#[tokio::test]
async fn command_exports_students_beside_a_server() {
    let installation = Installation::new(Engine::Sqlite);
    let server = installation.serve().await;
    let client = installation.admin(&server).await;
    create_three(&client).await;
    let file = installation.data("students.csv");
    let path = file.to_str().unwrap();
    let exported = installation.run(&["students", "export", path], None).await;
    assert_eq!(exported.stdout, format!("Exported 3 students to {path}.\n"));
    succeeded(&exported);
    assert_eq!(fs::read_to_string(&file).unwrap(), client.get("/students.csv").await.text());
    assert_eq!(mode(&file), 0o600);

    let again = installation.run(&["students", "export", path, "--spreadsheet"], None).await;
    failed(&again, "exists: name a new file");
    assert_eq!(fs::read_to_string(&file).unwrap(), client.get("/students.csv").await.text());
    for arguments in
        [&["students", "export", "-", "--format", "ndjson"][..], &["students", "export", "/dev/null/x.ndjson"]]
    {
        let outcome = installation.run(arguments, None).await;
        if arguments.contains(&"-") {
            assert_eq!(
                (outcome.stdout.as_str(), outcome.stderr.as_str()),
                (&*client.get("/students.ndjson").await.text(), "")
            );
        } else {
            failed(&outcome, "cannot write /dev/null/x.ndjson");
        }
    }
    let contradiction = installation.run(&["students", "export", "x.ndjson", "--spreadsheet"], None).await;
    failed(&contradiction, "--spreadsheet requires the format csv");
    stop(server).await;
}
