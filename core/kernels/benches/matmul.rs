//! Speed of matrix products on one thread, by instruction set and format: billions of multiply-accumulates a second with
//! many rows of activations (prefill), gigabytes of weights a second with one (decode). Rounds are interleaved; medians.
//!
//! `cargo bench -p sotto-kernels --bench matmul [parts of "instruction set format" ...]`

use std::hint::black_box;
use std::time::Instant;

use sotto_kernels::packed::{PackedMatrix, WeightFormat, packed_len};
use sotto_kernels::{Activations, Kernels, Output};

/// As many rounds as it takes for a median to hold still.
const ROUNDS: usize = 7;
/// Llama 3.2 1B's gate projection.
const ROWS: usize = 8192;
const COLS: usize = 2048;
/// Rows of activations.
const PREFILL: usize = 128;
/// Matrices that take turns, so that decode reads memory and not a cache.
const COPIES: usize = 8;

struct Subject {
    /// Rows of activations, and room for their products: touched before anything is timed.
    x: Vec<f32>,
    out: Vec<f32>,
    kernels: &'static Kernels,
    format: WeightFormat,
    packed: Vec<Vec<u8>>,
    prefill: Vec<f64>,
    decode: Vec<f64>,
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let mut subjects = Vec::new();
    for format in WeightFormat::ALL.into_iter().filter(|format| format.is_quantized()) {
        for kernels in Kernels::available() {
            let label = format!("{} {format}", kernels.name());
            if wanted.iter().all(|part| label.contains(part.as_str())) {
                subjects.push(Subject::new(kernels, format));
            }
        }
    }
    for _ in 0..ROUNDS {
        for subject in &mut subjects {
            subject.measure();
        }
    }
    println!("{:12} {:6} {:>16} {:>14}", "kernels", "format", "prefill GMAC/s", "decode GB/s");
    for subject in &mut subjects {
        let (prefill, decode) = (median(&mut subject.prefill), median(&mut subject.decode));
        println!("{:12} {:6} {prefill:16.1} {decode:14.2}", subject.kernels.name(), subject.format.to_string());
    }
}

impl Subject {
    fn new(kernels: &'static Kernels, format: WeightFormat) -> Self {
        let len = packed_len(format, ROWS, COLS);
        let packed = (0..COPIES).map(|copy| (0..len).map(|i| (i * 31 + copy) as u8 & 0x3b).collect()).collect();
        // Most of them small, as activations are.
        let x = (0..PREFILL * COLS).map(|i| (((i * 37) % 101) as f32 - 50.0).powi(3)).collect();
        Self { x, out: vec![1.0; PREFILL * ROWS], kernels, format, packed, prefill: Vec::new(), decode: Vec::new() }
    }

    fn measure(&mut self) {
        let seconds = self.run(PREFILL, 1);
        self.prefill.push((PREFILL * ROWS * COLS) as f64 / seconds / 1e9);
        let seconds = self.run(1, COPIES);
        self.decode.push((self.packed[0].len() * COPIES) as f64 / seconds / 1e9);
    }

    /// Seconds for products of `rows` rows of activations with each of `copies` matrices.
    fn run(&mut self, rows: usize, copies: usize) -> f64 {
        let mut activations = Activations::default();
        activations.resize(rows, COLS, self.format.activation_group());
        let (x, out) = (&self.x[..rows * COLS], &mut self.out[..rows * ROWS]);
        let start = Instant::now();
        for packed in &self.packed[..copies] {
            let matrix = PackedMatrix::new(self.format, ROWS, COLS, packed).expect("sizes fit");
            self.kernels.quantize(x, &mut activations.rows_mut());
            // SAFETY: one thread.
            unsafe { self.kernels.matmul(&matrix, &activations, 0..matrix.panels(), &Output::new(out, ROWS)) };
            black_box(&*out);
        }
        start.elapsed().as_secs_f64()
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
