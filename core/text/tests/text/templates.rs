//! Chat templates against Jinja2, and within bounds.

use std::collections::BTreeMap;

use serde::Deserialize;
use sotto_text::{ChatTemplate, Message, Role, TextError, Tokenizer, TokenizerSpec};

use crate::common::{byte_level, byte_level_spec, fixtures};

#[derive(Deserialize)]
struct Golden {
    bos: String,
    eos: String,
    unix_seconds: i64,
    templates: BTreeMap<String, String>,
    conversations: BTreeMap<String, Vec<(String, String)>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    conversation: String,
    add_generation_prompt: bool,
    /// None where the template refuses the conversation.
    text: Option<String>,
}

fn message((role, content): &(String, String)) -> Message {
    let role = match role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        _ => Role::Assistant,
    };
    Message::new(role, content.as_str())
}

#[test]
fn templates_give_what_jinja_gives() {
    let golden: Golden = serde_json::from_str(include_str!("../golden/templates.json")).unwrap();
    let folder = fixtures("the template of Llama 3.2");
    let mut failures = Vec::new();
    for case in &golden.cases {
        let source = match case.template.strip_prefix("fixture:") {
            Some(file) => match &folder {
                Some(folder) => std::fs::read_to_string(folder.join(file)).unwrap(),
                None => continue,
            },
            None => golden.templates[&case.template].clone(),
        };
        let template = ChatTemplate::new(&source, &golden.bos, &golden.eos)
            .and_then(|template| template.at_unix_time(golden.unix_seconds))
            .unwrap();
        let messages: Vec<Message> = golden.conversations[&case.conversation].iter().map(message).collect();
        let rendered = template.render(&messages, case.add_generation_prompt).map(|prompt| prompt.text());
        if rendered.as_ref().ok() != case.text.as_ref() {
            failures.push(format!("{} / {}:\n  {rendered:?}\n  {:?}", case.template, case.conversation, case.text));
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), golden.cases.len(), failures.join("\n"));
}

#[test]
fn hostile_templates_are_stopped() {
    let messages = [Message::new(Role::User, "hi")];
    let sources = [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{% for i in range(100000) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' * 100 }}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{% include 'chat' %}",
        "{{ messages[0].content.nothing.at.all }}",
        "{{ raise_exception('no') }}",
        "{{ strftime_now('%Q%!') }}",
    ];
    for source in sources {
        let template = ChatTemplate::new(source, "", "").unwrap();
        assert!(matches!(template.render(&messages, true), Err(TextError::Template { .. })), "{source}");
    }
    for source in ["{% for %}", "{{ 'open", "{% endif %}", &"(".repeat(10_000).replacen('(', "{{ (", 1)] {
        assert!(matches!(ChatTemplate::new(source, "", ""), Err(TextError::Template { .. })));
    }
    assert!(ChatTemplate::new(&"x".repeat(2 << 20), "", "").is_err());
}

#[test]
fn errors_do_not_quote_messages() {
    let secret = Message::new(Role::User, "secret-words");
    for source in [
        "{{ raise_exception(messages[0].content) }}",
        "{{ messages[0].content + 1 }}",
        "{{ messages[0].content | int }}",
    ] {
        let template = ChatTemplate::new(source, "", "").unwrap();
        if let Err(error) = template.render(std::slice::from_ref(&secret), true) {
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }
}

fn with_controls(controls: &[&str]) -> Tokenizer {
    let mut spec = TokenizerSpec { pre: Some("gpt-2"), ..byte_level_spec() };
    for (index, token) in spec.tokens.iter_mut().enumerate().filter(|(index, _)| *index >= 270) {
        *token = format!("<|unused_{index}|>").leak();
        spec.token_types[index] = 3;
    }
    for control in controls {
        spec.tokens.push(control);
        spec.token_types.push(3);
    }
    Tokenizer::from_spec(&spec).unwrap()
}

#[test]
fn built_in_templates_by_family() {
    let messages = [
        Message::new(Role::System, "Be brief."),
        Message::new(Role::User, " Hi "),
        Message::new(Role::Assistant, "Yes?"),
    ];
    let render = |tokenizer: &Tokenizer| {
        ChatTemplate::for_tokenizer(None, tokenizer).unwrap().render(&messages, true).unwrap().text()
    };
    assert_eq!(
        render(&byte_level()),
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>\
         <|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>\
         <|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|>\
         <|start_header_id|>assistant<|end_header_id|>\n\n"
    );
    assert_eq!(
        render(&with_controls(&["<|im_start|>", "<|im_end|>"])),
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>assistant\n"
    );
    assert!(render(&with_controls(&["<start_of_turn>", "<end_of_turn>"])).ends_with(
        "<start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nYes?<end_of_turn>\n<start_of_turn>model\n"
    ));
    assert_eq!(
        render(&with_controls(&["<|user|>", "<|assistant|>", "<|end|>", "<|system|>"])),
        "<|system|>\nBe brief.<|end|>\n<|user|>\n Hi <|end|>\n<|assistant|>\nYes?<|end|>\n<|assistant|>\n"
    );
    assert!(render(&with_controls(&[])).ends_with("System: Be brief.\n\nUser: Hi\n\nAssistant: Yes?\n\nAssistant:"));
}
