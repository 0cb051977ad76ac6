//! `GET /health/…`: whether the process lives, and whether it can do its work.

use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Serialize;

use super::{Tag, Use};
use crate::http::json_answer::JsonAnswer;
use crate::http::problem::{Refused, refusals};

/// How the service is.
#[derive(Debug, Clone, Copy, Serialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename = "HealthStatus", rename_all = "lowercase")]
enum HealthStatus {
    /// The process answers.
    Live,
    /// The store answers too.
    Ready,
}

/// How the service is.
#[derive(Serialize, Object)]
#[oai(rename = "Health", example)]
struct HealthDocument {
    status: HealthStatus,
}

impl Example for HealthDocument {
    fn example() -> Self {
        Self { status: HealthStatus::Ready }
    }
}

#[derive(ApiResponse)]
enum HealthAnswer {
    /// All is well.
    #[oai(status = 200)]
    Well(JsonAnswer<HealthDocument>),
}

impl HealthAnswer {
    fn with(status: HealthStatus) -> Self {
        Self::Well(JsonAnswer(HealthDocument { status }))
    }
}

refusals! {
    /// What stands in the way of being ready.
    BeingReady: Unavailable;
}

pub struct HealthApi;

#[expect(clippy::unused_async, reason = "poem-openapi takes async operations alone")]
#[OpenApi(tag = "Tag::Service")]
impl HealthApi {
    /// Ask whether the process lives
    ///
    /// Answers as long as the process can. Asks nobody else.
    #[oai(path = "/health/live", method = "get", operation_id = "getLiveness")]
    async fn live(&self) -> HealthAnswer {
        HealthAnswer::with(HealthStatus::Live)
    }

    /// Ask whether the service can do its work
    ///
    /// Asks the store; 503 while it is away.
    #[oai(path = "/health/ready", method = "get", operation_id = "getReadiness")]
    async fn ready(&self, uses: Use<'_>) -> Result<HealthAnswer, Refused<BeingReady>> {
        uses.probe.ready().await?;
        Ok(HealthAnswer::with(HealthStatus::Ready))
    }
}
