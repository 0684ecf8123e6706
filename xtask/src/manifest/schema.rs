//! The JSON schema of `services.toml`, for editors, from the tables of keys. Pure.
//!
//! It knows keys, types and what each is for; what a value may be beyond that, [`parse`](super::parse) says.

use super::keys::{self, Key};
use super::services::NETWORKS;
use serde_json::{Map, Value, json};
use toml::de::{DeTable, DeValue};

/// The schema, as the committed file has it.
pub fn schema() -> Value {
    let mut top = table(keys::TOP, &["project", "services"]);
    top["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    top["title"] = "services.toml".into();
    top["definitions"] = json!({
        "project": table(keys::PROJECT, &["name", "registry"]),
        "base": table(keys::BASE, &[]),
        "bootstrap": table(keys::BOOTSTRAP, &["debian"]),
        "service": table(keys::SERVICE, &[]),
        "secret": table(keys::SECRET, &["id"]),
    });
    refer(&mut top, "project", "/", "project");
    refer(&mut top, "bases", "/additionalProperties", "base");
    refer(&mut top, "services", "/additionalProperties", "service");
    top["properties"]["groups"]["additionalProperties"] = list();
    let definitions = &mut top["definitions"];
    refer(&mut definitions["base"], "bootstrap", "/", "bootstrap");
    refer(&mut definitions["service"], "secrets", "/items", "secret");
    definitions["service"]["properties"]["network"]["enum"] = json!(NETWORKS);
    top
}

/// Says that a property, or what is below it, is of a definition.
fn refer(table: &mut Value, key: &str, below: &str, definition: &str) {
    let reference = json!({ "$ref": format!("#/definitions/{definition}") });
    let property = &mut table["properties"][key];
    if below == "/" {
        // In draft 7 nothing beside a reference counts.
        *property = json!({ "description": property["description"], "allOf": [reference] });
    } else {
        property[below.trim_start_matches('/')] = reference;
    }
}

fn table(known: &[Key], required: &[&str]) -> Value {
    let property = |(name, example, about): &Key| ((*name).to_owned(), property(example, about));
    let properties: Map<String, Value> = known.iter().map(property).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Of the type that its example has.
fn property(example: &str, about: &str) -> Value {
    let document = format!("it = {example}");
    let mut property = match DeTable::parse(&document) {
        Ok(parsed) => parsed.get_ref().get("it").map_or(Value::Null, |it| of_type(it.get_ref())),
        Err(_) => json!({}),
    };
    property["description"] = about.into();
    property
}

fn of_type(example: &DeValue<'_>) -> Value {
    match example {
        DeValue::String(_) | DeValue::Datetime(_) => json!({ "type": "string" }),
        DeValue::Integer(_) => json!({ "type": "integer", "minimum": 0 }),
        DeValue::Float(_) => json!({ "type": "number" }),
        DeValue::Boolean(_) => json!({ "type": "boolean" }),
        DeValue::Array(_) => list(),
        DeValue::Table(_) => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
    }
}

fn list() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "compares with the committed file")]
mod tests {
    use super::*;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../services/services.schema.json");

    #[test]
    fn the_committed_file_is_the_schema() {
        let now = format!("{:#}\n", schema());
        let there = std::fs::read_to_string(FILE).unwrap_or_default();
        let next = "write it anew: cargo xtask schema > services/services.schema.json";
        assert_eq!(there, now, "{next}");
        let manifest = FILE.replace(".schema.json", ".toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        assert!(manifest.starts_with("#:schema ./services.schema.json\n"));
    }

    #[test]
    fn each_key_has_a_type_and_a_description() {
        let schema = schema();
        let tables = schema["definitions"].as_object().unwrap().values().chain([&schema]);
        for table in tables {
            assert_eq!(table["additionalProperties"], false);
            for (name, property) in table["properties"].as_object().unwrap() {
                assert!(property["type"].is_string() || property["allOf"].is_array(), "{name}");
                assert!(property["description"].as_str().is_some_and(|it| it.len() > 5), "{name}");
            }
        }
    }

    /// The manifest with every key there is, read by the schema alone.
    #[test]
    fn what_the_parser_takes_the_schema_takes() {
        let good = include_str!("tests/good.toml");
        assert!(super::super::parse("good.toml", good).is_ok());
        let good: Value = toml::from_str(good).unwrap();
        fits(&schema(), &schema(), &good).unwrap();
        for wrong in ["project = 1", "[services.a]\nagrs = {}", "[services.a]\nepoch = \"1\""] {
            let wrong: Value = toml::from_str(wrong).unwrap();
            assert!(fits(&schema(), &schema(), &wrong).is_err(), "{wrong}");
        }
    }

    /// As much of JSON schema as ours has.
    fn fits(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
        if let Some(path) = schema["$ref"].as_str() {
            return fits(root, root.pointer(path.trim_start_matches('#')).unwrap(), value);
        }
        if let Some(all) = schema["allOf"].as_array() {
            return all.iter().try_for_each(|one| fits(root, one, value));
        }
        let is_right = match schema["type"].as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "integer" => value.is_u64(),
            "boolean" => value.is_boolean(),
            _ => value.is_string(),
        };
        if !is_right {
            return Err(format!("{value} is no {}", schema["type"]));
        }
        for item in value.as_array().into_iter().flatten() {
            fits(root, &schema["items"], item)?;
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let other = &schema["additionalProperties"];
            match schema["properties"].get(key) {
                Some(property) => fits(root, property, value)?,
                None if *other == false => return Err(format!("{key} is not known")),
                None => fits(root, other, value)?,
            }
        }
        Ok(())
    }
}
