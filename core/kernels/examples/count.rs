//! Matrix products between two marks, for a plugin of qemu that counts the executed instructions: see `docs/kernels.md`.
//!
//! A mark is the system call `getpriority(0x5151, region)`, which does nothing; the plugin prints what was executed since
//! the mark before. Each line on standard output is a region: its number, instruction set, format, rows of activations,
//! multiply-accumulates.
//!
//! `cargo run --release -p sotto-kernels --example count [parts of "instruction set format" ...]`

use std::ffi::{c_int, c_uint};
use std::hint::black_box;

use sotto_kernels::packed::{PackedMatrix, WeightFormat, packed_len};
use sotto_kernels::{Activations, Kernels, Output};

/// Llama 3.2 1B's key projection, its smallest matrix.
const ROWS: usize = 512;
const COLS: usize = 2048;
/// Rows of activations: prefill and decode.
const PHASES: [usize; 2] = [128, 1];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut region = 0;
    for kernels in Kernels::available() {
        for format in WeightFormat::ALL.into_iter().filter(|format| format.is_quantized()) {
            let label = format!("{} {format}", kernels.name());
            if !wanted.iter().all(|part| label.contains(part.as_str())) {
                continue;
            }
            for rows in PHASES {
                region += 1;
                println!("{region} {label} {rows} {}", rows * ROWS * COLS);
                count(kernels, format, rows, region);
            }
        }
    }
}

fn count(kernels: &Kernels, format: WeightFormat, rows: usize, region: c_uint) {
    let packed: Vec<u8> = (0..packed_len(format, ROWS, COLS)).map(|i| (i * 31) as u8 & 0x3b).collect();
    let matrix = PackedMatrix::new(format, ROWS, COLS, &packed).expect("sizes fit");
    let x: Vec<f32> = (0..rows * COLS).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
    let mut activations = Activations::default();
    activations.resize(rows, COLS);
    kernels.quantize(&x, &mut activations.rows_mut());
    let mut out = vec![0.0; rows * ROWS];
    mark(0);
    // SAFETY: one thread.
    unsafe { kernels.matmul(&matrix, &activations, 0..matrix.panels(), &Output::new(&mut out, ROWS)) };
    mark(region);
    black_box(&out);
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
