//! HTML pages that explain the problem types, at the URIs in `type`.

use poem::error::NotFoundError;
use poem::http::header;
use poem::web::Path;
use poem::{Response, Result, handler};

use super::ProblemType;

/// Whether a path belongs to these pages, which are public.
pub fn is_public(path: &str) -> bool {
    path.starts_with("/problems/")
}

/// `GET /problems/{slug}`
#[handler]
pub fn explanation(Path(slug): Path<String>) -> Result<Response> {
    let entry =
        ProblemType::ALL.iter().map(|kind| kind.entry()).find(|entry| entry.slug == slug).ok_or(NotFoundError)?;
    let (title, status) = (entry.title, entry.status);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title} - Rollbook</title>\n\
         <h1>{title}</h1>\n<p>Status {status}, type <code>/problems/{slug}</code></p>\n\
         <p>{}</p>\n<h2>What to do</h2>\n<p>{}</p>\n</html>\n",
        escaped(entry.detail),
        escaped(entry.remedy),
    );
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
        .body(page))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
