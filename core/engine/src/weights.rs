//! Weight matrices in the mapped file, and their products with activations.
//!
//! The dot products are candle's (`GgmlType::vec_dot_4`); how the work is split over our threads is decided here, because
//! candle's own matrix product runs on threads of its own, whose number only the environment sets. No weight is copied.
//! Each output is one dot product whose order of summation depends on nothing but its length: a row's results are the
//! same bits alone, in a batch, and on any number of threads.

use std::ops::Range;
use std::sync::Arc;

use candle_core::quantized::GgmlType;
use candle_core::quantized::k_quants::{self, BlockQ8_0, BlockQ8K};
use half::{bf16, f16};
use rayon::prelude::*;
use sotto_kernels::blocks;
use sotto_kernels::scalar::{Dequantize, FloatElement, dequantize_row};

use crate::cast::{Plain, cast_slice};
use crate::gguf::{Bytes, GgufFile, tensor_place};
use crate::memory::zeros;
use crate::{CancelToken, DType, EngineError};

/// Rows of activations that one task multiplies with the whole matrix, at most: with them in the first cache levels,
/// each weight is loaded once for all of them.
const ROW_TILE: usize = 16;
/// Outputs of one task when a single row is split: a multiple of the four that are computed together.
const COLUMN_PANEL: usize = 64;
/// Weights that are widened to `f32` at a time.
const SEGMENT: usize = 512;

const MULTIPLIED_FORMATS: [DType; 8] =
    [DType::F32, DType::F16, DType::BF16, DType::Q4_0, DType::Q8_0, DType::Q4K, DType::Q5K, DType::Q6K];

/// A weight matrix in a mapped file.
#[derive(Debug, Clone)]
pub(crate) struct WeightMatrix {
    file: Arc<Bytes>,
    range: Range<usize>,
    dtype: DType,
    rows: usize,
    cols: usize,
}

impl WeightMatrix {
    /// The tensor `name`, which must have the shape `[rows, cols]` and a format that this engine multiplies.
    pub(crate) fn load(file: &GgufFile, name: &str, rows: usize, cols: usize) -> Result<Self, EngineError> {
        let invalid = |why: String| EngineError::invalid(tensor_place(name), why);
        let (Some(tensor), Some(range)) = (file.tensor(name), file.tensor_range(name)) else {
            return Err(invalid("the tensor is missing".into()));
        };
        if tensor.shape != [rows, cols] {
            return Err(invalid(format!("its shape is {:?}, [{rows}, {cols}] was expected", tensor.shape)));
        }
        if !MULTIPLIED_FORMATS.contains(&tensor.dtype) {
            return Err(unsupported_format(tensor.dtype));
        }
        Ok(Self { file: Arc::clone(file.bytes()), range, dtype: tensor.dtype, rows, cols })
    }

    /// Writes one row of the matrix as `f32`.
    pub(crate) fn dequantize_row(&self, row: usize, out: &mut [f32]) -> Result<(), EngineError> {
        match self.dtype {
            DType::F32 => self.dequantize_row_as::<f32>(row, out),
            DType::F16 => self.dequantize_row_as::<f16>(row, out),
            DType::BF16 => self.dequantize_row_as::<bf16>(row, out),
            DType::Q4_0 => self.dequantize_row_as::<blocks::BlockQ4_0>(row, out),
            DType::Q8_0 => self.dequantize_row_as::<blocks::BlockQ8_0>(row, out),
            DType::Q4K => self.dequantize_row_as::<blocks::BlockQ4K>(row, out),
            DType::Q5K => self.dequantize_row_as::<blocks::BlockQ5K>(row, out),
            DType::Q6K => self.dequantize_row_as::<blocks::BlockQ6K>(row, out),
            other => Err(unsupported_format(other)),
        }
    }

    fn dequantize_row_as<B: Dequantize + Plain>(&self, row: usize, out: &mut [f32]) -> Result<(), EngineError> {
        let blocks_per_row = self.cols / B::LEN;
        dequantize_row(&self.cast::<B>()?[row * blocks_per_row..][..blocks_per_row], out);
        Ok(())
    }

