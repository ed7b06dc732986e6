//! The forward pass against plain loops in `f64`, and against itself: in chunks, token by token, after a truncation.

mod common;

use std::time::{Duration, Instant};

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use common::{FAMILIES, TestModel, WINDOW, all_logits, exact_decoder, random, random_tokens, relative_error};
use sotto_engine::{
    CancelToken, DecoderOptions, EngineError, GgufFile, Kernels, KvType, LogitRows, Model, ModelOptions,
};

/// F32, F16 and BF16 weights: activations stay `f32`, only sums round.
const FLOAT_BOUND: f64 = 1e-5;
/// Quantized weights: activations are rounded to 8 bits in each of 15 products. Wrong blocks are off by about 1.
const QUANTIZED_BOUND: f64 = 0.06;
/// What an F16 cache adds.
const F16_CACHE_BOUND: f64 = 3e-3;
/// As above, of keys, values, queries and softmax weights of eight bits.
const Q8_0_CACHE_BOUND: f64 = 0.06;

fn assert_matches_reference(model: TestModel, tokens: usize, bound: f64, what: &str) {
    let tokens = random_tokens(tokens, model.vocab_size);
    let mut decoder = exact_decoder(&model.load());
    let error = relative_error(&all_logits(&mut *decoder, &tokens), &model.reference(&tokens));
    println!("{what}: {error:.1e}");
    assert!(error <= bound, "{what}: relative error {error:e}, bound {bound:e}");
}

#[test]
fn grouped_query_ratios_and_head_sizes() {
    for (heads, kv_heads) in [(4, 4), (4, 2), (6, 2), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1)] {
        for head_dim in [32, 64, 128] {
            let model = TestModel::new(heads, kv_heads, head_dim).with_random_weights();
            assert_matches_reference(model, 11, FLOAT_BOUND, &format!("{heads}/{kv_heads} heads of {head_dim}"));
        }
    }
}

#[test]
fn every_weight_format() {
    let formats = [
        (GgmlDType::F32, FLOAT_BOUND),
        (GgmlDType::F16, FLOAT_BOUND),
        (GgmlDType::BF16, FLOAT_BOUND),
        (GgmlDType::Q8_0, QUANTIZED_BOUND),
        (GgmlDType::Q4_0, QUANTIZED_BOUND),
        (GgmlDType::Q4K, QUANTIZED_BOUND),
        (GgmlDType::Q5K, QUANTIZED_BOUND),
        (GgmlDType::Q6K, QUANTIZED_BOUND),
    ];
    for (dtype, bound) in formats {
        for tied in [false, true] {
            let mut model = TestModel::new(4, 2, 64);
            (model.dtype, model.tied) = (dtype, tied);
            assert_matches_reference(model.with_random_weights(), 9, bound, &format!("{dtype:?}, tied: {tied}"));
        }
    }
}

#[test]
fn hidden_states_are_what_the_output_matrix_reads() {
    let mut model = TestModel::new(4, 2, 64);
    model.tied = false;
    let model = model.with_random_weights();
    // More than a chunk of the pass.
    let tokens = random_tokens(150, model.vocab_size);
    let mut decoder = exact_decoder(&model.load());
    let states = decoder.hidden_states(&tokens, &CancelToken::new()).expect("hidden states");
    let output = model.values("output.weight");
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let rows = states.chunks_exact(model.hidden_size);
    let logits: Vec<f32> =
        rows.flat_map(|row| output.chunks_exact(model.hidden_size).map(|output| dot(row, output))).collect();
    let error = relative_error(&logits, &model.reference(&tokens));
    assert!(error <= FLOAT_BOUND, "relative error {error:e}");
    assert_eq!(decoder.position(), tokens.len());
}

/// They read the same activations, which some want rounded in groups of 32, some of 256, and some not at all.
#[test]
fn formats_beside_each_other() {
    let mut model = TestModel::new(4, 2, 64);
    model.dtype = GgmlDType::Q5K;
    for layer in 0..model.num_layers {
        for (name, rows, dtype) in [
            ("attn_q", 256, GgmlDType::Q4K),
            ("attn_k", 128, GgmlDType::Q8_0),
            ("attn_v", 128, GgmlDType::F16),
            ("ffn_gate", 512, GgmlDType::Q4_0),
            ("ffn_up", 512, GgmlDType::Q6K),
        ] {
            let (name, values) = (format!("blk.{layer}.{name}"), random(rows * model.hidden_size, -0.125..=0.125));
            model.tensor(&name, values, &[rows, model.hidden_size], dtype);
        }
    }
    assert_matches_reference(model.with_random_weights(), 9, QUANTIZED_BOUND, "formats beside each other");
}

