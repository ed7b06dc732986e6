//! Byte-level BPE against the tokenizers crate's, which holds the same merges in another way.

use proptest::prelude::*;
use sotto_text::{Tokenizer, TokenizerSpec};
use tokenizers::PreTokenizerWrapper;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::SplitDelimiterBehavior;

use crate::common::{
    LLAMA3, NORMAL, USER_DEFINED, at_most, byte_level_spec, description, fixtures, llama3, packed, push,
    spec_from_gguf, stand_in,
};

fn reference(spec: &TokenizerSpec) -> tokenizers::Tokenizer {
    let texts = (0_u32..).zip(spec.tokens.iter().zip(&spec.token_types)).filter(|(_, (_, kind))| **kind == NORMAL);
    let merges = spec.merges.iter().map(|merge| merge.split_once(' ').unwrap());
    let bpe = BPE::builder()
        .vocab_and_merges(
            texts.map(|(id, (token, _))| ((*token).to_owned(), id)).collect::<Vocab>(),
            merges.map(|(left, right)| (left.to_owned(), right.to_owned())).collect(),
        )
        .ignore_merges(spec.pre == Some("llama-bpe"))
        .build()
        .unwrap();
    let composes = spec.pre == Some("qwen2");
    let expression = if composes { LLAMA3.replace("{1,3}", "") } else { LLAMA3.to_owned() };
    let words = Split::new(SplitPattern::Regex(expression), SplitDelimiterBehavior::Isolated, false).unwrap();
    let steps: Vec<PreTokenizerWrapper> = vec![words.into(), ByteLevel::new(false, false, false).into()];
    let mut tokenizer = tokenizers::Tokenizer::new(bpe);
    tokenizer.with_normalizer(composes.then_some(NFC)).unwrap();
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    tokenizer
}

/// All bytes, and then tokens each made of two earlier ones, some of them in more than one way.
fn random_spec(pre: &'static str, pairs: &[(usize, usize)]) -> TokenizerSpec<'static> {
    let mut spec = TokenizerSpec { model: "gpt2", pre: Some(pre), ..TokenizerSpec::default() };
    for byte in 0..=255 {
        push(&mut spec, &stand_in(byte).to_string(), NORMAL);
    }
    let mut known: Vec<&'static str> = vec!["a", "b", "c", "Ġ"];
    for (left, right) in pairs {
        let (left, right) = (known[left % known.len()], known[right % known.len()]);
        let merge = format!("{left} {right}");
        if left.len() + right.len() > 12 || spec.merges.contains(&merge.as_str()) {
            continue;
        }
        let joined: &'static str = format!("{left}{right}").leak();
        if !known.contains(&joined) {
            known.push(joined);
            push(&mut spec, joined, NORMAL);
        }
        spec.merges.push(merge.leak());
    }
    spec
}

proptest! {
    #![proptest_config(at_most(300))]

    #[test]
    fn agrees_whatever_the_merges(
        pre in prop::sample::select(vec!["llama-bpe", "smaug-bpe", "qwen2"]),
        pairs in prop::collection::vec(any::<(usize, usize)>(), 0..60),
        texts in prop::collection::vec(prop_oneof!["[abc]{0,40}", "[abc ]{0,40}", "[aeo\u{301}\u{308}\u{323}ᄒ-하\u{11ab}]{0,20}", any::<String>()], 10),
    ) {
        let spec = random_spec(pre, &pairs);
        let (ours, theirs) = (Tokenizer::from_spec(&spec).unwrap(), reference(&spec));
        let stored = Tokenizer::from_spec(&packed(&spec, &ours)).unwrap();
        prop_assert_eq!(stored.tables(), ours.tables());
        prop_assert_eq!(description(&stored), description(&ours));
        for text in texts {
            let expected = theirs.encode_fast(text.as_str(), false).unwrap();
            prop_assert_eq!(ours.encode(&text).unwrap(), expected.get_ids());
            prop_assert_eq!(stored.encode(&text).unwrap(), expected.get_ids());
        }
    }
}

#[test]
fn agrees_on_llama_3() {
    let name = "Llama 3's merges against the tokenizers crate";
    let Some(ours) = llama3(name) else { return };
    let spec = spec_from_gguf(&fixtures(name).unwrap().join("ggml-vocab-llama-bpe.gguf"));
    let theirs = reference(&spec);
    let stored = Tokenizer::from_spec(&packed(&spec, ours)).unwrap();
    let agree = |text: &str| {
        let expected = theirs.encode_fast(text, false).unwrap();
        assert_eq!(ours.encode(text).unwrap(), expected.get_ids());
        assert_eq!(stored.encode(text).unwrap(), expected.get_ids());
    };
    // Words of the vocabulary itself run together: none is a token as it stands, so the merges decide.
    let words: Vec<&str> = (0..ours.vocab_size() as u32)
        .filter_map(|id| std::str::from_utf8(ours.token_bytes(id)).ok())
        .filter(|word| !word.is_empty() && word.chars().all(char::is_alphabetic))
        .collect();
    for triple in words.chunks(3).step_by(7) {
        agree(&triple.concat());
    }
}

#[test]
fn of_two_tokens_with_one_text_the_first_is_made() {
    let mut spec = TokenizerSpec { pre: Some("qwen2"), ..byte_level_spec() };
    let first = push(&mut spec, "xy", NORMAL);
    // A file lists a merge beside the token that it makes: here, the second.
    push(&mut spec, "xz", NORMAL);
    push(&mut spec, "xy", NORMAL);
    spec.merges.extend(["x z", "x y"]);
    let tokenizer = Tokenizer::from_spec(&spec).unwrap();
    assert_eq!(tokenizer.encode("xy").unwrap(), [first]);
    let stored = Tokenizer::from_spec(&packed(&spec, &tokenizer)).unwrap();
    assert_eq!(stored.encode("xy").unwrap(), [first]);
}

#[test]
fn a_merge_that_is_listed_twice_has_its_first_place() {
    let mut spec = TokenizerSpec { pre: Some("qwen2"), ..byte_level_spec() };
    let made = ["xy", "yz"].map(|text| push(&mut spec, text, NORMAL));
    spec.merges.extend(["x y", "y z", "x y"]);
    assert_eq!(Tokenizer::from_spec(&spec).unwrap().encode("xyz").unwrap(), [made[0], u32::from(b'z')]);
}

#[test]
fn qwen_composes_text_outside_added_tokens() {
    let mut spec = TokenizerSpec { pre: Some("qwen2"), ..byte_level_spec() };
    let tag = push(&mut spec, "<b>", USER_DEFINED);
    let tokenizer = Tokenizer::from_spec(&spec).unwrap();
    assert_eq!(tokenizer.encode("e\u{301}").unwrap(), tokenizer.encode("é").unwrap());
    // `>` and this accent have a form in common, but the tag is found first.
    assert_eq!(tokenizer.encode("<b>\u{338}").unwrap()[0], tag);
    let llama = Tokenizer::from_spec(&byte_level_spec()).unwrap();
    assert_eq!(llama.decode(&llama.encode("e\u{301}").unwrap()), "e\u{301}");
}
