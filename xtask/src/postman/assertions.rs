//! The script that Postman runs on an answer: what the document promises of it, and what later requests need of it.

use serde_json::{Value, json};

use super::document::Answer;
use super::schema::json_schema;
use super::step::Step;

/// The lines of the script.
pub fn script(step: &Step<'_>, status: u16, answer: &Answer<'_>) -> Vec<String> {
    let mut lines = vec![
        "const answer = pm.response;".to_owned(),
        test(&format!("The status is {status}"), &format!("answer.to.have.status({status})")),
    ];
    lines.extend(answer.required_headers().iter().flat_map(|(name, schema)| header(answer, name, schema)));
    lines.extend(body(answer));
    for (field, words) in step.says {
        let assertion = format!("pm.expect(body.{field}).to.equal({})", json!(words));
        lines.push(test(&format!("`{field}` is, word for word: {words}"), &assertion));
    }
    for (variable, value) in step.keeps {
        lines.push(format!("pm.collectionVariables.set({}, {value});", json!(variable)));
    }
    lines
}

fn header(answer: &Answer<'_>, name: &str, schema: &Value) -> Vec<String> {
    let schema = json_schema(answer.document, schema);
    let value = if schema["type"] == "integer" { "Number(value)" } else { "value" };
    let fits = format!(
        "{{ const value = answer.headers.get({}); pm.expect({value}).to.have.jsonSchema({schema}); }}",
        json!(name)
    );
    vec![
        test(&format!("There is a header {name}"), &format!("answer.to.have.header({})", json!(name))),
        test(&format!("The header {name} is as documented"), &fits),
    ]
}

fn body(answer: &Answer<'_>) -> Vec<String> {
    let contents = answer.contents();
    let Some((first, schema)) = contents.first() else {
        return vec![test("There is no body", "pm.expect(answer.text()).to.equal('')")];
    };
    let types: Vec<_> = contents.iter().map(|(media_type, _)| essence(media_type)).collect();
    let known = format!("pm.expect(mediaType).to.be.oneOf({})", json!(types));
    let mut lines = vec![
        "const mediaType = String(answer.headers.get('Content-Type')).split(';')[0];".to_owned(),
        test("The media type is documented", &known),
    ];
    let schema = json_schema(answer.document, schema);
    let read = if essence(first).ends_with("json") {
        "answer.json()"
    } else if schema["type"] == "string" {
        "answer.text()"
    } else {
        // Postman reads no other format, such as the structure of a YAML text.
        lines.push(test("There is a body", "pm.expect(answer.text()).to.not.equal('')"));
        return lines;
    };
    lines.extend([
        format!("const body = {read};"),
        format!("const schema = {schema};"),
        test("The body fits its schema", "pm.expect(body).to.have.jsonSchema(schema)"),
    ]);
    lines
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

fn test(rule: &str, assertion: &str) -> String {
    format!("pm.test({}, () => {assertion});", json!(rule))
}
