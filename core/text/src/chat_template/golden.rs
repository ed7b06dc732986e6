//! Templates against Jinja2, whose answers `tests/golden/make_templates.py` stores.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use minijinja::Value;
use serde::Deserialize;

use super::control_tokens::ControlTokens;
use super::environment::Clock;
use super::{Inner, TextError};

#[derive(Deserialize)]
struct Golden {
    bos: String,
    eos: String,
    unix_seconds: i64,
    templates: BTreeMap<String, String>,
    conversations: BTreeMap<String, Value>,
    tools: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    conversation: String,
    tools: bool,
    add_generation_prompt: bool,
    /// `None` if the template rejects the conversation.
    text: Option<String>,
}

impl Golden {
    fn source(&self, template: &str) -> Option<String> {
        if let Some(file) = template.strip_prefix("fixture:") {
            let fixtures = std::env::var_os("SOTTO_FIXTURES").map(PathBuf::from)?;
            return Some(std::fs::read_to_string(fixtures.join(file)).unwrap());
        }
        Some(self.templates[template].clone())
    }

    fn template(&self, source: &str) -> Result<Inner, TextError> {
        let tokens = ControlTokens::new([(self.bos.as_str(), true), (&self.eos, true)])?;
        let clock = Clock::Fixed { unix_seconds: self.unix_seconds };
        Inner::new(source, [&self.bos, &self.eos], Arc::new(tokens), clock, &[])
    }

    fn check(&self) {
        let mut failures = Vec::new();
        for case in &self.cases {
            let Some(source) = self.source(&case.template) else {
                // Written directly: the test harness hides what the print macros of a passing test say.
                writeln!(std::io::stderr(), "SKIPPED: {}: SOTTO_FIXTURES is not set", case.template).unwrap();
                continue;
            };
            let turns = self.conversations[&case.conversation].clone();
            let tools = if case.tools { self.tools.clone() } else { Value::from(()) };
            let template = self.template(&source).unwrap();
            let rendered = template.render_turns(turns, tools, case.add_generation_prompt, 0);
            let rendered = rendered.map(|prompt| prompt.text());
            if rendered.as_ref().ok() != case.text.as_ref() {
                let Case { template, conversation, tools, text, .. } = case;
                failures.push(format!("{template} / {conversation} / {tools}:\n  {rendered:?}\n  {text:?}"));
            }
        }
        assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), self.cases.len(), failures.join("\n"));
    }
}

fn check(golden: &str) {
    serde_json::from_str::<Golden>(golden).unwrap().check();
}

#[test]
fn templates_give_what_jinja_gives() {
    check(include_str!("../../tests/golden/templates.json"));
}

#[test]
fn templates_of_families_give_what_jinja_gives() {
    check(include_str!("../../tests/golden/families.json"));
}

#[derive(Deserialize)]
struct Expressions {
    unix_seconds: i64,
    names: Value,
    /// `None` if Python raises an error.
    answers: Vec<(String, Option<String>)>,
}

#[test]
fn expressions_give_what_python_gives() {
    let text = include_str!("../../tests/golden/expressions.json");
    let Expressions { unix_seconds, names, answers } = serde_json::from_str(text).unwrap();
    let mut failures = Vec::new();
    for (expression, answer) in &answers {
        let tokens = Arc::new(ControlTokens::new([]).unwrap());
        let source = format!("{{{{ {expression} }}}}");
        let template = Inner::new(&source, ["", ""], tokens, Clock::Fixed { unix_seconds }, &[]);
        let rendered =
            template.and_then(|template| super::environment::render(&template.environment, names.clone(), 0));
        if rendered.as_ref().ok() != answer.as_ref() {
            failures.push(format!("{expression}\n  {rendered:?}\n  {answer:?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), answers.len(), failures.join("\n"));
}
