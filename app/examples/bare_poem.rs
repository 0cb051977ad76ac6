//! Baseline of `cargo xtask bench throughput`: a poem server with a constant response. The argument is the address to
//! listen on.

use poem::http::header::CONTENT_TYPE;
use poem::listener::TcpListener;
use poem::{Response, Route, Server, get, handler};

/// About the size of a student in a response.
const STUDENT: &str = concat!(
    r#"{"id":1,"name":"Asha Rao","email":"asha.rao@example.org","roll_number":7,"age":20,"#,
    r#""created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}"#
);

#[handler]
fn student() -> Response {
    Response::builder().header(CONTENT_TYPE, "application/json").body(STUDENT)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Some(address) = std::env::args().nth(1) else {
        return Err(std::io::Error::other("the address to listen on is missing, such as 127.0.0.1:8001"));
    };
    Server::new(TcpListener::bind(address)).run(Route::new().at("/", get(student))).await
}
