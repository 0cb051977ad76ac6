//! A request as Postman keeps it.

use serde_json::{Map, Value, json};

use super::document::{Operation, Parameter};
use super::step::{Bearer, Step};

/// The request of a step. The token that the collection itself sends is left out.
pub fn request(operation: &Operation<'_>, step: &Step<'_>) -> Value {
    let mut request = Map::new();
    request.insert("method".to_owned(), json!(operation.method.to_uppercase()));
    request.insert("description".to_owned(), json!(operation.description()));
    if let Some(auth) = auth(operation, step) {
        request.insert("auth".to_owned(), auth);
    }
    let body = operation.body();
    let mut headers = Vec::new();
    if let Some((media_type, _)) = body {
        headers.push(json!({ "key": "Content-Type", "value": media_type }));
    }
    headers.extend(parameters(operation, step, "header"));
    request.insert("header".to_owned(), json!(headers));
    if let Some((_, example)) = body {
        let raw = with(example, step.body);
        request.insert(
            "body".to_owned(),
            json!({ "mode": "raw", "raw": raw, "options": { "raw": { "language": "json" } } }),
        );
    }
    request.insert("url".to_owned(), url(operation, step));
    Value::Object(request)
}

/// `{{token}}` of the collection serves most.
pub fn bearer(variable: &str) -> Value {
    json!({ "type": "bearer", "bearer": [{ "key": "token", "value": format!("{{{{{variable}}}}}"), "type": "string" }] })
}

fn auth(operation: &Operation<'_>, step: &Step<'_>) -> Option<Value> {
    match step.bearer {
        _ if !operation.is_secured() => Some(json!({ "type": "noauth" })),
        Bearer::None => Some(json!({ "type": "noauth" })),
        Bearer::User => None,
        other => Some(bearer(other.variable())),
    }
}

fn url(operation: &Operation<'_>, step: &Step<'_>) -> Value {
    let path: Vec<_> = operation.path.trim_start_matches('/').split('/').map(as_variable).collect();
    let query = parameters(operation, step, "query");
    let sent = query.iter().filter(|parameter| parameter["disabled"] != true);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pairs: Vec<_> = sent.map(|sent| format!("{}={}", text(&sent["key"]), text(&sent["value"]))).collect();
    let question = if pairs.is_empty() { "" } else { "?" };
    json!({
        "raw": format!("{{{{baseUrl}}}}/{}{question}{}", path.join("/"), pairs.join("&")),
        "host": ["{{baseUrl}}"],
        "path": path,
        "query": query,
        "variable": parameters(operation, step, "path"),
    })
}

/// `{id}` of OpenAPI is `:id` of Postman.
fn as_variable(segment: &str) -> String {
    match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
        Some(name) => format!(":{name}"),
        None => segment.to_owned(),
    }
}

fn parameters(operation: &Operation<'_>, step: &Step<'_>, place: &str) -> Vec<Value> {
    operation.parameters().filter(|parameter| parameter.place == place).map(|known| parameter(&known, step)).collect()
}

/// With the step's value, else with the example; without either it is there to be switched on.
fn parameter(parameter: &Parameter<'_>, step: &Step<'_>) -> Value {
    let given = step.parameters.iter().find(|(name, _)| *name == parameter.name);
    let value = match (given, parameter.example) {
        (Some((_, value)), _) => value.map(str::to_owned),
        (None, Some(Value::String(example))) => Some(example.clone()),
        (None, example) => example.map(ToString::to_string),
    };
    let mut entry = json!({ "key": parameter.name, "value": value, "description": parameter.description });
    if value.is_none() {
        entry["value"] = json!("");
        entry["disabled"] = json!(true);
    }
    entry
}

/// The example with other values in it. A variable in the place of a number stands there without quotation marks.
fn with(example: &Value, values: &[(&str, &str)]) -> String {
    let mut body = example.clone();
    for (name, value) in values {
        body[*name] = json!(value);
    }
    let mut raw = format!("{body:#}");
    for (name, value) in values.iter().filter(|(name, _)| example[*name].is_number()) {
        raw = raw.replace(&format!("{}: {}", json!(name), json!(value)), &format!("{}: {value}", json!(name)));
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(example: Option<&Value>, parameters: &'static [(&'static str, Option<&'static str>)]) -> Value {
        let known = Parameter { name: "id", place: "path", description: "Which.", example };
        parameter(&known, &Step::of("getStudent").with(parameters))
    }

    #[test]
    fn a_parameter_is_the_steps_or_the_example_or_switched_off() {
        assert_eq!(asked(Some(&json!(7)), &[])["value"], "7");
        assert_eq!(asked(Some(&json!(7)), &[("id", Some("{{studentId}}"))])["value"], "{{studentId}}");
        assert_eq!(asked(Some(&json!(7)), &[("id", None)])["disabled"], true);
        assert_eq!(asked(None, &[])["disabled"], true);
        assert_eq!(asked(Some(&json!("a b")), &[]).get("disabled"), None);
    }

    #[test]
    fn a_variable_takes_the_place_of_a_text_and_of_a_number() {
        let raw = with(&json!({ "name": "Asha", "roll_no": 126 }), &[("name", "{{a}}"), ("roll_no", "{{b}}")]);
        assert_eq!(raw, "{\n  \"name\": \"{{a}}\",\n  \"roll_no\": {{b}}\n}");
    }

    #[test]
    fn a_paths_parameter_is_postmans_variable() {
        assert_eq!(as_variable("{id}"), ":id");
        assert_eq!(as_variable("password-reset"), "password-reset");
    }
}
