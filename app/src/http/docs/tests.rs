//! Tests of the documentation page's routes, without a server.

use std::io::Read;

use flate2::read::GzDecoder;
use poem::{
    Endpoint, Request, Response, Result, Route,
    http::{Method, StatusCode, header},
};

use super::{is_public, routes};

async fn request(method: Method, path: &str, if_none_match: Option<&str>) -> Result<Response> {
    let mut builder = Request::builder().method(method).uri(path.parse().unwrap());
    if let Some(etag) = if_none_match {
        builder = builder.header(header::IF_NONE_MATCH, etag);
    }
    routes(Route::new()).call(builder.finish()).await
}

async fn get_gzip(path: &str, if_none_match: Option<&str>) -> Response {
    let mut builder = Request::builder().uri(path.parse().unwrap()).header(header::ACCEPT_ENCODING, "gzip, br");
    if let Some(etag) = if_none_match {
        builder = builder.header(header::IF_NONE_MATCH, etag);
    }
    routes(Route::new()).call(builder.finish()).await.unwrap()
}

async fn get(path: &str) -> Response {
    request(Method::GET, path, None).await.unwrap()
}

fn status_of(response: Result<Response>) -> StatusCode {
    match response {
        Ok(response) => response.status(),
        Err(error) => error.status(),
    }
}

#[tokio::test]
async fn root_and_docs_redirect_to_page_with_relative_url() {
    for path in ["/", "/docs"] {
        let response = get(path).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(response.header(header::LOCATION), Some("./docs/"), "{path}");
    }
}

#[tokio::test]
async fn docs_folder_returns_index_page() {
    let page = get("/docs/").await.into_body().into_string().await.unwrap();
    assert!(page.contains("<title>Rollbook API</title>"), "{page}");
    assert_eq!(page, get("/docs/index.html").await.into_body().into_string().await.unwrap());
}

#[tokio::test]
async fn every_file_of_page_is_served_with_its_media_type() {
    let page = get("/docs/").await.into_body().into_string().await.unwrap();
    for (name, media_type) in [
        ("favicon.svg", "image/svg+xml"),
        ("page.css", "text/css"),
        ("session-api.js", "text/javascript"),
        ("session-bar.js", "text/javascript"),
        ("session-plugin.js", "text/javascript"),
        ("session-store.js", "text/javascript"),
        ("session.js", "text/javascript"),
        ("swagger-initializer.js", "text/javascript"),
        ("swagger-ui-fixes.css", "text/css"),
        ("swagger-ui-names.js", "text/javascript"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
    ] {
        assert!(page.contains(&format!("\"{name}\"")), "the page does not use {name}");
        let response = get(&format!("/docs/{name}")).await;
        let content_type = response.content_type().unwrap();
        assert!(content_type.starts_with(media_type), "{name} is {content_type}");
    }
    let references = page.matches("src=\"").count() + page.matches("<link ").count();
    assert_eq!(references, 12, "the page uses a file that is not in the list above");
}

#[tokio::test]
async fn unused_swagger_ui_files_are_not_found() {
    for name in ["oauth2-redirect.html", "oauth2-redirect.js", "index.css", "nothing", "../Cargo.toml", "a/page.css"] {
        let response = request(Method::GET, &format!("/docs/{name}"), None).await;
        assert_eq!(status_of(response), StatusCode::NOT_FOUND, "{name}");
    }
}

/// REQ 26.
#[tokio::test]
async fn file_with_matching_etag_returns_304_without_body() {
    for path in ["/docs/", "/docs/swagger-ui.css"] {
        let first = get(path).await;
        let etag = first.header(header::ETAG).unwrap().to_owned();
        assert!(etag.starts_with('"'), "{path}: {etag} is not a strong validator");
        for tags in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let again = request(Method::GET, path, Some(&tags)).await.unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}, {tags}");
            for kept in [header::ETAG, header::CACHE_CONTROL] {
                assert_eq!(again.header(&kept), first.header(&kept), "{path}");
            }
            assert_eq!(again.header(header::CONTENT_LENGTH), None, "{path}");
            assert!(again.into_body().into_vec().await.unwrap().is_empty(), "{path}");
        }
        let stale = request(Method::GET, path, Some("\"0\"")).await.unwrap();
        assert_eq!(stale.status(), StatusCode::OK, "{path}");
    }
}

/// REQ 26.
#[tokio::test]
async fn etag_of_each_file_is_unique() {
    let mut etags = std::collections::BTreeSet::new();
    for name in ["index.html", "page.css", "favicon.svg", "swagger-initializer.js", "swagger-ui-bundle.js"] {
        let response = get(&format!("/docs/{name}")).await;
        assert!(etags.insert(response.header(header::ETAG).unwrap().to_owned()), "{name}");
    }
}

