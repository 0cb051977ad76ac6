//! `rollbook user …` on the store of a running server.

use serde_json::json;
use tests::client::Client;
use tests::program::{self, Outcome, Program};
use tests::server::Engine;

use crate::bound::takes_effect;
use crate::installation::{Installation, on_each_engine, stop};

const PASSWORD: &str = "a long enough pass phrase";

/// A running server and commands on its store.
struct Fixture {
    installation: Installation,
    server: Program,
}

impl Fixture {
    async fn open(engine: Engine) -> Self {
        let installation = Installation::new(engine);
        let server = installation.serve().await;
        Self { installation, server }
    }

    async fn user(&self, arguments: &[&str], password: Option<&str>) -> Outcome {
        let stdin = password.map(|_| "--password-stdin");
        let arguments: Vec<_> = ["user"].iter().chain(arguments).copied().chain(stdin).collect();
        self.installation.run(&arguments, password).await
    }

    async fn succeeds(&self, arguments: &[&str], password: Option<&str>) {
        let outcome = self.user(arguments, password).await;
        assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""), "{arguments:?}");
        assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:?}");
    }

    /// Asserts that a command fails with one line on stderr and changes no user.
    async fn fails(&self, arguments: &[&str], password: Option<&str>, reason: &str) {
        let before = self.list().await;
        let outcome = self.user(arguments, password).await;
        assert_eq!((outcome.status, &*outcome.stdout), (Some(1), ""), "{arguments:?}: {outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
        assert!(outcome.stderr.starts_with("rollbook: ") && outcome.stderr.contains(reason), "{outcome:?}");
        if let Some(password) = password.filter(|password| password.len() > 1) {
            assert!(!outcome.stderr.contains(password), "{outcome:?}");
        }
        assert_eq!(self.list().await, before, "{arguments:?}");
    }

    /// Username, role and status of each user.
    async fn list(&self) -> Vec<String> {
        let outcome = self.user(&["list"], None).await;
        assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""));
        outcome.stdout.lines().map(|line| line.split('\t').skip(1).take(3).collect::<Vec<_>>().join(" ")).collect()
    }

    async fn status_of_login(&self, username: &str, password: &str) -> u16 {
        let credentials = json!({"Username": username, "Password": password});
        self.server.client(None).send("POST", "/login", &credentials).await.status.as_u16()
    }
}

async fn status_of_write(client: &Client) -> u16 {
    let student = json!({"name": "Asha", "email": "asha@example.org", "roll_no": 7});
    client.send("POST", "/students", &student).await.status.as_u16()
}

async fn status_of_me(client: &Client) -> u16 {
    client.get("/me").await.status.as_u16()
}

async fn commands_take_effect_on_running_server(engine: Engine) {
    let fixture = Fixture::open(engine).await;
    fixture.succeeds(&["create", "asha"], Some(PASSWORD)).await;
    assert_eq!(fixture.list().await, ["admin admin active", "asha viewer active"]);
    let asha = fixture.server.log_in("asha", PASSWORD).await;
    assert_eq!(status_of_write(&asha).await, 403);

    fixture.succeeds(&["set-role", "asha", "registrar"], None).await;
    takes_effect(engine, 201, || status_of_write(&asha)).await;

    let next = "another long pass phrase";
    fixture.succeeds(&["set-password", "ASHA"], Some(next)).await;
    assert_eq!(fixture.status_of_login("asha", PASSWORD).await, 401);
    assert_eq!(fixture.status_of_login("asha", next).await, 200);

    fixture.succeeds(&["disable", "asha"], None).await;
    takes_effect(engine, 401, || status_of_me(&asha)).await;
    assert_eq!(fixture.status_of_login("asha", next).await, 401);
    assert_eq!(fixture.list().await, ["admin admin active", "asha registrar disabled"]);

    fixture.succeeds(&["enable", "asha"], None).await;
    assert_eq!(fixture.status_of_login("asha", next).await, 200);

    let asha = fixture.server.log_in("asha", next).await;
    fixture.succeeds(&["delete", "asha"], None).await;
    takes_effect(engine, 401, || status_of_me(&asha)).await;
    assert_eq!(fixture.status_of_login("asha", next).await, 401);
    fixture.succeeds(&["create", "asha", "--role", "admin"], Some(PASSWORD)).await;
    assert_eq!(asha.get("/me").await.status, 401, "tokens of the deleted user stay invalid");
    assert_eq!(fixture.list().await, ["admin admin active", "asha admin active"]);
    stop(fixture.server).await;
}

/// REQ 19.
async fn user_sessions_are_listed_and_deleted(engine: Engine) {
    let fixture = Fixture::open(engine).await;
    fixture.succeeds(&["create", "asha"], Some(PASSWORD)).await;
    let [one, two] = [fixture.server.log_in("asha", PASSWORD).await, fixture.server.log_in("asha", PASSWORD).await];
    let listed = fixture.user(&["list-sessions", "asha"], None).await;
    let lines: Vec<Vec<_>> = listed.stdout.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 2, "{listed:?}");
    assert!(lines.iter().all(|columns| columns.len() == 6 && columns[4] == "127.0.0.1"), "{listed:?}");
    let ended = fixture.user(&["delete-sessions", "ASHA"], None).await;
    assert_eq!(ended.stdout, "Ended 2 sessions of ASHA.\n");
    for client in [one, two] {
        takes_effect(engine, 401, || status_of_me(&client)).await;
    }
    assert_eq!(fixture.user(&["list-sessions", "asha"], None).await.stdout, "");
    assert_eq!(fixture.status_of_login("asha", PASSWORD).await, 200);
    stop(fixture.server).await;
}

