//! candle's models, the second backend, against the same logits.

use super::*;

#[test]
fn candle_agrees_with_pytorch_for_each_family_that_it_is_offered_for() {
    for golden in ["plain-gqa1-hd32-tied", "qwen2", "qwen3"].map(golden) {
        let decoder = || decoder(golden.file(), Backend::Candle, golden.options(KvType::F32));
        golden.assert_close("candle, prefill", &golden.by_prefill(&mut *decoder()), bound(&golden.encoding));
        golden.assert_close("candle, by token", &golden.token_by_token(&mut *decoder()), bound(&golden.encoding));
        golden.assert_close("candle, all rows", &golden.by_all_rows(&mut *decoder()), bound(&golden.encoding));
    }
    say_exercised("candle");
}

/// candle, made to go back and on, against our own forward pass over the same weights widened to F32.
#[test]
fn candle_agrees_after_going_back() {
    for_each_quantization(|quantization, bound, file, exact| {
        let floats = matches!(quantization, Quantization::F32 | Quantization::F16 | Quantization::Bf16);
        if !floats && !candle_multiplies_quantized_weights() {
            let options = ModelOptions { backend: Backend::Candle, ..ModelOptions::default() };
            let model = Model::load(Arc::new(file), options);
            assert!(matches!(model, Err(EngineError::Unsupported { .. })), "{quantization:?}: {model:?}");
            return;
        }
        let error = relative_error(&answer_after_going_back(file, Backend::Candle), exact);
        println!("{quantization:?}, candle after going back: error {error:.2e}");
        assert!(error < bound, "{quantization:?}, candle: {error}");
    });
}

/// candle runs `sdot` on every ARM CPU: where there is none it must be refused.
fn candle_multiplies_quantized_weights() -> bool {
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("dotprod");
    #[cfg(not(target_arch = "aarch64"))]
    true
}

#[test]
fn candle_refuses_what_it_would_compute_wrongly() {
    let load = |golden: &Golden| {
        let options = ModelOptions { backend: Backend::Candle, ..ModelOptions::default() };
        Model::load(Arc::new(golden.file()), options)
    };
    for scaled in ["tensor-gqa4-hd64-untied", "metadata-gqa8-hd128-tied"] {
        assert!(matches!(load(&golden(scaled)), Err(EngineError::Unsupported { .. })), "{scaled}");
    }
    let model = load(&golden("plain-gqa1-hd32-tied")).expect("a model");
    let options = DecoderOptions { context_length: Some(4097), ..DecoderOptions::default() };
    let limit = model.decoder(options).err();
    assert!(matches!(limit, Some(EngineError::ContextFull { limit: 4096, needed: 4097 })), "{limit:?}");
}

#[test]
fn candle_is_not_given_tensors_that_are_missing_or_misshapen() {
    let path = folder().join("qwen2.gguf");
    let without_a_bias = rewritten(&path, |name| name != "blk.1.attn_k.bias", |tensor| tensor);
    let turned_keys = |tensor: QTensor| match tensor.shape().dims() {
        [16, 32] => {
            let values = tensor.dequantize(&Device::Cpu).and_then(|values| values.reshape((32, 16))).expect("turned");
            QTensor::quantize(&values, GgmlDType::F32).expect("F32")
        }
        _ => tensor,
    };
    for file in [without_a_bias, rewritten(&path, |_| true, turned_keys)] {
        let options = ModelOptions { backend: Backend::Candle, ..ModelOptions::default() };
        let result = Model::load(Arc::new(file), options);
        assert!(matches!(result, Err(EngineError::Invalid { .. })), "{result:?}");
    }
}

#[test]
fn candle_stops_between_passes_and_goes_on() {
    let golden = golden("plain-gqa1-hd32-tied");
    let mut decoder = decoder(golden.file(), Backend::Candle, golden.options(KvType::F32));
    let cancelled = CancelToken::new();
    cancelled.cancel();
    let result = decoder.forward(&golden.tokens, LogitRows::Last, &cancelled).err();
    assert!(matches!(result, Some(EngineError::Cancelled)), "{result:?}");
    assert_eq!(decoder.position(), 0);
    let unknown = decoder.forward(&[golden.vocab as u32], LogitRows::Last, &CancelToken::new()).err();
    assert!(matches!(unknown, Some(EngineError::UnknownToken { .. })), "{unknown:?}");
    golden.assert_close("candle, after cancelling", &golden.by_prefill(&mut *decoder), bound("F32"));
}
