//! The grammar of an answer that is text or a call.

use serde_json::Value;

use super::{invalid, json_options, schema};
use crate::{CallFormat, TextError, ToolSpec};

/// The longest name of a tool, in characters.
const LONGEST_NAME: usize = 64;

/// A Lark grammar for an answer that is text, or a call of one of these tools with arguments that fit its schema. Where calls have a
/// marker, text may come before a call.
///
/// # Errors
/// [`TextError::InvalidConstraint`] for a name that is empty, too long, used twice or has other characters than letters, digits, `_` and `-`,
/// and for parameters that are no supported schema of an object.
pub fn text_or_call_grammar(format: &CallFormat, tools: &[ToolSpec]) -> Result<String, TextError> {
    let marker = format.marker();
    let mut grammar = match (marker, format.bracket()) {
        ("", None) => return Err(TextError::Internal("nothing tells a call from text".to_owned())),
        ("", Some(bracket)) => format!("start: TEXT? | call\nTEXT: /\\s*[^\\s\\{bracket}](?s:.*)/\n"),
        _ => {
            let escaped: String = marker.chars().map(|sign| format!("\\x{{{:x}}}", u32::from(sign))).collect();
            format!(
                "start: TEXT? | before call\n\
                 TEXT: /(?s:.+)/ & ~/(?s:.*){escaped}(?s:.*)/\n\
                 before[lazy]: /(?s:.*)/ {}\n",
                literal(marker)
            )
        }
    };
    let names: Vec<String> = (0..tools.len()).map(|index| format!("tool_{index}")).collect();
    grammar += &format!(
        "call: {} ({}) {}\n",
        literal(&format.before_name[marker.len()..]),
        names.join(" | "),
        literal(&format.end)
    );
    for (index, (tool, name)) in tools.iter().zip(names).enumerate() {
        if tools[..index].iter().any(|other| other.name == tool.name) {
            return Err(invalid(&format!("two tools have the name {}", tool.name)));
        }
        let head = literal(&format!("{}{}", tool.name, format.before_arguments));
        grammar += &format!("{name}: {head} %json {}\n", arguments_schema(tool)?);
    }
    Ok(grammar)
}

/// A text in a Lark grammar.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

/// The schema of a tool's arguments, as the engine gets it.
fn arguments_schema(tool: &ToolSpec) -> Result<Value, TextError> {
    let is_in_names = |character: char| character.is_ascii_alphanumeric() || ['_', '-'].contains(&character);
    if !(1..=LONGEST_NAME).contains(&tool.name.len()) || !tool.name.chars().all(is_in_names) {
        return Err(invalid(&format!("a tool's name has 1 to {LONGEST_NAME} letters, digits, _ and -")));
    }
    let refused = |why: &str| invalid(&format!("the parameters of {}: {why}", tool.name));
    if tool.parameters.get("type") != Some(&Value::from("object")) {
        return Err(refused("the schema must have the type object"));
    }
    let mut schema = schema::bounded(&tool.parameters, None).map_err(|error| match error {
        TextError::InvalidConstraint { why } => refused(&why),
        other => other,
    })?;
    json_options().apply_to(&mut schema);
    Ok(schema)
}
