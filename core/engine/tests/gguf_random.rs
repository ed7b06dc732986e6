//! Damaged model files of every kind: no panic, and no more memory than the file explains.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::quantized::gguf_file::Value;
use common::TestModel;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sotto_engine::{CancelToken, DecoderOptions, EngineError, GgufFile, KvType, LogitRows, Model, ModelOptions};

/// Bytes of heap for each byte of the file: a decoded metadata element takes 32 bytes and may take one in the file; a
/// growing vector holds as much again and half of it.
const HEAP_PER_FILE_BYTE: usize = 96;
/// Threads, hash tables and scratch of the small model.
const HEAP_BASE: usize = 1 << 20;

/// Counts the bytes that are allocated now, and the most that ever were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: `System.alloc` asks of a layout what this function does: a size above zero.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One thing that happens to a file.
#[derive(Debug, Clone)]
enum Damage {
    SetByte(usize, u8),
    FlipBit(usize, u8),
    SetU64(usize, u64),
    SetU32(usize, u32),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
}

impl Damage {
    fn apply(&self, file: &mut Vec<u8>) {
        let place = |at: usize, len: usize| at % (file.len().saturating_sub(len) + 1);
        match self {
            Self::SetByte(at, byte) => {
                let at = place(*at, 1);
                file.get_mut(at).into_iter().for_each(|b| *b = *byte);
            }
            Self::FlipBit(at, bit) => {
                let at = place(*at, 1);
                file.get_mut(at).into_iter().for_each(|b| *b ^= 1 << (bit % 8));
            }
            Self::SetU64(at, value) => {
                let at = place(*at, 8);
                file.iter_mut().skip(at).zip(value.to_le_bytes()).for_each(|(b, v)| *b = v);
            }
            Self::SetU32(at, value) => {
                let at = place(*at, 4);
                file.iter_mut().skip(at).zip(value.to_le_bytes()).for_each(|(b, v)| *b = v);
            }
            Self::Cut(at) => file.truncate(place(*at, 0)),
            Self::Insert(at, bytes) => {
                let at = place(*at, 0);
                file.splice(at..at, bytes.iter().copied());
            }
            Self::Remove(at, len) => {
                let at = place(*at, 0);
                file.drain(at..(at + len % 64).min(file.len()));
            }
        }
    }
}

/// Numbers that upset arithmetic, and small ones that change the meaning of a count.
fn upsetting() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(u64::MAX),
        Just(1 << 63),
        Just(1 << 32),
        Just((1 << 31) - 1),
        Just(1 << 20),
        0u64..300,
        any::<u64>(),
    ]
}

fn damage(header_len: usize) -> impl Strategy<Value = Damage> {
    // Most of it where it hurts; some anywhere.
    let at = prop_oneof![4 => 0..header_len, 1 => any::<usize>()].boxed();
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Damage::SetByte(at, byte)),
        (at.clone(), any::<u8>()).prop_map(|(at, bit)| Damage::FlipBit(at, bit)),
        (at.clone(), upsetting()).prop_map(|(at, value)| Damage::SetU64(at, value)),
        (at.clone(), upsetting()).prop_map(|(at, value)| Damage::SetU32(at, value as u32)),
        at.clone().prop_map(Damage::Cut),
        (at.clone(), proptest::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at, any::<usize>()).prop_map(|(at, len)| Damage::Remove(at, len)),
    ]
}

fn small_model() -> Vec<u8> {
    let mut model = TestModel::new(2, 1, 16);
    (model.hidden_size, model.intermediate_size, model.num_layers, model.vocab_size) = (32, 32, 1, 8);
    let words = (0..8).map(|i| Value::String(format!("word{i}"))).collect();
    model.metadata.insert("tokenizer.ggml.tokens".into(), Value::Array(words));
    model.metadata.insert("tokenizer.ggml.scores".into(), Value::Array(vec![Value::F32(0.5); 8]));
    model.metadata.insert("tokenizer.ggml.add_bos_token".into(), Value::Bool(true));
    model.metadata.insert("numbers".into(), Value::Array(vec![Value::U8(3); 200]));
    model.with_random_weights().gguf()
}

/// Opens, loads and runs whatever the bytes are.
fn use_file(bytes: Vec<u8>) -> Result<usize, EngineError> {
    let file = Arc::new(GgufFile::from_bytes(bytes)?);
    let model = Model::load(Arc::clone(&file), ModelOptions { threads: Some(1), ..ModelOptions::default() })?;
    let context_length = Some(model.config().context_length.min(16));
    let mut decoder =
        model.decoder(DecoderOptions { context_length, kv_type: KvType::F16, ..DecoderOptions::default() })?;
    let tokens = [0, 1, 2].map(|token| token % model.config().vocab_size as u32);
    let logits =
        decoder.forward(&tokens[..tokens.len().min(decoder.context_length())], LogitRows::Last, &CancelToken::new())?;
    Ok(logits.len())
}

// One test: allocations are counted for the whole process.
#[test]
fn damaged_files_neither_panic_nor_take_memory() {
    let whole = small_model();
    assert_eq!(use_file(whole.clone()).expect("the undamaged file is valid"), 8);
    let header_len = whole.windows(8).rposition(|window| window == b"v.weight").expect("a tensor's name") + 100;

    let (mut accepted, mut refused) = (0, 0);
    let mut runner = TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let damages = proptest::collection::vec(damage(header_len), 1..4);
    let result = runner.run(&damages, |damages| {
        let mut file = whole.clone();
        damages.iter().for_each(|damage| damage.apply(&mut file));
        let len = file.len();
        MOST.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
        let before = NOW.load(Ordering::Relaxed);
        let result = use_file(file);
        let taken = MOST.load(Ordering::Relaxed).saturating_sub(before);
        prop_assert!(taken <= HEAP_PER_FILE_BYTE * len + HEAP_BASE, "{} bytes for a file of {}", taken, len);
        prop_assert!(!matches!(result, Err(EngineError::Internal(_))), "{:?}", result);
        Ok(())
    });
    result.expect("no damage does harm");

    // The damage must be neither too much to get past the first check nor too little to be seen.
    for i in 0..400 {
        let mut file = whole.clone();
        Damage::SetByte(i * 7 % header_len, 0x31).apply(&mut file);
        match use_file(file) {
            Ok(_) => accepted += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(accepted > 20 && refused > 100, "{accepted} accepted, {refused} refused");
}
