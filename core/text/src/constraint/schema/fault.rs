//! Which part of a schema the engine refuses.

use llguidance::api::ParserLimits;
use llguidance::{GrammarBuilder, JsonCompileOptions};
use serde_json::{Value, json};

use super::place::Place;
use crate::TextError;

/// Parts that are looked into; a schema that contains itself has no end.
const MAX_DEPTH: usize = 16;

/// What the engine says about a schema, with the part that it says it about.
pub(in crate::constraint) fn with_place(schema: &Value, options: &JsonCompileOptions, error: &str) -> TextError {
    let definitions = schema.get("$defs").cloned().unwrap_or_default();
    Search { definitions, options }.within(schema, Place::root(), error, 0)
}

struct Search<'a> {
    definitions: Value,
    options: &'a JsonCompileOptions,
}

impl Search<'_> {
    fn within(&self, schema: &Value, place: Place, error: &str, depth: usize) -> TextError {
        let fault = self.parts(schema, &place).into_iter().filter(|_| depth < MAX_DEPTH).find_map(|(part, place)| {
            let error = self.error_in(part)?;
            Some(self.within(part, place, &error, depth + 1))
        });
        fault.unwrap_or_else(|| place.refuse(error.lines().next().unwrap_or_default()))
    }

    fn parts<'a>(&'a self, schema: &'a Value, place: &Place) -> Vec<(&'a Value, Place)> {
        let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
        let map = |keyword: &str| schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
        let alternatives = list("anyOf").chain(target.and_then(|name| self.definitions.get(name)));
        let properties = map("properties").chain(map("patternProperties"));
        let items = list("prefixItems").chain(schema.get("items"));
        let mut parts: Vec<_> = alternatives.map(|part| (part, place.clone())).collect();
        parts.extend(properties.map(|(name, part)| (part, place.property(name))));
        parts.extend(items.map(|part| (part, place.item())));
        parts
    }

    fn error_in(&self, part: &Value) -> Option<String> {
        let schema = json!({ "anyOf": [part], "$defs": self.definitions });
        let builder = GrammarBuilder::new(None, ParserLimits::default());
        self.options.json_to_llg_no_validate(builder, schema).err().map(|error| error.to_string())
    }
}
