//! The order in which the document tells the story: that of the table of access.

use serde_json::{Map, Value};

use crate::http::access::ACCESS;

/// The order of the groups of operations.
const TAGS: [&str; 6] = ["Sessions", "Students", "Users", "Audit", "Service", "Articles"];

/// Sorts groups, paths, and the operations of each path.
pub fn sort(document: &mut Value) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.sort_by_key(|tag| TAGS.iter().position(|known| tag["name"] == *known));
    }
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        sort_by_key(item, row);
    }
    sort_by_key(paths, |item| item.as_object().into_iter().flat_map(Map::values).map(row).min().unwrap_or(usize::MAX));
}

/// The row of an operation in the table.
fn row(operation: &Value) -> usize {
    ACCESS.iter().position(|(id, _)| operation["operationId"] == *id).unwrap_or(usize::MAX)
}

fn sort_by_key(object: &mut Map<String, Value>, key: impl Fn(&Value) -> usize) {
    let mut entries: Vec<_> = std::mem::take(object).into_iter().collect();
    entries.sort_by_key(|(_, value)| key(value));
    object.extend(entries);
}
