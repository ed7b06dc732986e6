//! Products of activations with weight matrices, split over threads by panels.

use std::ops::Range;

use sotto_kernels::packed::{PANEL_ROWS, PackedMatrix};
use sotto_kernels::{ActivationLayout, Activations, Kernels, Output};

use crate::CancelToken;
use crate::model::{Adapter, Linear, WeightMatrix};
use crate::threads::{Chunks, Split, Team};

/// Products with fewer multiply-accumulates are not worth a second thread.
const WORTH_SHARING: usize = 1 << 19;
/// The maximum number of multiply-accumulates per task, except for a single panel: cancelled work ends with the current
/// task.
const TASK: usize = 1 << 24;

/// The means by which a pass computes.
#[derive(Clone, Copy)]
pub struct Compute<'a> {
    /// The routines that compute.
    pub kernels: &'static Kernels,
    /// The threads that compute.
    pub team: &'a Team<'a>,
    /// Stops the pass.
    pub cancel: &'a CancelToken,
    /// The active adapters, with their scales.
    pub adapters: &'a [(Adapter, f32)],
}

/// Rows of activations, with scratch space.
pub struct Input<'a> {
    /// Row after row.
    pub values: &'a [f32],
    /// Numbers in a row.
    pub cols: usize,
    /// Scratch space.
    pub room: &'a mut InputRoom,
}

/// Scratch space for preparing rows of activations for a matrix product.
#[derive(Debug, Default)]
pub struct InputRoom {
    /// Rounded, for quantized weights, `[rows, any]`.
    pub(crate) quantized: Activations,
    /// The inner values of adapters.
    pub(crate) low_rank: Vec<f32>,
}

impl Input<'_> {
    /// Rows of activations.
    pub fn rows(&self) -> usize {
        self.values.len() / self.cols
    }
}

/// One product: a matrix and where its results go, `[rows of activations, rows of the matrix]`.
pub type Product<'a> = (&'a WeightMatrix, &'a mut [f32]);

/// One product, cut into tasks of some panels each.
struct SplitProduct<'a> {
    matrix: PackedMatrix<'a>,
    out: Output<'a>,
    panels_per_task: usize,
}

