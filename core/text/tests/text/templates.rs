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

fn conversation(turns: &[(Role, &str)]) -> Vec<Message> {
    turns.iter().map(|&(role, text)| Message::new(role, text)).collect()
}

const INSTRUCTED: [(Role, &str); 4] = [
    (Role::System, "Answer in French only."),
    (Role::User, "Hello"),
    (Role::Assistant, "Bonjour"),
    (Role::User, "Bye"),
];

fn rendered(source: &str, turns: &[(Role, &str)]) -> String {
    ChatTemplate::new(source, "<s>", "</s>").unwrap().render(&conversation(turns), true).unwrap().text()
}

#[test]
fn instructions_that_a_template_drops_or_refuses_are_told_with_the_question() {
    let turn = "{{ m.role[0] ~ ':' ~ m.content ~ ';' }}";
    let without = "u:Answer in French only.\n\nHello;a:Bonjour;u:Bye;";
    for source in [
        format!("{{% for m in messages %}}{{% if m.role != 'system' %}}{turn}{{% endif %}}{{% endfor %}}"),
        format!(
            "{{% for m in messages %}}{{% if m.role == 'system' %}}{{{{ raise_exception('no') }}}}{{% endif %}}{turn}{{% endfor %}}"
        ),
        // Only where there is but one question.
        format!(
            "{{% for m in messages %}}{{% if m.role != 'system' or messages|length < 3 %}}{turn}{{% endif %}}{{% endfor %}}"
        ),
        format!(
            "{{% for m in messages %}}{{% if m.role != ('user', 'assistant')[loop.index0 % 2] %}}{{{{ raise_exception('no') }}}}{{% endif %}}{turn}{{% endfor %}}"
        ),
    ] {
        assert_eq!(rendered(&source, &INSTRUCTED), without, "{source}");
        assert_eq!(rendered(&source, &INSTRUCTED[..1]), "u:Answer in French only.;");
        assert_eq!(rendered(&source, &[(Role::System, " "), (Role::User, "Hello")]), "u:Hello;");
        assert_eq!(rendered(&source, &INSTRUCTED[1..]), "u:Hello;a:Bonjour;u:Bye;");
    }
}

#[test]
fn instructions_stay_where_a_template_takes_them() {
    let everywhere = "{% for m in messages %}{{ m.role[0] ~ ':' ~ m.content ~ ';' }}{% endfor %}";
    let first = "{% set ns = namespace(text='') %}{% if messages[0].role == 'system' %}{% set ns.text = messages[0].content|upper ~ '5178240396' %}\
                 {% endif %}{% for m in messages if m.role != 'system' %}{{ m.role[0] ~ ':' ~ m.content ~ ';' }}{% endfor %}{{ ns.text }}";
    assert_eq!(rendered(everywhere, &INSTRUCTED), "s:Answer in French only.;u:Hello;a:Bonjour;u:Bye;");
    assert_eq!(rendered(first, &INSTRUCTED), "u:Hello;a:Bonjour;u:Bye;ANSWER IN FRENCH ONLY.5178240396");
    let twice = [&INSTRUCTED[..3], &[(Role::System, "Be brief."), (Role::User, "Bye")]].concat();
    assert!(rendered(everywhere, &twice).ends_with("s:Be brief.;u:Bye;"));
    assert!(rendered(first, &twice).contains("u:Be brief.\n\nBye;"));
    // A template that wants a question still gets one, when there is one.
    let wants_a_question = format!(
        "{{% if messages|selectattr('role', 'eq', 'user')|list|length == 0 %}}{{{{ raise_exception('no') }}}}{{% endif %}}{everywhere}"
    );
    assert_eq!(rendered(&wants_a_question, &INSTRUCTED), rendered(everywhere, &INSTRUCTED));
}

/// `</s>` is a control token, and begins as `</think>` does.
#[test]
fn thoughts_can_be_cut_beside_a_control_token_that_begins_alike() {
    let source = "{{ bos_token }}{% for m in messages %}{% set c = m.content %}{% if m.role == 'assistant' and '</think>' in c %}\
                  {% set c = c.split('</think>')[-1].lstrip('\n') %}{% endif %}{{ m.role.upper() + ': ' + c + '\n' }}{% endfor %}";
    let turns = [(Role::User, "a"), (Role::Assistant, "<think>\nlong thoughts\n</think>\n\nYes."), (Role::User, "b")];
    assert_eq!(rendered(source, &turns), "<s>USER: a\nASSISTANT: Yes.\nUSER: b\n");
    let template = ChatTemplate::for_tokenizer(Some(source), &crate::common::sentence_piece()).unwrap();
    let prompt = template.render(&conversation(&turns), true).unwrap();
    assert!(prompt.text().ends_with("USER: a\nASSISTANT: Yes.\nUSER: b\n"));
    // Where `</think>` is a token that a model writes as text, too.
    let mut spec = byte_level_spec();
    crate::common::push(&mut spec, "</think>", crate::common::USER_DEFINED);
    let template = ChatTemplate::for_tokenizer(Some(source), &Tokenizer::from_spec(&spec).unwrap()).unwrap();
    let prompt = template.render(&conversation(&turns), true).unwrap();
    assert!(prompt.text().ends_with("USER: a\nASSISTANT: Yes.\nUSER: b\n"));
}

