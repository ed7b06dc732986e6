//! The changes that adapters make to products: `out += scale · (x · a) · b`, in `f32`.

use sotto_kernels::Output;
use sotto_kernels::packed::PANEL_ROWS;

use super::linear::{Compute, Input, InputRoom, Product};
use crate::model::{Adapter, LowRank, WeightMatrix};
use crate::threads::{Chunks, Split};

/// Rows of activations per task.
const BLOCK: usize = 16;
/// The maximum number of matrices with the same input: queries, keys and values.
const TOGETHER: usize = 3;
/// Multiply-accumulates of quantized numbers that take as long as one of `f32`.
const COST: usize = 4;

/// The scratch space, in numbers, that passes of `rows` tokens need with these adapters.
pub(super) fn room(adapters: &[(Adapter, f32)], rows: usize) -> usize {
    TOGETHER * rows.next_multiple_of(BLOCK) * widest(adapters)
}

fn widest(adapters: &[(Adapter, f32)]) -> usize {
    adapters.iter().map(|(adapter, _)| adapter.rank()).max().unwrap_or(0)
}

impl Compute<'_> {
    /// Adds the adapters' changes to products. After cancellation, results are unspecified.
    pub(super) fn add_changes<const N: usize>(&self, input: &mut Input<'_>, products: [Product<'_>; N]) {
        if self.adapters.is_empty() {
            return;
        }
        let (cols, blocks, widest) = (input.cols, input.rows().div_ceil(BLOCK), widest(self.adapters));
        let outputs: usize = products.iter().map(|(_, out)| out.len()).sum();
        let work = COST * widest * (outputs + N * input.values.len());
        let room = Chunks::new(&mut input.room.low_rank, BLOCK * widest);
        let products = products.map(|(matrix, out)| (matrix, Chunks::new(out, BLOCK * matrix.shape()[0])));
        self.run(work, N * blocks, |task| {
            if self.cancel.is_cancelled() {
                return;
            }
            let (matrix, out) = &products[task / blocks];
            let block = task % blocks;
            let x = input.values.chunks(BLOCK * cols).nth(block).expect("a block of rows");
            // SAFETY: tasks have different products or different blocks of rows, and each runs once.
            let (room, out) = unsafe { (room.part(task), out.part(block)) };
            for (change, scale) in self.changes_of(matrix) {
                let reduced = self.reduce(change, x, scale, room);
                self.add_expanded(change, reduced, out);
            }
        });
    }

    /// As [`Compute::add_changes`], for some panels of one matrix: `out` is `[panels, rows of activations, PANEL_ROWS]`.
    pub(super) fn add_changes_of_panels(
        &self,
        input: &mut Input<'_>,
        matrix: &WeightMatrix,
        panels: &[usize],
        out: &mut [f32],
    ) {
        let panel_len = input.rows() * PANEL_ROWS;
        for (change, scale) in self.changes_of(matrix) {
            let reduced = self.reduce(change, input.values, scale, &mut input.room.low_rank);
            for (&panel, out) in panels.iter().zip(out.chunks_exact_mut(panel_len)) {
                let out = Output::adding(out, PANEL_ROWS);
                // SAFETY: one thread.
                unsafe { self.kernels.matmul_float(&change.b.view().panel_matrix(panel), reduced, 0..1, &out) }
            }
        }
    }

    /// Adds the changes of tokens' embeddings to them: `hidden` is a row for each.
    pub(super) fn add_embedding_changes(
        &self,
        tokens: &[u32],
        embedding: &WeightMatrix,
        room: &mut InputRoom,
        hidden: &mut [f32],
    ) {
        let hidden_size = embedding.shape()[1];
        for (change, scale) in self.changes_of(embedding) {
            let rank = change.b.view().cols();
            for (&token, hidden) in tokens.iter().zip(hidden.chunks_exact_mut(hidden_size)) {
                let reduced = &mut room.low_rank[..rank];
                change.a.view().dequantize_row(token as usize, reduced);
                self.kernels.scale(reduced, scale);
                self.add_expanded(change, reduced, hidden);
            }
        }
    }

    /// The adapters' changes to a matrix, each with its scale.
    fn changes_of(&self, matrix: &WeightMatrix) -> impl Iterator<Item = (&LowRank, f32)> {
        self.adapters.iter().filter_map(|(adapter, scale)| {
            let change = adapter.change_of(matrix)?;
            Some((change, scale * change.scale))
        })
    }

    /// `scale · x · a`, in `room`.
    fn reduce<'b>(&self, change: &LowRank, x: &[f32], scale: f32, room: &'b mut [f32]) -> &'b [f32] {
        let a = change.a.view();
        let reduced = &mut room[..x.len() / a.cols() * a.rows()];
        // SAFETY: one thread.
        unsafe { self.kernels.matmul_float(&a, x, 0..a.panels(), &Output::new(reduced, a.rows())) }
        self.kernels.scale(reduced, scale);
        reduced
    }

    /// `out += reduced · b`.
    fn add_expanded(&self, change: &LowRank, reduced: &[f32], out: &mut [f32]) {
        let b = change.b.view();
        // SAFETY: one thread.
        unsafe { self.kernels.matmul_float(&b, reduced, 0..b.panels(), &Output::adding(out, b.rows())) }
    }
}