#[tokio::test]
async fn own_files_are_revalidated_and_swagger_ui_is_cached() {
    for (name, expected) in [
        ("", "no-cache"),
        ("page.css", "no-cache"),
        ("swagger-initializer.js", "no-cache"),
        ("swagger-ui-bundle.js", "public, max-age=86400"),
    ] {
        let response = get(&format!("/docs/{name}")).await;
        assert_eq!(response.header(header::CACHE_CONTROL), Some(expected), "{name}");
    }
}

/// REQ 24.
#[tokio::test]
async fn head_of_page_has_headers_of_get_and_no_body() {
    for path in ["/", "/docs", "/docs/", "/docs/swagger-ui-bundle.js"] {
        let head = request(Method::HEAD, path, None).await.unwrap();
        let get = get(path).await;
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(head.headers(), get.headers(), "{path}");
        assert!(head.into_body().into_vec().await.unwrap().is_empty(), "{path}");
    }
    assert_eq!(status_of(request(Method::HEAD, "/docs/nothing", None).await), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn post_to_page_returns_405() {
    for path in ["/", "/docs", "/docs/", "/docs/page.css"] {
        let response = request(Method::POST, path, None).await;
        assert_eq!(status_of(response), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

/// REQ 32.
#[tokio::test]
async fn page_policy_forbids_inline_scripts_and_other_hosts() {
    let response = get("/docs/").await;
    let policy = response.header(header::CONTENT_SECURITY_POLICY).unwrap().to_owned();
    let directives: Vec<&str> = policy.split("; ").collect();
    for directive in
        ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]
    {
        assert!(directives.contains(&directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let page = response.into_body().into_string().await.unwrap();
    assert_eq!(page.matches("<script").count(), page.matches("<script src=").count(), "{page}");
    assert_eq!(page.matches("style=").count() + page.matches("<style").count(), 0, "{page}");
    assert!(!page.contains("://"), "{page}");
}

#[tokio::test]
async fn file_is_compressed_only_if_gzip_is_accepted() {
    for path in ["/docs/", "/docs/session.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"] {
        let (plain, gzip) = (get(path).await, get_gzip(path, None).await);
        assert_eq!(plain.header(header::CONTENT_ENCODING), None, "{path}");
        assert_eq!(gzip.header(header::CONTENT_ENCODING), Some("gzip"), "{path}");
        assert_ne!(plain.header(header::ETAG), gzip.header(header::ETAG), "{path}");
        let [plain, gzip] = [plain, gzip].map(|response| {
            assert_eq!(response.header(header::VARY), Some("Accept-Encoding"), "{path}");
            let length: usize = response.header(header::CONTENT_LENGTH).unwrap().parse().unwrap();
            (length, response.into_body())
        });
        assert!(gzip.0 * 3 < plain.0 * 2, "{path}: {} of {}", gzip.0, plain.0);
        let (plain, gzip) = (plain.1.into_vec().await.unwrap(), gzip.1.into_vec().await.unwrap());
        let mut inflated = Vec::new();
        GzDecoder::new(&*gzip).read_to_end(&mut inflated).unwrap();
        assert!(inflated == plain, "{path}: the gzip content differs");
    }
}

#[tokio::test]
async fn etag_matches_its_own_content_coding_only() {
    for path in ["/docs/", "/docs/swagger-ui.css"] {
        let (plain, gzip) = (get(path).await, get_gzip(path, None).await);
        let [plain, gzip] = [plain, gzip].map(|response| response.header(header::ETAG).unwrap().to_owned());
        let again = get_gzip(path, Some(&gzip)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(again.header(header::ETAG), Some(&*gzip), "{path}");
        assert_eq!(again.header(header::VARY), Some("Accept-Encoding"), "{path}");
        assert_eq!(again.header(header::CONTENT_ENCODING), None, "{path}");
        assert_eq!(get_gzip(path, Some(&plain)).await.status(), StatusCode::OK, "{path}");
        assert_eq!(request(Method::GET, path, Some(&gzip)).await.unwrap().status(), StatusCode::OK, "{path}");
    }
}

#[test]
fn only_page_and_its_redirects_are_public() {
    for path in ["/", "/docs", "/docs/", "/docs/page.css", "/docs/nothing"] {
        assert!(is_public(path), "{path}");
    }
    for path in ["", "/docsx", "/students", "/Docs/", "//", "/students/docs/"] {
        assert!(!is_public(path), "{path}");
    }
}
