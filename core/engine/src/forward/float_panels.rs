//! Matrices of `f32` that are made while something computes, as training does, and products with them.

use std::ops::Range;

use sotto_kernels::packed::{PANEL_ROWS, PackedMatrix, WeightFormat, packed_len};
use sotto_kernels::plain::bytes_of;
use sotto_kernels::{Kernels, Output};

use super::linear::Compute;
use crate::EngineError;
use crate::machine::resize;
use crate::model::WeightMatrix;
use crate::threads::Chunks;

/// Rows of activations of one task.
const BLOCK: usize = 96;
/// Multiply-accumulates of one task, at most, unless a panel has more: cancelled work ends with the task at hand.
const TASK: usize = 1 << 24;

/// A matrix `[rows, cols]` in the order that the kernels read. Its memory is used again for the next.
#[derive(Debug, Default)]
pub struct FloatPanels {
    numbers: Vec<f32>,
    rows: usize,
    cols: usize,
}

impl FloatPanels {
    /// Rows of `cols` numbers.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub fn set_rows(&mut self, source: &[f32], cols: usize) -> Result<(), EngineError> {
        self.reshape(source.len() / cols, cols)?;
        for (panel, source) in self.panels_mut().zip(source.chunks(PANEL_ROWS * cols)) {
            for (col, numbers) in panel.chunks_exact_mut(PANEL_ROWS).enumerate() {
                numbers.iter_mut().zip(source[col..].iter().step_by(cols)).for_each(|(to, from)| *to = *from);
            }
        }
        Ok(())
    }

    /// The transpose of rows of `rows` numbers: they are columns.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub fn set_columns(&mut self, source: &[f32], rows: usize) -> Result<(), EngineError> {
        self.reshape(rows, source.len() / rows)?;
        self.panels_mut().enumerate().for_each(|(panel, numbers)| copy_columns(panel, numbers, source, rows));
        Ok(())
    }

    fn reshape(&mut self, rows: usize, cols: usize) -> Result<(), EngineError> {
        (self.rows, self.cols) = (rows, cols);
        resize(&mut self.numbers, rows.next_multiple_of(PANEL_ROWS) * cols)
    }

    fn panels_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.numbers.chunks_exact_mut(PANEL_ROWS * self.cols)
    }

    fn view(&self) -> PackedMatrix<'_> {
        debug_assert_eq!(packed_len(WeightFormat::F32, self.rows, self.cols), size_of_val(&self.numbers[..]));
        PackedMatrix::new(WeightFormat::F32, self.rows, self.cols, bytes_of(&self.numbers))
            .expect("the length was made to fit")
    }

    /// `out[i][j] = Σ x[i][k] * self[j][k]` on this thread, for rows `j` in `panels` of 32 alone; the others stay.
    ///
    /// # Panics
    /// When sizes do not fit together.
    pub fn multiply(&self, kernels: &Kernels, x: &[f32], panels: Range<usize>, out: &mut [f32]) {
        // SAFETY: one thread.
        unsafe { kernels.matmul_float(&self.view(), x, panels, &Output::new(out, self.rows)) }
    }

    /// How many panels of 32 rows it has.
    pub fn panels(&self) -> usize {
        self.rows.div_ceil(PANEL_ROWS)
    }
}

/// A panel of the transpose of `source`.
fn copy_columns(panel: usize, numbers: &mut [f32], source: &[f32], rows: usize) {
    let first = panel * PANEL_ROWS;
    let count = PANEL_ROWS.min(rows - first);
    for (to, from) in numbers.chunks_exact_mut(PANEL_ROWS).zip(source.chunks_exact(rows)) {
        to[..count].copy_from_slice(&from[first..first + count]);
    }
}

