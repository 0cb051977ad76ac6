//! `rollbook audit …`: lists and deletes audit events.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use domain::access::Principal;
use domain::audit::{Event, EventFilter, Review};
use time::format_description::well_known::Rfc3339;
use tokio::time::sleep;

use super::arguments::{Audit, AuditCommand};
use super::failure::Failure;
use super::output;
use crate::system::SystemClock;

/// Pause between two batches of a deletion. While a transaction runs, SQLite retries a write of the server every 100 ms.
const PAUSE: Duration = Duration::from_millis(150);
/// Number of deleted events between two messages about the progress.
const PROGRESS: u64 = 100_000;

/// Runs an `audit` subcommand.
pub async fn run(audit: Audit) -> Result<(), Failure> {
    let operator = Principal::operator();
    let log = audit.store.open_existing().await?.audit;
    let review = Review { log, clock: Arc::new(SystemClock) };
    match audit.command {
        AuditCommand::List { actor, action, target, since, before } => {
            let (by, filter) = (operator.grant()?, EventFilter { actor, action, target, since, before });
            output::pages(async |request| review.page(&by, &filter, request).await, line).await
        }
        AuditCommand::Prune { older_than } => {
            let mut deleted_so_far = 0;
            let after_batch = async |deleted: u64| {
                deleted_so_far = deleted;
                if deleted.is_multiple_of(PROGRESS) {
                    output::progress(format_args!("Deleted {deleted} events"));
                }
                sleep(PAUSE).await;
            };
            let deleted = review.prune_older_than(&operator.grant()?, older_than, after_batch).await;
            let deleted = deleted.map_err(|error| match deleted_so_far {
                0 => error.into(),
                deleted => {
                    Failure::new(format!("{error}; {deleted} events were deleted, try again to delete the others"))
                }
            })?;
            output::line(format_args!("Deleted {deleted} events."))
        }
    }
}

/// The columns listed in the help text, separated by tabs; `-` for an unknown value.
fn line(Event { id, what }: &Event) -> Result<String, Failure> {
    let columns = [
        id.to_string(),
        what.by.at.format(&Rfc3339)?,
        what.by.id.to_string(),
        what.action.to_string(),
        or_dash(what.target.as_ref()),
        what.count.to_string(),
        or_dash(what.by.origin.client),
        or_dash(what.by.origin.request_id.as_deref()),
        or_dash(what.detail.as_deref()),
    ];
    Ok(columns.join("\t"))
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
