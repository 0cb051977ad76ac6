//! Unicode text: usernames and passwords by RFC 8265, names in NFC, search, and text that release 1.0 stored.

use domain::access::Role;
use serde_json::{Value, json};
use tests::on_each_store;
use tests::server::{Engine, PASSWORD};

use crate::installation::{ADMIN_PASSWORD, Installation, on_each_engine, stop};

fn new_user(username: &str, password: &str) -> Value {
    json!({"username": username, "password": password, "role": "viewer"})
}

fn credentials(username: &str, password: &str) -> Value {
    json!({"Username": username, "Password": password})
}

on_each_store! {
    /// REQ 14.
    async fn new_username_and_password_follow_rfc_8265(server) {
        let admin = server.client(Role::Admin).await;
        for username in ["as\u{202e}ha", "as\u{200d}ha", "a☃", "אx", "\u{feff}asha"] {
            let response = admin.send("POST", "/users", &new_user(username, PASSWORD)).await;
            let problem = response.expect_problem(422, "invalid-fields");
            assert_eq!(problem["errors"][0]["pointer"], "/username", "{username:?}");
        }
        let response = admin.send("POST", "/users", &new_user("asa", "slow\u{7}river under")).await;
        assert_eq!(response.expect_problem(422, "invalid-fields")["errors"][0]["pointer"], "/password");

        let created = admin.send("POST", "/users", &new_user("A\u{30a}sa", "slo\u{308}w river under")).await.expect(201);
        assert_eq!(created["username"], "Åsa");
        for equal in ["åSA", "A\u{30a}SA", "Åｓａ"] {
            let response = admin.send("POST", "/users", &new_user(equal, PASSWORD)).await;
            response.expect_problem(409, "username-taken");
            for password in ["slöw river under", "slo\u{308}w\u{a0}river\u{3000}under"] {
                server.anonymous().send("POST", "/login", &credentials(equal, password)).await.expect(200);
            }
        }
        let response = server.anonymous().send("POST", "/login", &credentials("asa", "slöw river under")).await;
        response.expect_problem(401, "invalid-credentials");
    }

    async fn student_name_is_stored_in_nfc(server) {
        let client = server.client(Role::Registrar).await;
        let student = |name: &str| json!({"name": name, "email": "x@example.org", "roll_no": 7});
        for (given, stored) in [("Nu\u{301}n\u{303}ez", "Núñez"), ("क्\u{200d}ष", "क्\u{200d}ष"), ("نر\u{200c}گس", "نر\u{200c}گس")] {
            let created = client.send("POST", "/students", &student(given)).await.expect(201);
            assert_eq!(created["name"], stored);
            let path = format!("/students/{}", created["id"]);
            assert_eq!(client.get(&path).await.expect(200)["name"], stored);
            assert_eq!(client.send("DELETE", &path, &json!(null)).await.status, 204);
        }
        for invisible in ["\u{200d}", " \u{200b}\u{2060}", "\u{2800}"] {
            let response = client.send("POST", "/students", &student(invisible)).await;
            assert_eq!(response.expect_problem(422, "invalid-fields")["errors"][0]["pointer"], "/name");
        }
    }

    async fn search_ignores_diacritics_in_both_apis(server) {
        let client = server.client(Role::Registrar).await;
        for (roll_no, name) in (1..).zip(["İsmail", "Núñez", "Straße", "मीरा"]) {
            let student = json!({"name": name, "email": "x@example.org", "roll_no": roll_no});
            client.send("POST", "/students", &student).await.expect(201);
        }
        for (part, name) in [
            ("ismail", "İsmail"),
            ("ISMAIL", "İsmail"),
            ("nunez", "Núñez"),
            ("NU%CC%81N%CC%83EZ", "Núñez"),
            ("strasse", "Straße"),
            ("%E0%A4%AE%E0%A5%80", "मीरा"),
        ] {
            let page = client.get(&format!("/students?name={part}")).await.expect(200);
            assert_eq!((page["students"].as_array().unwrap().len(), &page["students"][0]["name"]), (1, &json!(name)), "{part}");
            let legacy = client.get(&format!("/student?name={part}")).await.expect(200);
            assert_eq!(legacy["Student"]["name"], name, "{part}");
        }
        // Without its vowel sign.
        let page = client.get("/students?name=%E0%A4%AE%E0%A4%B0").await.expect(200);
        assert_eq!(page["students"], json!([]));
    }
}

/// Two users as release 1.0 stored them: decomposed, and with a control of the text direction.
async fn usernames_of_release_1_0_keep_working(engine: Engine) {
    let installation = Installation::new(engine);
    let server = installation.serve().await;
    let admin = installation.admin(&server).await;
    for (placeholder, username, folded) in [("u1", "A\u{30a}sa", "a\u{30a}sa"), ("u2", "x\u{202e}y", "x\u{202e}y")] {
        admin.send("POST", "/users", &new_user(placeholder, PASSWORD)).await.expect(201);
        let rename =
            "UPDATE users SET username = '{username}', username_folded = '{folded}' WHERE username = '{placeholder}'";
        let rename =
            rename.replace("{username}", username).replace("{folded}", folded).replace("{placeholder}", placeholder);
        installation.execute(&rename).await;
    }
    for username in ["A\u{30a}sa", "a\u{30a}SA", "x\u{202e}y"] {
        server.client(None).send("POST", "/login", &credentials(username, PASSWORD)).await.expect(200);
    }
    // Equal by RFC 8265, so not another user.
    admin.send("POST", "/users", &new_user("Åsa", PASSWORD)).await.expect_problem(409, "username-taken");
    let list = installation.run(&["user", "list"], None).await;
    assert!(list.stdout.contains("\tx\\u{202e}y\t") && !list.stdout.contains('\u{202e}'), "{list:?}");
    let disabled = installation.run(&["user", "disable", "x\u{202e}y"], None).await;
    assert_eq!(disabled.stdout, "Disabled x\\u{202e}y.\n");
    let unknown = installation.run(&["user", "disable", "z\u{202e}"], None).await;
    assert!(unknown.stderr.contains("user z\\u{202e} does not exist"), "{unknown:?}");
    let invalid = installation.run(&["user", "create", "as\u{202e}ha", "--password-stdin"], Some(ADMIN_PASSWORD)).await;
    assert_eq!(invalid.status, Some(2), "{invalid:?}");
    assert!(invalid.stderr.contains("as\\u{202e}ha") && invalid.stderr.contains("such as U+202E"), "{invalid:?}");
    stop(server).await;
}

/// Release 1.0 distinguished normalization forms.
async fn migrate_lists_equal_usernames(engine: Engine) {
    let installation = Installation::new(engine);
    installation.migrate().await;
    let silent = installation.run(&["migrate"], None).await;
    assert_eq!(silent.stdout, "The schema is up to date.\n");
    for name in ["Åsa", "asha"] {
        let created = installation.run(&["user", "create", name, "--password-stdin"], Some(ADMIN_PASSWORD)).await;
        assert_eq!(created.status, Some(0), "{created:?}");
    }
    installation
        .execute("UPDATE users SET username = 'A\u{30a}sa', username_folded = 'a\u{30a}sa' WHERE username = 'asha'")
        .await;
    let listed = installation.run(&["migrate"], None).await;
    assert_eq!((listed.status, listed.stdout.lines().count()), (Some(0), 2), "{listed:?}");
    let line = listed.stdout.lines().next().unwrap();
    assert!(line.contains("Åsa (1), A\u{30a}sa (2)"), "{line}");
}

on_each_engine! {
    usernames_of_release_1_0_keep_working
    migrate_lists_equal_usernames
}
