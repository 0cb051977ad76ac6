//! Tests of `/students`.

use domain::access::Role;
use serde_json::{Value, json};
use tests::client::Client;
use tests::on_each_store;

fn asha() -> Value {
    json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7, "age": 20})
}

async fn create_student(client: &Client, name: &str, roll_no: i64) -> Value {
    let body = json!({"name": name, "email": "someone@example.org", "roll_no": roll_no});
    client.send("POST", "/students", &body).await.expect(201)
}

fn names(page: &Value) -> Vec<&str> {
    page["students"].as_array().unwrap().iter().map(|student| student["name"].as_str().unwrap()).collect()
}

on_each_store! {
    /// REQ 27.
    async fn created_student_is_found_at_location(server) {
        let client = server.client(Role::Registrar).await;
        let created = client.send("POST", "/students", &asha()).await;
        let student = created.expect(201);
        for (field, value) in asha().as_object().unwrap() {
            assert_eq!(&student[field], value);
        }
        assert_eq!(student["created_at"], student["updated_at"]);
        assert_eq!(created.header("location"), format!("/students/{}", student["id"]));
        let found = client.get(created.header("location")).await;
        assert_eq!(found.expect(200), student);
        assert_eq!(found.header("etag"), created.header("etag"));
    }

    async fn duplicate_roll_number_returns_409(server) {
        let client = server.client(Role::Registrar).await;
        create_student(&client, "Asha", 7).await;
        let ravi = create_student(&client, "Ravi", 8).await;
        client.send("POST", "/students", &asha()).await.expect_problem(409, "roll-number-taken");
        let path = format!("/students/{}", ravi["id"]);
        client.send("PUT", &path, &asha()).await.expect_problem(409, "roll-number-taken");
        client.send("PATCH", &path, &json!({"roll_no": 7})).await.expect_problem(409, "roll-number-taken");
        assert_eq!(client.get(&path).await.expect(200), ravi);
    }

    async fn duplicate_external_id_returns_409(server) {
        let client = server.client(Role::Registrar).await;
        let mut asha = asha();
        asha["external_id"] = json!("A12");
        assert_eq!(client.send("POST", "/students", &asha).await.expect(201)["external_id"], "A12");
        let ravi = create_student(&client, "Ravi", 8).await;
        assert_eq!(ravi["external_id"], Value::Null);
        let path = format!("/students/{}", ravi["id"]);
        asha["roll_no"] = json!(9);
        for (method, path, body) in [
            ("POST", "/students", &asha),
            ("PUT", path.as_str(), &asha),
            ("PATCH", path.as_str(), &json!({"external_id": "A12"})),
        ] {
            client.send(method, path, body).await.expect_problem(409, "external-id-taken");
        }
        assert_eq!(client.get(&path).await.expect(200), ravi);
        assert_eq!(names(&client.get("/students?external_id=A12").await.expect(200)), ["Asha"]);
        assert!(names(&client.get("/students?external_id=a12").await.expect(200)).is_empty());
    }

    async fn articles_ignore_and_keep_external_id(server) {
        let client = server.client(Role::Registrar).await;
        let mut asha = asha();
        asha["external_id"] = json!("A12");
        let created = client.send("POST", "/students", &asha).await.expect(201);
        let path = format!("/student?student_id={}", created["id"]);
        let changed = client.send("PUT", &path, &json!({"age": 30, "external_id": "B1"})).await.expect(200);
        assert!(changed["author"].get("external_id").is_none());
        let found = client.get(&format!("/students/{}", created["id"])).await.expect(200);
        assert_eq!((&found["age"], &found["external_id"]), (&json!(30), &json!("A12")));
        let body = json!({"name": "Ravi", "emailid": "r@example.org", "rollno": 8, "age": 20, "external_id": "B1"});
        client.send("POST", "/student", &body).await.expect(201);
        let page = client.get("/students?roll_no=8").await.expect(200);
        assert_eq!((names(&page), &page["students"][0]["external_id"]), (vec!["Ravi"], &Value::Null));
    }

    async fn replacement_clears_absent_fields(server) {
        let client = server.client(Role::Registrar).await;
        let created = client.send("POST", "/students", &asha()).await.expect(201);
        let path = format!("/students/{}", created["id"]);
        let next = json!({"name": "Åsa", "email": "asa@example.org", "roll_no": 9});
        let replaced = client.send("PUT", &path, &next).await.expect(200);
        assert_eq!((&replaced["name"], &replaced["age"]), (&json!("Åsa"), &Value::Null));
        assert_eq!(client.get(&path).await.expect(200), replaced);
    }

    async fn deleted_student_returns_404(server) {
        let client = server.client(Role::Registrar).await;
        let created = create_student(&client, "Asha", 7).await;
        let path = format!("/students/{}", created["id"]);
        let deleted = client.delete(&path).await;
        assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
        client.get(&path).await.expect_problem(404, "record-not-found");
        client.delete(&path).await.expect_problem(404, "record-not-found");
        client.send("PUT", &path, &asha()).await.expect_problem(404, "record-not-found");
        client.send("PATCH", &path, &json!({})).await.expect_problem(404, "record-not-found");
    }

    async fn malformed_student_id_returns_404(server) {
        let client = server.client(Role::Registrar).await;
        create_student(&client, "Asha", 7).await;
        for id in ["0", "01", "+1", "-1", "x", "1.0", "9007199254740992", "99999999999999999999", "%00"] {
            client.get(&format!("/students/{id}")).await.expect_problem(404, "record-not-found");
        }
    }

    /// REQ 27.
    async fn next_and_link_reach_all_students(server) {
        let client = server.client(Role::Registrar).await;
        let all: Vec<_> = (1..=7).map(|n| format!("Student {n}")).collect();
        for (roll_no, name) in (1..).zip(&all) {
            create_student(&client, name, roll_no).await;
        }
        let (mut path, mut listed) = ("/students?limit=3".to_owned(), Vec::new());
        for page_no in 1.. {
            let response = client.get(&path).await;
            let page = response.expect(200);
            listed.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else {
                assert!(!response.headers.contains_key("link"));
                assert_eq!(page_no, 3);
                break;
            };
            let link = response.header("link");
            path = format!("/students?after={next}&limit=3");
            assert_eq!(link, format!("<{path}>; rel=\"next\""));
        }
        assert_eq!(listed, all);
    }

    async fn page_size_is_fifty_by_default(server) {
        let client = server.client(Role::Registrar).await;
        for roll_no in 1..=51 {
            create_student(&client, "Asha", roll_no).await;
        }
        assert_eq!(names(&client.get("/students").await.expect(200)).len(), 50);
        assert_eq!(names(&client.get("/students?limit=200").await.expect(200)).len(), 51);
    }

    async fn students_can_be_filtered_by_name_and_roll_number(server) {
        let client = server.client(Role::Registrar).await;
        for (roll_no, name) in (1..).zip(["Asha Rao", "Sasha", "Åsa", "100% Ravi"]) {
            create_student(&client, name, roll_no).await;
        }
        for (query, found) in [
            ("name=ASHA", vec!["Asha Rao", "Sasha"]),
            ("name=%C3%A5sa", vec!["Åsa"]),
            ("name=%25", vec!["100% Ravi"]),
            ("roll_no=2", vec!["Sasha"]),
            ("roll_no=2&name=ravi", vec![]),
        ] {
            let page = client.get(&format!("/students?{query}")).await.expect(200);
            assert_eq!(names(&page), found, "{query}");
        }
        let page = client.get("/students?name=asha&limit=1").await;
        assert!(page.header("link").contains("&name=asha&limit=1>"), "{}", page.header("link"));
    }

    async fn students_can_be_sorted(server) {
        let client = server.client(Role::Registrar).await;
        for (roll_no, name) in (1..).zip(["Ravi", "Émile", "asha", "Zoe", "Asha"]) {
            create_student(&client, name, roll_no).await;
        }
        for (sort, expected) in [
            ("id", ["Ravi", "Émile", "asha", "Zoe", "Asha"]),
            ("-roll_no", ["Asha", "Zoe", "asha", "Émile", "Ravi"]),
            ("name", ["asha", "Asha", "Émile", "Ravi", "Zoe"]),
            ("-name", ["Zoe", "Ravi", "Émile", "Asha", "asha"]),
        ] {
            let (mut path, mut listed) = (format!("/students?limit=2&sort={sort}"), Vec::new());
            loop {
                let response = client.get(&path).await;
                let page = response.expect(200);
                listed.extend(names(&page).into_iter().map(str::to_owned));
                let Some(next) = page["next"].as_str() else { break };
                assert!(response.header("link").starts_with(&format!("</students?after={next}&limit=2")), "{sort}");
                // The cursor carries the order.
                path = format!("/students?limit=2&after={next}");
            }
            assert_eq!(listed, expected, "{sort}");
        }
    }

    async fn contradicting_order_is_rejected(server) {
        let client = server.client(Role::Registrar).await;
        for (roll_no, name) in (1..).zip(["Asha", "Ravi"]) {
            create_student(&client, name, roll_no).await;
        }
        let page = client.get("/students?limit=1&sort=name").await.expect(200);
        let after = format!("after={}", page["next"].as_str().unwrap());
        let damaged = ["0000000000000001.name", "0000000000000001.name.n0000000000000001", "0000000000000001.name.tff"];
        let damaged = damaged.map(|cursor| format!("after={cursor}"));
        for (query, named) in [
            (format!("{after}&sort=-name"), "after"),
            (format!("{after}&sort=id"), "after"),
            (damaged[0].clone(), "after"),
            (damaged[1].clone(), "after"),
            (damaged[2].clone(), "after"),
            ("sort=age".to_owned(), "sort"),
            ("sort=name&name=asha".to_owned(), "sort"),
            ("sort=name&sort=name".to_owned(), "sort"),
        ] {
            let problem = client.get(&format!("/students?{query}")).await.expect_problem(422, "invalid-fields");
            assert_eq!(problem["errors"][0]["parameter"], named, "{query}");
        }
        assert_eq!(names(&client.get(&format!("/students?{after}&sort=name")).await.expect(200)), ["Ravi"]);
    }

    async fn invalid_parameters_are_reported_together(server) {
        let client = server.client(Role::Viewer).await;
        let response = client.get("/students?limit=1001&after=xyz&name=%00&roll_no=0").await;
        let problem = response.expect_problem(422, "invalid-fields");
        let named: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["parameter"].clone()).collect();
        assert_eq!(named, ["limit", "after", "name", "roll_no"]);
        for limit in ["0", "-1", "x", "1.5", ""] {
            client.get(&format!("/students?limit={limit}")).await.expect_problem(422, "invalid-fields");
        }
    }

    async fn unknown_or_repeated_parameter_is_rejected(server) {
        let client = server.client(Role::Viewer).await;
        for (query, named) in [("rollno=7", "rollno"), ("limit=5&limit=6", "limit")] {
            let problem = client.get(&format!("/students?{query}")).await.expect_problem(422, "invalid-fields");
            assert_eq!(problem["errors"][0]["parameter"], named);
        }
    }

    async fn invalid_student_fields_are_reported_together(server) {
        let client = server.client(Role::Registrar).await;
        let body = json!({"name": " ", "email": "none", "roll_no": "7", "age": 151, "is_admin": true});
        let problem = client.send("POST", "/students", &body).await.expect_problem(422, "invalid-fields");
        let errors: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
        assert_eq!(errors, ["/name", "/email", "/roll_no", "/age", "/is_admin"]);
        assert_eq!(problem["errors"][3]["detail"], "must be an integer from 1 to 150");
    }
}
