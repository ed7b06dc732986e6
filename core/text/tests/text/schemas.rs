//! JSON schemas as tools and people write them: each works, and its values end and fit, or it is refused in words that say where and why.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use sotto_text::{Constraint, OutputFormat, TextError};

use crate::common::{byte_level, byte_level_factory};
use crate::constraints::random_answer;

/// Tokens that a value of any schema in the table takes at most, drawn at random from a vocabulary of bytes, which needs the most.
const LIMIT: usize = 20_000;

#[derive(Deserialize)]
struct Case {
    name: String,
    schema: Value,
    /// What the refusal says.
    refused: Option<String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("schemas.json")).unwrap()
}

fn constraint(schema: &Value) -> Result<Constraint, TextError> {
    byte_level_factory().constraint(&OutputFormat::JsonSchema(schema.clone()))
}

fn text(ids: &[u32]) -> String {
    let tokenizer = byte_level();
    String::from_utf8_lossy(&ids.iter().flat_map(|&id| tokenizer.token_bytes(id).to_vec()).collect::<Vec<_>>())
        .into_owned()
}

#[test]
fn schemas_of_tools_work_or_are_refused_in_clear_words() {
    for Case { name, schema, refused } in cases() {
        match (constraint(&schema), refused) {
            (Ok(_), None) => {}
            (Ok(_), Some(_)) => panic!("{name}: not refused"),
            (Err(error), None) => panic!("{name}: {error}"),
            (Err(error), Some(words)) => assert!(error.to_string().contains(&words), "{name}: {error}"),
        }
    }
}

#[test]
fn values_drawn_at_random_end_and_fit() {
    for Case { name, schema, .. } in cases().into_iter().filter(|case| case.refused.is_none()) {
        for seed in 0..3 {
            let ids = random_answer(&byte_level(), &mut constraint(&schema).unwrap(), seed, LIMIT);
            let answer = text(&ids.unwrap_or_else(|| panic!("{name}: no end")));
            let value: Value =
                serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{name}: {error}: {answer}"));
            if let Err(why) = fits(&value, &schema, &schema, false) {
                panic!("{name}: {why}: {answer}");
            }
        }
    }
}

/// A model that wants to go on wherever it may, as long as it may.
#[test]
fn nothing_goes_on_for_ever() {
    let tokenizer = byte_level();
    let string = |format: &str| json!({ "type": "string", "format": format });
    for (schema, most) in [
        (json!({ "type": "number" }), 23),
        (json!({ "type": "number", "minimum": 0.5 }), 23),
        (json!({ "type": "integer" }), 16),
        (json!({ "type": "integer", "maximum": -3 }), 16),
        (string("date"), 12),
        (string("time"), 23),
        (string("date-time"), 34),
        (string("duration"), 40),
        (string("email"), 190),
        (string("hostname"), 135),
        (string("uri"), 410),
        (string("uuid"), 38),
        (string("ipv6"), 41),
        (string("telephone"), 2002),
        (json!({ "type": "string", "pattern": "^a+$" }), 102),
        (json!({ "type": "array", "items": { "type": "null" } }), 600),
        (json!({ "type": "object", "additionalProperties": { "type": "null" } }), 15_000),
        (
            json!({ "$defs": { "N": { "type": "object", "properties": { "n": { "$ref": "#/$defs/N" } } } }, "$ref": "#/$defs/N" }),
            60,
        ),
    ] {
        let mut constraint = constraint(&schema).unwrap();
        let mut ids = Vec::new();
        while !constraint.is_finished() && ids.len() <= most {
            let allowed = constraint.allowed().unwrap().ids();
            let begins = |id: u32| tokenizer.token_bytes(id).first().copied();
            let going_on = |id: &&u32| begins(**id).is_some_and(|byte| !b"\"]}".contains(&byte));
            let id = allowed.iter().rev().find(going_on).or(allowed.iter().find(|id| begins(**id).is_some()));
            let Some(&id) = id else { break };
            constraint.commit(id).unwrap();
            ids.push(id);
        }
        assert!(ids.len() <= most && constraint.may_stop(), "{schema}: {} tokens: {}", ids.len(), text(&ids));
    }
}

