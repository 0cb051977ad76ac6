//! Effective settings and their sources, as `rollbook config` prints them.

use std::collections::BTreeMap;

use tests::server::{Engine, SECRET};
use tokio::process::Command;

use crate::cli::error_line;
use crate::installation::Installation;
use crate::settings::{file, outcome, with_file};

/// The lines of `rollbook config`: value and source by name.
async fn effective(command: Command) -> BTreeMap<String, (String, String)> {
    let printed = outcome(command).await.stdout;
    let parsed = printed.lines().map(|line| {
        let (setting, source) = line.rsplit_once("  # ").unwrap_or_else(|| panic!("{line}"));
        let (name, value) = setting.trim_end().split_once(" = ").unwrap_or((setting.trim_end(), ""));
        (name.trim_start_matches("# ").to_owned(), (value.to_owned(), source.to_owned()))
    });
    parsed.collect()
}

#[tokio::test]
async fn flag_precedes_variable_precedes_file_precedes_default() {
    let installation = Installation::new(Engine::Sqlite);
    let text = "issuer = \"of the file\"\naudience = \"of the file\"\nmax-sessions = 7\n\ntoken-ttl = \"1h\"\n";
    let mut command = with_file(&installation, &["config", "--audience=of the flag", "--token-ttl", "2h"], text);
    command.env("ROLLBOOK_ISSUER", "of the variable").env("ROLLBOOK_AUDIENCE", "of the variable");
    let path = file(&installation, text);
    let settings = effective(command).await;
    let of = |name: &str| settings.get(name).map(|(value, source)| (&**value, &**source)).unwrap();
    assert_eq!(of("audience"), ("\"of the flag\"", "flag"));
    assert_eq!(of("issuer"), ("\"of the variable\"", "variable ROLLBOOK_ISSUER"));
    assert_eq!(of("max-sessions"), ("7", &*format!("{}, line 3", path.display())));
    assert_eq!(of("token-ttl"), ("\"2h\"", "flag"));
    assert_eq!(of("listen"), ("\"127.0.0.1:8000\"", "default"));
    assert_eq!(of("session-idle-ttl"), ("\"7days\"", "default"));
    assert_eq!(of("trusted-proxy"), ("[]", "default"));
    assert_eq!(of("keys"), ("", "not set"));
}

#[tokio::test]
async fn boolean_of_the_file_yields_to_variable() {
    let installation = Installation::new(Engine::Sqlite);
    let mut command = with_file(&installation, &["config"], "demo = true");
    command.env("ROLLBOOK_DEMO", "no");
    let settings = effective(command).await;
    assert_eq!(settings["demo"], ("false".to_owned(), "variable ROLLBOOK_DEMO".to_owned()));
    let settings = effective(with_file(&installation, &["config", "--demo"], "demo = false")).await;
    assert_eq!((&*settings["demo"].0, &*settings["token-ttl"].0), ("true", "\"8h\""));
    assert_eq!(settings["database"].1, "not set");
}

#[tokio::test]
async fn config_masks_secrets_and_can_be_read_as_file() {
    let installation = Installation::new(Engine::Sqlite);
    let url = "postgres://asha:hunter2@db.example.org,db2.example.org:5433/roll?password=hunter3&sslmode=require";
    let text =
        format!("database = \"{url}\"\nissuer = \"a \\\"quoted\\\" name\"\ncors-origin = [\"https://a.example\"]\n");
    let mut command = with_file(&installation, &["config"], &text);
    command.env("ROLLBOOK_JWT_SECRET", SECRET);
    let printed = outcome(command).await.stdout;
    for secret in ["asha", "hunter", SECRET] {
        assert!(!printed.contains(secret), "{printed}");
    }
    let masked = "database = \"postgres://***@db.example.org:5432,db2.example.org:5433/roll?***\"";
    for line in [masked, "cors-origin = [\"https://a.example\"]", "# jwt-secret = \"***\""] {
        assert!(printed.lines().any(|printed| printed.starts_with(line)), "{line}: {printed}");
    }
    assert!(printed.contains("# variable ROLLBOOK_JWT_SECRET\n"), "{printed}");
    let mut again = with_file(&installation, &["config"], &printed.replace("?***", ""));
    again.env("ROLLBOOK_JWT_SECRET", SECRET);
    let settings = effective(again).await;
    assert_eq!(settings["issuer"].0, "\"a \\\"quoted\\\" name\"");
}

#[tokio::test]
async fn config_rejects_an_invalid_database_url() {
    let installation = Installation::new(Engine::Sqlite);
    let mut command = with_file(&installation, &["config"], "\u{feff}database = \"postgres://db/roll?unknown=1\"");
    command.env("ROLLBOOK_JWT_SECRET", SECRET);
    assert!(error_line(command).await.contains("unknown parameter"));
}