/// REQ 17.
async fn locked_out_administrator_regains_access(engine: Engine) {
    let fixture = Fixture::open(engine).await;
    for _ in 0..5 {
        assert_eq!(fixture.status_of_login("admin", "a wrong pass phrase").await, 401);
    }
    assert_eq!(fixture.status_of_login("admin", &fixture.installation.admin_password()).await, 429);
    fixture.succeeds(&["unlock", "admin"], None).await;
    assert_eq!(fixture.status_of_login("admin", &fixture.installation.admin_password()).await, 200);

    let reset = fixture.user(&["reset-password", "admin"], None).await;
    assert_eq!((reset.status, reset.stdout.lines().count()), (Some(0), 1), "{reset:?}");
    let one_time = reset.stdout.split([' ', ';']).nth(6).unwrap();
    assert_eq!(fixture.status_of_login("admin", &fixture.installation.admin_password()).await, 401);
    let admin = fixture.server.log_in("admin", one_time).await;
    admin.get("/users").await.expect_problem(403, "password-change-due");
    fixture.succeeds(&["set-password", "admin"], Some(PASSWORD)).await;
    takes_effect(engine, 401, || status_of_me(&admin)).await;
    fixture.server.log_in("admin", PASSWORD).await.get("/users").await.expect(200);
    stop(fixture.server).await;
}

async fn rejected_command_prints_one_line_and_changes_nothing(engine: Engine) {
    let fixture = Fixture::open(engine).await;
    fixture.succeeds(&["create", "asha"], Some(PASSWORD)).await;
    fixture.fails(&["create", "ASHA"], Some(PASSWORD), "another user has this username").await;
    fixture.fails(&["set-password", "unknown"], Some(PASSWORD), "user unknown does not exist").await;
    for command in [
        &["set-role", "unknown", "admin"][..],
        &["disable", "unknown"],
        &["enable", "unknown"],
        &["delete", "unknown"],
        &["reset-password", "unknown"],
        &["unlock", "unknown"],
        &["list-sessions", "unknown"],
        &["delete-sessions", "unknown"],
    ] {
        fixture.fails(command, None, "user unknown does not exist").await;
    }
    for command in [&["set-role", "admin", "viewer"][..], &["disable", "admin"], &["delete", "admin"]] {
        fixture.fails(command, None, "last active administrator").await;
    }
    assert_eq!(fixture.status_of_login("asha", PASSWORD).await, 200);
    assert_eq!(fixture.status_of_login("admin", &fixture.installation.admin_password()).await, 200);
    stop(fixture.server).await;
}

/// REQ 14.
async fn invalid_password_is_rejected_in_one_line(engine: Engine) {
    let fixture = Fixture::open(engine).await;
    fixture.succeeds(&["create", "asha"], Some(PASSWORD)).await;
    for (invalid, reason) in [
        ("", "at least 15"),
        ("fourteen chars", "at least 15"),
        ("éééééééééééééé", "at least 15"),
        (&"long enough! ".repeat(10)[..129], "at most 128"),
        ("the ashA tree is high", "username"),
        ("manchesterunited", "common"),
        ("PasswordPassword", "common"),
        ("123456789012345", "common"),
    ] {
        fixture.fails(&["set-password", "asha"], Some(invalid), reason).await;
    }
    fixture.fails(&["create", "ravi"], Some("fourteen chars"), "at least 15").await;
    fixture.fails(&["create", "ravi"], Some("Manchester United"), "common").await;
    assert_eq!(fixture.status_of_login("asha", PASSWORD).await, 200);
    stop(fixture.server).await;
}

/// REQ 14.
async fn minimum_password_length_is_configurable_down_to_8(engine: Engine) {
    let fixture = Fixture::open(engine).await;
    let minimum = ["--password-min-length", "8"];
    fixture.fails(&[&["create", "asha"], &minimum[..]].concat(), Some("kq7 xvz"), "at least 8").await;
    fixture.fails(&[&["create", "asha"], &minimum[..]].concat(), Some("sunshine"), "common").await;
    fixture.succeeds(&[&["create", "asha"], &minimum[..]].concat(), Some("kq7 xvzr")).await;
    assert_eq!(fixture.status_of_login("asha", "kq7 xvzr").await, 200);

    let longer = ["set-password", "asha", "--password-min-length", "26"];
    fixture.fails(&longer, Some(PASSWORD), "at least 26").await;

    let mut with_variable = fixture.installation.command(&["user", "create", "ravi", "--password-stdin"]);
    with_variable.env("ROLLBOOK_PASSWORD_MIN_LENGTH", "64");
    let outcome = program::outcome(with_variable).await;
    assert!(outcome.status == Some(1) && outcome.stderr.contains("at least 64"), "{outcome:?}");
    stop(fixture.server).await;
}

async fn migrate_succeeds_repeatedly_and_beside_server(engine: Engine) {
    let installation = Installation::new(engine);
    for _ in 0..2 {
        let outcome = installation.run(&["migrate"], None).await;
        assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""));
    }
    let server = installation.serve().await;
    assert_eq!(installation.run(&["migrate"], None).await.status, Some(0));
    server.log_in("admin", &installation.admin_password()).await;
    stop(server).await;
}

on_each_engine! {
    commands_take_effect_on_running_server
    user_sessions_are_listed_and_deleted
    locked_out_administrator_regains_access
    rejected_command_prints_one_line_and_changes_nothing
    invalid_password_is_rejected_in_one_line
    minimum_password_length_is_configurable_down_to_8
    migrate_succeeds_repeatedly_and_beside_server
}
