//! Replacement of a leaked signing key, with the commands of README.

use tests::program::{Outcome, Program};
use tests::server::Engine;
use tokio::time::timeout;

use crate::installation::{Installation, TIMEOUT, stop};

/// The commands of README that replace the leaked key `KID`.
fn commands(kid: &str) -> Vec<Vec<String>> {
    let readme = include_str!("../../README.md");
    let (_, emergency) = readme.split_once("#### A leaked key").expect("the section");
    let block = emergency.split("```").nth(1).expect("a block of commands");
    let commands = block.lines().filter_map(|line| line.strip_prefix("rollbook "));
    let arguments = |line: &str| line.split('#').next().unwrap_or_default().replace("KID", kid);
    commands.map(|line| arguments(line).split_whitespace().map(str::to_owned).collect()).collect()
}

async fn run(installation: &Installation, arguments: &[String]) -> Outcome {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let outcome = installation.run(&arguments, None).await;
    assert_eq!(outcome.status, Some(0), "{arguments:?}: {outcome:?}");
    outcome
}

async fn keys(installation: &Installation, arguments: &[&str]) -> Outcome {
    let arguments = [&["keys"], arguments, &["--keys", "ring.json"]].concat();
    run(installation, &arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()).await
}

/// Id and state of each key.
async fn states(installation: &Installation) -> Vec<(String, String)> {
    let list = keys(installation, &["list"]).await.stdout;
    let state = |line: &str| {
        let columns: Vec<_> = line.split('\t').collect();
        (columns[0].to_owned(), columns[2].to_owned())
    };
    list.lines().map(state).collect()
}

/// REQ 11.
#[tokio::test]
async fn readme_replaces_a_leaked_key_during_and_without_a_rotation() {
    for (is_pending, leaked) in [(false, 0), (true, 0), (true, 1)] {
        let installation = Installation::new(Engine::Sqlite);
        keys(&installation, &["generate"]).await;
        let command = installation.serve_command(&["--keys", "ring.json"]);
        let server = timeout(TIMEOUT, Program::start(command)).await.expect("the server starts");
        if is_pending {
            keys(&installation, &["rotate"]).await;
        }
        let before = states(&installation).await;
        let [rotate, retire] = commands(&before[leaked].0).try_into().expect("two commands");
        let rotated = run(&installation, &rotate).await.stdout;
        assert!(rotated.contains(&format!("rollbook keys retire {} --revoke", before[0].0)), "{rotated}");
        assert_eq!(rotated.contains("Revoked key"), is_pending, "{rotated}");
        run(&installation, &retire).await;
        let after = states(&installation).await;
        let signing: Vec<_> = after.iter().filter(|(_, state)| state == "signing").collect();
        assert!(signing.len() == 1 && !before.contains(&(signing[0].0.clone(), before[0].1.clone())), "{after:?}");
        let revoked = &after[leaked];
        assert_eq!(*revoked, (before[leaked].0.clone(), "revoked".to_owned()), "{after:?}");
        stop(server).await;
    }
}

/// REQ 11.
#[tokio::test]
async fn rejected_rotation_names_the_signing_key() {
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    keys(&installation, &["generate"]).await;
    keys(&installation, &["rotate"]).await;
    let [(signing, _), (announced, _)] = states(&installation).await.try_into().expect("two keys");
    let rejected = installation.run(&["keys", "rotate", "--keys", "ring.json"], None).await;
    assert_eq!(rejected.status, Some(1), "{rejected:?}");
    for expected in [format!("{announced} is already announced"), format!("retire {signing} with --revoke")] {
        assert!(rejected.stderr.contains(&expected), "{rejected:?}");
    }
}

/// REQ 11.
#[tokio::test]
async fn keys_are_listed_in_their_current_states() {
    let installation = Installation::new(Engine::Sqlite);
    installation.migrate().await;
    keys(&installation, &["generate"]).await;
    keys(&installation, &["rotate", "--announce", "0s"]).await;
    keys(&installation, &["rotate"]).await;
    let list = |states: Vec<(String, String)>| states.into_iter().map(|(_, state)| state).collect::<Vec<_>>();
    let before = states(&installation).await;
    assert_eq!(list(before.clone()), ["verifying", "signing", "announced"]);
    keys(&installation, &["retire", &before[1].0, "--revoke"]).await;
    assert_eq!(
        list(states(&installation).await),
        ["verifying", "revoked", "signing"],
        "the announced key signs at once"
    );
}
