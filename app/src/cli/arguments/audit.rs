//! The arguments of `rollbook audit`.

use clap::{Args, Subcommand};
use domain::audit::Action;
use domain::{ActorId, Target};
use time::{Duration, OffsetDateTime};

use super::{Store, duration, instant};

#[derive(Debug, Args)]
#[command(arg_required_else_help = false)]
pub struct Audit {
    #[command(flatten)]
    pub store: Store,

    #[command(subcommand)]
    pub command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List events, oldest first: id, time, actor, action, target, count, address, request, detail
    List {
        /// Only events of this actor: user:ID, operator, service or anonymous
        #[arg(long, value_name = "ACTOR")]
        actor: Option<ActorId>,
        /// Only events with this action, such as user.created
        #[arg(long, value_name = "ACTION")]
        action: Option<Action>,
        /// Only events on this target: student:ID, user:ID, session:ID, operation:NAME or key:ID
        #[arg(long, value_name = "TARGET")]
        target: Option<Target>,
        /// Only events at or after this time, such as 2026-11-23T12:00:00Z
        #[arg(long, value_name = "TIME", value_parser = instant)]
        since: Option<OffsetDateTime>,
        /// Only events before this time
        #[arg(long, value_name = "TIME", value_parser = instant)]
        before: Option<OffsetDateTime>,
    },
    /// Delete old events permanently; records one event with their number
    Prune {
        /// Minimum age of the events to delete, such as 365d
        #[arg(long, value_name = "TIME", value_parser = duration)]
        older_than: Duration,
    },
}