#[test]
fn rope_variants() {
    let mut linear = TestModel::new(4, 2, 64);
    linear.divisors = vec![4.0; 32];
    linear.metadata.insert("llama.rope.scaling.type".into(), Value::String("linear".into()));
    linear.metadata.insert("llama.rope.scaling.factor".into(), Value::F32(4.0));
    assert_matches_reference(linear.with_random_weights(), 20, FLOAT_BOUND, "linear");

    let mut bare_factor = TestModel::new(4, 2, 64);
    bare_factor.divisors = vec![2.5; 32];
    bare_factor.metadata.insert("llama.rope.scaling.factor".into(), Value::F32(2.5));
    assert_matches_reference(bare_factor.with_random_weights(), 20, FLOAT_BOUND, "a bare factor");

    // What converters of 2023 wrote; beside the newer name it says nothing.
    for (divisor, new_name) in [(2.0, None), (2.5, Some(Value::F32(2.5)))] {
        let mut old_name = TestModel::new(4, 2, 64);
        old_name.divisors = vec![divisor; 32];
        old_name.metadata.insert("llama.rope.scale_linear".into(), Value::F32(2.0));
        old_name.metadata.extend(new_name.map(|factor| ("llama.rope.scaling.factor".into(), factor)));
        assert_matches_reference(old_name.with_random_weights(), 20, FLOAT_BOUND, "the old name of the factor");
    }

    let mut partial = TestModel::new(4, 2, 64);
    partial.rope_dim = 48;
    assert_matches_reference(partial.with_random_weights(), 20, FLOAT_BOUND, "part of each head");

    let factors = common::random(32, 1.0..=32.0);
    let mut tensor = TestModel::new(4, 2, 64);
    tensor.divisors = factors.iter().map(|&factor| f64::from(factor)).collect();
    tensor.tensor("rope_freqs", factors, &[32], GgmlDType::F32);
    assert_matches_reference(tensor.with_random_weights(), 20, FLOAT_BOUND, "rope_freqs.weight");

    // An original context of 64 puts all three bands within the pairs' wavelengths of 6 to 60,000.
    let mut llama3 = TestModel::new(4, 2, 64);
    llama3.divisors =
        (0..32).map(|pair| llama3_divisor(10_000f64.powf(f64::from(pair) / 32.0), 8.0, 1.0, 4.0, 64.0)).collect();
    assert!(llama3.divisors.contains(&1.0) && llama3.divisors.iter().any(|&d| d > 1.0 && d < 8.0));
    for (key, value) in [
        ("type", Value::String("llama3".into())),
        ("factor", Value::F32(8.0)),
        ("low_freq_factor", Value::F32(1.0)),
        ("high_freq_factor", Value::F32(4.0)),
        ("original_context_length", Value::U32(64)),
    ] {
        llama3.metadata.insert(format!("llama.rope.scaling.{key}"), value);
    }
    assert_matches_reference(llama3.with_random_weights(), 40, FLOAT_BOUND, "llama3 in metadata");

    // As Qwen 2.5 is stretched, by 4 from an original context of 64, within which pairs turn 10 to 0.001 times.
    let mut yarn = TestModel::of_family("qwen2");
    let (fast, slow) = (yarn_pair(8.0, 64.0).floor(), yarn_pair(1.0, 64.0).ceil());
    let share = |pair: usize| ((pair as f64 - fast) / (slow - fast)).clamp(0.0, 1.0);
    yarn.divisors = (0..32).map(|pair| 1.0 / (share(pair) / 4.0 + 1.0 - share(pair))).collect();
    assert!(yarn.divisors.contains(&1.0) && yarn.divisors.iter().any(|&d| d > 1.0 && d < 4.0));
    yarn.magnitude = 1.0 + 0.1 * 4f64.ln();
    for (key, value) in [
        ("type", Value::String("yarn".into())),
        ("factor", Value::F32(4.0)),
        ("yarn_beta_fast", Value::F32(8.0)),
        ("original_context_length", Value::U32(64)),
    ] {
        yarn.metadata.insert(format!("qwen2.rope.scaling.{key}"), value);
    }
    assert_matches_reference(yarn.with_random_weights(), 40, FLOAT_BOUND, "YaRN");
}

