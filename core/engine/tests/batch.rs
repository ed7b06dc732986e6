//! Several sequences that decode together: each gets what it would get alone.

mod common;

use candle_core::quantized::GgmlDType;
use common::{FAMILIES, TestModel, random_tokens};
use sotto_engine::{Append, Batch, CancelToken, DecoderOptions, EngineError, KvType, LogitRows, Model};

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
        let options = DecoderOptions { context_length: Some(200), kv_type, ..DecoderOptions::default() };
        // Fewer and more than what the kernels take apart in registers; sequences of different lengths.
        for count in [1, 3, 4, 7] {
            let mut batch = model.batch(count, options).expect("a batch");
            let mut alone: Vec<_> = (0..count).map(|_| model.decoder(options).expect("a decoder")).collect();
            // Prompts, more than one chunk of them, and then what is written: forced tokens, guesses, all of it or some.
            for step in 0..6 {
                // One after the other sits a step out.
                let taking_part: Vec<usize> =
                    (0..count).filter(|sequence| step == 0 || count == 1 || sequence % count != step % count).collect();
                let tokens: Vec<Vec<u32>> = taking_part
                    .iter()
                    .map(|sequence| match step {
                        0 => random_tokens(1 + 37 * sequence % 140, vocab_size),
                        _ => random_tokens(1 + (sequence + step) % 5, vocab_size),
                    })
                    .collect();
                let rows = [LogitRows::Last, LogitRows::Tail(3), LogitRows::All][step % 3];
                let ids = (step % 2 == 1).then(|| random_tokens(5, vocab_size));
                let appends =
                    taking_part.iter().zip(&tokens).map(|(&sequence, tokens)| Append { sequence, tokens, rows });
                let together = batch.forward(&appends.collect::<Vec<_>>(), ids.as_deref(), &cancel).expect("logits");
                let one_by_one = taking_part.iter().zip(&tokens).flat_map(|(&sequence, tokens)| {
                    let decoder = &mut alone[sequence];
                    match &ids {
                        Some(ids) => decoder.forward_for(tokens, rows, ids, &cancel),
                        None => decoder.forward(tokens, rows, &cancel),
                    }
                    .expect("logits")
                    .to_vec()
                });
                let one_by_one: Vec<f32> = one_by_one.collect();
                assert_eq!(together, one_by_one, "{family}, {dtype:?}, {count} sequences, step {step}");
            }
            for (sequence, decoder) in alone.iter().enumerate() {
                assert_eq!(batch.position(sequence), decoder.position());
            }
        }
    }
}

/// Prefixes end within panels of the cache, and at their ends; they are copied into larger caches and smaller ones.
#[test]
fn a_sequence_that_begins_with_a_prefix_gets_the_bits_of_one_that_read_it() {
    let cancel = CancelToken::new();
    for (family, kv_type) in FAMILIES.into_iter().zip([KvType::F16, KvType::Q8_0, KvType::F32].into_iter().cycle()) {
        let (model, vocab_size) = model(family, GgmlDType::Q8_0);
        let options = |tokens| DecoderOptions { context_length: Some(tokens), kv_type, ..DecoderOptions::default() };
        let (shared, own) = (random_tokens(70, vocab_size), random_tokens(20, vocab_size));
        let mut reader = model.decoder(options(150)).expect("a decoder");
        reader.forward(&shared, LogitRows::Last, &cancel).expect("logits");
        let prefix = reader.prefix(70).expect("memory").expect("a prefix");
        assert!(prefix.private_bytes() < reader.private_bytes());
        for length in [1, 31, 32, 33, 64, 70] {
            let whole = [&shared[..length], &own].concat();
            let mut alone = model.decoder(options(100)).expect("a decoder");
            let expected = alone.forward(&whole, LogitRows::Tail(own.len()), &cancel).expect("logits").to_vec();

            let mut decoder = model.decoder(options(100)).expect("a decoder");
            // What it held before does not matter.
            decoder.forward(&random_tokens(90, vocab_size), LogitRows::Last, &cancel).expect("logits");
            assert!(decoder.begin_with(&prefix, length));
            assert_eq!(decoder.position(), length);
            let logits = decoder.forward(&own, LogitRows::All, &cancel).expect("logits");
            assert_eq!(logits, expected, "{family}, {kv_type:?}, {length} tokens");

            let mut batch = model.batch(2, options(120)).expect("a batch");
            assert!(batch.begin_with(1, &prefix, length));
            let append = [Append { sequence: 1, tokens: &own, rows: LogitRows::All }];
            assert_eq!(batch.forward(&append, None, &cancel).expect("logits"), expected);
            let again = batch.prefix(1, length + 5).expect("memory");
            assert!(decoder.begin_with(&again, length + 5));
            let logits = decoder.forward(&own[5..], LogitRows::Last, &cancel).expect("logits");
            assert_eq!(logits, &expected[expected.len() - vocab_size..]);
        }
    }
}

