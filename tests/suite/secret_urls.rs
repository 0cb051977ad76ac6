//! Malformed database URLs and secrets: no message and no log contains a part of them.

use std::fs;

use tests::program::{self, Outcome};
use tests::server::{Engine, SECRET};
use tokio::process::Command;
use tokio::time::timeout;

use crate::installation::{Installation, TIMEOUT};

/// Distinct from every word of the messages.
const USER: &str = "quokka";
/// The parts of a password, which each form of a URL separates differently.
const PARTS: [&str; 3] = ["zyxw", "vutsrq", "jkqx"];

/// Texts between the parts of a password.
const SEPARATORS: [&str; 22] = [
    "", " ", " --", "@", ":", "/", "//", "?", "#", "&", "%", "%zz", "%40", "%2F", "[", "]", "\\", ",", "é", "$", "'",
    "=",
];

/// Forms of a URL with a username `{u}` and a password `{p}`.
const FORMS: [&str; 40] = [
    "postgres://{u}:{p}@127.0.0.1:1/roll",
    "postgres://{u}:{p}@[::1/roll",
    "postgres://{u}:{p}@127.0.0.1:port/roll",
    "postgres://{u}:{p}@127.0.0.1:99999/roll",
    "postgres://{u}:{p}@127.0.0.1:1,127.0.0.1:2/roll",
    "postgres://{u}:{p}@127.0.0.1,127.0.0.1,127.0.0.1/roll?port=1,2",
    "postgres://{u}:{p}@127.0.0.1:1",
    "postgres://{u}:{p}@127.0.0.1:1/",
    "postgres://{u}:{p}@",
    "postgres://{u}:{p}",
    "postgres://{u}:{p}@127.0.0.1:1/roll?sslmode=sometimes",
    "postgres://{u}:{p}@127.0.0.1:1/roll?conect_timeout=3",
    "postgres://{u}:{p}@127.0.0.1:1/roll?target_session_attrs=standby",
    "postgres://{u}:{p}@127.0.0.1:1/roll#{p}",
    "postgres://{u}:{p}@127.0.0.1:1/roll?sslmode={p}",
    "postgres://{u}:{p}@127.0.0.1:1/roll?sslpassword={p}",
    "postgres://{u}:{p}@127.0.0.1:1/roll?{p}",
    "postgres://{u}:{p}@127.0.0.1:1/roll?target_session_attrs={p}",
    "postgres://{u}:{p}@127.0.0.1:1/roll?port={p}",
    "postgres://127.0.0.1:1/roll?user={u}&password={p}",
    "postgres://{u}@127.0.0.1:1/roll?password={p}",
    "postgres://{u}@{p}@127.0.0.1:1/roll",
    "postgres://{u}%3A{p}%40127.0.0.1:1/roll",
    "postgres%3A%2F%2F{u}%3A{p}%40127.0.0.1%2Froll",
    "postgres:{u}:{p}@127.0.0.1/roll",
    "postgres:/{u}:{p}@127.0.0.1/roll",
    "postgres//{u}:{p}@127.0.0.1/roll",
    "postgre://{u}:{p}@127.0.0.1/roll",
    "POSTGRES://{u}:{p}@127.0.0.1/roll",
    " postgres://{u}:{p}@127.0.0.1/roll",
    "\"postgres://{u}:{p}@127.0.0.1/roll\"",
    "mysql://{u}:{p}@127.0.0.1/roll",
    "jdbc:postgresql://{u}:{p}@127.0.0.1/roll",
    "sqlite:postgres://{u}:{p}@127.0.0.1/roll",
    "sqlite://{u}:{p}@127.0.0.1/roll",
    "://{u}:{p}@127.0.0.1/roll",
    "{u}:{p}@127.0.0.1/roll",
    "host=127.0.0.1 user={u} password={p}@x",
    "postgres://[{u}:{p}@127.0.0.1]/roll",
    "postgres://{u}:{p}@127.0.0.1:1/roll?options[geqo]={p}&application_name={p}",
];

/// Every form with each of some passwords, so that all separators occur in different forms.
fn urls() -> Vec<String> {
    let [first, second, third] = PARTS;
    let mixed = ["/", "?", "#", "&"].map(|separator| format!("{first}@{second}{separator}{third}"));
    let passwords: Vec<_> = SEPARATORS.iter().map(|separator| PARTS.join(separator)).chain(mixed).collect();
    let count = passwords.len();
    let chosen = |form: usize| (0..6).map(move |step| (form * 7 + step * 5) % count);
    let forms = FORMS.iter().enumerate();
    let pairs = forms.flat_map(|(index, form)| chosen(index).map(move |password| (form, password)));
    pairs.map(|(form, password)| form.replace("{u}", USER).replace("{p}", &passwords[password])).collect()
}