/// The pair of 32, to base 10,000, that turns so often within a context.
fn yarn_pair(turns: f64, context: f64) -> f64 {
    64.0 * (context / (turns * 2.0 * std::f64::consts::PI)).ln() / (2.0 * 10_000f64.ln())
}

/// Llama 3's scaling as a divisor of the frequency whose inverse is `inverse`.
fn llama3_divisor(inverse: f64, factor: f64, low: f64, high: f64, context: f64) -> f64 {
    let turns = context / (2.0 * std::f64::consts::PI * inverse);
    let smooth = ((turns - low) / (high - low)).clamp(0.0, 1.0);
    1.0 / ((1.0 - smooth) / factor + smooth)
}

#[test]
fn every_family() {
    for family in FAMILIES {
        assert_matches_reference(TestModel::of_family(family).with_random_weights(), 3 * WINDOW, FLOAT_BOUND, family);
        let mut grouped = TestModel { num_heads: 6, num_layers: 3, ..TestModel::of_family(family) };
        grouped.dtype = GgmlDType::Q8_0;
        assert_matches_reference(
            grouped.with_random_weights(),
            3 * WINDOW,
            QUANTIZED_BOUND,
            &format!("{family}, Q8_0"),
        );
    }
}

/// Queries, keys and values are one tensor in some files of every family.
#[test]
fn fused_queries_keys_and_values() {
    for family in ["llama", "qwen3"] {
        let apart = TestModel::of_family(family).with_random_weights();
        let mut fused = TestModel::of_family(family);
        let is_apart =
            |name: &str| ["attn_q.weight", "attn_k.weight", "attn_v.weight"].iter().any(|end| name.ends_with(end));
        for (name, tensor) in apart.tensors.iter().filter(|(name, _)| !is_apart(name)) {
            let tensor = common::quantize(apart.values(name), tensor.shape().dims(), GgmlDType::F32);
            fused.tensors.insert(name.clone(), tensor);
        }
        for layer in 0..apart.num_layers {
            let rows = ["attn_q", "attn_k", "attn_v"].map(|name| apart.values(&format!("blk.{layer}.{name}.weight")));
            fused.tensor(&format!("blk.{layer}.attn_qkv"), rows.concat(), &[512, 256], GgmlDType::F32);
        }
        let tokens = random_tokens(20, apart.vocab_size);
        let logits = |model: &TestModel| all_logits(&mut *exact_decoder(&model.load()), &tokens);
        assert_eq!(logits(&fused), logits(&apart), "{family}");
    }
}

/// The factors go by what a sequence can grow to, not by what it holds.
#[test]
fn long_rope_by_the_context() {
    let (long, short) = (random(24, 1.0..=32.0), random(24, 1.0..=2.0));
    let mut model = TestModel::of_family("phi3");
    model.metadata.insert("phi3.rope.scaling.original_context_length".into(), Value::U32(64));
    model.tensor("rope_factors_long", long.clone(), &[24], GgmlDType::F32);
    model.tensor("rope_factors_short", short.clone(), &[24], GgmlDType::F32);
    let mut model = model.with_random_weights();
    let (loaded, tokens) = (model.load(), random_tokens(30, model.vocab_size));
    for (context_length, factors) in [(64, short), (65, long)] {
        let options =
            DecoderOptions { context_length: Some(context_length), kv_type: KvType::F32, ..DecoderOptions::default() };
        let logits = all_logits(&mut *loaded.decoder(options).expect("a decoder"), &tokens);
        model.divisors = factors.iter().map(|&factor| f64::from(factor)).collect();
        let error = relative_error(&logits, &model.reference(&tokens));
        println!("a context of {context_length}: {error:.1e}");
        assert!(error <= FLOAT_BOUND, "a context of {context_length}: {error:e}");
    }
}

#[test]
fn an_f16_cache_costs_little() {
    let model = TestModel::new(4, 2, 64).with_random_weights();
    let tokens = random_tokens(40, model.vocab_size);
    let mut decoder = model.load().decoder(DecoderOptions::default()).expect("a decoder");
    let error = relative_error(&all_logits(&mut *decoder, &tokens), &model.reference(&tokens));
    println!("F16 cache: {error:.1e}");
    assert!(error <= F16_CACHE_BOUND, "{error:e}");
    assert!(error > FLOAT_BOUND, "an F16 cache that rounds nothing is not F16: {error:e}");
}

