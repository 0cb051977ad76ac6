//! Files of the documentation page with their response headers: our own, which are compiled in, and Swagger UI's.

use std::{borrow::Cow, io, sync::Arc};

use bytes::Bytes;
use poem::{
    Body, Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    web::headers::{ETag, HeaderMapExt, IfNoneMatch},
};
use utoipa_swagger_ui::Config;

use crate::http::encoding::{Coding, Encoded};

/// Allows scripts, styles and requests of this origin only, and nothing inline. Swagger UI sets styles by script, which a
/// policy does not restrict, and uses `data:` images. Forms cannot be submitted: a script handles the login form, so a password
/// never becomes part of a URL, even if the script fails.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// For our own files, which depend on each other and may change with each release.
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");
/// For Swagger UI's files, which are large and change only with its version.
const CACHED_FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// The page, which is also served at `/docs/`.
const INDEX: &str = "index.html";

/// A compiled-in file of the page.
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
    ours!("swagger-ui-fixes.css", "text/css; charset=utf-8"),
    ours!("swagger-ui-names.js", "text/javascript; charset=utf-8"),
];

/// The files of Swagger UI that the page uses. The standalone layout, the OAuth page and the other builds are not served.
const SWAGGER_UI: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

/// All files of the page.
pub(super) struct Assets(Vec<Asset>);

struct Asset {
    name: &'static str,
    content: Encoded,
    /// Headers of every response: media type, caching and content security policy.
    headers: HeaderMap,
}

impl Assets {
    /// Compresses and hashes the files, which takes a few milliseconds and happens once, at start.
    pub(super) fn load() -> Self {
        let ours = OURS.into_iter().filter_map(|(name, content_type, body)| {
            let content = Encoded::new(Bytes::from_static(body)).ok()?;
            Some(Asset::new(name, HeaderValue::from_static(content_type), REVALIDATED, content))
        });
        Self(ours.chain(SWAGGER_UI.into_iter().filter_map(Asset::of_swagger_ui)).collect())
    }

    /// The response to a GET of the file `name`, or `None` if there is no such file. If the client has the current version in
    /// the negotiated coding, the status is 304 (RFC 9110, section 13.1.2).
    pub(super) fn response(&self, name: &str, request: &HeaderMap) -> Option<io::Result<Response>> {
        let name = if name.is_empty() { INDEX } else { name };
        let asset = self.0.iter().find(|asset| asset.name == name)?;
        let coding = Coding::negotiate(request);
        let etag: ETag = asset.content.etag(coding).parse().ok()?;
        let is_stale = request.typed_get::<IfNoneMatch>().is_none_or(|tags| tags.precondition_passes(&etag));
        let response = if is_stale { asset.ok(coding) } else { Ok(asset.not_modified()) };
        Some(response.map(|mut response| {
            response.headers_mut().typed_insert(etag);
            response
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
        Some(Self::new(name, content_type, CACHED_FOR_A_DAY, content))
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

    /// A 304 with the headers of the 200 except for those that describe the body (RFC 9110, section 15.4.5).
    fn not_modified(&self) -> Response {
        let mut response = Response::builder().status(StatusCode::NOT_MODIFIED).finish();
        *response.headers_mut() = self.headers.clone();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response
    }
}
