//! What the tests ask and are answered, kept for `cargo xtask gate` where a folder for it is named.
//!
//! One file a test process, one line an exchange, in JSON. No value of a request's headers is kept, so no token that is
//! shown; what is answered is kept with its values.

#![expect(clippy::expect_used, reason = "a test whose exchanges cannot be kept panics")]

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

/// The variable that names the folder. `cargo xtask test` sets it.
pub const FOLDER: &str = "ROLLBOOK_TEST_EXCHANGES";

/// The largest body that is kept, in bytes; of a larger one its length.
const MAX_BODY: usize = 1 << 20;

/// How many bodies of one kind of answer are kept: a load test adds nothing after so many.
const BODIES_OF_A_KIND: usize = 200;

/// A request, as far as the gate asks for it.
pub struct RecordedRequest {
    method: String,
    /// With its query.
    path: String,
    headers: Vec<String>,
    media_type: Option<String>,
    /// The keys of a body that is a JSON object.
    keys: Option<Vec<String>>,
}

impl RecordedRequest {
    /// What a request asks; `None` where nothing is recorded.
    pub fn by(request: &reqwest::Request) -> Option<Self> {
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

    /// Keeps the exchange, unless one like it is kept already.
    pub fn answered(self, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        if let Some(record) = RECORD.as_ref() {
            record.lock().unwrap_or_else(PoisonError::into_inner).keep(&self, status, headers, body);
        }
    }

    /// Keeps an exchange whose bytes a test has written and read by itself.
    ///
    /// # Panics
    /// Where the answer is no HTTP.
    pub fn record_raw(method: &str, path: &str, answer: &str) {
        let Response { status, headers, body } = Response::of_text(answer);
        let asked =
            Self { method: method.into(), path: path.into(), headers: Vec::new(), media_type: None, keys: None };
        asked.answered(status, &headers, &body);
    }
}

static RECORD: LazyLock<Option<Mutex<Record>>> = LazyLock::new(|| {
    let folder = PathBuf::from(env::var_os(FOLDER)?);
    let program = env::current_exe().expect("the path of this test");
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let file = folder.join(format!("{name}-{}.jsonl", std::process::id()));
    let file =
        File::options().create(true).append(true).open(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    Some(Mutex::new(Record { file, kept: HashMap::new() }))
});

/// What this process has kept.
struct Record {
    file: File,
    /// The bodies of each kind of answer, as hashes of both.
    kept: HashMap<u64, HashSet<u64>>,
}

impl Record {
    fn keep(&mut self, asked: &RecordedRequest, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        let media_type = text(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = hash(&(&asked.method, place(&asked.path), status.as_u16(), &media_type, kinds_of_values(headers)));
        let bodies = self.kept.entry(kind).or_default();
        if bodies.len() >= BODIES_OF_A_KIND || !bodies.insert(hash(&without_request_id(&media_type, body))) {
            return;
        }
        let is_text = media_type.contains("json") || media_type.contains("yaml");
        let readable = is_text && !headers.contains_key(CONTENT_ENCODING);
        let whole = (readable && body.len() <= MAX_BODY).then(|| String::from_utf8_lossy(body));
        let values =
            headers.iter().map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]));
        let line = json!({
            "method": asked.method,
            "path": asked.path,
            "request": { "headers": asked.headers, "media_type": asked.media_type, "keys": asked.keys },
            "status": status.as_u16(),
            "headers": values.collect::<Vec<_>>(),
            "length": body.len(),
            "body": whole,
        });
        self.file.write_all(format!("{line}\n").as_bytes()).expect("room for an exchange");
    }
}

/// The path without its query and its numbers: what an operation is, nearly enough.
fn place(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let segments = path.split('/').map(|segment| if segment.parse::<i64>().is_ok() { "{id}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Two problems that differ in nothing but the request that met them are one.
fn without_request_id(media_type: &str, body: &[u8]) -> Vec<u8> {
    if media_type != "application/problem+json" {
        return body.to_vec();
    }
    let Ok(mut problem) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    problem["request_id"].take();
    problem.to_string().into_bytes()
}

/// The names of headers, sorted, each once.
fn names(headers: &HeaderMap) -> Vec<String> {
    let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
    names.sort_unstable();
    names
}

/// Each header with its value without its numbers, but for those whose values say nothing of the answer: `"requests";r=7`
/// and `"requests";r=8` are one.
fn kinds_of_values(headers: &HeaderMap) -> Vec<(String, String)> {
    let relevant = headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let mut kinds: Vec<_> = relevant
        .map(|(name, value)| {
            let mut kind = String::new();
            for character in String::from_utf8_lossy(value.as_bytes()).chars() {
                let digit = character.is_ascii_digit();
                if !(digit && kind.ends_with('0')) {
                    kind.push(if digit { '0' } else { character });
                }
            }
            (name.to_string(), kind)
        })
        .collect();
    kinds.sort_unstable();
    kinds
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

    fn kinds(headers: &[(&'static str, &str)]) -> Vec<(String, String)> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
        kinds_of_values(&headers.collect())
    }

    #[test]
    fn answers_are_alike_whose_headers_differ_in_numbers_alone() {
        let one =
            [("ratelimit", "\"requests\";r=99;t=1"), ("date", "Mon"), ("x-request-id", "a-1"), ("etag", "\"7-1\"")];
        let two = [("etag", "\"12-345\""), ("ratelimit", "\"requests\";r=5999;t=0"), ("date", "Tue")];
        assert_eq!(kinds(&one), kinds(&two));
        let challenge = |value| kinds(&[("www-authenticate", value)]);
        assert_ne!(
            challenge("Bearer realm=\"rollbook\""),
            challenge("Bearer realm=\"rollbook\", error=\"invalid_token\"")
        );
        assert_ne!(kinds(&one), kinds(&one[..3]));
    }
}
