use sotto_kernels::packed::PANEL_ROWS;

use super::linear::{Compute, Input};
use crate::EngineError;
use crate::machine::resize;
use crate::model::WeightMatrix;

/// Products with selected rows of a matrix: the logits of the tokens that a grammar allows. Panels without such rows
/// are not read.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// The panels with a selected row, in order.
    panels: Vec<usize>,
    /// `[panel][row of activations][row of the panel]`.
    results: Vec<f32>,
}

impl Selection {
    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> u64 {
        (self.panels.capacity() * size_of::<usize>() + self.results.capacity() * size_of::<f32>()) as u64
    }

    /// `out[row][i] = input[row] · matrix[ids[i]]`. After cancellation, results are unspecified.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn multiply(
        &mut self,
        compute: &Compute,
        input: Input<'_>,
        matrix: &WeightMatrix,
        ids: &[u32],
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        let place = |id: u32| (id as usize / PANEL_ROWS, id as usize % PANEL_ROWS);
        self.panels.clear();
        self.panels.extend(ids.iter().map(|&id| place(id).0));
        self.panels.sort_unstable();
        self.panels.dedup();
        let rows = input.rows();
        resize(&mut self.results, self.panels.len() * rows * PANEL_ROWS)?;
        compute.multiply_panels(input, matrix, &self.panels, &mut self.results);
        for (index, out) in out.iter_mut().enumerate() {
            let (row, (panel, lane)) = (index / ids.len(), place(ids[index % ids.len()]));
            let panel = self.panels.partition_point(|&before| before < panel);
            *out = self.results[(panel * rows + row) * PANEL_ROWS + lane];
        }
        Ok(())
    }
}