#[test]
fn a_cache_of_bytes_costs_what_its_rounding_does() {
    for (heads, kv_heads, head_dim) in [(4, 2, 64), (3, 1, 32), (2, 2, 128)] {
        let model = TestModel::new(heads, kv_heads, head_dim).with_random_weights();
        let tokens = random_tokens(300, model.vocab_size);
        let options = DecoderOptions { kv_type: KvType::Q8_0, ..DecoderOptions::default() };
        let mut decoder = model.load().decoder(options).expect("a decoder");
        let error = relative_error(&all_logits(&mut *decoder, &tokens), &model.reference(&tokens));
        println!("Q8_0 cache: {error:.1e}");
        assert!(error <= Q8_0_CACHE_BOUND, "{error:e}");
    }
}

#[test]
fn a_cache_of_bytes_wants_heads_of_32() {
    let model = TestModel::new(2, 2, 48).with_random_weights().load();
    let options = DecoderOptions { kv_type: KvType::Q8_0, ..DecoderOptions::default() };
    let refused = model.decoder(options).map(drop);
    assert!(matches!(&refused, Err(EngineError::Unsupported { .. })), "{refused:?}");
    assert!(model.memory(64, KvType::Q8_0).is_err());
    assert!(model.memory(64, KvType::F16).is_ok());
}

#[test]
fn chunks_single_tokens_threads_and_second_tries_give_the_same_bits() {
    let types = [(GgmlDType::F32, KvType::F32), (GgmlDType::Q4K, KvType::F16), (GgmlDType::Q8_0, KvType::Q8_0)];
    for (family, (dtype, kv_type)) in FAMILIES.into_iter().zip(types.into_iter().cycle()) {
        let mut model = TestModel::of_family(family);
        model.dtype = dtype;
        let model = model.with_random_weights();
        let decoder_of = |model: &Model| {
            let options = DecoderOptions {
                context_length: Some(model.config().context_length),
                kv_type,
                ..DecoderOptions::default()
            };
            model.decoder(options).expect("a decoder")
        };
        let (loaded, cancel) = (model.load(), CancelToken::new());
        // More than two chunks.
        let tokens = random_tokens(300, model.vocab_size);
        let row = |logits: &[f32], i: usize| logits[i * model.vocab_size..][..model.vocab_size].to_vec();

        let mut decoder = decoder_of(&loaded);
        let all = all_logits(&mut *decoder, &tokens);
        assert_eq!(decoder.position(), 300);

        decoder.truncate(200);
        assert_eq!(decoder.position(), 200);
        let redone = decoder.forward(&tokens[200..], LogitRows::Last, &cancel).expect("logits").to_vec();
        assert_eq!(redone, row(&all, 299), "{dtype:?}: after a truncation");

        let mut singly = decoder_of(&loaded);
        for (i, token) in tokens.iter().enumerate() {
            let logits = singly.forward(&[*token], LogitRows::Last, &cancel).expect("logits");
            assert_eq!(logits, row(&all, i), "{dtype:?}: token {i} alone");
        }

        let one_thread = model.load_with(ModelOptions { threads: Some(1), ..ModelOptions::default() });
        let ragged =
            decoder_of(&one_thread).forward(&tokens[..131], LogitRows::Last, &cancel).expect("logits").to_vec();
        assert_eq!(ragged, row(&all, 130), "{dtype:?}: one thread, other chunks");
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for (family, dtype) in FAMILIES.into_iter().zip([GgmlDType::Q8_0, GgmlDType::F16].into_iter().cycle()) {
        let mut model = TestModel::of_family(family);
        model.dtype = dtype;
        let model = model.with_random_weights();
        let tokens = random_tokens(30, model.vocab_size);
        let logits = |kernels| {
            let options = ModelOptions { threads: Some(2), kernels: Some(kernels), ..ModelOptions::default() };
            all_logits(&mut *exact_decoder(&model.load_with(options)), &tokens)
        };
        let expected = logits(Kernels::get());
        for kernels in Kernels::available() {
            assert_eq!(logits(kernels), expected, "{family}, {}", kernels.name());
        }
    }
}

#[test]
fn some_logits_of_some_rows_are_the_same_numbers() {
    for dtype in [GgmlDType::F32, GgmlDType::Q4_0, GgmlDType::Q6K] {
        let mut model = TestModel::new(4, 2, 64);
        model.dtype = dtype;
        let model = model.with_random_weights();
        let (loaded, cancel, vocab) = (model.load(), CancelToken::new(), model.vocab_size);
        let tokens = random_tokens(140, vocab);
        let all = all_logits(&mut *exact_decoder(&loaded), &tokens);
        // Unordered, repeated, from the first and the last panel, whose end is only filled up; and none.
        let last = vocab as u32 - 1;
        for (rows, count) in
            [(LogitRows::Last, 1), (LogitRows::Tail(4), 4), (LogitRows::Tail(15), 15), (LogitRows::All, tokens.len())]
        {
            let whole = &all[(tokens.len() - count) * vocab..];
            let mut decoder = exact_decoder(&loaded);
            assert_eq!(decoder.forward(&tokens, rows, &cancel).expect("logits"), whole, "{dtype:?} {rows:?}");
            for ids in [&[last, 0, 64, 3, 64, last - 1][..], &[7], &[]] {
                decoder.truncate(0);
                let some = decoder.forward_for(&tokens, rows, ids, &cancel).expect("logits");
                let expected: Vec<f32> =
                    whole.chunks_exact(vocab).flat_map(|row| ids.iter().map(|&id| row[id as usize])).collect();
                assert_eq!(some, expected, "{dtype:?} {rows:?} {ids:?}");
            }
        }
    }
}

#[test]
fn decoders_of_one_model_do_not_meet() {
    let model = TestModel::new(4, 2, 32).with_random_weights();
    let (loaded, tokens) = (model.load(), random_tokens(30, model.vocab_size));
    let expected = all_logits(&mut *exact_decoder(&loaded), &tokens);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut decoder = exact_decoder(&loaded.clone());
                for _ in 0..5 {
                    decoder.truncate(0);
                    assert_eq!(all_logits(&mut *decoder, &tokens), expected);
                }
            });
        }
    });
}

