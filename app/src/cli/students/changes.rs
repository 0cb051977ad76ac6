//! `rollbook students changes`: prints the feed of changes.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use domain::PageSize;
use domain::access::Principal;
use domain::student::{ChangeRetention, ChangeToken, ChangesError, FollowChanges};
use serde::Serialize;

use crate::change_watch::ChangeWatch;
use crate::cli::arguments::Store;
use crate::cli::failure::Failure;
use crate::http::{ChangesDocument, LatestDocument};
use crate::system::SystemClock;

/// Time after which the feed is read also without a change, so that failures of the store are found.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Prints the changes after a token, or without one the latest token.
pub async fn run(store: &Store, after: Option<ChangeToken>, is_following: bool) -> Result<(), Failure> {
    let feed = store.open_existing().await?.changes;
    let watch = ChangeWatch::new(feed.clone());
    let changes = FollowChanges { feed, clock: Arc::new(SystemClock), retention: ChangeRetention::default() };
    let by = Principal::operator().grant()?;
    let Some(mut after) = after else {
        print(&LatestDocument { token: changes.latest(&by).await? })?;
        return Ok(());
    };
    loop {
        let followed = changes.after(&by, after, PageSize::LARGEST).await.map_err(with_remedy)?;
        after = followed.changes.next;
        let has_more = followed.changes.has_more;
        // The line of a part without changes shows only the position, with which a command that ends continues.
        let is_silent = is_following && followed.changes.entries.is_empty();
        if !is_silent && !print(&ChangesDocument::from(followed))? {
            return Ok(());
        }
        match (has_more, is_following) {
            (true, _) => {}
            (false, true) => drop(watch.wait(after, MAX_WAIT).await),
            (false, false) => return Ok(()),
        }
    }
}

fn with_remedy(error: ChangesError) -> Failure {
    match error {
        ChangesError::Store(error) => error.into(),
        outdated => Failure::new(format!(
            "--after: {outdated}; start again: without --after, this command prints the latest token, then export all students"
        )),
    }
}

/// Prints a line. Returns `false` if the reader of the output is gone.
fn print(document: &impl Serialize) -> Result<bool, Failure> {
    let (line, mut stdout) = (serde_json::to_string(document)?, io::stdout());
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => Ok(written.map(|()| true)?),
    }
}
