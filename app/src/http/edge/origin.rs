//! Origin of a request, for the audit and for sessions.

use std::net::IpAddr;

use domain::Origin;
use domain::session::UserAgent;
use poem::Request;
use poem::http::header;

use super::RequestId;

/// The client's address, as determined by the edge.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub Option<IpAddr>);

/// The client's address, if it is known.
pub fn client(request: &Request) -> Option<IpAddr> {
    request.data::<ClientAddress>().and_then(|client| client.0)
}

/// The origin of a request for audit events.
pub fn origin(request: &Request) -> Origin {
    Origin { request_id: request.data::<RequestId>().map(|id| id.as_str().into()), client: client(request) }
}

/// The `User-Agent` header, if it is valid.
pub fn user_agent(request: &Request) -> Option<UserAgent> {
    request.headers().get(header::USER_AGENT)?.to_str().ok().and_then(UserAgent::of)
}
