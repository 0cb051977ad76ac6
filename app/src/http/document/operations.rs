//! Index of the document's operations by path and method, for the edge and the gate.

use std::sync::LazyLock;

use mime::Mime;
use poem::http::{HeaderValue, Method};
use serde_json::Value;

use crate::http::access::Access;

/// Paths of the HTML pages, which the document does not list; `*` matches any rest.
const PAGES: [&str; 4] = ["/", "/docs", "/docs/*", "/problems/*"];

/// All paths with their operations.
#[derive(Debug)]
pub struct Operations(Vec<PathItem>);

/// A path, and its operations.
#[derive(Debug)]
pub struct PathItem {
    template: String,
    /// The value of the `Allow` header.
    pub allow: HeaderValue,
    /// Whether any of its operations is public. Then its existence is public, too.
    pub is_public: bool,
    /// Whether requests count against a quota: not for HTML pages and health checks.
    pub is_metered: bool,
    /// The value of the `Accept-Patch` header: the media types of PATCH (RFC 5789, section 3.1), if the path has it.
    pub accept_patch: Option<HeaderValue>,
    operations: Vec<Operation>,
}

/// An operation.
#[derive(Debug)]
pub struct Operation {
    method: Method,
    /// Its id in the document; empty for a page.
    pub id: String,
    /// The required permission.
    pub access: Access,
    pub is_deprecated: bool,
    /// Media types of its successful responses.
    pub media_types: Vec<Mime>,
}

/// The path and operation of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    /// The path; `None` if it does not exist.
    pub item: Option<&'static PathItem>,
    /// The operation; `None` if the path does not have the method.
    pub operation: Option<&'static Operation>,
}

impl Operations {
    /// The operations of the served document.
    pub fn of_document() -> &'static Self {
        static OPERATIONS: LazyLock<Operations> = LazyLock::new(|| Operations::of(super::tree()));
        &OPERATIONS
    }

    fn of(document: &Value) -> Self {
        let documented = document["paths"].as_object().into_iter().flatten().map(|(template, item)| {
            let operations = item.as_object().into_iter().flatten();
            let methods = operations.filter_map(|(method, operation)| {
                let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok()?;
                let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
                let is_deprecated = operation["deprecated"] == true;
                let access = Access::of(operation)?;
                Some(Operation { method, id, access, is_deprecated, media_types: media_types(operation) })
            });
            let accept_patch = item["patch"]["requestBody"]["content"].as_object().and_then(|content| {
                let media_types: Vec<_> = content.keys().map(String::as_str).collect();
                HeaderValue::try_from(media_types.join(", ")).ok()
            });
            PathItem { accept_patch, ..PathItem::new(template.clone(), methods.collect()) }
        });
        let page = || Operation {
            method: Method::GET,
            id: String::new(),
            access: Access::Unmetered,
            is_deprecated: false,
            media_types: Vec::new(),
        };
        let pages = PAGES.map(|template| PathItem::new(template.to_owned(), vec![page()]));
        Self(documented.chain(pages).collect())
    }

    /// Finds the operation of a method at a path.
    pub fn find(&'static self, method: &Method, path: &str) -> Found {
        let item = self.at(path);
        Found { item, operation: item.and_then(|item| item.operation(method)) }
    }

    fn at(&self, path: &str) -> Option<&PathItem> {
        let exact = self.0.iter().find(|item| item.template == path);
        exact.or_else(|| self.0.iter().find(|item| matches_template(&item.template, path)))
    }
}

impl PathItem {
    fn new(template: String, operations: Vec<Operation>) -> Self {
        let mut names: Vec<_> = operations.iter().map(|operation| operation.method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        names.sort_unstable();
        let allow = HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"));
        let is_public = operations.iter().any(|operation| operation.access.is_public());
        let is_metered = operations.iter().any(|operation| operation.access != Access::Unmetered);
        Self { template, allow, is_public, is_metered, accept_patch: None, operations }
    }

    /// The operation of a method.
    pub fn operation(&self, method: &Method) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.method == *method)
    }
}

fn media_types(operation: &Value) -> Vec<Mime> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let successful = responses.filter(|(status, _)| status.starts_with('2'));
    let types = successful.flat_map(|(_, response)| response["content"].as_object().into_iter().flatten());
    types.filter_map(|(media_type, _)| media_type.parse().ok()).collect()
}

fn matches_template(template: &str, path: &str) -> bool {
    if let Some(folder) = template.strip_suffix('*') {
        return path.starts_with(folder);
    }
    let (mut parts, mut segments) = (template.split('/'), path.split('/'));
    loop {
        match (parts.next(), segments.next()) {
            (None, None) => return true,
            (Some(part), Some(segment)) if part == segment || (part.starts_with('{') && !segment.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_lists_the_methods_of_a_path() {
        let allow = |path| Operations::of_document().at(path).map(|item| item.allow.clone());
        assert_eq!(allow("/login").unwrap(), "OPTIONS, POST");
        assert_eq!(allow("/students/7").unwrap(), "DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
        assert_eq!(allow("/docs/index.html").unwrap(), "GET, HEAD, OPTIONS");
        for unknown in ["/nowhere", "/students/", "/students/7/8", "/Students"] {
            assert_eq!(allow(unknown), None, "{unknown}");
        }
    }
}
