//! Several sequences that decode together: each gets what it would get alone.

mod common;

use candle_core::quantized::GgmlDType;
use common::{FAMILIES, TestModel, random_tokens};
use sotto_engine::{Batch, CancelToken, DecoderOptions, EngineError, KvType, LogitRows, Model};

fn model(family: &'static str, dtype: GgmlDType) -> (Model, usize) {
    let mut model = TestModel::of_family(family);
    model.dtype = dtype;
    let model = model.with_random_weights();
    (model.load(), model.vocab_size)
}

#[test]
fn each_sequence_gets_the_bits_that_it_gets_alone() {
    let cancel = CancelToken::new();
    let types = [(GgmlDType::Q4_0, KvType::F16), (GgmlDType::Q6K, KvType::Q8_0), (GgmlDType::F16, KvType::F32)];
    for (family, (dtype, kv_type)) in FAMILIES.into_iter().zip(types.into_iter().cycle()) {
        let (model, vocab_size) = model(family, dtype);
        let options = DecoderOptions { context_length: Some(200), kv_type };
        // Fewer and more than what the kernels take apart in registers; sequences of different lengths.
        for count in [1, 3, 4, 7] {
            let mut batch = model.batch(count, options).expect("a batch");
            let mut alone: Vec<_> = (0..count).map(|_| model.decoder(options).expect("a decoder")).collect();
            for (sequence, decoder) in alone.iter_mut().enumerate() {
                let prompt = random_tokens(1 + 37 * sequence % 140, vocab_size);
                let expected = decoder.forward(&prompt, LogitRows::Last, &cancel).expect("logits");
                assert_eq!(batch.prefill(sequence, &prompt, &cancel).expect("logits"), expected);
            }
            for step in 0..6 {
                // One after the other sits a step out.
                let tokens: Vec<Option<u32>> = random_tokens(count, vocab_size)
                    .into_iter()
                    .enumerate()
                    .map(|(sequence, token)| (count == 1 || sequence != step % count).then_some(token))
                    .collect();
                let logits = batch.decode(&tokens, &cancel).expect("logits").to_vec();
                let taking_part =
                    alone.iter_mut().zip(&tokens).filter_map(|(decoder, token)| Some((decoder, (*token)?)));
                let mut rows = logits.chunks(vocab_size);
                for (decoder, token) in taking_part {
                    let expected = decoder.forward(&[token], LogitRows::Last, &cancel).expect("logits");
                    assert_eq!(rows.next().expect("a row"), expected, "{family}, {dtype:?}, {count} sequences");
                }
                assert!(rows.next().is_none());
            }
            for (sequence, decoder) in alone.iter().enumerate() {
                assert_eq!(batch.position(sequence), decoder.position());
            }
        }
    }
}

#[test]
fn an_error_changes_no_sequence() {
    let (model, vocab_size) = model("llama", GgmlDType::Q8_0);
    let cancel = CancelToken::new();
    let options = DecoderOptions { context_length: Some(8), ..DecoderOptions::default() };
    let mut batch = model.batch(2, options).expect("a batch");
    batch.prefill(0, &random_tokens(8, vocab_size), &cancel).expect("logits");
    batch.prefill(1, &random_tokens(3, vocab_size), &cancel).expect("logits");

    let full = batch.decode(&[Some(1), Some(1)], &cancel).map(drop);
    assert!(matches!(full, Err(EngineError::ContextFull { limit: 8, needed: 9 })), "{full:?}");
    let unknown = batch.decode(&[None, Some(vocab_size as u32)], &cancel).map(drop);
    assert!(matches!(unknown, Err(EngineError::UnknownToken { .. })), "{unknown:?}");
    assert!(batch.decode(&[None, None], &cancel).is_err(), "nothing to do");
    let cancelled = CancelToken::new();
    cancelled.cancel();
    assert!(matches!(batch.decode(&[None, Some(1)], &cancelled).map(drop), Err(EngineError::Cancelled)));
    assert_eq!((batch.position(0), batch.position(1)), (8, 3));

    batch.truncate(0, 5);
    assert_eq!(batch.decode(&[Some(1), Some(1)], &cancel).expect("logits").len(), 2 * vocab_size);
    assert_eq!((batch.position(0), batch.position(1)), (6, 4));
}

#[test]
fn batches_that_cannot_be_are_refused() {
    let (model, _) = model("llama", GgmlDType::F32);
    for sequences in [0, Batch::MAX_SEQUENCES + 1] {
        let refused = model.batch(sequences, DecoderOptions::default()).map(drop);
        assert!(matches!(refused, Err(EngineError::Unsupported { .. })), "{sequences}: {refused:?}");
    }
}

#[cfg(feature = "candle")]
#[test]
fn batches_of_candle_s_models_are_refused() {
    use sotto_engine::{Backend, ModelOptions};

    let options = ModelOptions { backend: Backend::Candle, ..ModelOptions::default() };
    let candle = TestModel::new(4, 2, 64).with_random_weights().load_with(options);
    assert!(matches!(candle.batch(2, DecoderOptions::default()).map(drop), Err(EngineError::Unsupported { .. })));
}
