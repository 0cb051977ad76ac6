//! The documentation page: Swagger UI under `/docs/`, and the ways there from `/` and `/docs`.

mod assets;
#[cfg(test)]
mod tests;

use poem::{
    Endpoint, Request, Response, Result, Route,
    error::{InternalServerError, NotFoundError},
    get, handler,
    web::Redirect,
};

use assets::Assets;

/// Whether a request for `path` is answered without a token: the page needs none, for it is where people log in.
pub fn is_public(path: &str) -> bool {
    path == "/" || path == "/docs" || path.starts_with("/docs/")
}

/// Adds the page to `route`. GET and HEAD are answered, other methods refused.
pub fn routes(route: Route) -> Route {
    route.at("/", get(to_page)).at("/docs", get(to_page)).at("/docs/*path", get(Assets::load()))
}

/// Relative, so that it holds behind a path prefix: from `/` and from `/docs` alike it leads to `/docs/`.
#[handler]
fn to_page() -> Redirect {
    Redirect::see_other("./docs/")
}

impl Endpoint for Assets {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let name = request.raw_path_param("path").unwrap_or_default();
        let answer = self.answer(name, request.headers()).ok_or(NotFoundError)?;
        answer.map_err(InternalServerError)
    }
}
