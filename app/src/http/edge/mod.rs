//! What stands around every request, whatever it asks for.

mod accept;
mod forwarded;
mod gate;
mod logged_path;
mod origin;
mod outermost;
mod request_id;

pub use forwarded::{PathPrefix, TrustedProxies};
pub use gate::Gate;
pub use origin::{origin, user_agent};
pub use outermost::Edge;
pub use request_id::RequestId;
