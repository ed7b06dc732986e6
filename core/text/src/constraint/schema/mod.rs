//! Turns a JSON schema as tools write it into one that the engine supports and whose values are all bounded.
//!
//! Missing limits get ordinary values: for strings, numbers, lists and recursion. Objects have only the named
//! properties. Unknown formats and keywords that only describe are dropped.

mod fault;
mod merge;
mod numbers;
mod overlap;
mod place;
mod strings;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

pub(super) use self::fault::with_place;
use self::place::Place;
use crate::TextError;

type Keywords = Map<String, Value>;

/// Items of a list, and properties that are not named.
const MAX_ITEMS: u64 = 100;
/// How often a schema may contain itself.
const MAX_RECURSION: usize = 5;
/// Schemas within `allOf`, before they count as endless.
const MAX_MERGED: usize = 32;
/// How deep a value goes that may be anything.
const DEPTH_OF_ANYTHING: usize = 2;
/// A property's name where any will do.
const ANY_NAME: &str = "^.{1,64}$";

/// Keywords that say what a value is like, beside those that combine schemas. All others describe, or are refused.
const CONSTRAINTS: [&str; 24] = [
    "type",
    "enum",
    "const",
    "nullable",
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "minProperties",
    "maxProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];

/// Keywords that no grammar can enforce, and what to use instead.
const REFUSED: [(&str, &str); 14] = [
    ("not", "say what is allowed, with enum or anyOf"),
    ("if", "use anyOf with one schema for each case"),
    ("then", "use anyOf with one schema for each case"),
    ("else", "use anyOf with one schema for each case"),
    ("dependencies", "use anyOf with one schema for each case"),
    ("dependentRequired", "use anyOf with one schema for each case"),
    ("dependentSchemas", "use anyOf with one schema for each case"),
    ("propertyNames", "use patternProperties"),
    ("contains", "use items, or prefixItems"),
    ("minContains", "use items, or prefixItems"),
    ("maxContains", "use items, or prefixItems"),
    ("uniqueItems", "leave it out, and remove duplicates from the value"),
    ("$dynamicRef", "use $ref"),
    ("$recursiveRef", "use $ref"),
];

/// The schema for the engine. `open_strings` is a pattern for the strings that it leaves open.
pub(super) fn bounded(schema: &Value, open_strings: Option<&str>) -> Result<Value, TextError> {
    let mut reader = Reader {
        root: schema,
        open_strings,
        definitions: Keywords::new(),
        known: HashMap::new(),
        within: vec!["#".into()],
        depth: 0,
    };
    let read = reader.schema(schema, &Place::root())?;
    if read == json!(false) {
        return Err(Place::root().refuse(
            "no value fits it: a schema that contains itself must be optional, nullable or in a list, and what is required must be possible",
        ));
    }
    Ok(json!({ "anyOf": [read], "$defs": reader.definitions }))
}

struct Reader<'a> {
    root: &'a Value,
    open_strings: Option<&'a str>,
    /// What references lead to, as the engine gets it.
    definitions: Keywords,
    /// What stands for a reference at a depth.
    known: HashMap<(String, usize), Value>,
    /// The references on the way here.
    within: Vec<String>,
    /// How many of them contain themselves.
    depth: usize,
}

impl<'a> Reader<'a> {
    /// `false` is a schema that no value fits.
    fn schema(&mut self, schema: &Value, place: &Place) -> Result<Value, TextError> {
        match schema {
            Value::Bool(true) => Ok(anything(DEPTH_OF_ANYTHING)),
            Value::Bool(false) => Ok(json!(false)),
            Value::Object(keywords) => self.keywords(keywords, place),
            _ => Err(place.refuse("a schema must be an object")),
        }
    }

    fn keywords(&mut self, keywords: &Keywords, place: &Place) -> Result<Value, TextError> {
        refuse_unknowable(keywords, place)?;
        let is_alone = |keyword: &str| keywords.keys().all(|key| key == keyword || !says_something(key));
        if let Some(target) = keywords.get("$ref").filter(|_| is_alone("$ref")) {
            return self.reference(target, place);
        }
        let Some(all) = self.merged(keywords, place, 0)? else { return Ok(json!(false)) };
        let Some((first, others)) = all.alternatives.split_first() else { return self.plain(&all.own, place) };
        let mut read = Vec::new();
        for alternative in first {
            let alternative = match all.own.is_empty() && others.is_empty() {
                true => alternative.clone(),
                false => {
                    let others = others.iter().map(|others| json!({ "anyOf": others }));
                    let parts: Vec<Value> =
                        [all.own.clone().into(), alternative.clone()].into_iter().chain(others).collect();
                    json!({ "allOf": parts })
                }
            };
            read.push(self.schema(&alternative, place)?);
        }
        Ok(any_of(read))
    }

