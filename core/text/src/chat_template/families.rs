//! Built-in templates for model files without one.

use crate::Tokenizer;

const LLAMA3: &str = include_str!("families/llama3.jinja");
const CHATML: &str = include_str!("families/chatml.jinja");
const GEMMA: &str = include_str!("families/gemma.jinja");
const PHI3: &str = include_str!("families/phi3.jinja");
const PLAIN: &str = include_str!("families/plain.jinja");

/// The family is recognized by its control tokens.
pub(super) fn built_in(tokenizer: &Tokenizer) -> &'static str {
    let families: [(&[&str], &str); 4] = [
        (&["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], LLAMA3),
        (&["<|im_start|>", "<|im_end|>"], CHATML),
        (&["<start_of_turn>", "<end_of_turn>"], GEMMA),
        (&["<|user|>", "<|assistant|>", "<|end|>"], PHI3),
    ];
    let has_all = |tokens: &[&str]| tokens.iter().all(|token| tokenizer.token_id(token).is_some());
    families.iter().find(|(tokens, _)| has_all(tokens)).map_or(PLAIN, |(_, template)| template)
}
