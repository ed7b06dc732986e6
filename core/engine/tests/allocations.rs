//! Once a decoder has read a chunk and a token, nothing that it does allocates; and what it has allocated is no more than was stated.
#![allow(unsafe_code, reason = "a counting allocator")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::quantized::GgmlDType;
use common::TestModel;
use sotto_engine::{CancelToken, DecoderOptions, KvType, LogitRows, ModelOptions};

struct Counting;

/// An allocation by a chunk or a token would be seen in each round. Fewer than that are what a thread does once, when it
/// starts or first waits: those of the pool, and the test runner's, on a machine that let them wait until now.
const ROUNDS: usize = 10;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Bytes that are allocated now.
static BYTES: AtomicUsize = AtomicUsize::new(0);

/// Bytes for what belongs to no decoder: the pool's threads, and the test runner's.
const OTHERS: u64 = 16 << 10;

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: `System.alloc` asks of a layout what this function does: a size above zero.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn decode_and_prefill_allocate_what_is_stated_and_then_nothing() {
    for dtype in [GgmlDType::Q4_0, GgmlDType::Q6K, GgmlDType::F16] {
        let mut model = TestModel::new(4, 2, 64);
        model.dtype = dtype;
        let model = model.with_random_weights();
        let model = model.load_with(ModelOptions { threads: Some(3), ..ModelOptions::default() });
        let cancel = CancelToken::new();
        let chunk: Vec<u32> = (0..128).collect();
        let context_length = chunk.len() + 10;
        let stated = model.memory(context_length, KvType::F16).expect("heads fit").private_bytes;
        let without = BYTES.load(Ordering::Relaxed);
        let options =
            DecoderOptions { context_length: Some(context_length), kv_type: KvType::F16, ..DecoderOptions::default() };
        let mut decoder = model.decoder(options).expect("a decoder");
        let mut round = || {
            decoder.truncate(0);
            for tokens in chunk[..10].chunks(1).chain([&chunk[..]]) {
                assert!(decoder.forward(tokens, LogitRows::Last, &cancel).is_ok());
            }
        };
        round();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        (0..ROUNDS).for_each(|_| round());
        let allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
        assert!(allocated < ROUNDS, "{dtype:?}: {allocated} in {ROUNDS} rounds");
        let held = (BYTES.load(Ordering::Relaxed) - without) as u64;
        assert!(held <= stated + OTHERS, "{dtype:?}: {held} bytes, {stated} stated");
    }
}
