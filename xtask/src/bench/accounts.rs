//! Creates the accounts that the benchmarks log in to.

use serde_json::{Value, json};

use super::http::Connection;
use super::server::Server;
use crate::failure::{Failure, Result, Settle};

/// Password of all accounts created here.
pub const PASSWORD: &str = "slow river under seven bridges";

/// A session of the demo's administrator.
pub struct Administrator {
    connection: Connection,
    authorization: String,
}

impl Administrator {
    pub async fn log_in(server: &Server) -> Result<Self> {
        let authorization = format!("Authorization: Bearer {}", server.log_in("admin").await?);
        Ok(Self { connection: server.connect().await?, authorization })
    }

    /// Creates a viewer and returns its id.
    pub async fn add(&mut self, username: &str) -> Result<i64> {
        let new = json!({"username": username, "password": PASSWORD, "role": "viewer"});
        let created = self.send("POST", "/users", &new, 201).await?;
        created.get("id").and_then(Value::as_i64).ok_or_else(|| Failure::new("POST /users returned no id"))
    }

    /// Creates a disabled viewer.
    pub async fn add_disabled(&mut self, username: &str) -> Result<()> {
        let id = self.add(username).await?;
        self.send("PATCH", &format!("/users/{id}"), &json!({"status": "disabled"}), 200).await.map(drop)
    }

    async fn send(&mut self, method: &str, path: &str, body: &Value, expected: u16) -> Result<Value> {
        let sent = self.connection.send(method, path, &self.authorization, &body.to_string()).await;
        let response = sent.or_fail(path)?;
        if response.status != expected {
            let status = response.status;
            return Err(Failure::new(format_args!("{method} {path} responded {status} instead of {expected}")));
        }
        serde_json::from_slice(&response.body).or_fail(path)
    }
}
