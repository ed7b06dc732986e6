//! Text to tokens and back: tokenizer, chat templates, sampling, output constraints.
//!
//! The crate knows nothing of the engine: it takes what a model file says about its vocabulary
//! ([`TokenizerSpec`]), gives token ids for text and text for token ids, and chooses a token from a row of logits or says how probable some are.
//! Text from a user never becomes a control token, whatever it contains; see [`Tokenizer`] and [`ChatTemplate`].

#![forbid(unsafe_code)]

mod chat_template;
mod constraint;
mod decode_stream;
mod error;
mod log_probability;
mod rendered_prompt;
mod sampling;
mod tokenizer;
mod tools;

pub use chat_template::{ChatTemplate, Message, Role};
pub use constraint::{
    Constraint, ConstraintFactory, OutputFormat, TokenMask, fits_schema, spans_grammar, text_or_call_grammar,
};
pub use decode_stream::DecodeStream;
pub use error::TextError;
pub use log_probability::{Softmax, log_probability};
pub use rendered_prompt::{PromptPiece, RenderedPrompt};
pub use sampling::{Logits, Sampler, SamplingOptions};
pub use tokenizer::{Tokenizer, TokenizerHints, TokenizerSpec};
pub use tools::{CallFormat, ToolCall, ToolSpec};
