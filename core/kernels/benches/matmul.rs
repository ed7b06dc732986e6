//! Speed of matrix products on one thread, by instruction set and format. With many rows of activations (prefill): billions of
//! multiply-accumulates a second. With one row (decode): bytes of weights a cycle and gigabytes a second, of weights that stay in the
//! second-level cache and of weights that come from memory, beside the speed at which those bytes are only read.
//!
//! Everything is timed in bursts of well under a millisecond, formats in turns, and the fastest tenth counts: other programs
//! on the machine cost bursts, not speed. A cycle is what an addition takes that waits for the one before it, timed in the same run.
//!
//! `cargo bench -p sotto-kernels --bench matmul [parts of "instruction set format" ...]`

use std::arch::asm;
use std::hint::black_box;
use std::time::Instant;

use sotto_kernels::packed::{PANEL_ROWS, PackedMatrix, WeightFormat, packed_len};
use sotto_kernels::{Activations, Kernels, Output};

const ROUNDS: usize = 9;
/// Llama 3.2 1B's gate projection.
const ROWS: usize = 8192;
const COLS: usize = 2048;
/// Rows of activations, and of the weights that they are multiplied with.
const PREFILL: usize = 128;
const PREFILL_ROWS: usize = 1024;
/// Rows of weights that stay in the second-level cache and not in the first: 147 KB of Q4_0, 278 KB of Q8_0.
const CACHED_ROWS: usize = 4 * PANEL_ROWS;
/// Products with them in a burst.
const PRODUCTS: usize = 40;
/// Bursts of prefill, and of products from the cache, in each round.
const BURSTS: usize = 10;
/// Bytes that matrices are laid in one after the other, so that decode reads memory and not a cache.
const MEMORY: usize = 160 << 20;

struct Subject {
    kernels: &'static Kernels,
    format: WeightFormat,
    prefill: Seconds,
    cached: Seconds,
    from_memory: Seconds,
    reading: Seconds,
}

/// What bursts of the same work took.
#[derive(Default)]
struct Seconds(Vec<f64>);

impl Seconds {
    fn time(&mut self, work: impl FnOnce()) {
        let start = Instant::now();
        work();
        self.0.push(start.elapsed().as_secs_f64());
    }

    fn fastest_tenth(&mut self) -> f64 {
        self.0.sort_by(f64::total_cmp);
        self.0[self.0.len() / 10]
    }
}

/// What products take and give: touched before anything is timed.
struct Numbers {
    bytes: Vec<u8>,
    x: Vec<f32>,
    out: Vec<f32>,
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
    let mut numbers = Numbers {
        bytes: (0..MEMORY).map(|i| (i * 31 + i / COLS) as u8 & 0x3b).collect(),
        // Most of them small, as activations are.
        x: (0..PREFILL * COLS).map(|i| (((i * 37) % 101) as f32 - 50.0).powi(3)).collect(),
        out: vec![1.0; PREFILL * PREFILL_ROWS],
    };
    let mut additions = Seconds::default();
    for _ in 0..ROUNDS {
        for subject in &mut subjects {
            additions.time(add_in_sequence);
            subject.measure(&mut numbers);
        }
    }
    let hertz = ADDITIONS as f64 / additions.fastest_tenth();
    println!("{:12} {:6} {:>7} | {:>12} | {:>12} | {:>7}", "", "", "prefill", "from cache", "from memory", "reading");
    println!(
        "{:12} {:6} {:>7} | {:>7} {:>4} | {:>7} {:>4} | {:>4} {:>3}%",
        "kernels", "format", "GMAC/s", "B/cycle", "GB/s", "B/cycle", "GB/s", "GB/s", ""
    );
    for subject in &mut subjects {
        subject.print(hertz);
    }
    println!("{:.2} GHz", hertz / 1e9);
}

impl Subject {
    fn new(kernels: &'static Kernels, format: WeightFormat) -> Self {
        let [prefill, cached, from_memory, reading] = std::array::from_fn(|_| Seconds::default());
        Self { kernels, format, prefill, cached, from_memory, reading }
    }

    /// Bytes of a matrix.
    fn len(&self, rows: usize) -> usize {
        packed_len(self.format, rows, COLS)
    }

    fn measure(&mut self, numbers: &mut Numbers) {
        let Numbers { bytes, x, out } = numbers;
        let (kernels, format) = (self.kernels, self.format);
        let [len, prefill_len, cached_len] = [ROWS, PREFILL_ROWS, CACHED_ROWS].map(|rows| self.len(rows));
        let mut activations = Activations::default();
        activations.resize(PREFILL, COLS, kernels.activation_layout(format, PREFILL));
        for _ in 0..BURSTS {
            self.prefill.time(|| {
                kernels.quantize(x, &mut activations.rows_mut());
                multiply(kernels, format, &bytes[..prefill_len], &activations, out);
            });
        }

        activations.resize(1, COLS, kernels.activation_layout(format, 1));
        kernels.quantize(&x[..COLS], &mut activations.rows_mut());
        for _ in 0..BURSTS {
            self.cached.time(|| {
                for _ in 0..PRODUCTS {
                    multiply(kernels, format, &bytes[..cached_len], &activations, &mut out[..CACHED_ROWS]);
                }
            });
        }
        for bytes in bytes.chunks_exact(len) {
            self.from_memory.time(|| multiply(kernels, format, bytes, &activations, &mut out[..ROWS]));
        }
        for bytes in bytes.chunks_exact(len) {
            self.reading.time(|| kernels.read(bytes));
        }
    }

    fn print(&mut self, hertz: f64) {
        let prefill = (PREFILL * PREFILL_ROWS * COLS) as f64 / self.prefill.fastest_tenth() / 1e9;
        let cached = (PRODUCTS * self.len(CACHED_ROWS)) as f64 / self.cached.fastest_tenth();
        let from_memory = self.len(ROWS) as f64 / self.from_memory.fastest_tenth();
        let reading = self.len(ROWS) as f64 / self.reading.fastest_tenth();
        println!(
            "{:12} {:6} {prefill:7.1} | {:7.2} {:4.1} | {:7.2} {:4.1} | {:4.1} {:3.0}%",
            self.kernels.name(),
            self.format.to_string(),
            cached / hertz,
            cached / 1e9,
            from_memory / hertz,
            from_memory / 1e9,
            reading / 1e9,
            100.0 * from_memory / reading,
        );
    }
}

/// Multiplies as many rows of weights as `out` has columns for.
fn multiply(kernels: &Kernels, format: WeightFormat, bytes: &[u8], x: &Activations, out: &mut [f32]) {
    let rows = out.len() / x.rows();
    let matrix = PackedMatrix::new(format, rows, COLS, bytes).expect("sizes fit");
    // SAFETY: one thread.
    unsafe { kernels.matmul(&matrix, x, 0..matrix.panels(), &Output::new(out, rows)) };
    black_box(out);
}

/// What [`add_in_sequence`] does.
const ADDITIONS: usize = 400_000;

/// Additions each of which waits for the one before it. Of registers: constants are added at once by some CPUs.
fn add_in_sequence() {
    let mut sum = 0usize;
    for _ in 0..ADDITIONS / 100 {
        // SAFETY: integers are added in a register.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            asm!(".rept 100", "add {0}, {1}", ".endr", inout(reg) sum, in(reg) 1usize, options(nomem, nostack));
            #[cfg(target_arch = "aarch64")]
            asm!(".rept 100", "add {0}, {0}, {1}", ".endr", inout(reg) sum, in(reg) 1usize, options(nomem, nostack));
        }
    }
    black_box(sum);
}