async fn run(mut command: Command) -> Outcome {
    command.env("RUST_BACKTRACE", "full");
    let description = format!("{command:?}");
    timeout(TIMEOUT, program::outcome(command)).await.unwrap_or_else(|_| panic!("{description} does not exit"))
}

/// Asserts that the program failed, and that its output contains no part of the secrets, each of four characters or more.
fn assert_secret(outcome: &Outcome, secrets: &[&str], description: &str) {
    assert!(matches!(outcome.status, Some(1 | 2)), "{description}: {outcome:?}");
    let output = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!output.is_empty(), "{description}");
    for secret in secrets {
        let characters: Vec<_> = secret.chars().collect();
        for part in characters.windows(4).map(|window| window.iter().collect::<String>()) {
            assert!(!output.contains(&part), "{description}: {part} is in {output}");
        }
    }
}

/// A server with a valid configuration, except for the store.
fn serve(installation: &Installation) -> Command {
    let mut command = installation.command(&["serve", "--log", "trace"]);
    command.env("ROLLBOOK_JWT_SECRET", SECRET).env("ROLLBOOK_DATABASE_WAIT", "0s");
    command
}

/// REQ 3.
#[tokio::test]
async fn malformed_database_url_is_in_no_output() {
    let installation = Installation::new(Engine::Sqlite);
    let file = installation.data("").with_file_name("rollbook.toml");
    let secrets = [&[USER][..], &PARTS].concat();
    let urls = urls();
    assert!(urls.len() >= 100, "{}", urls.len());
    for (index, url) in urls.into_iter().enumerate() {
        let mut command = serve(&installation);
        match index % 3 {
            0 => command.arg(format!("--database={url}")),
            1 => command.env("ROLLBOOK_DATABASE", &url),
            _ => {
                fs::write(&file, format!("database = {}\n", serde_json::Value::from(url.as_str()))).unwrap();
                command.arg("--config").arg(&file)
            }
        };
        assert_secret(&run(command).await, &secrets, &url);
    }
    assert!(!installation.data("").exists(), "no store is created instead");
}

/// REQ 3.
#[tokio::test]
async fn database_url_in_a_wrong_place_is_in_no_output() {
    let installation = Installation::new(Engine::Sqlite);
    let url = format!("postgres://{USER}:{}@127.0.0.1:1/roll", PARTS.join("/"));
    let secrets = [&[USER][..], &PARTS].concat();
    let help = installation.run(&["serve", "--help"], None).await.stdout;
    let flags = help.split("\n      --").skip(1).filter(|option| option.contains("[env:"));
    let flags: Vec<_> = flags.filter_map(|option| option.split_whitespace().next()).collect();
    assert!(flags.len() >= 25, "{flags:?}");
    // A name is printed nowhere, but accepted.
    for flag in flags.into_iter().filter(|flag| !["issuer", "audience", "database"].contains(flag)) {
        let mut command = serve(&installation);
        command.arg(format!("--{flag}={url}"));
        assert_secret(&run(command).await, &secrets, flag);
        if flag == "log" {
            // The option of `serve` takes precedence over the variable.
            continue;
        }
        let mut command = serve(&installation);
        command.env(format!("ROLLBOOK_{}", flag.to_uppercase().replace('-', "_")), &url);
        assert_secret(&run(command).await, &secrets, flag);
    }
    let words = PARTS.join(" ");
    let split: Vec<_> = words.split(' ').collect();
    for arguments in [
        &["serve", &url][..],
        &[&url],
        &["user", &url],
        &["user", "list", &url],
        &["user", "set-role", USER, "viewer", &url],
        &["openapi", &format!("--database={url}")],
        &["serve", &format!("--databas={url}")],
        &["serve", &format!("--databas-{url}")],
        &["serve", &format!("-d{url}")],
        // A shell splits a URL with spaces.
        &[&["migrate", "--database", "postgres://quokka:pass"], &split[..], &["word@127.0.0.1/roll"]].concat(),
        &[&["migrate", "--database", "postgres://quokka:pass"], &["--zyxw", "-vutsrq", "jkqx@127.0.0.1/roll"][..]]
            .concat(),
        &["user", "set-password", "asha", PARTS[1]],
    ] {
        assert_secret(&run(installation.command(arguments)).await, &PARTS, &format!("{arguments:?}"));
    }
    let mut help = installation.command(&["serve", "--help"]);
    help.env("ROLLBOOK_DATABASE", &url).env("ROLLBOOK_JWT_SECRET_FILE", PARTS[1]).env("ROLLBOOK_KEYS", PARTS[2]);
    let help = run(help).await;
    assert!(help.status == Some(0) && !PARTS.iter().any(|part| help.stdout.contains(part)), "{help:?}");
}

