//! `allOf`, and what stands beside `$ref`, `anyOf` and `oneOf`: schemas that hold at the same time become one.

use serde_json::{Value, json};

use super::overlap::overlap;
use super::place::Place;
use super::{CONSTRAINTS, Keywords, MAX_MERGED, Reader, refuse_unknowable};
use crate::TextError;

/// A schema without `allOf` and `$ref`.
#[derive(Default)]
pub(super) struct Merged {
    pub(super) own: Keywords,
    /// Lists of schemas: one of each holds, too.
    pub(super) alternatives: Vec<Vec<Value>>,
}

impl Reader<'_> {
    /// `None` where nothing fits all of them.
    pub(super) fn merged(&self, keywords: &Keywords, place: &Place, level: usize) -> Result<Option<Merged>, TextError> {
        if level > MAX_MERGED {
            return Err(place.refuse("it contains itself through allOf or $ref without end"));
        }
        refuse_unknowable(keywords, place)?;
        let own = keywords.iter().filter(|(keyword, _)| CONSTRAINTS.contains(&keyword.as_str()));
        let own = own.map(|(keyword, value)| (keyword.clone(), value.clone())).collect();
        let mut all = Merged { own, alternatives: Vec::new() };
        for keyword in ["anyOf", "oneOf"] {
            let alternatives = place.list(keywords.get(keyword), keyword)?;
            if keyword == "oneOf" && overlap(alternatives, self.root) {
                log::warn!("{place}: oneOf is taken as anyOf, since a value may fit more than one of its schemas");
            }
            if keywords.contains_key(keyword) {
                all.alternatives.push(alternatives.to_vec());
            }
        }
        let mut parts: Vec<&Value> = place.list(keywords.get("allOf"), "allOf")?.iter().collect();
        if let Some(target) = keywords.get("$ref") {
            parts.push(self.find(target.as_str().ok_or_else(|| place.refuse("$ref must be a string"))?, place)?);
        }
        for part in parts {
            let part = match part {
                Value::Bool(true) => continue,
                Value::Bool(false) => return Ok(None),
                Value::Object(part) => self.merged(part, place, level + 1)?,
                _ => return Err(place.refuse("a schema must be an object")),
            };
            let Some(part) = part else { return Ok(None) };
            let Some(own) = both(all.own, part.own, place)? else { return Ok(None) };
            all.own = own;
            all.alternatives.extend(part.alternatives);
        }
        Ok(Some(all))
    }
}

/// The values that `enum` and `const` leave; `None` where a schema has neither.
pub(super) fn values(own: &Keywords) -> Option<Vec<Value>> {
    let listed = own.get("enum").and_then(Value::as_array);
    match own.get("const") {
        Some(only) if listed.is_some_and(|listed| !listed.contains(only)) => Some(vec![]),
        Some(only) => Some(vec![only.clone()]),
        None => listed.cloned(),
    }
}

/// Two schemas at once, `None` where nothing fits both.
fn both(mut one: Keywords, other: Keywords, place: &Place) -> Result<Option<Keywords>, TextError> {
    for (keyword, value) in other {
        let Some(here) = one.get_mut(&keyword) else {
            one.insert(keyword, value);
            continue;
        };
        if *here == value {
            continue;
        }
        match (keyword.as_str(), &mut *here, value) {
            ("properties" | "patternProperties", Value::Object(here), Value::Object(more)) => {
                for (name, schema) in more {
                    let both = match here.get(&name) {
                        Some(before) if *before != schema => json!({ "allOf": [before, schema] }),
                        _ => schema,
                    };
                    here.insert(name, both);
                }
            }
            ("required", Value::Array(here), Value::Array(more)) => {
                more.into_iter().for_each(|name| {
                    if !here.contains(&name) {
                        here.push(name)
                    }
                });
            }
            ("enum", Value::Array(here), Value::Array(others)) => here.retain(|value| others.contains(value)),
            ("type", here, others) => match common_types(here, &others) {
                types if types.is_empty() => return Ok(None),
                types => *here = json!(types),
            },
            ("additionalProperties" | "items", here, schema) => *here = json!({ "allOf": [here.clone(), schema] }),
            ("minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties", here, more) => {
                if more.as_f64() > here.as_f64() {
                    *here = more;
                }
            }
            ("maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties", here, more) => {
                if more.as_f64() < here.as_f64() {
                    *here = more;
                }
            }
            ("const", ..) => return Ok(None),
            ("nullable", here, _) => *here = json!(false),
            _ => {
                return Err(place
                    .refuse(format!("it has {keyword} twice, through allOf, $ref or anyOf: leave one of them out")));
            }
        }
    }
    Ok(Some(one))
}

/// The types that are in both. An integer is a number.
fn common_types(one: &Value, other: &Value) -> Vec<Value> {
    let list = |types: &Value| types.as_array().cloned().unwrap_or_else(|| vec![types.clone()]);
    let (one, other) = (list(one), list(other));
    let has = |types: &[Value], wanted: &Value| {
        types.contains(wanted) || *wanted == json!("integer") && types.contains(&json!("number"))
    };
    let mut common: Vec<Value> = one.iter().filter(|of_type| has(&other, of_type)).cloned().collect();
    common.extend(other.iter().filter(|of_type| has(&one, of_type) && !one.contains(of_type)).cloned());
    common
}
