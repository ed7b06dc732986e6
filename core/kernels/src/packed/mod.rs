//! Weight matrices with their rows interleaved by [`PANEL_ROWS`]: the layout that the kernels read.
//!
//! A matrix of `rows` rows is a sequence of panels; a panel is a sequence of blocks along its rows; a block holds the
//! scales of all 32 rows, then their codes. It takes the bytes that the rows take in the model file, unless the kernels have
//! their format in a wider one only ([`crate::blocks::DType::packed_as`]), and is the same on every machine.

mod format;
pub(crate) mod layout;
mod pack;
mod row;

pub use format::WeightFormat;
pub use layout::PANEL_ROWS;
pub use pack::pack;

/// Why a matrix cannot be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackError {
    /// The slices do not have the sizes that the shape asks for.
    Size,
    /// The source does not start where its blocks may.
    Alignment,
    /// A scale of the source is too large or too small for the format that it is packed in.
    Scale,
}

/// Bytes of a packed matrix.
pub const fn packed_len(format: WeightFormat, rows: usize, cols: usize) -> usize {
    rows.div_ceil(PANEL_ROWS) * (cols / format.block_len()) * layout::block(format)
}

/// A weight matrix `[rows, cols]` in packed form.
#[derive(Debug, Clone, Copy)]
pub struct PackedMatrix<'a> {
    format: WeightFormat,
    rows: usize,
    cols: usize,
    bytes: &'a [u8],
}

impl<'a> PackedMatrix<'a> {
    /// The matrix that `bytes` hold; `None` when they are not exactly as many as it takes.
    pub fn new(format: WeightFormat, rows: usize, cols: usize, bytes: &'a [u8]) -> Option<Self> {
        let fits = cols.is_multiple_of(format.block_len()) && bytes.len() == packed_len(format, rows, cols);
        fits.then_some(Self { format, rows, cols, bytes })
    }

    /// The number format of its weights.
    pub fn format(&self) -> WeightFormat {
        self.format
    }

    /// Outputs of a product with it.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs of a product with it.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Groups of [`PANEL_ROWS`] rows; the last may be filled up.
    pub fn panels(&self) -> usize {
        self.rows.div_ceil(PANEL_ROWS)
    }

    /// All of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// One panel as a matrix of its own, `[PANEL_ROWS, cols]`: what fills up the last one are zeros.
    pub fn panel_matrix(&self, panel: usize) -> Self {
        Self { rows: PANEL_ROWS, bytes: self.panel(panel), ..*self }
    }

    /// One panel's bytes.
    pub(crate) fn panel(&self, panel: usize) -> &'a [u8] {
        let len = packed_len(self.format, PANEL_ROWS, self.cols);
        &self.bytes[panel * len..][..len]
    }
}
