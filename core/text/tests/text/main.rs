//! Tests of the public API, in one program to link.

mod byte_level;
mod common;
mod constraints;
mod decoding;
mod hostile_specs;
mod injection;
mod llama3;
mod real_vocabularies;
mod sampling;
mod schemas;
mod sentence_piece;
mod spans;
mod templates;
mod tokenizer_json;
mod tools;

/// A model is used from the threads of an app: what is shared may be shared, what has a state may move.
#[test]
fn threads() {
    fn shared<T: Send + Sync>() {}
    fn moved<T: Send>() {}
    shared::<sotto_text::Tokenizer>();
    shared::<sotto_text::ChatTemplate>();
    shared::<sotto_text::ConstraintFactory>();
    shared::<sotto_text::TokenMask>();
    moved::<sotto_text::Constraint>();
    moved::<sotto_text::DecodeStream>();
    moved::<sotto_text::Sampler>();
}
