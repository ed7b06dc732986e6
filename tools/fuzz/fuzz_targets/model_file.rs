//! Any bytes as a model file: read, loaded, and run for a token where they let it come so far.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use sotto_engine::{CancelToken, DecoderOptions, GgufFile, LogitRows, Model, ModelOptions};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = GgufFile::from_bytes(bytes.to_vec()) else { return };
    let options = ModelOptions { threads: Some(1), ..ModelOptions::default() };
    let Ok(model) = Model::load(Arc::new(file), options) else { return };
    let options = DecoderOptions { context_length: Some(2), ..DecoderOptions::default() };
    let Ok(mut decoder) = model.decoder(options) else { return };
    let _ = decoder.forward(&[0, 1], LogitRows::All, &CancelToken::new());
});
