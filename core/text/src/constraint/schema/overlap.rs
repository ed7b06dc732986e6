//! Whether a value may fit two of the schemas in `oneOf`.

use serde_json::Value;

use super::Keywords;
use super::merge::values;

/// Whether any two of these schemas are not plainly apart.
pub(super) fn overlap(schemas: &[Value], root: &Value) -> bool {
    let schemas: Vec<Option<&Keywords>> = schemas.iter().map(|schema| resolved(schema, root)).collect();
    let pairs =
        schemas.iter().enumerate().flat_map(|(index, one)| schemas[index + 1..].iter().map(move |two| (one, two)));
    pairs.into_iter().any(|(one, two)| !matches!((one, two), (Some(one), Some(two)) if are_apart(one, two, root)))
}

/// By their types, by their values, or by a property that both have to have.
fn are_apart(one: &Keywords, two: &Keywords, root: &Value) -> bool {
    let types_apart = match (types(one), types(two)) {
        (Some(one), Some(two)) => one.iter().all(|of_type| !two.contains(of_type)),
        _ => false,
    };
    types_apart
        || matches!((values(one), values(two)), (Some(one), Some(two)) if one.iter().all(|value| !two.contains(value)))
        || required(one).any(|name| {
            let property =
                |of: &'_ Keywords| of.get("properties")?.get(name).and_then(|it| resolved(it, root)).cloned();
            required(two).any(|other| other == name)
                && matches!((property(one), property(two)), (Some(one), Some(two)) if are_apart(&one, &two, root))
        })
}

fn resolved<'a>(schema: &'a Value, root: &'a Value) -> Option<&'a Keywords> {
    let keywords = schema.as_object()?;
    match keywords.get("$ref") {
        Some(target) => {
            root.pointer(target.as_str()?.strip_prefix('#')?)?.as_object().filter(|it| !it.contains_key("$ref"))
        }
        None => Some(keywords),
    }
}

/// The types that a schema names; an integer is a number.
fn types(of: &Keywords) -> Option<Vec<&str>> {
    match of.get("type")? {
        Value::Array(types) => types.iter().map(type_name).collect(),
        of_type => Some(vec![type_name(of_type)?]),
    }
}

fn type_name(of_type: &Value) -> Option<&str> {
    of_type.as_str().map(|name| if name == "integer" { "number" } else { name })
}

fn required(of: &Keywords) -> impl Iterator<Item = &str> {
    of.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