impl Compute<'_> {
    /// `x · weight + bias` of the same activations with several weights, which adapters may change. After cancellation, results
    /// are unspecified.
    pub fn apply<const N: usize>(&self, x: Input<'_>, mut linears: [(&Linear, &mut [f32]); N]) {
        self.multiply(x, linears.each_mut().map(|(linear, out)| (&linear.weight, &mut **out)));
        for (linear, out) in linears {
            linear.bias.iter().for_each(|bias| self.add_bias(out, bias));
        }
    }

    /// Multiplies the same activations with several matrices, which adapters may change. After cancellation, results are
    /// unspecified.
    pub fn multiply<const N: usize>(&self, mut input: Input<'_>, mut products: [Product<'_>; N]) {
        self.multiply_unchanged(&mut input, products.each_mut().map(|(matrix, out)| (*matrix, &mut **out)));
        self.add_changes(&mut input, products);
    }

    fn multiply_unchanged<const N: usize>(&self, input: &mut Input<'_>, products: [Product<'_>; N]) {
        let work: usize = products.iter().map(|(_, out)| out.len() * input.cols).sum();
        let mut products = products.map(|(matrix, out)| self.split(matrix.view(), out, input.rows()));
        // Usually all have the same format. Then the activations are rounded once, and all products form a single piece
        // of work.
        let rows = input.rows();
        let layout = |product: &SplitProduct<'_>| self.activation_layout(&product.matrix, rows);
        products.sort_unstable_by_key(layout);
        for products in products.chunk_by(|a, b| layout(a) == layout(b)) {
            self.quantize(input, layout(&products[0]));
            let multiply = |task| {
                if let Some((product, panels)) = find(products, task) {
                    // SAFETY: tasks have different panels or different matrices, and each runs once.
                    unsafe { self.multiply_part(&product.matrix, input, panels, &product.out) }
                }
            };
            self.run(work, products.iter().map(SplitProduct::tasks).sum(), multiply);
        }
    }

    /// Multiplies activations with some panels of a matrix, which adapters may change: `out` is `[panels, rows of activations, PANEL_ROWS]`. After
    /// cancellation, results are unspecified.
    pub(crate) fn multiply_panels(
        &self,
        mut input: Input<'_>,
        matrix: &WeightMatrix,
        panels: &[usize],
        out: &mut [f32],
    ) {
        let (view, work, panel_len) = (matrix.view(), out.len() * input.cols, input.rows() * PANEL_ROWS);
        let layout = self.activation_layout(&view, input.rows());
        self.quantize(&mut input, layout);
        let parts = Chunks::new(&mut *out, panel_len);
        self.run(work, panels.len(), |task| {
            // SAFETY: tasks have different parts, and each runs once.
            unsafe {
                let out = Output::new(parts.part(task), PANEL_ROWS);
                self.multiply_part(&view.panel_matrix(panels[task]), &input, 0..1, &out);
            }
        });
        self.add_changes_of_panels(&mut input, matrix, panels, out);
    }

    pub(super) fn run(&self, work: usize, tasks: usize, multiply: impl Fn(usize) + Sync) {
        if work < WORTH_SHARING { (0..tasks).for_each(multiply) } else { self.team.run(tasks, multiply) }
    }

    /// Computes some panels of a product, unless the pass is cancelled.
    ///
    /// # Safety
    /// No other thread uses these panels' columns of `out` at the same time.
    unsafe fn multiply_part(
        &self,
        matrix: &PackedMatrix<'_>,
        input: &Input<'_>,
        panels: Range<usize>,
        out: &Output<'_>,
    ) {
        if self.cancel.is_cancelled() {
            return;
        }
        // SAFETY: only the columns of these panels are written, and no other thread uses them (`# Safety`).
        unsafe {
            match matrix.format().is_quantized() {
                true => self.kernels.matmul(matrix, &input.room.quantized, panels, out),
                false => self.kernels.matmul_float(matrix, input.values, panels, out),
            }
        }
    }

    fn split<'a>(&self, matrix: PackedMatrix<'a>, out: &'a mut [f32], rows: usize) -> SplitProduct<'a> {
        let panel = rows * matrix.cols() * matrix.rows().div_ceil(matrix.panels());
        let panels_per_task = self.team.items_per_task(matrix.panels()).min(TASK / panel).max(1);
        SplitProduct { out: Output::new(out, matrix.rows()), matrix, panels_per_task }
    }

    /// How a product wants `rows` rows of activations, unless it takes them as they are.
    fn activation_layout(&self, matrix: &PackedMatrix<'_>, rows: usize) -> Option<ActivationLayout> {
        let format = matrix.format();
        format.is_quantized().then(|| self.kernels.activation_layout(format, rows))
    }

    /// Rounds the activations for products that want that.
    fn quantize(&self, input: &mut Input<'_>, layout: Option<ActivationLayout>) {
        let Some(layout) = layout else { return };
        let (values, cols, rows) = (input.values, input.cols, input.rows());
        input.room.quantized.resize(rows, cols, layout);
        let parts = input.room.quantized.parts_mut();
        self.team.run(parts.len(), |index| {
            let rows = parts.rows(index);
            // SAFETY: each task runs once, and takes its own part.
            let mut part = unsafe { parts.part(index) };
            self.kernels.quantize(&values[rows.start * cols..rows.end * cols], &mut part);
        });
    }
}

impl SplitProduct<'_> {
    fn tasks(&self) -> usize {
        self.matrix.panels().div_ceil(self.panels_per_task)
    }
}

/// The product that task `task` of all belongs to, and its panels.
fn find<'a, 'b>(products: &'a [SplitProduct<'b>], mut task: usize) -> Option<(&'a SplitProduct<'b>, Range<usize>)> {
    for product in products {
        if task < product.tasks() {
            let start = task * product.panels_per_task;
            return Some((product, start..product.matrix.panels().min(start + product.panels_per_task)));
        }
        task -= product.tasks();
    }
    None
}
