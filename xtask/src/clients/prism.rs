//! prism: a proxy that validates requests and responses against the document, and responds with a 4xx or 5xx if one
//! does not match.

use super::languages::npm_program;
use super::workshop::Workshop;
use crate::failure::Result;
use crate::server::Server;

/// An installed prism.
pub struct Prism(Workshop);

impl Prism {
    /// Installs prism in its folder, unless it is installed there.
    pub async fn installed(workshop: Workshop) -> Result<Self> {
        workshop.install_packages().await?;
        Ok(Self(workshop))
    }

    /// Starts a proxy in front of the server at `upstream`.
    pub async fn before(&self, upstream: &str) -> Result<Server> {
        let mut prism = npm_program(&self.0, "prism");
        Server::start("prism", |address| {
            let (host, port) = (address.ip().to_string(), address.port().to_string());
            prism.args(["proxy", "--errors", "--host", &host, "--port", &port]).arg(self.0.document()).arg(upstream);
            prism
        })
        .await
    }
}
