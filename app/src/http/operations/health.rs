//! `GET /health/…`: liveness and readiness.

use poem_openapi::OpenApi;

use super::{Tag, UseCasesData};
use crate::http::problem::{OperationError, error_set};
use crate::http::request::Unmetered;
use crate::http::response::Json;
use crate::http::wire::{closed_enum, response};

closed_enum! {
    /// State of the service: `live` if the process responds, `ready` if the store also responds.
    pub enum HealthStatus as "HealthStatus" {
        Live = "live",
        Ready = "ready",
    }
}

response! {
    /// State of the service.
    pub struct Health as "Health" {
        status: HealthStatus = "ready",
    }
}

error_set! {
    CheckingReadiness: Unavailable;
}

pub struct HealthApi;

#[expect(clippy::unused_async, reason = "poem-openapi requires async operations")]
#[OpenApi(tag = "Tag::Service")]
impl HealthApi {
    /// Get the liveness status
    ///
    /// Responds 200 while the process runs. Does not query the store.
    #[oai(path = "/health/live", method = "get", operation_id = "getLiveness")]
    async fn live(&self, _unmetered: Unmetered) -> Json<Health> {
        Json(Health { status: HealthStatus::Live })
    }

    /// Get the readiness status
    ///
    /// Responds at once with the result of the latest probe of the store, which runs twice a second. Responds 503 while the
    /// store does not respond or rejects writes, and after the server's stop signal.
    #[oai(path = "/health/ready", method = "get", operation_id = "getReadiness")]
    async fn ready(
        &self,
        _unmetered: Unmetered,
        uses: UseCasesData<'_>,
    ) -> Result<Json<Health>, OperationError<CheckingReadiness>> {
        uses.probe.ready().await?;
        Ok(Json(Health { status: HealthStatus::Ready }))
    }
}
