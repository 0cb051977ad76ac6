//! Groups of parameters that poem-openapi represents as one.

use serde_json::Value;

use crate::http::request::PARAMETERS;

/// Replaces each group by its parameters.
pub fn unfold(operation: &mut Value) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    let unfolded = parameters.drain(..).flat_map(|mut parameter| {
        let group = parameter["schema"].as_object_mut().and_then(|schema| schema.remove(PARAMETERS));
        if let Some(Value::Array(group)) = group { group } else { vec![parameter] }
    });
    *parameters = unfolded.collect();
}
