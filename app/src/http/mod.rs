//! HTTP adapter: maps requests to use cases and their results to responses.
//!
//! A request passes [`edge::Edge`] (operation lookup, request id, deadline, panics, error format), [`edge::Gate`]
//! (authentication, permission, quota, content negotiation), and the routes to one of the [`operations`].

pub mod access;
mod conditional;
pub mod docs;
pub mod document;
mod edge;
mod encoding;
mod entity_tags;
pub mod export;
mod operations;
mod problem;
mod rate_limit;
mod request;
mod response;
mod wire;

use std::sync::Arc;

use domain::audit::{DeniedAccessLog, Review};
use domain::login::{LogIn, OwnPassword};
use domain::quota::{RequestQuotas, Turns};
use domain::record::Records;
use domain::session::{Authenticate, Refresh, Sessions};
use domain::student::{FollowChanges, NameIndex};
use domain::token::KeySet;
use domain::user::Accounts;
use domain::{Clock, Filter, Probe, Reach};
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, IntoEndpoint, Request, Response, Route};

use self::request::By;
use crate::change_watch::ChangeWatch;
use crate::stores::Stores;

pub use edge::{AllowedOrigins, EdgeConfig, ForwardedHeader, Origin, TrustedProxies};
pub use operations::{ChangesDocument, LatestDocument, StudentDocument};

/// The use cases that the operations run.
#[derive(Clone)]
pub struct UseCases {
    pub records: ResourceRecords,
    pub authenticate: Authenticate,
    pub log_in: LogIn,
    pub refresh: Refresh,
    pub sessions: Sessions,
    pub own_password: OwnPassword,
    pub accounts: Accounts,
    pub review: Review,
    pub changes: FollowChanges,
    pub change_watch: Arc<ChangeWatch>,
    pub denied_access: Arc<DeniedAccessLog>,
    pub quotas: Arc<dyn RequestQuotas>,
    pub search_turns: Arc<dyn Turns>,
    pub export_turns: Arc<dyn Turns>,
    pub name_index: Arc<dyn NameIndex>,
    pub probe: Arc<dyn Probe>,
    pub key_set: Arc<dyn KeySet>,
    pub clock: Arc<dyn Clock>,
}

impl UseCases {
    /// Waits for the turn of a search. Other lists need none.
    pub async fn turn<P>(&self, by: &By<P>, filter: &impl Filter) -> Option<Box<dyn Send>> {
        match filter.reach() {
            Reach::Search => Some(self.search_turns.turn(by.caller().user.id).await),
            Reach::Row | Reach::Page => None,
        }
    }
}

/// Declares [`ResourceRecords`].
macro_rules! resource_records {
    ($($records:ident: $resource:ty,)+) => {
        /// The record use cases of every resource.
        #[derive(Clone)]
        pub struct ResourceRecords {
            $(pub $records: Records<$resource>,)+
        }

        impl ResourceRecords {
            /// Creates the use cases on these stores.
            #[must_use]
            pub fn on(stores: &Stores, clock: &Arc<dyn Clock>) -> Self {
                Self { $($records: Records::new(stores.$records.clone(), clock.clone()),)+ }
            }
        }
    };
}
domain::resources!(resource_records);

/// The whole service as one endpoint.
pub fn endpoint(use_cases: UseCases, config: EdgeConfig) -> impl Endpoint<Output = Response> + 'static {
    let pages = docs::routes(Route::new()).at("/problems/:slug", poem::get(problem::explanation));
    let site = Site { pages, api: document::service().into_endpoint() };
    edge::Edge::new(edge::Gate::new(site, Arc::new(use_cases)), config)
}

/// The HTML pages and the API.
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

/// Returns `true` if a path belongs to the HTML pages, which are public.
fn is_page(path: &str) -> bool {
    docs::is_public(path) || problem::is_public(path)
}
