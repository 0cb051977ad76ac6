//! The middleware around every request: error handling, authentication and the headers of all responses.

mod accept;
mod cross_origin;
mod deprecation;
mod forwarded;
mod gate;
mod head;
mod origin;
mod outermost;
mod preflight;
mod query;
mod redacted_path;
mod request_id;

pub use cross_origin::{AllowedOrigins, Origin};
pub use forwarded::{ForwardedHeader, PathPrefix, TrustedProxies};
pub use gate::Gate;
pub use origin::{client, origin, user_agent};
pub use outermost::{Edge, EdgeConfig};
pub use request_id::RequestId;