impl Compute<'_> {
    /// As [`FloatPanels::set_columns`], on all threads.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub fn set_columns(&self, panels: &mut FloatPanels, source: &[f32], rows: usize) -> Result<(), EngineError> {
        panels.reshape(rows, source.len() / rows)?;
        let parts = Chunks::new(&mut panels.numbers, PANEL_ROWS * panels.cols);
        self.team.run_parts(parts, |panel, numbers| copy_columns(panel, numbers, source, rows));
        Ok(())
    }

    /// The transpose of some rows of a weight matrix, expanded.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub fn set_transposed(
        &self,
        panels: &mut FloatPanels,
        weights: &WeightMatrix,
        rows: Range<usize>,
    ) -> Result<(), EngineError> {
        let weights = weights.view();
        panels.reshape(weights.cols(), rows.len())?;
        // As many columns of the weights as hold whole blocks and whole panels.
        let width = weights.format().block_len().max(PANEL_ROWS);
        let panel_len = PANEL_ROWS * rows.len();
        let parts = Chunks::new(&mut panels.numbers, width / PANEL_ROWS * panel_len);
        self.team.run_parts(parts, |part, numbers| {
            if self.cancel.is_cancelled() {
                return;
            }
            let first = part * width;
            let mut expanded = [0.0; 256];
            let expanded = &mut expanded[..width.min(weights.cols() - first)];
            for (col, row) in rows.clone().enumerate() {
                weights.dequantize_part(row, first, expanded);
                for (from, panel) in expanded.chunks(PANEL_ROWS).zip(numbers.chunks_exact_mut(panel_len)) {
                    panel[col * PANEL_ROWS..][..from.len()].copy_from_slice(from);
                }
            }
        });
        Ok(())
    }

    /// `out[i][j] = Σ x[i][k] * matrix[j][k]`. After cancellation, results are unspecified.
    ///
    /// # Panics
    /// When sizes do not fit together.
    pub fn multiply_floats(&self, x: &[f32], matrix: &FloatPanels, out: &mut [f32]) {
        self.run_floats(x, matrix, Output::new(out, matrix.rows));
    }

    /// `out[i][j] += Σ x[i][k] * matrix[j][k]`. After cancellation, results are unspecified.
    ///
    /// # Panics
    /// When sizes do not fit together.
    pub fn add_floats(&self, x: &[f32], matrix: &FloatPanels, out: &mut [f32]) {
        self.run_floats(x, matrix, Output::adding(out, matrix.rows));
    }

    fn run_floats(&self, x: &[f32], matrix: &FloatPanels, out: Output<'_>) {
        let (view, cols, panels) = (matrix.view(), matrix.cols, matrix.panels());
        let rows = x.len() / cols;
        let blocks = rows.div_ceil(BLOCK);
        let panel_work = BLOCK.min(rows) * cols * PANEL_ROWS;
        let panels_per_task =
            self.team.items_per_task(panels * blocks).min(TASK / panel_work.max(1)).clamp(1, panels.max(1));
        let groups = panels.div_ceil(panels_per_task);
        self.run(x.len() * matrix.rows, blocks * groups, |task| {
            if self.cancel.is_cancelled() {
                return;
            }
            let (block, first) = (task / groups * BLOCK, task % groups * panels_per_task);
            let rows = block..rows.min(block + BLOCK);
            let x = &x[rows.start * cols..rows.end * cols];
            let panels = first..panels.min(first + panels_per_task);
            // SAFETY: tasks have different rows or different panels, and each runs once.
            unsafe { self.kernels.matmul_float(&view, x, panels, &out.some_rows(rows)) }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CancelToken;
    use crate::threads::Pool;

    /// Numbers that products and sums of keep exactly.
    fn small_numbers(count: usize) -> Vec<f32> {
        (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 28) as f32 - 7.0).collect()
    }

    #[test]
    fn products_of_every_size() {
        let pool = Pool::new(Some(3));
        let cancel = CancelToken::new();
        let team = pool.enter(&cancel).expect("free");
        let compute = Compute { kernels: Kernels::get(), team: &team, cancel: &cancel, adapters: &[] };
        for [n, rows, cols] in [[1, 1, 1], [5, 33, 7], [200, 64, 300], [97, 100, 16], [96, 16, 65]] {
            let (x, matrix) = (small_numbers(n * cols), small_numbers(rows * cols));
            let transpose: Vec<f32> = (0..rows * cols).map(|i| matrix[i % rows * cols + i / rows]).collect();
            let product = |i: usize, j: usize| (0..cols).map(|k| x[i * cols + k] * matrix[j * cols + k]).sum::<f32>();
            let expected: Vec<f32> = (0..n * rows).map(|at| product(at / rows, at % rows)).collect();
            let mut panels = FloatPanels::default();
            let mut out = vec![f32::NAN; n * rows];
            panels.set_rows(&matrix, cols).expect("memory");
            compute.multiply_floats(&x, &panels, &mut out);
            assert_eq!(out, expected);
            panels.set_columns(&transpose, rows).expect("memory");
            panels.multiply(compute.kernels, &x, 0..panels.panels(), &mut out);
            assert_eq!(out, expected);
            compute.set_columns(&mut panels, &transpose, rows).expect("memory");
            compute.add_floats(&x, &panels, &mut out);
            assert!(out.iter().zip(&expected).all(|(sum, once)| *sum == 2.0 * once), "{n} {rows} {cols}");
        }
    }
}