#[test]
fn what_a_schema_does_not_name_is_not_written() {
    let takes = |schema: &Value, text: &str| {
        crate::constraints::accepts(
            &byte_level(),
            byte_level_factory(),
            &OutputFormat::JsonSchema(schema.clone()),
            text,
        )
    };
    let mut schema = json!({ "type": "object", "properties": { "a": { "type": "null" } }, "required": ["a"] });
    assert!(takes(&schema, r#"{"a": null}"#) && !takes(&schema, r#"{"a": null, "b": 1}"#));
    schema["additionalProperties"] = json!(true);
    assert!(takes(&schema, r#"{"a": null, "b": 1}"#));
    let number = json!({ "type": "number" });
    for (text, fits) in
        [("-12.5", true), ("0.000001", true), ("0", true), ("1e9", false), ("0.0000001", false), ("1.", false)]
    {
        assert_eq!(takes(&number, text), fits, "{text}");
    }
    let date = json!({ "type": "string", "format": "date" });
    for (text, fits) in [
        ("2028-02-29", true),
        ("2000-02-29", true),
        ("2026-02-29", false),
        ("1900-02-29", false),
        ("2026-04-31", false),
    ] {
        assert_eq!(takes(&date, &format!("\"{text}\"")), fits, "{text}");
    }
}

/// Whether a value fits a schema, by the parts of JSON Schema that the table has but patterns; what is not named is not allowed, except in a
/// part of a schema, where another part may name it.
fn fits(value: &Value, schema: &Value, root: &Value, is_part: bool) -> Result<(), String> {
    let Value::Object(keywords) = schema else { return (*schema != json!(false)).then_some(()).ok_or("false".into()) };
    let get = |keyword: &str| keywords.get(keyword);
    let list = |keyword: &str| get(keyword).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let limit = |keyword: &str| get(keyword).and_then(Value::as_f64);
    let wrong = |what: &str| Err(format!("{value} does not fit {what} of {schema}"));
    if value.is_null() && get("nullable") == Some(&json!(true)) {
        return Ok(());
    }
    if let Some(target) = get("$ref").and_then(Value::as_str) {
        fits(value, root.pointer(&target[1..]).ok_or("no such reference")?, root, is_part || keywords.len() > 1)?;
    }
    for keyword in ["anyOf", "oneOf"] {
        if get(keyword).is_some()
            && !list(keyword).iter().any(|one| fits(value, one, root, is_part || keywords.len() > 1).is_ok())
        {
            return wrong(keyword);
        }
    }
    let is_of = |of_type: &Value| match of_type.as_str() {
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => value.is_null(),
    };
    match get("type") {
        Some(Value::Array(types)) if !types.iter().any(is_of) => return wrong("type"),
        Some(of_type) if !of_type.is_array() && !is_of(of_type) => return wrong("type"),
        _ => {}
    }
    let same = |other: &Value| other == value || other.is_number() && other.as_f64() == value.as_f64();
    if get("const").is_some_and(|only| !same(only)) || get("enum").is_some() && !list("enum").iter().any(same) {
        return wrong("enum or const");
    }
    if let Some(number) = value.as_f64() {
        let flag = |keyword: &str| get(keyword) == Some(&json!(true));
        let low = limit("minimum").is_none_or(|low| number > low || number == low && !flag("exclusiveMinimum"));
        let high = limit("maximum").is_none_or(|high| number < high || number == high && !flag("exclusiveMaximum"));
        let above = limit("exclusiveMinimum").is_none_or(|low| number > low);
        let step = limit("multipleOf")
            .is_none_or(|step| ((number / step).round() * step - number).abs() < 1e-6 * number.abs().max(1.0));
        if !(low && high && above && step) {
            return wrong("limits");
        }
    }
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as f64;
        if limit("minLength").is_some_and(|min| length < min) || limit("maxLength").is_some_and(|max| length > max) {
            return wrong("length");
        }
        let is_format = match get("format").and_then(Value::as_str) {
            Some("date") => text.parse::<jiff::civil::Date>().is_ok(),
            Some("time") => format!("2026-01-01T{text}").parse::<jiff::Timestamp>().is_ok(),
            Some("date-time") => text.parse::<jiff::Timestamp>().is_ok(),
            Some("duration") => text.parse::<jiff::Span>().is_ok(),
            Some("email") => text.split('@').count() == 2,
            Some("uuid") => text.len() == 36,
            Some("ipv4") => text.parse::<std::net::Ipv4Addr>().is_ok(),
            _ => true,
        };
        if !is_format {
            return wrong("format");
        }
    }
    if let Some(items) = value.as_array() {
        let first = get("prefixItems").or(get("items").filter(|items| items.is_array()));
        let first = first.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let rest = get("items").filter(|items| !items.is_array());
        for (index, item) in items.iter().enumerate() {
            first.get(index).or(rest).map_or(Ok(()), |schema| fits(item, schema, root, false))?;
        }
        let length = items.len() as f64;
        if limit("minItems").is_some_and(|min| length < min) || limit("maxItems").is_some_and(|max| length > max) {
            return wrong("number of items");
        }
    }
    if let Some(object) = value.as_object() {
        let mut named = BTreeSet::new();
        collect_names(schema, root, &mut named);
        let properties = get("properties").and_then(Value::as_object);
        for (name, value) in object {
            match (properties.and_then(|all| all.get(name)), get("additionalProperties")) {
                (Some(schema), _) => fits(value, schema, root, false)?,
                (None, Some(others)) if get("patternProperties").is_none() => fits(value, others, root, false)?,
                (None, None)
                    if get("patternProperties").is_none() && !is_part && !named.is_empty() && !named.contains(name) =>
                {
                    return wrong("properties");
                }
                _ => {}
            }
        }
        if list("required").iter().any(|name| !object.contains_key(name.as_str().unwrap_or_default())) {
            return wrong("required");
        }
    }
    list("allOf").iter().try_for_each(|part| fits(value, part, root, true))
}

/// The properties that a schema names, and those that it is made of.
fn collect_names(schema: &Value, root: &Value, names: &mut BTreeSet<String>) {
    names.extend(schema["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned()));
    schema["allOf"].as_array().into_iter().flatten().for_each(|part| collect_names(part, root, names));
    if let Some(part) = schema["$ref"].as_str().and_then(|target| root.pointer(&target[1..])) {
        names.extend(part["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned()));
    }
}
