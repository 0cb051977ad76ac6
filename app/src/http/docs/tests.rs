//! The documentation page's answers, without a server around them.

use std::io::Read;

use flate2::read::GzDecoder;
use poem::{
    Endpoint, Request, Response, Result, Route,
    http::{Method, StatusCode, header},
};

use super::{is_public, routes};

async fn answer(method: Method, path: &str, if_none_match: Option<&str>) -> Result<Response> {
    let mut request = Request::builder().method(method).uri(path.parse().unwrap());
    if let Some(held) = if_none_match {
        request = request.header(header::IF_NONE_MATCH, held);
    }
    routes(Route::new()).call(request.finish()).await
}

async fn answer_in_gzip(path: &str, if_none_match: Option<&str>) -> Response {
    let mut request = Request::builder().uri(path.parse().unwrap()).header(header::ACCEPT_ENCODING, "gzip, br");
    if let Some(held) = if_none_match {
        request = request.header(header::IF_NONE_MATCH, held);
    }
    routes(Route::new()).call(request.finish()).await.unwrap()
}

async fn get(path: &str) -> Response {
    answer(Method::GET, path, None).await.unwrap()
}

fn status_of(answer: Result<Response>) -> StatusCode {
    match answer {
        Ok(response) => response.status(),
        Err(error) => error.status(),
    }
}

#[tokio::test]
async fn the_root_and_the_bare_folder_lead_to_the_page_by_a_relative_url() {
    for path in ["/", "/docs"] {
        let response = get(path).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(response.header(header::LOCATION), Some("./docs/"), "{path}");
    }
}

#[tokio::test]
async fn the_folder_answers_the_page_itself() {
    let page = get("/docs/").await.into_body().into_string().await.unwrap();
    assert!(page.contains("<title>Rollbook API</title>"), "{page}");
    assert_eq!(page, get("/docs/index.html").await.into_body().into_string().await.unwrap());
}

#[tokio::test]
async fn every_file_that_the_page_names_is_served_with_its_type() {
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
        ("swagger-ui-mended.css", "text/css"),
        ("swagger-ui-names.js", "text/javascript"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
    ] {
        assert!(page.contains(&format!("\"{name}\"")), "the page does not use {name}");
        let response = get(&format!("/docs/{name}")).await;
        let content_type = response.content_type().unwrap();
        assert!(content_type.starts_with(media_type), "{name} is {content_type}");
    }
    let named = page.matches("src=\"").count() + page.matches("<link ").count();
    assert_eq!(named, 12, "the page uses a file that the list above lacks");
}

#[tokio::test]
async fn swagger_uis_other_files_and_unknown_ones_are_not_found() {
    for name in ["oauth2-redirect.html", "oauth2-redirect.js", "index.css", "nothing", "../Cargo.toml", "a/page.css"] {
        let answer = answer(Method::GET, &format!("/docs/{name}"), None).await;
        assert_eq!(status_of(answer), StatusCode::NOT_FOUND, "{name}");
    }
}

