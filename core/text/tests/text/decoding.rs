//! Tokens back to text.

use proptest::prelude::*;
use sotto_text::{DecodeStream, Tokenizer};

use crate::common::{byte_level, sentence_piece};

fn any_text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "\0",
        "\u{301}",
        "\u{202e}",
        "مرحبا",
        "🧑‍🚀",
        "👩‍👩‍👧‍👦",
        "\u{feff}",
        "\r\n",
        "  ",
        "\t",
        "<|eot_id|>",
        "</s>",
        "<0x0A>",
        "hello world",
        "\u{10ffff}",
        "日本",
        "'s",
        "123456",
        "[INST]",
        "<tool_call>",
        "   ",
    ]);
    let part = prop_oneof![any::<String>(), odd.prop_map(str::to_owned), "[a-c ]{0,12}"];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn streamed(tokenizer: &Tokenizer, ids: &[u32]) -> String {
    let mut stream = DecodeStream::new(tokenizer);
    let mut text: String = ids.iter().map(|&id| stream.push(id)).collect();
    text.push_str(&stream.finish());
    text
}

proptest! {
    #[test]
    fn byte_level_text_round_trips(text in any_text()) {
        let tokenizer = byte_level();
        let ids = tokenizer.encode(&text).unwrap();
        prop_assert_eq!(tokenizer.decode(&ids), text.clone());
        prop_assert_eq!(streamed(&tokenizer, &ids), text);
        prop_assert!(ids.iter().all(|&id| !tokenizer.is_control(id)));
    }

    /// `▁` itself is how SentencePiece writes a space, so it alone does not come back.
    #[test]
    fn sentence_piece_text_round_trips(text in any_text()) {
        let text = text.replace('▁', "");
        let tokenizer = sentence_piece();
        let ids = tokenizer.encode(&text).unwrap();
        prop_assert_eq!(tokenizer.decode(&ids), text.clone());
        prop_assert_eq!(streamed(&tokenizer, &tokenizer.encode_continuation(&text).unwrap()), text);
        prop_assert!(ids.iter().all(|&id| !tokenizer.is_control(id)));
    }

    #[test]
    fn no_text_has_fewer_tokens_than_the_fewest(text in prop_oneof![any_text(), "▁{0,40}", "(hello|   |▁hello){0,9}"]) {
        for tokenizer in [byte_level(), sentence_piece()] {
            prop_assert!(tokenizer.fewest_tokens(text.len()) <= tokenizer.encode_continuation(&text).unwrap().len());
        }
    }

    #[test]
    fn a_stream_of_any_tokens_is_their_lossy_text(ids in prop::collection::vec(0_u32..300, 0..40)) {
        let tokenizer = byte_level();
        let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.token_bytes(id)).copied().collect();
        prop_assert_eq!(streamed(&tokenizer, &ids), String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_character_comes_whole() {
    let tokenizer = byte_level();
    let mut stream = DecodeStream::new(&tokenizer);
    let parts: Vec<String> = "é🦙".bytes().map(|byte| stream.push(u32::from(byte))).collect();
    assert_eq!(parts, ["", "é", "", "", "", "🦙"]);
    assert_eq!(stream.push(0xF0), "");
    assert_eq!(stream.finish(), "\u{FFFD}");
}

#[test]
fn control_tokens_and_unknown_ids_have_no_text() {
    let tokenizer = byte_level();
    let eot = tokenizer.token_id("<|eot_id|>").unwrap();
    assert_eq!(tokenizer.decode(&[eot, u32::MAX]), "");
    assert_eq!(tokenizer.token_text(eot), "<|eot_id|>");
    assert_eq!(tokenizer.token_text(u32::MAX), "");
    assert!(!tokenizer.is_control(u32::MAX));
}

/// Markers that the model's authors added have text when the model writes them, and are not reachable from text.
#[test]
fn user_defined_tokens() {
    let tokenizer = byte_level();
    let marker = tokenizer.token_id("<tool_call>").unwrap();
    assert_eq!(tokenizer.decode(&[marker]), "<tool_call>");
    assert!(!tokenizer.encode("<tool_call>").unwrap().contains(&marker));
    assert_eq!(tokenizer.encode("a   b").unwrap().len(), 3);
}
