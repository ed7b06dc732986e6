//! Weight matrices in packed form, and where their bytes are.

use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};
use sotto_kernels::packed::{PANEL_ROWS, PackError, PackedMatrix, WeightFormat, pack, packed_len};

use crate::gguf::{GgufFile, Pages, TensorView, tensor_place};
use crate::{CancelToken, DType, EngineError};

/// Bytes of a tensor that are packed at a time: between two pieces, the work can be cancelled.
const PIECE: usize = 4 << 20;

/// A weight matrix, packed: a part of a mapped packed file, or made from an ordinary file when the model was loaded.
#[derive(Debug, Clone)]
pub(crate) struct WeightMatrix {
    bytes: Arc<Pages>,
    range: Range<usize>,
    format: WeightFormat,
    rows: usize,
    cols: usize,
}

impl WeightMatrix {
    /// The tensor `name`, which must have the shape `[rows, cols]` and a format that this engine multiplies. Unless the file is
    /// packed, the matrix is to be packed before it is used.
    pub(crate) fn find(file: &GgufFile, name: &str, rows: usize, cols: usize) -> Result<Self, EngineError> {
        let invalid = |why: String| EngineError::invalid(tensor_place(name), why);
        let (Some(tensor), Some(range)) = (file.tensor(name), file.tensor_range(name)) else {
            return Err(invalid("the tensor is missing".into()));
        };
        if tensor.shape != [rows, cols] {
            return Err(invalid(format!("its shape is {:?}, [{rows}, {cols}] was expected", tensor.shape)));
        }
        let format = weight_format(tensor.dtype)?;
        Ok(Self { bytes: Arc::clone(file.bytes()), range, format, rows, cols })
    }

    /// Packs a matrix that lies in an ordinary file.
    pub(crate) fn pack(&mut self, cancel: &CancelToken) -> Result<(), EngineError> {
        let (format, rows, cols) = (self.format, self.rows, self.cols);
        let source = &self.bytes[self.range.clone()];
        let len = packed_len(format, rows, cols);
        let packed = Pages::write(len, |packed| pack_pieces(format, source, rows, cols, packed, cancel))?;
        self.bytes.release(self.range.clone());
        (self.bytes, self.range) = (Arc::new(packed), 0..len);
        Ok(())
    }

    /// The matrix, for the kernels.
    pub(crate) fn view(&self) -> PackedMatrix<'_> {
        PackedMatrix::new(self.format, self.rows, self.cols, &self.bytes[self.range.clone()])
            .expect("the length was checked or made to fit when the matrix was loaded")
    }
}

/// The kernels' name for a tensor's format.
///
/// # Errors
/// [`EngineError::Unsupported`] for formats that they do not have.
pub(crate) fn weight_format(dtype: DType) -> Result<WeightFormat, EngineError> {
    Ok(match dtype {
        DType::F32 => WeightFormat::F32,
        DType::F16 => WeightFormat::F16,
        DType::BF16 => WeightFormat::BF16,
        DType::Q4_0 => WeightFormat::Q4_0,
        DType::Q8_0 => WeightFormat::Q8_0,
        DType::Q4K => WeightFormat::Q4K,
        DType::Q5K => WeightFormat::Q5K,
        DType::Q6K => WeightFormat::Q6K,
        other => return Err(EngineError::unsupported(format!("weights in the format {other}"))),
    })
}

/// Some panels of a matrix, which are packed together.
pub(crate) struct Piece {
    pub(crate) rows: usize,
    /// Its bytes in an ordinary file's tensor.
    pub(crate) source: Range<usize>,
    pub(crate) packed_len: usize,
}

/// The pieces of a matrix, one after the other: packed, they lie so, too.
pub(crate) fn pieces(format: WeightFormat, rows: usize, cols: usize) -> impl Iterator<Item = Piece> {
    let row_len = cols / format.block_len() * format.block_bytes();
    let rows_per_piece = (PIECE / (PANEL_ROWS * row_len).max(1)).max(1) * PANEL_ROWS;
    (0..rows).step_by(rows_per_piece).map(move |first| {
        let end = rows.min(first + rows_per_piece);
        let rows = end - first;
        Piece { rows, source: first * row_len..end * row_len, packed_len: packed_len(format, rows, cols) }
    })
}

fn pack_pieces(
    format: WeightFormat,
    source: &[u8],
    rows: usize,
    cols: usize,
    mut packed: &mut [u8],
    cancel: &CancelToken,
) -> Result<(), EngineError> {
    for piece in pieces(format, rows, cols) {
        cancel.check()?;
        let (part, rest) = packed.split_at_mut(piece.packed_len);
        pack_rows(format, &source[piece.source], piece.rows, cols, part)?;
        packed = rest;
    }
    Ok(())
}

/// Packs a matrix as it lies in an ordinary file.
pub(crate) fn pack_rows(
    format: WeightFormat,
    source: &[u8],
    rows: usize,
    cols: usize,
    packed: &mut [u8],
) -> Result<(), EngineError> {
    pack(format, source, rows, cols, packed).map_err(|error| {
        EngineError::Internal(match error {
            PackError::Size => "a tensor's size contradicts its shape".into(),
            PackError::Alignment => "a tensor is not aligned to its blocks".into(),
        })
    })
}

/// A vector of norm weights: the tensor `name` with the shape `[len]`, as finite `f32`.
pub(crate) fn load_vector(file: &GgufFile, name: &str, len: usize) -> Result<Vec<f32>, EngineError> {
    let invalid = |why: String| EngineError::invalid(tensor_place(name), why);
    let Some(TensorView { dtype, shape, bytes }) = file.tensor(name) else {
        return Err(invalid("the tensor is missing".into()));
    };
    if shape != [len] {
        return Err(invalid(format!("its shape is {shape:?}, [{len}] was expected")));
    }
    let (halves, words) = (bytes.as_chunks().0.iter(), bytes.as_chunks().0.iter());
    let vector: Vec<f32> = match dtype {
        DType::F32 => words.map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        DType::F16 => halves.map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
        DType::BF16 => halves.map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect(),
        quantized => return Err(EngineError::unsupported(format!("norm weights in the format {quantized}"))),
    };
    match vector.iter().all(|value| value.is_finite()) {
        true => Ok(vector),
        false => Err(invalid("it holds values that are not finite numbers".into())),
    }
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