#[test]
fn wrong_requests_are_errors_and_change_nothing() {
    let model = TestModel::new(4, 2, 32).with_random_weights();
    let loaded = model.load();
    let cancel = CancelToken::new();
    let options = DecoderOptions { context_length: Some(8), kv_type: KvType::F16, ..DecoderOptions::default() };
    let mut decoder = loaded.decoder(options).expect("a decoder");
    decoder.forward(&[1, 2, 3], LogitRows::Last, &cancel).expect("logits");

    let unknown = decoder.forward(&[1, 131], LogitRows::Last, &cancel);
    assert!(matches!(unknown, Err(EngineError::UnknownToken { id: 131, vocab_size: 131 })));
    let unknown = decoder.forward_for(&[1], LogitRows::Last, &[131], &cancel);
    assert!(matches!(unknown, Err(EngineError::UnknownToken { id: 131, vocab_size: 131 })));
    let full = decoder.forward(&[1; 6], LogitRows::Last, &cancel);
    assert!(matches!(full, Err(EngineError::ContextFull { limit: 8, needed: 9 })));
    assert!(decoder.forward(&[], LogitRows::Last, &cancel).is_err());
    assert_eq!(decoder.position(), 3);
    decoder.truncate(100);
    assert_eq!(decoder.position(), 3);
    decoder.forward(&[1; 5], LogitRows::Last, &cancel).expect("the context holds exactly eight");

    let longer = loaded
        .decoder(DecoderOptions { context_length: Some(513), kv_type: KvType::F16, ..DecoderOptions::default() })
        .map(|_| ());
    assert!(matches!(longer, Err(EngineError::ContextFull { limit: 512, needed: 513 })));
}

#[test]
fn a_context_larger_than_memory_is_refused_before_it_is_allocated() {
    let mut model = TestModel::new(8, 8, 256);
    model.context_length = 1 << 24;
    let loaded = model.with_random_weights().load();
    // 2 layers * 2 * 2048 values * 4 bytes * 2^24 positions: 512 GiB.
    let options = DecoderOptions { context_length: Some(1 << 24), kv_type: KvType::F32, ..DecoderOptions::default() };
    match loaded.decoder(options).map(|_| ()) {
        Err(EngineError::OutOfMemory { needed, .. }) => assert!(needed >= 1 << 39, "{needed}"),
        other => panic!("{other:?}"),
    }
    assert!(loaded.memory(1 << 24, KvType::F16).expect("heads fit").private_bytes >= 1 << 38);
}

