//! How a model writes a call.

use serde_json::Value;

use super::ToolCall;

/// The text of a call: what comes before the tool's name, between it and the arguments, and after them. It does not begin with white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFormat {
    pub(crate) before_name: String,
    pub(crate) before_arguments: String,
    pub(crate) end: String,
}

impl CallFormat {
    /// The one that models are told if their template knows no tools. Many models were trained with it.
    pub(crate) fn told() -> Self {
        Self {
            before_name: "<tool_call>\n{\"name\": \"".to_owned(),
            before_arguments: "\", \"arguments\": ".to_owned(),
            end: "}\n</tool_call>".to_owned(),
        }
    }

    /// What a call begins with, if it may follow other text, such as `<tool_call>`. Empty if a call is the whole answer:
    /// then it begins with a bracket, and no other answer does.
    pub(crate) fn marker(&self) -> &str {
        self.before_name.split(BRACKETS).next().unwrap_or_default().trim()
    }

    /// The first bracket of a call.
    pub(crate) fn bracket(&self) -> Option<char> {
        self.before_name.chars().find(|character| BRACKETS.contains(character))
    }

    /// A call as the model would write it; `arguments` is JSON.
    pub fn call(&self, name: &str, arguments: &str) -> String {
        [&self.before_name, name, &self.before_arguments, arguments, &self.end].concat()
    }

    /// The bytes of an unfinished answer that belong to no call, whatever follows.
    pub fn text_length(&self, so_far: &str) -> usize {
        match self.marker() {
            "" if so_far.trim_start().is_empty() || so_far.trim_start().starts_with(BRACKETS) => 0,
            "" => so_far.len(),
            marker => so_far.find(marker).unwrap_or_else(|| {
                let may_begin = |at: &usize| marker.starts_with(&so_far[*at..]);
                so_far.char_indices().map(|(at, _)| at).find(may_begin).unwrap_or(so_far.len())
            }),
        }
    }

    /// The text of a finished answer, and the call after it. A call that was cut off belongs to neither.
    pub fn split<'a>(&self, answer: &'a str) -> (&'a str, Option<ToolCall>) {
        let start = match self.marker() {
            "" if answer.trim_start().starts_with(BRACKETS) => Some(0),
            "" => None,
            marker => answer.find(marker),
        };
        match start {
            Some(start) => (&answer[..start], self.parse(&answer[start..])),
            None => (answer, None),
        }
    }

    fn parse(&self, call: &str) -> Option<ToolCall> {
        let (name, rest) = call.strip_prefix(&self.before_name)?.split_once(&self.before_arguments)?;
        let arguments: Value = serde_json::from_str(rest.strip_suffix(&self.end)?).ok()?;
        Some(ToolCall { name: name.to_owned(), arguments })
    }
}

const BRACKETS: [char; 2] = ['{', '['];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bare() -> CallFormat {
        CallFormat {
            before_name: "{\"name\": \"".to_owned(),
            before_arguments: "\", \"parameters\": ".to_owned(),
            end: "}".to_owned(),
        }
    }

    #[test]
    fn a_call_is_told_from_text() {
        let call = ToolCall { name: "weather".into(), arguments: json!({ "city": "Oslo\"}" }) };
        for (format, text) in [(CallFormat::told(), "One moment.\n"), (CallFormat::told(), ""), (bare(), "")] {
            let written = format.call("weather", &call.arguments.to_string());
            assert_eq!(format.split(&format!("{text}{written}")), (text, Some(call.clone())));
            let cut = format!("{text}{}", &written[..written.len() - 3]);
            assert_eq!(format.split(&cut), (text, None));
            // Whatever is streamed of it, it is the text alone.
            for (end, _) in cut.char_indices() {
                assert_eq!(format.text_length(&cut[..end]), end.min(text.len()), "{}", &cut[..end]);
            }
        }
    }

    #[test]
    fn text_that_almost_begins_a_call_is_text_in_the_end() {
        let format = CallFormat::told();
        assert_eq!(format.text_length("a <b <tool"), "a <b ".len());
        assert_eq!(format.text_length("a <tool>"), "a <tool>".len());
        assert_eq!(format.split("a <tool"), ("a <tool", None));
        assert_eq!(bare().text_length(" "), 0);
        assert_eq!(bare().text_length(" It is {"), " It is {".len());
        assert_eq!(bare().split("It is {\"name\": \"x\"}"), ("It is {\"name\": \"x\"}", None));
    }
}