/// Values that are a boolean, a number, a list, a comment or an escape sequence if they are not quoted correctly.
#[tokio::test]
async fn config_prints_awkward_strings_that_read_back_the_same() {
    let installation = Installation::new(Engine::Sqlite);
    let help = outcome(installation.command(&["serve", "--help"])).await.stdout;
    let names: Vec<_> = ["<NAME>", "<FILE>", "<DIR>"]
        .iter()
        .flat_map(|kind| help.lines().filter_map(move |line| line.trim().strip_prefix("--")?.strip_suffix(kind)))
        .map(str::trim)
        .filter(|name| !["config", "forwarded-header", "keys"].contains(name))
        .collect();
    assert_eq!(names, ["issuer", "audience", "jwt-secret-file", "data-dir"]);
    let values = [
        "true",
        "1",
        "-0",
        "1e3",
        "inf",
        "[]",
        "[x]",
        "1979-05-27",
        "a \"quoted\" name",
        "'quoted'",
        "\"\"\"",
        "# no comment",
        "back\\slash\\n",
        "two\nlines\r\n",
        "a\ttab",
        " a space ",
        "\u{7f}\u{1b}[0m",
        "\u{202e}\u{2028}é",
        "x  # default",
        "",
    ];
    for value in values {
        let has_control = value.contains(char::is_control);
        // Names in tokens have no control characters.
        let permitted = names.iter().filter(|name| !has_control || !["issuer", "audience"].contains(name));
        let options: Vec<_> = permitted.map(|name| format!("--{name}={value}")).collect();
        // No path and no name is empty.
        let options = if value.is_empty() { vec!["--database=sqlite: ".to_owned()] } else { options };
        let arguments: Vec<_> = ["config"].into_iter().chain(options.iter().map(String::as_str)).collect();
        let first = effective(with_file(&installation, &arguments, "")).await;
        let set = first.iter().filter(|(_, (value, _))| !value.is_empty());
        let lines: Vec<_> = set.map(|(name, (value, _))| format!("{name} = {value}\n")).collect();
        let text = lines.concat();
        let again = effective(with_file(&installation, &["config"], &text)).await;
        for (name, (printed, _)) in first {
            assert_eq!(again[&name].0, printed, "{name}: {value:?}");
            assert!(!names.contains(&&*name) || printed.starts_with('"'), "{name}: {printed}");
        }
    }
}

#[tokio::test]
async fn setting_replaces_an_excluded_one_of_a_weaker_source() {
    let installation = Installation::new(Engine::Sqlite);
    let (secret, keys) = (["ROLLBOOK_JWT_SECRET", SECRET], ["ROLLBOOK_KEYS", "of-variable"]);
    for (options, variables, text, effective_settings, replaced) in [
        (&["--contract"][..], &[][..], "demo = true", &["contract"][..], &["demo"][..]),
        (&["--demo"], &[], "contract = true", &["demo"], &["contract"]),
        (&["--contract"], &[["ROLLBOOK_DEMO", "true"]], "", &["contract"], &["demo"]),
        (&["--contract"], &[["ROLLBOOK_DEMO", "No"]], "", &["contract"], &["demo"]),
        (&[], &[["ROLLBOOK_DEMO", "1"]], "contract = true", &["demo"], &["contract"]),
        (&["--demo"], &[keys], "database = \"sqlite:x\"", &["demo"], &["keys", "database"]),
        (&["--demo"], &[], "keys = \"x\"", &["demo"], &["keys"]),
        (&["--database=sqlite:x"], &[], "demo = true", &["database"], &["demo"]),
        (&["--keys=x"], &[], "demo = true", &["keys"], &["demo"]),
        (&["--keys=x"], &[secret], "jwt-secret-file = \"y\"", &["keys"], &["jwt-secret-file", "jwt-secret"]),
        (&["--jwt-secret-file=x"], &[keys, secret], "", &["jwt-secret-file"], &["keys", "jwt-secret"]),
        (&[], &[keys], "jwt-secret-file = \"y\"", &["keys"], &["jwt-secret-file"]),
        (&[], &[secret], "jwt-secret-file = \"y\"", &["jwt-secret"], &["jwt-secret-file"]),
        (&[], &[secret], "keys = \"y\"", &["jwt-secret"], &["keys"]),
    ] {
        let mut command = with_file(&installation, &[&["config"], options].concat(), text);
        command.envs(variables.iter().map(|[name, value]| (name, value)));
        let settings = effective(command).await;
        let is_set =
            |name: &&&str| settings.get(**name).is_some_and(|(value, _)| !value.is_empty() && value != "false");
        assert!(effective_settings.iter().all(|name| is_set(&name)), "{options:?} {variables:?} {text}: {settings:?}");
        assert!(!replaced.iter().any(|name| is_set(&name)), "{options:?} {variables:?} {text}: {settings:?}");
    }
    for (options, variables, text) in [
        (&["--demo", "--contract"][..], &[][..], ""),
        (&["--demo", "--keys=x"], &[], ""),
        (&[], &[["ROLLBOOK_DEMO", "true"], ["ROLLBOOK_CONTRACT", "true"]], ""),
        (&[], &[keys, secret], ""),
        (&["--keys=x", "--jwt-secret-file=y"], &[], ""),
        (&[], &[], "demo = true\ncontract = true"),
        (&[], &[], "keys = \"x\"\njwt-secret-file = \"y\""),
    ] {
        let mut command = with_file(&installation, &[&["config"], options].concat(), text);
        command.envs(variables.iter().map(|[name, value]| (name, value)));
        error_line(command).await;
    }
}
