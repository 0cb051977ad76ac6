//! HTTP: what goes over the wire, and how it becomes use cases and back.
//!
//! From outside to inside, a request passes [`deprecation::Announced`], [`edge::Edge`] (request id, deadline, panics, the
//! one format of errors), [`edge::Gate`] (who is asking, and whether such an answer can be made at all), and the routes
//! to one of the [`operations`].

pub mod access;
mod body;
mod conditional;
mod deprecation;
pub mod docs;
pub mod document;
mod edge;
mod encoding;
mod json_answer;
mod loose;
mod operations;
mod page_link;
mod problem;
mod rate_limit;

use std::sync::Arc;

use domain::audit::{Refusals, Review};
use domain::quota::RequestQuotas;
use domain::session::{Refresh, Sessions};
use domain::student::Roll;
use domain::token::{Authenticate, KeySet};
use domain::user::{Accounts, LogIn, OwnPassword};
use domain::{Clock, Probe};
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, IntoEndpoint, Request, Response, Route};

pub use edge::{AllowedOrigins, Origin, Surroundings, TrustedProxies};

/// The use cases that the operations translate to.
#[derive(Clone)]
pub struct Services {
    pub authenticate: Authenticate,
    pub log_in: LogIn,
    pub refresh: Refresh,
    pub sessions: Sessions,
    pub own_password: OwnPassword,
    pub roll: Roll,
    pub accounts: Accounts,
    pub review: Review,
    pub refusals: Arc<Refusals>,
    pub quotas: Arc<dyn RequestQuotas>,
    pub probe: Arc<dyn Probe>,
    pub key_set: Arc<dyn KeySet>,
    pub clock: Arc<dyn Clock>,
}

/// The whole service as one endpoint.
pub fn endpoint(services: Services, surroundings: Surroundings) -> impl Endpoint<Output = Response> + 'static {
    let pages = docs::routes(Route::new()).at("/problems/:slug", poem::get(problem::explanation));
    let site = Site { pages, api: document::service().into_endpoint() };
    let edge = edge::Edge::new(edge::Gate::new(site, Arc::new(services)), surroundings);
    deprecation::Announced::new(edge)
}

/// The pages for people, and the API.
struct Site {
    pages: Route,
    api: BoxEndpoint<'static>,
}

impl Endpoint for Site {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if is_page(request.uri().path()) { self.pages.call(request).await } else { self.api.call(request).await }
    }
}

/// Whether a path belongs to the pages for people, which anybody may read.
fn is_page(path: &str) -> bool {
    docs::is_public(path) || problem::is_public(path)
}