#[test]
fn memory_grows_with_what_is_read() {
    let model = TestModel::new(4, 2, 64).with_random_weights();
    let loaded = model.load();
    let mut decoder = loaded
        .decoder(DecoderOptions { context_length: Some(512), kv_type: KvType::F16, ..DecoderOptions::default() })
        .expect("a decoder");
    let before = decoder.private_bytes();
    decoder.forward(&[5; 100], LogitRows::Last, &CancelToken::new()).expect("logits");
    // 2 layers, keys and values, 2 heads of 64, 2 bytes; and the logits of a token.
    assert_eq!(decoder.private_bytes() - before, 100 * 2 * 2 * 128 * 2 + 131 * 4);
    assert!(decoder.private_bytes() <= loaded.memory(512, KvType::F16).expect("heads fit").private_bytes);
    // Not a packed file: its matrices were copied, in panels of 32 rows.
    let file = GgufFile::from_bytes(model.gguf()).expect("a file");
    let matrices = file.tensor_names().filter_map(|name| match *file.tensor(name)?.shape {
        [rows, cols] => Some(rows.next_multiple_of(32) * cols * size_of::<f32>()),
        _ => None,
    });
    let memory = loaded.memory(512, KvType::F16).expect("heads fit");
    assert_eq!((memory.mapped_bytes, memory.copied_bytes), (0, matrices.sum::<usize>() as u64));
}

#[test]
fn cancelling_stops_within_a_chunk_and_leaves_a_whole_prefix() {
    let mut model = TestModel::new(4, 2, 64);
    (model.num_layers, model.context_length) = (4, 4096);
    let model = model.with_random_weights();
    let (loaded, cancel) = (model.load(), CancelToken::new());
    let tokens = random_tokens(4096, model.vocab_size);
    let mut decoder = exact_decoder(&loaded);
    // Long enough for a first chunk, not for all; the pass itself takes seconds.
    let canceller = {
        let cancel = cancel.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            cancel.cancel();
            Instant::now()
        })
    };
    let result = decoder.forward(&tokens, LogitRows::Last, &cancel).map(|_| ());
    let stopped = Instant::now();
    let cancelled = canceller.join().expect("the other thread");
    if result.is_ok() {
        panic!("the machine is too fast for this test: make the pass longer");
    }
    assert!(matches!(result, Err(EngineError::Cancelled)), "{result:?}");
    let latency = stopped.saturating_duration_since(cancelled);
    assert!(latency < Duration::from_millis(500), "{latency:?}");

    let position = decoder.position();
    assert!(position < 4096 && position.is_multiple_of(128), "{position}");
    let resumed = decoder
        .forward(&tokens[position..position + 50], LogitRows::Last, &CancelToken::new())
        .expect("logits")
        .to_vec();
    let mut fresh = exact_decoder(&loaded);
    let expected = fresh.forward(&tokens[..position + 50], LogitRows::Last, &CancelToken::new()).expect("logits");
    assert_eq!(resumed, expected);
}

#[test]
fn weights_that_are_not_numbers_are_an_error_not_nonsense() {
    for (name, shape) in [("blk.0.attn_k", [128, 256]), ("blk.1.ffn_down", [256, 512]), ("token_embd", [131, 256])] {
        for dtype in [GgmlDType::F32, GgmlDType::Q8_0] {
            let mut model = TestModel::new(4, 2, 64);
            model.dtype = GgmlDType::Q4K;
            let mut values = common::random(shape[0] * shape[1], -0.1..=0.1);
            // A row of NaN in F32; in Q8_0 an infinite block scale.
            values[256..512].fill(if dtype == GgmlDType::F32 { f32::NAN } else { 1e30 });
            model.tensor(name, values, &shape, dtype);
            let model = model.with_random_weights();
            let mut decoder = exact_decoder(&model.load());
            let result = decoder.forward(&[1, 0, 1], LogitRows::Last, &CancelToken::new()).map(|_| ());
            assert!(matches!(result, Err(EngineError::Invalid { .. })), "{name} {dtype:?}: {result:?}");
        }
    }
    let mut model = TestModel::new(4, 2, 64);
    model.tensor("blk.0.attn_norm", vec![f32::INFINITY; 256], &[256], GgmlDType::F32);
    let file = sotto_engine::GgufFile::from_bytes(model.with_random_weights().gguf()).expect("a valid file");
    match sotto_engine::Model::load(file.into(), ModelOptions::default()).map(|_| ()) {
        Err(EngineError::Invalid { at, .. }) => assert_eq!(at, "tensor blk.0.attn_norm.weight"),
        other => panic!("{other:?}"),
    }
}