    /// What a reference leads to. It is read once for each depth of what contains itself, and ends where that is too deep.
    fn reference(&mut self, target: &Value, place: &Place) -> Result<Value, TextError> {
        let target = target.as_str().ok_or_else(|| place.refuse("$ref must be a string"))?;
        let depth = self.depth + usize::from(self.within.iter().any(|other| other == target));
        if depth > MAX_RECURSION {
            return Ok(json!(false));
        }
        let key = (target.to_owned(), depth);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let schema = self.find(target, place)?;
        self.within.push(target.to_owned());
        let depth_before = std::mem::replace(&mut self.depth, depth);
        let read = self.schema(schema, place)?;
        self.depth = depth_before;
        self.within.pop();
        let stands_for = match read == json!(false) {
            true => read,
            false => {
                let name = self.definitions.len().to_string();
                let reference = json!({ "$ref": format!("#/$defs/{name}") });
                self.definitions.insert(name, read);
                reference
            }
        };
        self.known.insert(key, stands_for.clone());
        Ok(stands_for)
    }

    fn find(&self, target: &str, place: &Place) -> Result<&'a Value, TextError> {
        let pointer = target.strip_prefix('#').ok_or_else(|| {
            place.refuse(format!("{target} is not in this schema: put it under $defs, and refer to #/$defs/…"))
        })?;
        self.root.pointer(pointer).ok_or_else(|| place.refuse(format!("there is no {target} in this schema")))
    }

    /// A schema that combines no others.
    fn plain(&mut self, own: &Keywords, place: &Place) -> Result<Value, TextError> {
        if let Some(values) = merge::values(own) {
            return Ok(if values.is_empty() { json!(false) } else { json!({ "enum": values }) });
        }
        let mut types = types(own, place)?;
        if own.get("nullable") == Some(&json!(true)) && !types.contains(&"null") {
            types.push("null");
        }
        if types.is_empty() {
            return Ok(anything(DEPTH_OF_ANYTHING));
        }
        let read: Result<Vec<_>, _> = types.into_iter().map(|of_type| self.of_type(of_type, own, place)).collect();
        Ok(any_of(read?))
    }

    fn of_type(&mut self, of_type: &str, own: &Keywords, place: &Place) -> Result<Value, TextError> {
        match of_type {
            "null" | "boolean" => Ok(json!({ "type": of_type })),
            "string" => strings::bounded(own, self.open_strings, place),
            "integer" | "number" => numbers::bounded(own, of_type == "integer", place),
            "array" => self.array(own, place),
            "object" => self.object(own, place),
            other => Err(place.refuse(format!("there is no type {other:?}"))),
        }
    }

    fn array(&mut self, own: &Keywords, place: &Place) -> Result<Value, TextError> {
        // Before 2020, a list of items was what prefixItems is now, and additionalItems what items is.
        let (first, rest) = match own.get("items") {
            Some(items @ Value::Array(_)) => (Some(items), own.get("additionalItems")),
            items => (own.get("prefixItems"), items),
        };
        let item = place.item();
        let min = place.count(own, "minItems")?.unwrap_or(0);
        let mut max = place.count(own, "maxItems")?.unwrap_or(MAX_ITEMS.max(2 * min));
        let mut prefix = Vec::new();
        for schema in place.list(first, "prefixItems")? {
            prefix.push(self.schema(schema, &item)?);
        }
        // A list whose first items are named has no others, unless it says so.
        let rest = match rest {
            None if !prefix.is_empty() => json!(false),
            None => anything(DEPTH_OF_ANYTHING - 1),
            Some(rest) => self.schema(rest, &item)?,
        };
        let possible = prefix.iter().position(|item| *item == json!(false)).unwrap_or(prefix.len());
        if possible < prefix.len() || rest == json!(false) {
            prefix.truncate(possible);
            max = max.min(possible as u64);
        }
        match min > max {
            true => Ok(json!(false)),
            false => {
                Ok(json!({ "type": "array", "prefixItems": prefix, "items": rest, "minItems": min, "maxItems": max }))
            }
        }
    }

    fn object(&mut self, own: &Keywords, place: &Place) -> Result<Value, TextError> {
        let mut required = Vec::new();
        for name in place.list(own.get("required"), "required")? {
            required.push(name.as_str().ok_or_else(|| place.refuse("required must be a list of names"))?);
        }
        let mut properties = Keywords::new();
        for (name, schema) in place.map(own, "properties")? {
            let read = self.schema(schema, &place.property(name))?;
            match (read == json!(false), required.contains(&name.as_str())) {
                (true, true) => return Ok(json!(false)),
                (true, false) => {}
                (false, _) => drop(properties.insert(name.clone(), read)),
            }
        }
        for name in &required {
            properties.entry(*name).or_insert_with(|| anything(DEPTH_OF_ANYTHING - 1));
        }
        let mut patterns = Keywords::new();
        for (pattern, schema) in place.map(own, "patternProperties")? {
            patterns.insert(pattern.clone(), self.schema(schema, &place.property(pattern))?);
        }
        let others = match own.get("additionalProperties") {
            None | Some(Value::Bool(false)) => json!(false),
            Some(others) => self.schema(others, &place.property("*"))?,
        };
        let mut read = Keywords::from_iter([("type".to_owned(), json!("object"))]);
        if properties.is_empty() && patterns.is_empty() {
            if others == json!(false) && !own.contains_key("properties") {
                return Err(place.refuse(
                    "it names no properties, so its value would be empty: list them under properties, or describe them all in additionalProperties",
                ));
            }
            // A name has an end, too, as a pattern.
            if others != json!(false) {
                patterns.insert(ANY_NAME.to_owned(), others.clone());
                read.insert("maxProperties".to_owned(), json!(MAX_ITEMS));
            }
        }
        let others = if patterns.contains_key(ANY_NAME) { json!(false) } else { others };
        for limit in ["minProperties", "maxProperties"] {
            if let Some(count) = place.count(own, limit)? {
                read.insert(limit.to_owned(), json!(count));
            }
        }
        read.insert("properties".to_owned(), properties.into());
        read.insert("patternProperties".to_owned(), patterns.into());
        read.insert("required".to_owned(), json!(required));
        read.insert("additionalProperties".to_owned(), others);
        Ok(read.into())
    }
}

