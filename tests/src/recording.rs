//! Records the requests and responses of the tests for `cargo xtask gate`.
//!
//! If [`FOLDER`] is set, each test process writes one file with one line of JSON per exchange. The values of request headers
//! are not recorded, because they contain tokens; the values of response headers are.

#![expect(clippy::expect_used, reason = "a test panics if it cannot record its exchanges")]

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use crate::client::Response;

/// The environment variable with the path of the folder. `cargo xtask test` sets it.
pub const FOLDER: &str = "ROLLBOOK_TEST_EXCHANGES";

/// Maximum size of a recorded body, in bytes. Only the length of a larger body is recorded.
const MAX_BODY: usize = 1 << 20;

/// Maximum number of recorded bodies per kind of response. Bounds the record of load tests.
const MAX_BODIES_PER_KIND: usize = 200;

/// The parts of a request that the gate checks.
pub struct RecordedRequest {
    method: String,
    /// Path and query.
    path: String,
    headers: Vec<String>,
    media_type: Option<String>,
    /// The keys of the body, if it is a JSON object.
    keys: Option<Vec<String>>,
}

impl RecordedRequest {
    /// The recorded parts of a request. `None` if recording is off.
    pub fn of(request: &reqwest::Request) -> Option<Self> {
        RECORD.as_ref()?;
        let url = request.url();
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let keys = serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|body| Some(body.as_object()?.keys().cloned().collect()));
        Some(Self {
            method: request.method().to_string(),
            path,
            headers: names(request.headers()),
            media_type: text(request.headers(), CONTENT_TYPE.as_str()),
            keys,
        })
    }

    /// Records the exchange, unless an equivalent one has been recorded.
    pub fn record(self, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        if let Some(record) = RECORD.as_ref() {
            record.lock().unwrap_or_else(PoisonError::into_inner).add(&self, status, headers, body);
        }
    }

    /// Records an exchange that a test has sent and received as raw text.
    ///
    /// # Panics
    /// If the response is not HTTP.
    pub fn record_raw(method: &str, path: &str, response: &str) {
        let Response { status, headers, body } = Response::parse(response);
        let request =
            Self { method: method.into(), path: path.into(), headers: Vec::new(), media_type: None, keys: None };
        request.record(status, &headers, &body);
    }
}

static RECORD: LazyLock<Option<Mutex<Record>>> = LazyLock::new(|| {
    let folder = PathBuf::from(env::var_os(FOLDER)?);
    let program = env::current_exe().expect("the path of this test");
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let file = folder.join(format!("{name}-{}.jsonl", std::process::id()));
    let file =
        File::options().create(true).append(true).open(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    Some(Mutex::new(Record { file, bodies: HashMap::new() }))
});

/// The record of this process.
struct Record {
    file: File,
    /// The hashes of the recorded bodies, by the hash of the kind of response.
    bodies: HashMap<u64, HashSet<u64>>,
}

impl Record {
    fn add(&mut self, request: &RecordedRequest, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        let media_type = text(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = hash(&(
            &request.method,
            path_template(&request.path),
            status.as_u16(),
            &media_type,
            normalized_headers(headers),
        ));
        let bodies = self.bodies.entry(kind).or_default();
        if bodies.len() >= MAX_BODIES_PER_KIND || !bodies.insert(hash(&without_request_id(&media_type, body))) {
            return;
        }
        let is_text = media_type.contains("json") || media_type.contains("yaml");
        let readable = is_text && !headers.contains_key(CONTENT_ENCODING);
        let text = (readable && body.len() <= MAX_BODY).then(|| String::from_utf8_lossy(body));
        let values =
            headers.iter().map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]));
        let line = json!({
            "method": request.method,
            "path": request.path,
            "request": { "headers": request.headers, "media_type": request.media_type, "keys": request.keys },
            "status": status.as_u16(),
            "headers": values.collect::<Vec<_>>(),
            "length": body.len(),
            "body": text,
        });
        self.file.write_all(format!("{line}\n").as_bytes()).expect("the exchange is written");
    }
}

/// The path without its query, with `{id}` for each number: approximately the path of an operation.
fn path_template(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let segments = path.split('/').map(|segment| if segment.parse::<i64>().is_ok() { "{id}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// The body without the request id of a problem: problems that differ only in it are equivalent.
fn without_request_id(media_type: &str, body: &[u8]) -> Vec<u8> {
    if media_type != "application/problem+json" {
        return body.to_vec();
    }
    let Ok(mut problem) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    problem["request_id"].take();
    problem.to_string().into_bytes()
}

/// The sorted names of the headers.
fn names(headers: &HeaderMap) -> Vec<String> {
    let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
    names.sort_unstable();
    names
}

/// The headers with `0` for each number: `"requests";r=7` and `"requests";r=8` are equivalent. Excludes headers that are
/// different in every response.
fn normalized_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let relevant = headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let mut normalized: Vec<_> = relevant
        .map(|(name, value)| {
            let mut text = String::new();
            for character in String::from_utf8_lossy(value.as_bytes()).chars() {
                let digit = character.is_ascii_digit();
                if !(digit && text.ends_with('0')) {
                    text.push(if digit { '0' } else { character });
                }
            }
            (name.to_string(), text)
        })
        .collect();
    normalized.sort_unstable();
    normalized
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(headers: &[(&'static str, &str)]) -> Vec<(String, String)> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
        normalized_headers(&headers.collect())
    }

    #[test]
    fn headers_that_differ_only_in_numbers_are_equivalent() {
        let one =
            [("ratelimit", "\"requests\";r=99;t=1"), ("date", "Mon"), ("x-request-id", "a-1"), ("etag", "\"7-1\"")];
        let two = [("etag", "\"12-345\""), ("ratelimit", "\"requests\";r=5999;t=0"), ("date", "Tue")];
        assert_eq!(normalized(&one), normalized(&two));
        let challenge = |value| normalized(&[("www-authenticate", value)]);
        assert_ne!(
            challenge("Bearer realm=\"rollbook\""),
            challenge("Bearer realm=\"rollbook\", error=\"invalid_token\"")
        );
        assert_ne!(normalized(&one), normalized(&one[..3]));
    }
}
