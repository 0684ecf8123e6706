//! What of an image's configuration is compared: all that a container is started with, and not
//! when and by which steps it was made.

use serde_json::Value;
use std::collections::BTreeMap;

/// An image configuration by key. What is empty counts as absent, as engines take it.
pub fn config(whole: &Value) -> BTreeMap<String, String> {
    let mut config = BTreeMap::new();
    for key in ["os", "architecture", "variant", "author"] {
        put(&mut config, key, &whole[key]);
    }
    for (key, value) in whole["config"].as_object().into_iter().flatten() {
        match value {
            Value::Object(entries) if key != "Healthcheck" => {
                for (name, value) in entries {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    config.insert(format!("{key}.{name}"), text);
                }
            }
            Value::Array(entries) if key == "Env" => {
                for entry in entries.iter().filter_map(Value::as_str) {
                    let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
                    config.insert(format!("{key}.{name}"), value.to_owned());
                }
            }
            value => put(&mut config, key, value),
        }
    }
    config
}

fn put(config: &mut BTreeMap<String, String>, key: &str, value: &Value) {
    let text = match value {
        Value::Null | Value::Bool(false) => return,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if !["", "[]", "{}"].contains(&text.as_str()) {
        config.insert(key.to_owned(), text);
    }
}