/// Whether a keyword is more than a description.
fn says_something(keyword: &str) -> bool {
    CONSTRAINTS.contains(&keyword) || ["$ref", "allOf", "anyOf", "oneOf"].contains(&keyword)
}

fn refuse_unknowable(keywords: &Keywords, place: &Place) -> Result<(), TextError> {
    for (keyword, instead) in REFUSED {
        // One that is off says nothing.
        if keywords.get(keyword).is_some_and(|value| *value != json!(false)) {
            return Err(place.refuse(format!("{keyword} is not supported: {instead}")));
        }
    }
    Ok(())
}

/// The types that a schema names, or else the one that its keywords are about; none where it says nothing.
fn types<'a>(own: &'a Keywords, place: &Place) -> Result<Vec<&'a str>, TextError> {
    let about = |keywords: &[&str]| keywords.iter().any(|keyword| own.contains_key(*keyword));
    let wrong = || place.refuse("type must be a name or a list of names");
    match own.get("type") {
        Some(Value::String(name)) => Ok(vec![name]),
        Some(Value::Array(names)) if !names.is_empty() => {
            names.iter().map(|name| name.as_str().ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
        None if about(&["properties", "patternProperties", "additionalProperties", "required"]) => Ok(vec!["object"]),
        None if about(&["items", "prefixItems", "minItems", "maxItems"]) => Ok(vec!["array"]),
        None if about(&["pattern", "format", "minLength", "maxLength"]) => Ok(vec!["string"]),
        None if about(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) => {
            Ok(vec!["number"])
        }
        None => Ok(vec![]),
    }
}

fn any_of(mut schemas: Vec<Value>) -> Value {
    schemas.retain(|schema| *schema != json!(false));
    match schemas.len() {
        0 => json!(false),
        1 => schemas.remove(0),
        _ => json!({ "anyOf": schemas }),
    }
}

/// A value of any type, of lists and objects so many levels.
fn anything(levels: usize) -> Value {
    let mut types = vec![json!({ "type": "null" }), json!({ "type": "boolean" }), numbers::any(), strings::any()];
    if levels > 0 {
        let within = anything(levels - 1);
        types.push(json!({ "type": "array", "items": within, "maxItems": MAX_ITEMS }));
        types.push(json!({
            "type": "object",
            "patternProperties": { ANY_NAME: within },
            "additionalProperties": false,
            "maxProperties": MAX_ITEMS
        }));
    }
    json!({ "anyOf": types })
}
