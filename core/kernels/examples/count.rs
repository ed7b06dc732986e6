//! Matrix products and attention between two marks, for a plugin of qemu that counts the executed instructions: see
//! `docs/kernels.md`.
//!
//! A mark is the system call `getpriority(0x5151, region)`, which does nothing; the plugin prints what was executed since
//! the mark before. Each line on standard output is a region: its number, instruction set, format, rows of activations (or
//! tokens), multiply-accumulates.
//!
//! `cargo run --release -p sotto-kernels --example count [parts of "instruction set format" ...]`

use std::ffi::{c_int, c_uint};
use std::hint::black_box;

use half::f16;
use sotto_kernels::packed::{PackedMatrix, WeightFormat, packed_len};
use sotto_kernels::{Activations, HeadCache, Kernels, Output, QuantizedHeadCache, Queries, Visible};

/// Llama 3.2 1B's key projection, its smallest matrix.
const ROWS: usize = 512;
const COLS: usize = 2048;
/// Rows of activations: prefill and decode.
const PHASES: [usize; 2] = [128, 1];

/// Llama 3.2 1B's heads of one key-value head, with that many positions behind the tokens.
const HEADS: usize = 4;
const HEAD_DIM: usize = 64;
const DEPTH: usize = 4096;
/// Tokens that are attended for together: prefill and decode.
const TOKENS: [usize; 2] = [32, 1];

fn main() {
    let mut regions = Regions { wanted: std::env::args().skip(1).collect(), count: 0 };
    for kernels in Kernels::available() {
        for format in WeightFormat::ALL.into_iter().filter(|format| format.is_quantized()) {
            PHASES.into_iter().for_each(|rows| product(&mut regions, kernels, format, rows));
        }
        TOKENS.into_iter().for_each(|tokens| attention(&mut regions, kernels, tokens));
    }
}

fn product(regions: &mut Regions, kernels: &Kernels, format: WeightFormat, rows: usize) {
    let packed: Vec<u8> = (0..packed_len(format, ROWS, COLS)).map(|i| (i * 31) as u8 & 0x3b).collect();
    let matrix = PackedMatrix::new(format, ROWS, COLS, &packed).expect("sizes fit");
    let mut activations = Activations::default();
    activations.resize(rows, COLS, kernels.activation_layout(format, rows));
    kernels.quantize(&numbers(rows * COLS), &mut activations.rows_mut());
    let mut out = vec![0.0; rows * ROWS];
    let out = Output::new(&mut out, ROWS);
    regions.count(kernels, &format.to_string(), rows, rows * ROWS * COLS, || {
        // SAFETY: one thread.
        unsafe { kernels.matmul(&matrix, &activations, 0..matrix.panels(), &out) };
    });
}

fn attention(regions: &mut Regions, kernels: &Kernels, tokens: usize) {
    let cache = vec![f16::from_f32(0.5); DEPTH * HEAD_DIM];
    let cache = HeadCache::new(&cache, &cache, HEAD_DIM);
    let quantized = vec![0u32; QuantizedHeadCache::bytes(DEPTH, HEAD_DIM).expect("a multiple of 32") / 4];
    // SAFETY: any number is four bytes.
    let quantized = QuantizedHeadCache::new(unsafe { quantized.align_to().1 }, HEAD_DIM);
    let values = numbers(tokens * HEADS * HEAD_DIM);
    let queries = Queries {
        values: &values,
        stride: HEADS * HEAD_DIM,
        heads: (0, HEADS),
        tokens: (0, tokens),
        visible: Visible::Past { first_position: DEPTH - tokens, window: None },
        scale: 0.125,
        score_cap: None,
    };
    let mut out = vec![0.0; values.len()];
    let out = Output::new(&mut out, HEADS * HEAD_DIM);
    let macs = 2 * values.len() * DEPTH;
    // SAFETY: one thread.
    regions.count(kernels, "attention-F16", tokens, macs, || unsafe { kernels.attend(&cache, &queries, &out) });
    // SAFETY: as above.
    regions.count(kernels, "attention-Q8_0", tokens, macs, || unsafe {
        kernels.attend_quantized(&quantized, &queries, &out);
    });
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37) % 101) as f32 - 50.0).collect()
}

struct Regions {
    wanted: Vec<String>,
    count: c_uint,
}

impl Regions {
    /// Marks what `work` executes, if it is wanted.
    fn count(&mut self, kernels: &Kernels, format: &str, rows: usize, macs: usize, work: impl FnOnce()) {
        let label = format!("{} {format}", kernels.name());
        if self.wanted.iter().all(|part| label.contains(part.as_str())) {
            self.count += 1;
            println!("{} {label} {rows} {macs}", self.count);
            mark(0);
            black_box(work)();
            mark(self.count);
        }
    }
}

#[cfg(unix)]
fn mark(region: c_uint) {
    unsafe extern "C" {
        fn getpriority(which: c_int, who: c_uint) -> c_int;
    }
    // SAFETY: the C library's function, which touches no memory of ours; it refuses this first argument.
    unsafe { getpriority(0x5151, region) };
}

#[cfg(not(unix))]
fn mark(_region: c_uint) {}