    /// The product of activations `[n, cols]` with the transposed matrix: `out` is row-major `[n, rows]`.
    ///
    /// Stops early, leaving `out` half written, once the activations' token is cancelled.
    pub(crate) fn matmul(&self, x: &mut Activations, out: &mut [f32]) -> Result<(), EngineError> {
        assert_eq!(x.cols, self.cols, "activation width");
        assert_eq!(out.len(), x.values.len() / x.cols * self.rows, "output size");
        match self.dtype {
            DType::F32 => self.matmul_float::<f32>(x, out),
            DType::F16 => self.matmul_float::<f16>(x, out),
            DType::BF16 => self.matmul_float::<bf16>(x, out),
            DType::Q4_0 => self.matmul_quantized::<k_quants::BlockQ4_0>(x.cancel, x.q8_0(), out),
            DType::Q8_0 => self.matmul_quantized::<k_quants::BlockQ8_0>(x.cancel, x.q8_0(), out),
            DType::Q4K => self.matmul_quantized::<k_quants::BlockQ4K>(x.cancel, x.q8_k(), out),
            DType::Q5K => self.matmul_quantized::<k_quants::BlockQ5K>(x.cancel, x.q8_k(), out),
            DType::Q6K => self.matmul_quantized::<k_quants::BlockQ6K>(x.cancel, x.q8_k(), out),
            other => Err(unsupported_format(other)),
        }
    }

    fn matmul_quantized<T: GgmlType + Plain>(
        &self,
        cancel: &CancelToken,
        x: &[T::VecDotType],
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        let weights = self.cast::<T>()?;
        let blocks = self.cols / T::BLCK_SIZE;
        self.split(x, blocks, out, |columns, x, out| {
            let weights = &weights[columns.start * blocks..columns.end * blocks];
            quantized_tile(cancel, weights, x, self.cols, out);
        });
        Ok(())
    }

    fn matmul_float<T: FloatElement + Plain>(&self, x: &Activations, out: &mut [f32]) -> Result<(), EngineError> {
        let weights = self.cast::<T>()?;
        self.split(x.values, self.cols, out, |columns, values, out| {
            let weights = &weights[columns.start * self.cols..columns.end * self.cols];
            float_tile(x.cancel, weights, values, self.cols, out);
        });
        Ok(())
    }

    /// Splits a product over the threads: by rows of activations, or, when there are fewer of them than threads, by
    /// columns of the output. `tile(columns, x, out)` computes `out`, `[rows of x, columns]`.
    fn split<X: Sync>(
        &self,
        x: &[X],
        row_len: usize,
        out: &mut [f32],
        tile: impl Fn(Range<usize>, &[X], &mut [f32]) + Sync,
    ) {
        let rows = x.len() / row_len;
        let threads = rayon::current_num_threads();
        if rows < threads {
            for (x, out) in x.chunks_exact(row_len).zip(out.chunks_exact_mut(self.rows)) {
                out.par_chunks_mut(COLUMN_PANEL).enumerate().for_each(|(panel, out)| {
                    let start = panel * COLUMN_PANEL;
                    tile(start..start + out.len(), x, out);
                });
            }
        } else {
            let tile_rows = rows.div_ceil(threads).min(ROW_TILE);
            let x = x.par_chunks(tile_rows * row_len);
            let out = out.par_chunks_mut(tile_rows * self.rows);
            x.zip(out).for_each(|(x, out)| tile(0..self.rows, x, out));
        }
    }

    fn cast<T: Plain>(&self) -> Result<&[T], EngineError> {
        cast_slice(&self.file[self.range.clone()])
            .ok_or_else(|| EngineError::Internal("a tensor is not aligned to its blocks".into()))
    }
}

/// A vector of norm weights: the tensor `name` with the shape `[len]`, as finite `f32`.
pub(crate) fn load_vector(file: &GgufFile, name: &str, len: usize) -> Result<Vec<f32>, EngineError> {
    let invalid = |why: String| EngineError::invalid(tensor_place(name), why);
    let (Some(tensor), Some(range)) = (file.tensor(name), file.tensor_range(name)) else {
        return Err(invalid("the tensor is missing".into()));
    };
    if tensor.shape != [len] {
        return Err(invalid(format!("its shape is {:?}, [{len}] was expected", tensor.shape)));
    }
    let row = WeightMatrix { file: Arc::clone(file.bytes()), range, dtype: tensor.dtype, rows: 1, cols: len };
    let mut vector = zeros(len)?;
    row.dequantize_row(0, &mut vector)?;
    match vector.iter().all(|value| value.is_finite()) {
        true => Ok(vector),
        false => Err(invalid("it holds values that are not finite numbers".into())),
    }
}

fn unsupported_format(dtype: DType) -> EngineError {
    EngineError::unsupported(format!("weights in the format {dtype}"))
}

