//! One request and its answer, as they were recorded.

use serde_json::Value;

use crate::failure::{Failure, Result, Settle};

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub status: u16,
    /// Names in lower case, and values; a name that comes twice is here twice.
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    None,
    Text(String),
    /// There was one, and it was not kept: too large, or no text.
    NotKept,
}

impl Exchange {
    /// Reads one line of what the tests record.
    pub fn parse(line: &str) -> Result<Self> {
        let exchange: Value = serde_json::from_str(line).or_fail("a recorded exchange")?;
        let texts = (exchange["method"].as_str(), exchange["path"].as_str(), exchange["status"].as_u64());
        let (Some(method), Some(path), Some(status)) = texts else {
            return Err(Failure::new("a recorded exchange lacks its method, its path or its status"));
        };
        let headers = exchange["headers"].as_array().into_iter().flatten();
        let headers = headers.filter_map(|header| Some((header[0].as_str()?, header[1].as_str()?)));
        let body = match (&exchange["body"], exchange["length"].as_u64()) {
            (_, Some(0)) => Body::None,
            (Value::String(text), _) => Body::Text(text.clone()),
            _ => Body::NotKept,
        };
        Ok(Self::new(method, path, status, headers, body))
    }

    pub fn new<'h>(
        method: &str,
        path: &str,
        status: u64,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
        body: Body,
    ) -> Self {
        Self {
            method: method.to_owned(),
            path: path.split('?').next().unwrap_or_default().to_owned(),
            status: u16::try_from(status).unwrap_or(u16::MAX),
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body,
        }
    }

    /// The answer's media type, without parameters; empty where it has none.
    pub fn media_type(&self) -> String {
        let value = self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        value.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}
