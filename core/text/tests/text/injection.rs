//! Text from a user never becomes a control token.

use std::sync::LazyLock;

use proptest::prelude::*;
use sotto_text::{ChatTemplate, Message, PromptPiece, Role, Tokenizer};

use crate::common::{
    CONTROL, USER_DEFINED, at_most, byte_level, byte_level_spec, llama3, push, sentence_piece, sentence_piece_spec,
};

const TEMPLATES: [&str; 6] = [
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>{% endfor %}",
    "{% for m in messages %}<s>{{ m.content.split('!')[0] }}</s>{{ m.content | upper | lower }}[INST]{% endfor %}",
    // These leave half a control token open before a message.
    "{% for m in messages %}{{ '<|' + m.content + '|>' }}{{ m.content }}<|eot_id|>{% endfor %}",
    "{% for m in messages %}<{{ m.content }}>{{ '<|eot' ~ m.content }}{% endfor %}",
    "{% for m in messages %}{{ '[' ~ m.content ~ ']' }}{{ m | tojson }}{% endfor %}",
    // What it takes away brings together what was apart.
    "{% for m in messages %}{{ m.content | replace('</think>', '') }}<|eot_id|>{% endfor %}",
];

fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(vec![
        "<|eot_id|>",
        "<|",
        "|>",
        "eot_id",
        "_id|>",
        "<",
        ">",
        "s",
        "/s",
        "</s>",
        "<s>",
        "INST",
        "[INST]",
        "[",
        "]",
        "<|begin_of_text|>",
        "<tool_call>",
        "tool_call>",
        " ",
        "\n",
        "!",
        "x",
        "\u{FDD0}",
        "<\u{FDD0}|eot_id|>",
        "<<|eot_id|>|eot_id|>",
        "</think>",
        "<</think>|eot_id|>",
        "start_header_id|>",
    ]);
    prop::collection::vec(fragment, 0..10).prop_map(|parts| parts.concat())
}

fn prompt_ids(tokenizer: &Tokenizer, template: &ChatTemplate, contents: &[String]) -> Vec<u32> {
    let roles = [Role::System, Role::User, Role::Assistant];
    let messages: Vec<Message> =
        roles.into_iter().zip(contents).map(|(role, content)| Message::new(role, content.as_str())).collect();
    tokenizer.encode_prompt(&template.render(&messages, true).unwrap()).unwrap()
}

/// The templates, once for each tokenizer.
static SETUPS: LazyLock<Vec<(Tokenizer, ChatTemplate)>> = LazyLock::new(|| {
    let setup = |tokenizer: &Tokenizer, source: &str| {
        (tokenizer.clone(), ChatTemplate::for_tokenizer(Some(source), tokenizer).unwrap())
    };
    let tokenizers = [byte_level(), sentence_piece()];
    tokenizers.iter().flat_map(|tokenizer| TEMPLATES.map(|source| setup(tokenizer, source))).collect()
});

proptest! {
    #![proptest_config(at_most(500))]

    #[test]
    fn messages_do_not_change_the_control_tokens(contents in prop::collection::vec(fragments(), 3)) {
        let harmless = vec!["ordinary words".to_owned(); 3];
        for (tokenizer, template) in SETUPS.iter() {
            let control_ids = |contents: &[String]| -> Vec<u32> {
                let ids = prompt_ids(tokenizer, template, contents);
                ids.into_iter().filter(|&id| tokenizer.is_control(id)).collect()
            };
            prop_assert_eq!(control_ids(&contents), control_ids(&harmless), "{}", template.source());
        }
    }

    /// Markers such as `<tool_call>` are for the model and the template: a person cannot write them either.
    #[test]
    fn people_cannot_write_markers(mut contents in prop::collection::vec(fragments(), 3)) {
        contents[2] = "the model's turn".to_owned();
        let marker = byte_level().token_id("<tool_call>").unwrap();
        for (tokenizer, template) in &SETUPS[..TEMPLATES.len()] {
            prop_assert!(!prompt_ids(tokenizer, template, &contents).contains(&marker), "{}", template.source());
        }
    }

    #[test]
    fn the_text_of_a_message_comes_through(content in fragments()) {
        let tokenizer = byte_level();
        let template = ChatTemplate::for_tokenizer(Some("<|eot_id|>{{ messages[0].content }}<|eot_id|>"), &tokenizer).unwrap();
        let prompt = template.render(&[Message::new(Role::User, content.as_str())], false).unwrap();
        prop_assert_eq!(prompt.text(), format!("<|eot_id|>{content}<|eot_id|>"));
        let texts: Vec<&str> = prompt
            .pieces()
            .iter()
            .filter_map(|piece| match piece { PromptPiece::Text(text) => Some(text.as_str()), PromptPiece::Control(_) => None })
            .collect();
        prop_assert_eq!(texts.concat(), content.clone());
        prop_assert_eq!(tokenizer.decode(&tokenizer.encode_prompt(&prompt).unwrap()), content);
    }
}

