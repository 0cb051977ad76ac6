//! The documentation page's files, with the headers that each is answered with: ours, compiled in, and
//! Swagger UI's own.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hasher},
    sync::Arc,
};

use poem::{
    Body, Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    web::headers::{ETag, HeaderMapExt, IfNoneMatch},
};
use utoipa_swagger_ui::Config;

/// Neither scripts nor requests from anywhere but here; Swagger UI sets inline styles and draws `data:` images.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Ours change with any release and belong together, so each use asks whether they still hold.
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");
/// Swagger UI's own are large and change with its version alone.
const KEPT_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// The page itself, also answered for the folder.
const INDEX: &str = "index.html";

const OURS: [(&str, &str, &[u8]); 4] = [
    (INDEX, "text/html; charset=utf-8", include_bytes!("../../../assets/docs/index.html")),
    ("page.css", "text/css; charset=utf-8", include_bytes!("../../../assets/docs/page.css")),
    (
        "swagger-initializer.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../../assets/docs/swagger-initializer.js"),
    ),
    ("favicon.svg", "image/svg+xml", include_bytes!("../../../assets/docs/favicon.svg")),
];

/// What of Swagger UI the page uses: its standalone layout, a second page for OAuth and three further builds of
/// the same program stay out.
const SWAGGER_UI: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

/// Every file of the page, by name.
pub(super) struct Assets(Vec<Asset>);

struct Asset {
    name: &'static str,
    etag: ETag,
    /// Of an answer with a body: type, length, validator, caching and policy.
    headers: HeaderMap,
    body: &'static [u8],
}

impl Assets {
    /// Hashes every file for its `ETag`: a few milliseconds, so once, at start.
    pub(super) fn load() -> Self {
        let ours = OURS.into_iter().filter_map(|(name, content_type, body)| {
            Asset::new(name, HeaderValue::from_static(content_type), REVALIDATED, body)
        });
        Self(ours.chain(SWAGGER_UI.into_iter().filter_map(Asset::of_swagger_ui)).collect())
    }

    /// The answer to a GET of the file that `name` names; `None` where no file has that name. RFC 9110 13.1.2:
    /// 304 where the client holds what we hold.
    pub(super) fn answer(&self, name: &str, request: &HeaderMap) -> Option<Response> {
        let name = if name.is_empty() { INDEX } else { name };
        let asset = self.0.iter().find(|asset| asset.name == name)?;
        let is_stale = request.typed_get::<IfNoneMatch>().is_none_or(|held| held.precondition_passes(&asset.etag));
        Some(if is_stale { asset.ok() } else { asset.not_modified() })
    }
}

impl Asset {
    /// `None` would take an `ETag` that is no header value, which hexadecimal always is.
    fn new(
        name: &'static str,
        content_type: HeaderValue,
        cache_control: HeaderValue,
        body: &'static [u8],
    ) -> Option<Self> {
        let etag: ETag = format!("\"{:016x}\"", fingerprint(body)).parse().ok()?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert(header::CACHE_CONTROL, cache_control);
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        headers.typed_insert(etag.clone());
        Some(Self { name, etag, headers, body })
    }

    fn of_swagger_ui(name: &'static str) -> Option<Self> {
        let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).ok()??;
        let content_type = HeaderValue::try_from(file.content_type).ok()?;
        let body = match file.bytes {
            Cow::Borrowed(bytes) => bytes,
            Cow::Owned(bytes) => bytes.leak(),
        };
        Self::new(name, content_type, KEPT_A_DAY, body)
    }

    fn ok(&self) -> Response {
        let mut response = Response::from(Body::from(self.body));
        *response.headers_mut() = self.headers.clone();
        response
    }

    /// RFC 9110 15.4.5: the headers that a 200 would have had, but for those that describe the body.
    fn not_modified(&self) -> Response {
        let mut response = self.ok();
        response.set_status(StatusCode::NOT_MODIFIED);
        response.set_body(());
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response
    }
}

/// The same for the same bytes in every process of one build; collisions are of no use to anybody.
fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