/// The columns of one or more rows of quantized activations: `out` is `[rows of x, rows of weights]`.
fn quantized_tile<T: GgmlType>(cancel: &CancelToken, weights: &[T], x: &[T::VecDotType], cols: usize, out: &mut [f32]) {
    let blocks = cols / T::BLCK_SIZE;
    let width = weights.len() / blocks;
    for (quad, weights) in weights.chunks(4 * blocks).enumerate() {
        if cancel.is_cancelled() {
            return;
        }
        for (x, out) in x.chunks_exact(blocks).zip(out.chunks_exact_mut(width)) {
            let out = &mut out[4 * quad..];
            if weights.len() == 4 * blocks {
                let (w01, w23) = weights.split_at(2 * blocks);
                let ((w0, w1), (w2, w3)) = (w01.split_at(blocks), w23.split_at(blocks));
                (out[0], out[1], out[2], out[3]) = T::vec_dot_4(cols, w0, w1, w2, w3, x);
            } else {
                for (weights, out) in weights.chunks_exact(blocks).zip(out) {
                    *out = T::vec_dot(cols, weights, x);
                }
            }
        }
    }
}

/// As [`quantized_tile`] for weights that are floating-point numbers. They are widened, not the activations narrowed:
/// rounding activations to BF16 would cost far more accuracy than the weights' own format does.
fn float_tile<T: FloatElement>(cancel: &CancelToken, weights: &[T], x: &[f32], cols: usize, out: &mut [f32]) {
    let width = weights.len() / cols;
    let rows = x.len() / cols;
    let mut buffer = [0.0; SEGMENT];
    for (column, weights) in weights.chunks_exact(cols).enumerate() {
        if cancel.is_cancelled() {
            return;
        }
        let mut sums = [0.0f32; ROW_TILE];
        for (segment, weights) in weights.chunks(SEGMENT).enumerate() {
            let weights = T::widen(weights, &mut buffer);
            for (sum, x) in sums.iter_mut().zip(x.chunks_exact(cols)) {
                let x = &x[segment * SEGMENT..][..weights.len()];
                *sum += f32::vec_dot(weights.len(), weights, x);
            }
        }
        for (row, sum) in sums[..rows].iter().enumerate() {
            out[row * width + column] = *sum;
        }
    }
}

/// Memory for quantized activations, kept from one product to the next.
#[derive(Debug, Default)]
pub(crate) struct ActivationBuffers {
    q8_0: Vec<BlockQ8_0>,
    q8_k: Vec<BlockQ8K>,
}

/// Rows of activations on their way into one or more products: each format that a matrix asks for is made once.
pub(crate) struct Activations<'a> {
    values: &'a [f32],
    cols: usize,
    buffers: &'a mut ActivationBuffers,
    has_q8_0: bool,
    has_q8_k: bool,
    cancel: &'a CancelToken,
}

impl<'a> Activations<'a> {
    /// Rows `[n, cols]` of `values`.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`], and [`EngineError::Invalid`] for values that are not finite: quantization would turn
    /// them into zeros, and damaged weights into plausible nonsense.
    pub(crate) fn new(
        values: &'a [f32],
        cols: usize,
        buffers: &'a mut ActivationBuffers,
        cancel: &'a CancelToken,
    ) -> Result<Self, EngineError> {
        // First: a cancelled product leaves whatever was in its output.
        cancel.check()?;
        check_finite(values, "activations")?;
        Ok(Self { values, cols, buffers, has_q8_0: false, has_q8_k: false, cancel })
    }

    fn q8_0(&mut self) -> &[BlockQ8_0] {
        if !self.has_q8_0 {
            quantize(self.values, self.cols, &mut self.buffers.q8_0);
            self.has_q8_0 = true;
        }
        &self.buffers.q8_0
    }

    fn q8_k(&mut self) -> &[BlockQ8K] {
        if !self.has_q8_k {
            quantize(self.values, self.cols, &mut self.buffers.q8_k);
            self.has_q8_k = true;
        }
        &self.buffers.q8_k
    }
}

fn quantize<T: GgmlType>(values: &[f32], cols: usize, blocks: &mut Vec<T>) {
    blocks.resize(values.len() / T::BLCK_SIZE, T::zeros());
    let rows = values.par_chunks(cols).zip(blocks.par_chunks_mut(cols / T::BLCK_SIZE));
    rows.for_each(|(values, blocks)| T::from_float(values, blocks));
}

/// An error that blames the weights, unless all `values` are finite.
pub(crate) fn check_finite(values: &[f32], what: &str) -> Result<(), EngineError> {
    // Without an early exit, so that it becomes vector code.
    match values.iter().fold(true, |finite, value| finite & value.is_finite()) {
        true => Ok(()),
        false => Err(EngineError::invalid("the weights", format!("they give {what} that are not finite numbers"))),
    }
}

#[cfg(test)]
mod tests;