/// REQ 3.
#[tokio::test]
async fn rejected_session_reveals_no_user_information() {
    let installation = Installation::new(Engine::Postgres);
    let url = installation.database().url();
    let (_, place) = url.rsplit_once('@').unwrap_or_else(|| url.split_once("//").unwrap());
    let (server, _) = place.split_once('/').unwrap();
    let secrets = [&[USER][..], &PARTS].concat();
    for target in [
        format!("postgres://{USER}:{}@{place}", PARTS.join("%2F")),
        format!("postgres://{USER}:{}@{server}", PARTS.join("%2F")),
        format!("postgres://{USER}:{}@{server}/no_such_database", PARTS.join("-")),
    ] {
        for command in [&["migrate"][..], &["user", "list"], &["serve", "--log", "trace"]] {
            let mut command = installation.command(command);
            command.env("ROLLBOOK_DATABASE", &target).env("ROLLBOOK_DATABASE_WAIT", "0s");
            assert_secret(&run(command).await, &secrets, &target);
        }
    }
}

/// REQ 3.
#[tokio::test]
async fn malformed_secret_is_in_no_output() {
    let installation = Installation::new(Engine::Sqlite);
    let file = installation.data("").with_file_name("secret");
    let strong = "kJ9vQ2xWz7LmN4pRtY8bC3dF6gHsA1eU";
    let mut secrets = vec![strong[..31].to_owned(), strong.repeat(2), "zyxw".repeat(20), format!("{strong}\0")];
    secrets.extend(SEPARATORS.map(|separator| PARTS.join(separator)));
    for secret in &secrets {
        let mut with_file = installation.command(&["serve", "--log", "trace", "--database", "sqlite:no/such/dir.db"]);
        fs::write(&file, secret).unwrap();
        with_file.env("ROLLBOOK_JWT_SECRET_FILE", &file);
        let mut with_ring = installation.command(&["serve", "--log", "trace"]);
        with_ring.env("ROLLBOOK_KEYS", &file);
        let mut commands = vec![with_file, with_ring];
        if !secret.contains('\0') {
            let mut with_variable =
                installation.command(&["serve", "--log", "trace", "--database", "sqlite:no/such/dir.db"]);
            with_variable.env("ROLLBOOK_JWT_SECRET", secret);
            commands.push(with_variable);
        }
        for command in commands {
            assert_secret(&run(command).await, &[strong, PARTS[0], PARTS[1], PARTS[2]], secret);
        }
    }
}

/// REQ 3.
#[tokio::test]
async fn secret_in_place_of_its_file_is_in_no_output() {
    let installation = Installation::new(Engine::Sqlite);
    let strong = "kJ9vQ2xWz7LmN4pRtY8bC3dF6gHsA1eU";
    let help = installation.run(&["serve", "--help"], None).await.stdout;
    let options: Vec<_> =
        help.lines().filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(" <FILE>")).collect();
    assert_eq!(options, ["config", "jwt-secret-file", "keys"]);
    let of_command = |arguments: &[&'static str], option: &str| (arguments.to_vec(), option.to_owned());
    let mut commands: Vec<_> = [&["serve", "--log", "trace"][..], &["config"]]
        .iter()
        .flat_map(|command| options.iter().map(|option| of_command(command, option)))
        .collect();
    commands.extend(
        [
            (&["keys", "list"][..], "keys"),
            (&["keys", "generate"], "keys"),
            (&["keys", "rotate"], "keys"),
            (&["token", "verify"], "keys"),
            (&["token", "verify"], "jwks"),
            (&["user", "list"], "config"),
            (&["backup", "x", "--with-keys"], "keys"),
            (&["backup", "x", "--with-keys"], "jwt-secret-file"),
        ]
        .map(|(command, option)| of_command(command, option)),
    );
    installation.migrate().await;
    let file = installation.data("").with_file_name("rollbook.toml");
    let ring = format!("{{\"keys\":[{{\"k\":\"{strong}\"}}]}}");
    for secret in [strong, &strong.repeat(9), &format!("/{strong}"), &format!("{strong}/{strong}"), &ring] {
        for (arguments, option) in &commands {
            let description = format!("{arguments:?} {option} {secret}");
            let mut with_flag = installation.command(arguments);
            with_flag.arg(format!("--{option}={secret}"));
            assert_secret(&run(with_flag).await, &[strong], &description);
            if option == "jwks" {
                continue;
            }
            let mut with_variable = installation.command(arguments);
            with_variable.env(format!("ROLLBOOK_{}", option.to_uppercase().replace('-', "_")), secret);
            assert_secret(&run(with_variable).await, &[strong], &description);
            if option != "config" {
                fs::write(&file, format!("{option} = {}\n", serde_json::Value::from(secret))).unwrap();
                let mut with_file = installation.command(arguments);
                with_file.arg("--config").arg(&file);
                assert_secret(&run(with_file).await, &[strong], &description);
            }
        }
    }
}
