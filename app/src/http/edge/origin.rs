//! Where a request came from, for what it changes.

use std::net::IpAddr;

use domain::Origin;
use domain::session::UserAgent;
use poem::Request;
use poem::http::header;

use super::RequestId;

/// The client's address, as the edge found it.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub Option<IpAddr>);

/// The client's address, where it is known.
pub fn client(request: &Request) -> Option<IpAddr> {
    request.data::<ClientAddress>().and_then(|client| client.0)
}

/// What the audit tells of where a request came from.
pub fn origin(request: &Request) -> Origin {
    Origin { request_id: request.data::<RequestId>().map(|id| id.as_str().into()), client: client(request) }
}

/// What the client calls itself.
pub fn user_agent(request: &Request) -> Option<UserAgent> {
    request.headers().get(header::USER_AGENT)?.to_str().ok().and_then(UserAgent::of)
}
