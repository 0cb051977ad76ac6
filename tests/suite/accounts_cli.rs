//! `rollbook user …`, while a server runs on the same store.

use serde_json::json;
use tests::client::Client;
use tests::program::{self, Outcome, Program};
use tests::server::Engine;

use crate::bound::as_promised;
use crate::installation::{Installation, on_each_engine, stop};

const PASSWORD: &str = "a long enough pass phrase";

/// A server, and the commands beside it.
struct Site {
    installation: Installation,
    server: Program,
}

impl Site {
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

    async fn done(&self, arguments: &[&str], password: Option<&str>) {
        let outcome = self.user(arguments, password).await;
        assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""), "{arguments:?}");
        assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:?}");
    }

    /// Asserts that a command is refused in one line, and that no user is another than before.
    async fn refused(&self, arguments: &[&str], password: Option<&str>, reason: &str) {
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

    /// Name, role and status of each user.
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

async fn each_command_counts_beside_a_running_server(engine: Engine) {
    let site = Site::open(engine).await;
    site.done(&["add", "asha"], Some(PASSWORD)).await;
    assert_eq!(site.list().await, ["admin admin active", "asha viewer active"]);
    let asha = site.server.log_in("asha", PASSWORD).await;
    assert_eq!(status_of_write(&asha).await, 403);

    site.done(&["set-role", "asha", "registrar"], None).await;
    as_promised(engine, 201, || status_of_write(&asha)).await;

    let next = "another long pass phrase";
    site.done(&["set-password", "ASHA"], Some(next)).await;
    assert_eq!(site.status_of_login("asha", PASSWORD).await, 401);
    assert_eq!(site.status_of_login("asha", next).await, 200);

    site.done(&["disable", "asha"], None).await;
    as_promised(engine, 401, || status_of_me(&asha)).await;
    assert_eq!(site.status_of_login("asha", next).await, 401);
    assert_eq!(site.list().await, ["admin admin active", "asha registrar disabled"]);

    site.done(&["enable", "asha"], None).await;
    assert_eq!(site.status_of_login("asha", next).await, 200);

    let asha = site.server.log_in("asha", next).await;
    site.done(&["delete", "asha"], None).await;
    as_promised(engine, 401, || status_of_me(&asha)).await;
    assert_eq!(site.status_of_login("asha", next).await, 401);
    site.done(&["add", "asha", "--role", "admin"], Some(PASSWORD)).await;
    assert_eq!(asha.get("/me").await.status, 401, "the new user inherits no token");
    assert_eq!(site.list().await, ["admin admin active", "asha admin active"]);
    stop(site.server).await;
}

async fn req_19_sessions_are_listed_and_ended_at_the_machine(engine: Engine) {
    let site = Site::open(engine).await;
    site.done(&["add", "asha"], Some(PASSWORD)).await;
    let [one, two] = [site.server.log_in("asha", PASSWORD).await, site.server.log_in("asha", PASSWORD).await];
    let listed = site.user(&["sessions", "asha"], None).await;
    let lines: Vec<Vec<_>> = listed.stdout.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 2, "{listed:?}");
    assert!(lines.iter().all(|columns| columns.len() == 6 && columns[4] == "127.0.0.1"), "{listed:?}");
    let ended = site.user(&["end-sessions", "ASHA"], None).await;
    assert_eq!(ended.stdout, "Ended 2 sessions of ASHA.\n");
    for client in [one, two] {
        as_promised(engine, 401, || status_of_me(&client)).await;
    }
    assert_eq!(site.user(&["sessions", "asha"], None).await.stdout, "");
    assert_eq!(site.status_of_login("asha", PASSWORD).await, 200);
    stop(site.server).await;
}

async fn req_17_the_command_line_has_a_way_back_in(engine: Engine) {
    let site = Site::open(engine).await;
    for _ in 0..5 {
        assert_eq!(site.status_of_login("admin", "a wrong pass phrase").await, 401);
    }
    assert_eq!(site.status_of_login("admin", &site.installation.admin_password()).await, 429);
    site.done(&["unlock", "admin"], None).await;
    assert_eq!(site.status_of_login("admin", &site.installation.admin_password()).await, 200);

    let reset = site.user(&["reset-password", "admin"], None).await;
    assert_eq!((reset.status, reset.stdout.lines().count()), (Some(0), 1), "{reset:?}");
    let one_time = reset.stdout.split([' ', ';']).nth(6).unwrap();
    assert_eq!(site.status_of_login("admin", &site.installation.admin_password()).await, 401);
    let admin = site.server.log_in("admin", one_time).await;
    admin.get("/users").await.expect_problem(403, "password-change-due");
    site.done(&["set-password", "admin"], Some(PASSWORD)).await;
    as_promised(engine, 401, || status_of_me(&admin)).await;
    site.server.log_in("admin", PASSWORD).await.get("/users").await.expect(200);
    stop(site.server).await;
}

