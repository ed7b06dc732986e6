//! How fast attention is behind many tokens, on one thread: billions of multiply-accumulates a second, by instruction set
//! and cache. `cargo bench -p sotto-kernels --bench attention [-- PART-OF-A-NAME]`.

use std::hint::black_box;
use std::time::Instant;

use half::f16;
use sotto_kernels::{
    HeadCache, HeadCacheMut, KEY_PANEL, Kernels, Output, QuantizedHeadCache, QuantizedHeadCacheMut, Queries, Visible,
    value_width,
};

/// Llama 3.2 1B: heads of 64, four of them for each key-value head.
const HEAD_DIM: usize = 64;
const HEADS: usize = 4;
const DEPTH: usize = 4096;
/// Each figure is the median of so many.
const ROUNDS: usize = 15;

fn main() {
    let filter: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let numbers = |count: usize| -> Vec<f32> { (0..count).map(|i| (i as f32 * 0.37).sin()).collect() };
    let (keys, values) = (numbers(DEPTH * HEAD_DIM), numbers(DEPTH * HEAD_DIM));
    let mut f16_keys = vec![f16::ZERO; DEPTH.next_multiple_of(KEY_PANEL) * HEAD_DIM];
    let mut f16_values = vec![f16::ZERO; DEPTH.next_multiple_of(KEY_PANEL) * value_width(HEAD_DIM)];
    let mut quantized = vec![0.0f32; QuantizedHeadCache::bytes(DEPTH, HEAD_DIM).expect("64 is a multiple of 32") / 4];
    // SAFETY: any bytes are numbers, and the other way round.
    let quantized = unsafe { quantized.align_to_mut::<u8>().1 };
    for position in 0..DEPTH {
        let (key, value) = (&keys[position * HEAD_DIM..][..HEAD_DIM], &values[position * HEAD_DIM..][..HEAD_DIM]);
        HeadCacheMut::new(&mut f16_keys, &mut f16_values, HEAD_DIM).write(position, key, value);
        QuantizedHeadCacheMut::new(quantized, HEAD_DIM).write(position, key, value);
    }
    let f16_cache = HeadCache::new(&f16_keys, &f16_values, HEAD_DIM);
    let quantized = QuantizedHeadCache::new(quantized, HEAD_DIM);
    for kernels in Kernels::available() {
        for tokens in [1, 8, 12, 36] {
            let values = numbers(tokens * HEADS * HEAD_DIM);
            let mut out = values.clone();
            let queries = Queries {
                values: &values,
                stride: HEADS * HEAD_DIM,
                heads: (0, HEADS),
                tokens: (0, tokens),
                visible: Visible::Past { first_position: DEPTH - tokens, window: None },
                scale: 0.125,
                score_cap: None,
            };
            let out = Output::new(&mut out, HEADS * HEAD_DIM);
            let macs = (2 * tokens * HEADS * HEAD_DIM * DEPTH) as f64;
            let report = |cache: &str, attend: &dyn Fn()| {
                let name = format!("{} {cache} {tokens}", kernels.name());
                if filter.iter().all(|part| name.contains(part)) {
                    println!("{name:24} {:8.1} GMAC/s", macs / median(attend) / 1e9);
                }
            };
            // SAFETY: one thread.
            report("f16", &|| unsafe { kernels.attend(black_box(&f16_cache), &queries, &out) });
            // SAFETY: as above.
            report("q8_0", &|| unsafe { kernels.attend_quantized(black_box(&quantized), &queries, &out) });
        }
    }
}

/// Seconds.
fn median(work: &dyn Fn()) -> f64 {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..4).for_each(|_| work());
            start.elapsed().as_secs_f64() / 4.0
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[ROUNDS / 2]
}