#[test]
fn a_prefix_that_does_not_fit_is_refused() {
    let (llama, vocab_size) = model("llama", GgmlDType::Q8_0);
    let (other, _) = model("llama", GgmlDType::Q8_0);
    let cancel = CancelToken::new();
    let decoder = |model: &Model, tokens, kv_type| {
        model
            .decoder(DecoderOptions { context_length: Some(tokens), kv_type, ..DecoderOptions::default() })
            .expect("a decoder")
    };
    let mut reader = decoder(&llama, 20, KvType::F16);
    reader.forward(&random_tokens(10, vocab_size), LogitRows::Last, &cancel).expect("logits");
    let prefix = reader.prefix(10).expect("memory").expect("a prefix");
    for (mut unfit, length, why) in [
        (decoder(&llama, 9, KvType::F16), 10, "it is too short"),
        (decoder(&llama, 20, KvType::F16), 11, "the prefix is shorter"),
        (decoder(&llama, 20, KvType::F32), 10, "another number format"),
        (decoder(&other, 20, KvType::F16), 10, "another model"),
    ] {
        unfit.forward(&[1], LogitRows::Last, &cancel).expect("logits");
        assert!(!unfit.begin_with(&prefix, length), "{why}");
        assert_eq!(unfit.position(), 1);
    }
}

#[test]
fn an_error_changes_no_sequence() {
    let (model, vocab_size) = model("llama", GgmlDType::Q8_0);
    let cancel = CancelToken::new();
    let options = DecoderOptions { context_length: Some(8), ..DecoderOptions::default() };
    let mut batch = model.batch(2, options).expect("a batch");
    let append = |sequence, tokens| Append { sequence, tokens, rows: LogitRows::Last };
    let prompts = [8, 3].map(|length| random_tokens(length, vocab_size));
    batch.forward(&[append(0, &prompts[0]), append(1, &prompts[1])], None, &cancel).expect("logits");

    let full = batch.forward(&[append(0, &[1]), append(1, &[1])], None, &cancel).map(drop);
    assert!(matches!(full, Err(EngineError::ContextFull { limit: 8, needed: 9 })), "{full:?}");
    let beyond = [vocab_size as u32];
    let unknown = batch.forward(&[append(1, &beyond)], None, &cancel).map(drop);
    assert!(matches!(unknown, Err(EngineError::UnknownToken { .. })), "{unknown:?}");
    assert!(batch.forward(&[append(1, &[])], None, &cancel).is_err(), "nothing to do");
    let cancelled = CancelToken::new();
    cancelled.cancel();
    assert!(matches!(batch.forward(&[append(1, &[1])], None, &cancelled).map(drop), Err(EngineError::Cancelled)));
    assert_eq!((batch.position(0), batch.position(1)), (8, 3));

    batch.truncate(0, 5);
    let logits = batch.forward(&[append(0, &[1]), append(1, &[1])], None, &cancel).expect("logits");
    assert_eq!(logits.len(), 2 * vocab_size);
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