#[tokio::test]
async fn req_26_a_client_that_holds_the_file_is_answered_304_without_a_body() {
    for path in ["/docs/", "/docs/swagger-ui.css"] {
        let first = get(path).await;
        let etag = first.header(header::ETAG).unwrap().to_owned();
        assert!(etag.starts_with('"'), "{path}: {etag} is no strong validator");
        for held in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let again = answer(Method::GET, path, Some(&held)).await.unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}, {held}");
            for kept in [header::ETAG, header::CACHE_CONTROL] {
                assert_eq!(again.header(&kept), first.header(&kept), "{path}");
            }
            assert_eq!(again.header(header::CONTENT_LENGTH), None, "{path}");
            assert!(again.into_body().into_vec().await.unwrap().is_empty(), "{path}");
        }
        let stale = answer(Method::GET, path, Some("\"0\"")).await.unwrap();
        assert_eq!(stale.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn req_26_no_two_files_share_a_validator() {
    let mut seen = std::collections::BTreeSet::new();
    for name in ["index.html", "page.css", "favicon.svg", "swagger-initializer.js", "swagger-ui-bundle.js"] {
        let response = get(&format!("/docs/{name}")).await;
        assert!(seen.insert(response.header(header::ETAG).unwrap().to_owned()), "{name}");
    }
}

#[tokio::test]
async fn our_files_are_asked_for_anew_and_swagger_uis_are_kept() {
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

#[tokio::test]
async fn req_24_head_answers_as_get_does_without_a_body() {
    for path in ["/", "/docs", "/docs/", "/docs/swagger-ui-bundle.js"] {
        let head = answer(Method::HEAD, path, None).await.unwrap();
        let get = get(path).await;
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(head.headers(), get.headers(), "{path}");
        assert!(head.into_body().into_vec().await.unwrap().is_empty(), "{path}");
    }
    assert_eq!(status_of(answer(Method::HEAD, "/docs/nothing", None).await), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn other_methods_are_refused() {
    for path in ["/", "/docs", "/docs/", "/docs/page.css"] {
        let answer = answer(Method::POST, path, None).await;
        assert_eq!(status_of(answer), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn req_32_the_page_may_run_no_inline_script_and_reach_no_other_host() {
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
async fn who_accepts_gzip_gets_it_and_everybody_else_the_bytes_as_they_are() {
    for path in ["/docs/", "/docs/session.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"] {
        let (plain, gzip) = (get(path).await, answer_in_gzip(path, None).await);
        assert_eq!(plain.header(header::CONTENT_ENCODING), None, "{path}");
        assert_eq!(gzip.header(header::CONTENT_ENCODING), Some("gzip"), "{path}");
        assert_ne!(plain.header(header::ETAG), gzip.header(header::ETAG), "{path}");
        let [plain, gzip] = [plain, gzip].map(|answer| {
            assert_eq!(answer.header(header::VARY), Some("Accept-Encoding"), "{path}");
            let length: usize = answer.header(header::CONTENT_LENGTH).unwrap().parse().unwrap();
            (length, answer.into_body())
        });
        assert!(gzip.0 * 3 < plain.0 * 2, "{path}: {} of {}", gzip.0, plain.0);
        let (plain, gzip) = (plain.1.into_vec().await.unwrap(), gzip.1.into_vec().await.unwrap());
        let mut inflated = Vec::new();
        GzDecoder::new(&*gzip).read_to_end(&mut inflated).unwrap();
        assert!(inflated == plain, "{path}: gzip holds something else");
    }
}

#[tokio::test]
async fn a_validator_is_good_for_its_own_coding_alone() {
    for path in ["/docs/", "/docs/swagger-ui.css"] {
        let (plain, gzip) = (get(path).await, answer_in_gzip(path, None).await);
        let [plain, gzip] = [plain, gzip].map(|answer| answer.header(header::ETAG).unwrap().to_owned());
        let again = answer_in_gzip(path, Some(&gzip)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(again.header(header::ETAG), Some(&*gzip), "{path}");
        assert_eq!(again.header(header::VARY), Some("Accept-Encoding"), "{path}");
        assert_eq!(again.header(header::CONTENT_ENCODING), None, "{path}");
        assert_eq!(answer_in_gzip(path, Some(&plain)).await.status(), StatusCode::OK, "{path}");
        assert_eq!(answer(Method::GET, path, Some(&gzip)).await.unwrap().status(), StatusCode::OK, "{path}");
    }
}

#[test]
fn only_the_page_and_the_ways_to_it_need_no_token() {
    for path in ["/", "/docs", "/docs/", "/docs/page.css", "/docs/nothing"] {
        assert!(is_public(path), "{path}");
    }
    for path in ["", "/docsx", "/students", "/Docs/", "//", "/students/docs/"] {
        assert!(!is_public(path), "{path}");
    }
}
