//! Links: where an answer's values lead next.

use serde_json::{Map, Value, json};

/// How a link fills in what its target asks for.
enum Fill {
    /// Nothing is asked for.
    Nothing,
    /// These parameters, from this expression.
    Parameter(&'static str, &'static str),
    /// This field of the body, from this expression. Only the description tells it: where a link's `requestBody` is no
    /// string, openapi-generator refuses the whole document.
    Field(&'static str, &'static str),
}

use Fill::{Field, Nothing, Parameter};

const ID: Fill = Parameter("id", "$response.body#/id");
const NEXT: Fill = Parameter("after", "$response.body#/next");
const REFRESH: Fill = Field("refresh_token", "$response.body#/refresh_token");

/// From an operation's status, by an operation, with what.
const LINKS: [(&str, &str, &str, Fill); 32] = [
    ("logIn", "200", "getMe", Nothing),
    ("logIn", "200", "refreshToken", REFRESH),
    ("refreshToken", "200", "getMe", Nothing),
    ("refreshToken", "200", "refreshToken", REFRESH),
    ("listOwnSessions", "200", "listOwnSessions", NEXT),
    ("listOwnSessions", "200", "endOwnSession", Parameter("id", "$response.body#/sessions/0/id")),
    ("listStudents", "200", "listStudents", NEXT),
    ("listStudents", "200", "getStudent", Parameter("id", "$response.body#/students/0/id")),
    ("enrolStudent", "201", "getStudent", ID),
    ("enrolStudent", "201", "replaceStudent", ID),
    ("enrolStudent", "201", "patchStudent", ID),
    ("enrolStudent", "201", "removeStudent", ID),
    ("replaceStudent", "200", "getStudent", ID),
    ("patchStudent", "200", "getStudent", ID),
    ("listUsers", "200", "listUsers", NEXT),
    ("listUsers", "200", "getUser", Parameter("id", "$response.body#/users/0/id")),
    ("createUser", "201", "getUser", ID),
    ("createUser", "201", "patchUser", ID),
    ("createUser", "201", "removeUser", ID),
    ("createUser", "201", "resetUserPassword", ID),
    ("createUser", "201", "unlockUser", ID),
    ("createUser", "201", "listUserSessions", ID),
    ("createUser", "201", "endUserSessions", ID),
    ("patchUser", "200", "getUser", ID),
    ("unlockUser", "200", "getUser", ID),
    ("getUser", "200", "listUserSessions", ID),
    ("listUserSessions", "200", "listUserSessions", NEXT),
    ("listAuditEvents", "200", "listAuditEvents", NEXT),
    ("enrolArticleStudent", "201", "getStudent", ID),
    ("enrolArticleStudent", "201", "changeArticleStudent", Parameter("student_id", "$response.body#/id")),
    ("enrolArticleStudent", "201", "removeArticleStudent", Parameter("student_id", "$response.body#/id")),
    ("changeArticleStudent", "200", "getStudent", Parameter("id", "$response.body#/author/id")),
];

/// Adds the links of an operation's answers.
pub fn add(operation: &mut Value, id: &str) {
    for (_, status, target, fill) in LINKS.iter().filter(|(from, ..)| *from == id) {
        let Some(response) = operation["responses"].get_mut(*status) else { continue };
        response["links"][target] = link(target, fill);
    }
}

fn link(target: &str, fill: &Fill) -> Value {
    let mut link = json!({ "operationId": target });
    match fill {
        Nothing | Field(..) => {}
        Parameter(name, expression) => {
            // A page of one user's sessions is followed by a page of the same user's.
            let mut parameters = Map::from_iter([((*name).to_owned(), json!(expression))]);
            if (target, *name) == ("listUserSessions", "after") {
                parameters.insert("id".to_owned(), json!("$request.path.id"));
            }
            link["parameters"] = Value::Object(parameters);
        }
    }
    link["description"] = json!(match fill {
        Nothing => "The same token is for this, too.".to_owned(),
        Parameter("after", _) => "The next page, unless `next` is null. Send the `limit` and the filters of this one again; the `Link` header has them.".to_owned(),
        Parameter(name, expression) if expression.contains("/0/") =>
            format!("`{name}` is that of the first on the page, where there is one."),
        Parameter(name, expression) | Field(name, expression) =>
            format!("`{name}` is the `{}` of the answer.", field(expression)),
    });
    link
}

/// The field that an expression names.
fn field(expression: &str) -> String {
    expression.rsplit('#').next().unwrap_or_default().trim_start_matches('/').replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::access::ACCESS;

    #[test]
    fn every_link_leads_from_an_operation_to_another() {
        let is_known = |id: &str| ACCESS.iter().any(|(known, _)| *known == id);
        for (from, _, target, _) in &LINKS {
            assert!(is_known(from) && is_known(target), "{from} -> {target}");
        }
        let document = crate::http::document::tree().to_string();
        assert_eq!(
            document.matches("\"links\"").count(),
            LINKS.map(|(from, status, ..)| (from, status)).into_iter().collect::<std::collections::BTreeSet<_>>().len()
        );
    }
}
