//! The documentation page: Swagger UI under `/docs/`, with redirects from `/` and `/docs`.

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

/// Returns `true` if `path` belongs to the page, which requires no token because it contains the login form.
pub fn is_public(path: &str) -> bool {
    path == "/" || path == "/docs" || path.starts_with("/docs/")
}

/// Adds the page to `route`, for GET and HEAD only.
pub fn routes(route: Route) -> Route {
    route.at("/", get(redirect_to_page)).at("/docs", get(redirect_to_page)).at("/docs/*path", get(Assets::load()))
}

/// Relative, so that it works behind a path prefix: it resolves to `/docs/` from both `/` and `/docs`.
#[handler]
fn redirect_to_page() -> Redirect {
    Redirect::see_other("./docs/")
}

impl Endpoint for Assets {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let name = request.raw_path_param("path").unwrap_or_default();
        let response = self.response(name, request.headers()).ok_or(NotFoundError)?;
        response.map_err(InternalServerError)
    }
}