#[test]
fn the_begin_token_comes_once() {
    let tokenizer = byte_level();
    let message = [Message::new(Role::User, "hello")];
    for source in ["{{ bos_token }}{{ messages[0].content }}", "{{ messages[0].content }}"] {
        let template = ChatTemplate::for_tokenizer(Some(source), &tokenizer).unwrap();
        let ids = tokenizer.encode_prompt(&template.render(&message, true).unwrap()).unwrap();
        assert_eq!(ids.iter().filter(|&&id| Some(id) == tokenizer.bos()).count(), 1);
        assert_eq!(ids.first().copied(), tokenizer.bos());
    }
}

#[test]
fn llama3_prompt_ids() {
    let Some(tokenizer) = llama3("a Llama 3 prompt") else { return };
    let template = ChatTemplate::for_tokenizer(None, tokenizer).unwrap();
    let prompt = template.render(&[Message::new(Role::User, "Hello world<|eot_id|>")], true).unwrap();
    let ids = tokenizer.encode_prompt(&prompt).unwrap();
    let [begin, start, end, eot] = [128_000, 128_006, 128_007, 128_009];
    assert_eq!(ids[..4], [begin, start, 882, end]);
    assert_eq!(ids[4..7], [271, 9906, 1917]);
    assert_eq!(ids.iter().filter(|&&id| id == eot).count(), 1);
    assert_eq!(ids[ids.len() - 5..], [eot, start, 78_191, end, 271]);
}

/// Gemma's tags and runs of white space are text: people write them. Its other added tokens are structure.
#[test]
fn people_can_write_html_and_nothing_else_that_looks_like_a_marker() {
    let mut spec = byte_level_spec();
    let [table, close, think, role, padding] =
        ["<table>", "</td>", "<think>", "<|user|>", "[PAD282]"].map(|token| push(&mut spec, token, USER_DEFINED));
    assert_eq!(spec.tokens[padding as usize], format!("[PAD{padding}]"));
    let run = u32::try_from(spec.tokens.iter().position(|&token| token == "   ").unwrap()).unwrap();
    let tokenizer = Tokenizer::from_spec(&spec).unwrap();
    assert_eq!(tokenizer.encode("<table></td>   <table>").unwrap(), [table, close, run, table]);
    let ids = tokenizer.encode("<think><|user|>[PAD282]<tool_call>").unwrap();
    assert!(
        ids.iter().all(|id| ![think, role, padding].contains(id)) && ids.iter().all(|&id| !tokenizer.is_control(id))
    );
    assert_eq!(tokenizer.decode(&ids), "<think><|user|>[PAD282]<tool_call>");
    assert_eq!([table, think].map(|id| tokenizer.token_bytes(id)), ["<table>".as_bytes(), b"<think>"]);
    // What fills the embedding up has no text, and is chosen by no sampler.
    assert_eq!((tokenizer.trained_tokens(), tokenizer.vocab_size()), (padding as usize, padding as usize + 1));
    assert!(tokenizer.token_bytes(padding).is_empty());
}

/// As Phi-3's tokenizer has it.
#[test]
fn control_tokens_may_swallow_the_space_after_them() {
    let mut spec = sentence_piece_spec();
    let [user, end] = ["<|user|>", "<|end|>"].map(|token| push(&mut spec, token, CONTROL));
    spec.scores.resize(spec.tokens.len(), 0.0);
    spec.control_swallows_space = true;
    let tokenizer = Tokenizer::from_spec(&spec).unwrap();
    let source = "<s> {{ messages[0].content }}<|user|>\n {{ messages[0].content }}<|end|>\n";
    let template = ChatTemplate::for_tokenizer(Some(source), &tokenizer).unwrap();
    let prompt = template.render(&[Message::new(Role::User, "  hello")], true).unwrap();
    let ids = tokenizer.encode_prompt(&prompt).unwrap();
    let text = |text: &str| tokenizer.encode_continuation(text).unwrap();
    // `<s>` swallows nothing; a text has one space of the tokenizer's own before it.
    assert_eq!(ids, [vec![1], text("    hello"), vec![user], text(" hello"), vec![end]].concat());
}
