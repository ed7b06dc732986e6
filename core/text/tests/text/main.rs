//! Tests of the public API, in one program to link.

mod common;
mod constraints;
mod decoding;
mod hostile_specs;
mod injection;
mod llama3;
mod sampling;
mod sentence_piece;
mod spans;
mod templates;
mod tokenizer_json;
