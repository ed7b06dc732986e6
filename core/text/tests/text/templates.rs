//! Chat templates within bounds, and where instructions go.

use sotto_text::{ChatTemplate, Message, Role, TextError, Tokenizer, TokenizerSpec};

use crate::common::{byte_level, byte_level_spec};

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
