//! The documentation page's files, with the headers that each is answered with: ours, compiled in, and
//! Swagger UI's own.

use std::{borrow::Cow, io, sync::Arc};

use bytes::Bytes;
use poem::{
    Body, Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    web::headers::{ETag, HeaderMapExt, IfNoneMatch},
};
use utoipa_swagger_ui::Config;

use crate::http::encoding::{Coding, Encoded};

/// Neither scripts nor styles nor requests from anywhere but here, and none inline. Swagger UI styles elements by
/// script, which no policy forbids, and draws `data:` images. No form may be sent: the page's own is handled by
/// script, so that a password gets into no URL even where the script fails.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Ours change with any release and belong together, so each use asks whether they still hold.
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");
/// Swagger UI's own are large and change with its version alone.
const KEPT_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// The page itself, also answered for the folder.
const INDEX: &str = "index.html";

/// A file beside the page, compiled in.
macro_rules! ours {
    ($name:literal, $content_type:literal) => {
        ($name, $content_type, include_bytes!(concat!("../../../assets/docs/", $name)))
    };
}

const OURS: [(&str, &str, &[u8]); 11] = [
    ours!("index.html", "text/html; charset=utf-8"),
    ours!("favicon.svg", "image/svg+xml"),
    ours!("page.css", "text/css; charset=utf-8"),
    ours!("session-api.js", "text/javascript; charset=utf-8"),
    ours!("session-bar.js", "text/javascript; charset=utf-8"),
    ours!("session-plugin.js", "text/javascript; charset=utf-8"),
    ours!("session-store.js", "text/javascript; charset=utf-8"),
    ours!("session.js", "text/javascript; charset=utf-8"),
    ours!("swagger-initializer.js", "text/javascript; charset=utf-8"),
    ours!("swagger-ui-mended.css", "text/css; charset=utf-8"),
    ours!("swagger-ui-names.js", "text/javascript; charset=utf-8"),
];

/// What of Swagger UI the page uses: its standalone layout, a second page for OAuth and three further builds of
/// the same program stay out.
const SWAGGER_UI: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

/// Every file of the page, by name.
pub(super) struct Assets(Vec<Asset>);

struct Asset {
    name: &'static str,
    content: Encoded,
    /// Of every answer: type, caching and policy.
    headers: HeaderMap,
}

impl Assets {
    /// Compresses and hashes what is not yet: a few milliseconds, so once, at start.
    pub(super) fn load() -> Self {
        let ours = OURS.into_iter().filter_map(|(name, content_type, body)| {
            let content = Encoded::new(Bytes::from_static(body)).ok()?;
            Some(Asset::new(name, HeaderValue::from_static(content_type), REVALIDATED, content))
        });
        Self(ours.chain(SWAGGER_UI.into_iter().filter_map(Asset::of_swagger_ui)).collect())
    }

    /// The answer to a GET of the file that `name` names; `None` where no file has that name. RFC 9110 13.1.2:
    /// 304 where the client holds what we hold, in the coding that it would get.
    pub(super) fn answer(&self, name: &str, request: &HeaderMap) -> Option<io::Result<Response>> {
        let name = if name.is_empty() { INDEX } else { name };
        let asset = self.0.iter().find(|asset| asset.name == name)?;
        let coding = Coding::wanted(request);
        let etag: ETag = asset.content.etag(coding).parse().ok()?;
        let is_stale = request.typed_get::<IfNoneMatch>().is_none_or(|held| held.precondition_passes(&etag));
        let answer = if is_stale { asset.ok(coding) } else { Ok(asset.not_modified()) };
        Some(answer.map(|mut answer| {
            answer.headers_mut().typed_insert(etag);
            answer
        }))
    }
}

impl Asset {
    fn new(name: &'static str, content_type: HeaderValue, cache_control: HeaderValue, content: Encoded) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::CACHE_CONTROL, cache_control);
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        Self { name, content, headers }
    }

    fn of_swagger_ui(name: &'static str) -> Option<Self> {
        let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).ok()??;
        let content_type = HeaderValue::try_from(file.content_type).ok()?;
        let bytes = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        let content = if file.gzpipped { Encoded::from_gzip(bytes) } else { Encoded::new(bytes).ok()? };
        Some(Self::new(name, content_type, KEPT_A_DAY, content))
    }

    fn ok(&self, coding: Coding) -> io::Result<Response> {
        let body = self.content.bytes(coding)?;
        let mut headers = self.headers.clone();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        if let Some(name) = coding.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        let mut response = Response::from(Body::from(body));
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// RFC 9110 15.4.5: the headers that a 200 would have had, but for those that describe the body.
    fn not_modified(&self) -> Response {
        let mut response = Response::builder().status(StatusCode::NOT_MODIFIED).finish();
        *response.headers_mut() = self.headers.clone();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response
    }
}
