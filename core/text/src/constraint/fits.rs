//! Whether a JSON value that somebody else wrote fits a schema.

use llguidance::{Matcher, ParserFactory};
use serde_json::{Map, Value};
use toktrie::{ApproximateTokEnv, InferenceCapabilities};

use super::{OutputFormat, grammar, refused, too_complex};
use crate::TextError;

/// Whether `value` is one that a model could write under [`OutputFormat::JsonSchema`], with its limits. The order of keys
/// does not matter.
///
/// # Errors
/// [`TextError::InvalidConstraint`] for an unsupported schema, with the property's path and what to change.
pub fn fits_schema(value: &Value, schema: &Value) -> Result<bool, TextError> {
    let format = OutputFormat::JsonSchema(schema.clone());
    let grammar = grammar(&format)?;
    let engine_error = |_| TextError::Internal("the constraint engine refused single bytes".to_owned());
    let env = ApproximateTokEnv::single_byte_env();
    let mut parsers = ParserFactory::new(&env, InferenceCapabilities::default(), &[]).map_err(engine_error)?;
    parsers.quiet();
    parsers.limits_mut().verbose_errors = false;
    let mut matcher = Matcher::new(parsers.create_parser(grammar.clone()));
    if let Some(error) = matcher.get_error() {
        return Err(refused(&format, &grammar, &error));
    }
    let text = written(&in_order(value, schema, schema));
    // Each byte is a token with that number.
    let bytes: Vec<u32> = text.bytes().map(u32::from).collect();
    let fitting = matcher.validate_tokens(&bytes).map_err(|_| too_complex())?;
    if fitting < bytes.len() {
        return Ok(false);
    }
    matcher.consume_tokens(&bytes).map_err(|_| too_complex())?;
    matcher.is_accepting().map_err(|_| too_complex())
}

/// The value with the keys of objects in the schema's order, as the grammar has them.
fn in_order(value: &Value, schema: &Value, root: &Value) -> Value {
    let schema = resolved(schema, root);
    match value {
        Value::Array(items) => {
            let item = schema.get("items").unwrap_or(&Value::Null);
            let item = alternatives(schema).find_map(|schema| resolved(schema, root).get("items")).unwrap_or(item);
            items.iter().map(|value| in_order(value, item, root)).collect()
        }
        Value::Object(object) => {
            let all_known = |schema: &&Value| object.keys().all(|key| properties(schema).contains_key(key));
            let fitting = alternatives(schema).map(|schema| resolved(schema, root)).find(all_known).unwrap_or(schema);
            let known = properties(fitting);
            let place = |key: &str| known.keys().position(|known| known == key).unwrap_or(usize::MAX);
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort_by_key(|key| place(key));
            let ordered = |key: &String| in_order(&object[key], known.get(key).unwrap_or(&Value::Null), root);
            Value::Object(keys.into_iter().map(|key| (key.clone(), ordered(key))).collect())
        }
        other => other.clone(),
    }
}

/// What a schema that is a reference refers to, a few references on.
fn resolved<'a>(mut schema: &'a Value, root: &'a Value) -> &'a Value {
    const MOST_REFERENCES: usize = 8;
    for _ in 0..MOST_REFERENCES {
        let Some(path) = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#')) else { break };
        schema = root.pointer(path).unwrap_or(&Value::Null);
    }
    schema
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

fn properties(schema: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    schema.get("properties").and_then(Value::as_object).unwrap_or(&NONE)
}

/// JSON with the separators of the grammar.
fn written(value: &Value) -> String {
    let join = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Array(items) => format!("[{}]", join(items.iter().map(written).collect())),
        Value::Object(object) => {
            let entry = |(key, value)| format!("{}: {}", Value::String(String::clone(key)), written(value));
            format!("{{{}}}", join(object.iter().map(entry).collect()))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_fits_whatever_the_order_of_its_keys() {
        let schema = json!({ "type": "object", "properties": {
            "task": { "type": "string", "maxLength": 20 },
            "day": { "enum": ["Monday", null] },
            "who": { "anyOf": [{ "$ref": "#/$defs/person" }, { "type": "null" }] },
            "steps": { "type": "array", "items": { "$ref": "#/$defs/person" }, "maxItems": 2 },
        }, "required": ["task", "day"], "additionalProperties": false, "$defs": {
            "person": { "type": "object", "properties": { "name": { "type": "string" }, "age": { "type": "integer" } },
                "required": ["name", "age"], "additionalProperties": false },
        } });
        let person = json!({ "age": 7, "name": "Zoë \"Z\" \\ \n" });
        for fitting in [
            json!({ "task": "call", "day": null }),
            json!({ "day": "Monday", "task": "" }),
            json!({ "who": person, "steps": [person, person], "day": "Monday", "task": "call" }),
            json!({ "who": null, "day": "Monday", "task": "call" }),
        ] {
            assert!(fits_schema(&fitting, &schema).unwrap(), "{fitting}");
        }
        for wrong in [
            json!({ "task": "call" }),
            json!({ "task": "call", "day": "Friday" }),
            json!({ "task": "x".repeat(21), "day": null }),
            json!({ "task": "call", "day": null, "more": 1 }),
            json!({ "task": 7, "day": null }),
            json!({ "task": "call", "day": null, "who": { "name": "Zoë" } }),
            json!({ "task": "call", "day": null, "steps": [person, person, person] }),
            json!("call"),
            json!(null),
        ] {
            assert!(!fits_schema(&wrong, &schema).unwrap(), "{wrong}");
        }
    }

    #[test]
    fn numbers_fit_as_far_as_a_model_could_write_them() {
        let schema = json!({ "type": "number" });
        for (number, fits) in [(json!(7), true), (json!(-0.25), true), (json!(1.0e300), false), (json!("7"), false)] {
            assert_eq!(fits_schema(&number, &schema).unwrap(), fits, "{number}");
        }
        let refused = fits_schema(&json!(7), &json!({ "type": "nothing" }));
        assert!(matches!(refused, Err(TextError::InvalidConstraint { .. })));
    }
}