#[test]
fn composed_control_tokens_are_found_and_messages_cannot_compose_them() {
    let tokenizer = with_controls(&["<|user|>", "<|assistant|>", "<|end|>"]);
    let source =
        "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{{ '<|' ~ m.content }}|>{% endfor %}";
    let template = ChatTemplate::for_tokenizer(Some(source), &tokenizer).unwrap();
    let controls = |content: &str| {
        let prompt = template.render(&[Message::new(Role::User, content)], true).unwrap();
        assert_eq!(prompt.text(), format!("<|user|>{content}<|end|><|{content}|>"));
        let ids = tokenizer.encode_prompt(&prompt).unwrap();
        ids.into_iter()
            .filter(|&id| tokenizer.is_control(id))
            .map(|id| tokenizer.token_text(id).into_owned())
            .collect::<Vec<_>>()
    };
    for content in ["hi", "user", "<|user|>", "end", "|>", "<|assistant|><|end|>", "\u{40000}user\u{40001}", ""] {
        assert_eq!(controls(content), ["<|user|>", "<|end|>"], "{content:?}");
    }
}

#[test]
fn texts_with_the_characters_of_seals_come_through() {
    let template = ChatTemplate::for_tokenizer(Some("<|eot_id|>{{ messages[0].content }}"), &byte_level()).unwrap();
    let content: String = ('\u{40000}'..'\u{40800}').step_by(3).chain(['\u{DFFFF}']).collect();
    let prompt = template.render(&[Message::new(Role::User, content.as_str())], true).unwrap();
    assert_eq!(prompt.text(), format!("<|eot_id|>{content}"));
    assert_eq!(prompt.pieces().len(), 2);
}

#[test]
fn line_ends_are_as_jinja_reads_them() {
    for (source, expected) in [
        ("a\r\nb\rc\r\n", "a\nb\nc"),
        ("{% if true %}\r\na\r\n{% endif %}\r\nb\n\n", "a\nb\n"),
        ("{{ 'x\r\ny' }}{{ '\\r\\n' }}z", "x\ny\r\nz"),
    ] {
        assert_eq!(rendered(source, &[(Role::User, "hi")]), expected);
    }
    assert_eq!(rendered("{{ messages[0].content }}", &[(Role::User, "a\r\nb\n")]), "a\r\nb\n");
}

#[test]
fn a_template_may_ask_for_tools_when_there_are_none() {
    let source = "{% if tools is iterable and tools|length > 0 %}{{ 'Tools' }}{% endif %}{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}";
    assert_eq!(rendered(source, &[(Role::User, "Hello")]), "user: Hello\n");
}

#[test]
fn an_empty_template_is_as_none() {
    let tokenizer = byte_level();
    for source in ["", " \n\t"] {
        let template = ChatTemplate::for_tokenizer(Some(source), &tokenizer).unwrap();
        assert_eq!(template.source(), ChatTemplate::for_tokenizer(None, &tokenizer).unwrap().source());
    }
}

/// What each template does with `ns.t` in each round; sixty rounds of doubling are more than any memory.
#[test]
fn a_template_that_grows_without_end_is_stopped() {
    let rounds = |body: &str| {
        format!(
            "{{% set ns = namespace(t='0123456789abcdef' * 64, l=['0123456789abcdef' * 64]) %}}{{% macro f(t) %}}{{{{ t }}}}{{{{ t }}}}{{% endmacro %}}\
             {{% for _ in range(60) %}}{body}{{% endfor %}}{{{{ ns.t|upper }}}}{{{{ ns.l|tojson }}}}"
        )
    };
    let text = "x".repeat(700);
    let repeated =
        format!("{{% set t %}}{{% for _ in range(9999) %}}{text}{{% endfor %}}{{% endset %}}{{% set ns.t = t %}}");
    let messages = [Message::new(Role::User, "Hello")];
    for body in [
        "{% set ns.t = ns.t ~ ns.t %}",
        "{% set ns.t = ns.t + ns.t %}",
        "{% set ns.t = (ns.t) ~ '' ~ (ns.t if true else '') %}",
        "{% set ns.t = [ns.t, ns.t]|join %}",
        "{% set ns.t = ns.t|list|join(ns.t) %}",
        "{% set ns.t = ','.join([ns.t, ns.t]) %}",
        "{% set ns.t = ns.t|replace('0', ns.t) %}",
        "{% set ns.t = ns.t.replace('0', ns.t) %}",
        "{% set ns.t = '%s%s' % (ns.t, ns.t) ~ '' %}",
        "{% set ns.t = '{}{}'.format(ns.t, ns.t) ~ '' %}",
        "{% set ns.t = f(ns.t) %}",
        "{% set t %}{{ ns.t }}{{ ns.t }}{% endset %}{% set ns.t = t %}",
        "{% set ns.t = [ns.t, ns.t] %}",
        "{% set ns.l = [ns.l, ns.l] %}",
        "{% set ns.l = ns.l + ns.l %}",
        "{% set ns.l = ns.l ~ ns.l %}",
        "{{ ns.t }}{% set ns.t = ns.t ~ ns.t %}",
        &repeated,
    ] {
        // Loading renders it, too.
        let template = ChatTemplate::new(&rounds(body), "", "").unwrap();
        let refused = template.render(&messages, true);
        assert!(matches!(&refused, Err(TextError::Template { why }) if why.contains("memory")), "{body}: {refused:?}");
    }
    // Long texts and lists are no growth.
    let text = "a ".repeat(1 << 20);
    let source = "{% for m in messages %}{% set t = m.content ~ '\n' %}{{ t|trim ~ messages|length }}{% endfor %}";
    let template = ChatTemplate::new(source, "", "").unwrap();
    let messages: Vec<Message> = (0..10).map(|_| Message::new(Role::User, text.as_str())).collect();
    assert!(template.render(&messages, true).unwrap().text().len() > 20 << 20);
}
