//! Parameters that stand for several.

use serde_json::Value;

use crate::http::request::PARAMETERS;

/// Replaces each parameter that carries others by those.
pub fn unfold(operation: &mut Value) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    let unfolded = parameters.drain(..).flat_map(|mut parameter| {
        let several = parameter["schema"].as_object_mut().and_then(|schema| schema.remove(PARAMETERS));
        if let Some(Value::Array(several)) = several { several } else { vec![parameter] }
    });
    *parameters = unfolded.collect();
}