async fn a_broken_rule_is_one_line_and_changes_nothing(engine: Engine) {
    let site = Site::open(engine).await;
    site.done(&["add", "asha"], Some(PASSWORD)).await;
    site.refused(&["add", "ASHA"], Some(PASSWORD), "another user has this name").await;
    site.refused(&["set-password", "nobody"], Some(PASSWORD), "nobody").await;
    for command in [
        &["set-role", "nobody", "admin"][..],
        &["disable", "nobody"],
        &["enable", "nobody"],
        &["delete", "nobody"],
        &["reset-password", "nobody"],
        &["unlock", "nobody"],
        &["sessions", "nobody"],
        &["end-sessions", "nobody"],
    ] {
        site.refused(command, None, "there is no user nobody").await;
    }
    for command in [&["set-role", "admin", "viewer"][..], &["disable", "admin"], &["delete", "admin"]] {
        site.refused(command, None, "last active administrator").await;
    }
    assert_eq!(site.status_of_login("asha", PASSWORD).await, 200);
    assert_eq!(site.status_of_login("admin", &site.installation.admin_password()).await, 200);
    stop(site.server).await;
}

async fn req_14_a_password_that_will_not_do_is_refused_in_one_line(engine: Engine) {
    let site = Site::open(engine).await;
    site.done(&["add", "asha"], Some(PASSWORD)).await;
    for (weak, reason) in [
        ("", "at least 15"),
        ("fourteen chars", "at least 15"),
        ("éééééééééééééé", "at least 15"),
        (&"long enough! ".repeat(10)[..129], "at most 128"),
        ("the ashA tree is high", "username"),
        ("manchesterunited", "common"),
        ("PasswordPassword", "common"),
        ("123456789012345", "common"),
    ] {
        site.refused(&["set-password", "asha"], Some(weak), reason).await;
    }
    site.refused(&["add", "ravi"], Some("fourteen chars"), "at least 15").await;
    site.refused(&["add", "ravi"], Some("qwertyuiopasdfgh"), "common").await;
    assert_eq!(site.status_of_login("asha", PASSWORD).await, 200);
    stop(site.server).await;
}

async fn req_14_the_fewest_characters_are_configurable_down_to_8(engine: Engine) {
    let site = Site::open(engine).await;
    let fewest = ["--password-min-length", "8"];
    site.refused(&[&["add", "asha"], &fewest[..]].concat(), Some("kq7 xvz"), "at least 8").await;
    site.refused(&[&["add", "asha"], &fewest[..]].concat(), Some("sunshine"), "common").await;
    site.done(&[&["add", "asha"], &fewest[..]].concat(), Some("kq7 xvzr")).await;
    assert_eq!(site.status_of_login("asha", "kq7 xvzr").await, 200);

    let more = ["set-password", "asha", "--password-min-length", "26"];
    site.refused(&more, Some(PASSWORD), "at least 26").await;

    let mut by_variable = site.installation.command(&["user", "add", "ravi", "--password-stdin"]);
    by_variable.env("ROLLBOOK_PASSWORD_MIN_LENGTH", "64");
    let outcome = program::outcome(by_variable).await;
    assert!(outcome.status == Some(1) && outcome.stderr.contains("at least 64"), "{outcome:?}");
    stop(site.server).await;
}

async fn the_schema_can_be_brought_up_to_date_again_beside_a_server(engine: Engine) {
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
    each_command_counts_beside_a_running_server
    req_19_sessions_are_listed_and_ended_at_the_machine
    req_17_the_command_line_has_a_way_back_in
    a_broken_rule_is_one_line_and_changes_nothing
    req_14_a_password_that_will_not_do_is_refused_in_one_line
    req_14_the_fewest_characters_are_configurable_down_to_8
    the_schema_can_be_brought_up_to_date_again_beside_a_server
}
