//! Accounts that benches log in to, made by the demo's administrator.

use serde_json::{Value, json};

use super::http::Connection;
use super::server::Server;
use crate::failure::{Failure, Result, Settle};

/// The password of each.
pub const PASSWORD: &str = "slow river under seven bridges";

/// The demo's administrator.
pub struct Administrator {
    connection: Connection,
    authorization: String,
}

impl Administrator {
    pub async fn of(server: &Server) -> Result<Self> {
        let authorization = format!("Authorization: Bearer {}", server.log_in("admin").await?);
        Ok(Self { connection: server.connect().await?, authorization })
    }

    /// Makes a viewer; answers its id.
    pub async fn add(&mut self, username: &str) -> Result<i64> {
        let new = json!({"username": username, "password": PASSWORD, "role": "viewer"});
        let made = self.send("POST", "/users", &new, 201).await?;
        made.get("id").and_then(Value::as_i64).ok_or_else(|| Failure::new("a new user without an id"))
    }

    /// Makes a viewer who is disabled.
    pub async fn add_disabled(&mut self, username: &str) -> Result<()> {
        let id = self.add(username).await?;
        self.send("PATCH", &format!("/users/{id}"), &json!({"status": "disabled"}), 200).await.map(drop)
    }

    async fn send(&mut self, method: &str, path: &str, body: &Value, due: u16) -> Result<Value> {
        let sent = self.connection.send(method, path, &self.authorization, &body.to_string()).await;
        let answer = sent.or_fail(path)?;
        if answer.status != due {
            return Err(Failure::new(format_args!("{method} {path} responded {} instead of {due}", answer.status)));
        }
        serde_json::from_slice(&answer.body).or_fail(path)
    }
}
