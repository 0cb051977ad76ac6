//! Loss of the SQLite file under load.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::exclusive;
use crate::load::Load;
use crate::nodes::Nodes;

/// Loses the file under load. No create that begins afterwards may be acknowledged.
async fn assert_rejection(name: &str, lose: impl FnOnce(&Path)) {
    let _exclusive = exclusive().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("rollbook.sqlite3");
    let mut nodes = Nodes::start(&format!("sqlite:{}", file.display()), 1).await;
    let mut load = Load::default();
    load.add_creates("create", 16, Duration::ZERO, &nodes.clients().next().unwrap());
    sleep(Duration::from_secs(3)).await;
    lose(&file);
    let fault = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let exchanges = load.stop().await;

    let after = || exchanges.0.iter().filter(|exchange| exchange.began >= fault);
    let acknowledged = after().filter(|exchange| exchange.status == Some(201)).count();
    println!("{name}: {:?}; {acknowledged} of {} acknowledged afterwards", exchanges.statuses(), after().count());
    assert!(!exchanges.created().is_empty());
    assert_eq!(acknowledged, 0);
    exchanges.assert_success_or_unavailable();
    let message = "was deleted, moved or replaced while it was in use: the last write known to be in it is of ";
    assert!(nodes.log().contains(message), "{}", nodes.log());
    nodes.assert_running();
}

#[tokio::test(flavor = "multi_thread")]
async fn create_after_deletion_of_file_is_rejected() {
    assert_rejection("deletion of the file", |file| fs::remove_file(file).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn create_after_move_of_file_is_rejected() {
    assert_rejection("move of the file", |file| fs::rename(file, file.with_extension("moved")).unwrap()).await;
}
