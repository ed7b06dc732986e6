//! Weight matrices in packed form, and where their bytes are.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};
use sotto_kernels::packed::{PANEL_ROWS, PackError, PackedMatrix, pack, packed_len};

use super::rows::Rows;
use crate::gguf::{GgufFile, Pages, TensorView, tensor_place};
#[cfg(feature = "candle")]
use crate::machine::{resize, zeros};
use crate::{CancelToken, DType, EngineError};

/// Bytes of a tensor that are packed at a time: between two pieces, the work can be cancelled.
const PIECE: usize = 4 << 20;

/// A weight matrix, packed: a part of a mapped packed file, or made from an ordinary file when the model was loaded.
#[derive(Debug, Clone)]
pub struct WeightMatrix {
    /// What a packed file calls it.
    name: String,
    /// In the file.
    dtype: DType,
    /// Where its rows are in the bytes, until it is packed.
    source: Rows,
    rows: usize,
    cols: usize,
    bytes: Arc<Pages>,
    range: Range<usize>,
}

impl WeightMatrix {
    /// Rows of the tensor `tensor`, which must have this shape. Unless the file is
    /// packed, the matrix is to be packed before it is used.
    pub(crate) fn find(
        file: &GgufFile,
        name: &str,
        tensor: &str,
        shape: [usize; 2],
        source: Rows,
    ) -> Result<Self, EngineError> {
        let invalid = |why: String| EngineError::invalid(tensor_place(tensor), why);
        let (Some(view), Some((bytes, range))) = (file.tensor(tensor), file.tensor_pages(tensor)) else {
            return Err(invalid("the tensor is missing".into()));
        };
        if view.shape != shape {
            return Err(invalid(format!("its shape is {:?}, but {shape:?} was expected", view.shape)));
        }
        let (name, bytes, rows, cols) = (name.to_owned(), Arc::clone(bytes), source.count, shape[1]);
        Ok(Self { name, dtype: view.dtype, source, rows, cols, bytes, range })
    }

    /// A matrix `[rows, columns]` whose rows `next` writes, some at a time and in order: packed into private memory.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] when a row is not a whole number of blocks, and for scales that 16 bits do not hold;
    /// [`EngineError::OutOfMemory`]; [`EngineError::Cancelled`]; and those of `next`.
    pub fn pack_rows_of(
        name: &str,
        dtype: DType,
        shape: [usize; 2],
        cancel: &CancelToken,
        mut next: impl FnMut(&mut [u8]) -> Result<(), EngineError>,
    ) -> Result<Self, EngineError> {
        let [rows, cols] = shape;
        if !cols.is_multiple_of(dtype.block_len()) {
            return Err(EngineError::unsupported(format!("{dtype} weights with {cols} columns")));
        }
        let (source, nothing) = (Rows::all(rows), Pages::Memory(Cow::Borrowed(&[])));
        let mut matrix =
            Self { name: name.to_owned(), dtype, source, rows, cols, bytes: Arc::new(nothing), range: 0..0 };
        let packed = Pages::write(matrix.packed_len(), |mut packed| {
            for piece in matrix.pieces() {
                cancel.check()?;
                let (part, rest) = packed.split_at_mut(piece.packed_len);
                let source = Pages::write(piece.rows.len() * matrix.row_len(), &mut next)?;
                matrix.pack_rows(&source, &piece, part)?;
                packed = rest;
            }
            Ok(())
        })?;
        (matrix.range, matrix.bytes) = (0..packed.len(), Arc::new(packed));
        Ok(matrix)
    }

    /// What the file, or its packed copy, calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number format that it has in the file.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// `[rows, columns]`.
    pub fn shape(&self) -> [usize; 2] {
        [self.rows, self.cols]
    }

    /// Bytes that a matrix `[rows, columns]` would take packed.
    pub fn packed_len_of(dtype: DType, [rows, cols]: [usize; 2]) -> usize {
        packed_len(dtype.packed_as(), rows, cols)
    }

    /// Bytes that it has when it is packed.
    pub fn packed_len(&self) -> usize {
        Self::packed_len_of(self.dtype, [self.rows, self.cols])
    }

    /// Packs a matrix that lies in an ordinary file.
    pub(crate) fn pack(&mut self, cancel: &CancelToken) -> Result<(), EngineError> {
        let len = self.packed_len();
        let packed = Pages::write(len, |packed| self.pack_to(packed, cancel))?;
        self.bytes.release(self.range.clone());
        (self.bytes, self.range, self.source) = (Arc::new(packed), 0..len, Rows::all(self.rows));
        Ok(())
    }

    /// Packs a matrix that lies in an ordinary file into as many bytes as it takes.
    pub(crate) fn pack_to(&self, mut packed: &mut [u8], cancel: &CancelToken) -> Result<(), EngineError> {
        for piece in self.pieces() {
            cancel.check()?;
            let (part, rest) = packed.split_at_mut(piece.packed_len);
            self.pack_piece(&piece, part)?;
            packed = rest;
        }
        Ok(())
    }

    /// All numbers of a matrix that lies in an ordinary file, row after row.
    #[cfg(feature = "candle")]
    pub(crate) fn numbers(&self, cancel: &CancelToken) -> Result<Vec<f32>, EngineError> {
        let (mut packed, mut numbers) = (Vec::new(), zeros(self.rows * self.cols)?);
        resize(&mut packed, self.packed_len())?;
        self.pack_to(&mut packed, cancel)?;
        let packed = PackedMatrix::new(self.dtype.packed_as(), self.rows, self.cols, &packed)
            .expect("the length was made to fit");
        numbers.chunks_exact_mut(self.cols).enumerate().for_each(|(row, out)| packed.dequantize_row(row, out));
        Ok(numbers)
    }

    /// The pieces of a matrix that is not packed yet, one after the other: packed, they lie so, too.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> + use<> {
        let rows_per_piece = (PIECE / (PANEL_ROWS * self.row_len()).max(1)).max(1) * PANEL_ROWS;
        let (format, all, cols) = (self.dtype.packed_as(), self.rows, self.cols);
        (0..all).step_by(rows_per_piece).map(move |first| {
            let rows = first..all.min(first + rows_per_piece);
            Piece { packed_len: packed_len(format, rows.len(), cols), rows }
        })
    }

    /// Packs a piece into as many bytes as it takes.
    pub(crate) fn pack_piece(&self, piece: &Piece, packed: &mut [u8]) -> Result<(), EngineError> {
        let (tensor, row_len) = (&self.bytes[self.range.clone()], self.row_len());
        let of_row = |row: usize| &tensor[row * row_len..][..row_len];
        match self.source.range(&piece.rows) {
            Some(rows) => self.pack_rows(&tensor[rows.start * row_len..rows.end * row_len], piece, packed),
            None => {
                let gathered = Pages::write(piece.rows.len() * row_len, |gathered| {
                    let places = self.source.places(piece.rows.clone());
                    gathered
                        .chunks_exact_mut(row_len)
                        .zip(places)
                        .for_each(|(row, at)| row.copy_from_slice(of_row(at)));
                    Ok(())
                })?;
                self.pack_rows(&gathered, piece, packed)
            }
        }
    }

    fn pack_rows(&self, source: &[u8], piece: &Piece, packed: &mut [u8]) -> Result<(), EngineError> {
        pack(self.dtype, source, piece.rows.len(), self.cols, packed).map_err(|error| match error {
            PackError::Size => EngineError::Internal("a tensor's size contradicts its shape".into()),
            PackError::Alignment => EngineError::Internal("a tensor is not aligned to its blocks".into()),
            PackError::Scale => {
                EngineError::unsupported(format!("{} weights this large: 16-bit scales cannot hold them", self.dtype))
            }
        })
    }

    /// Bytes of a row in an ordinary file.
    fn row_len(&self) -> usize {
        self.cols / self.dtype.block_len() * self.dtype.block_bytes()
    }

    /// The matrix, for the kernels.
    ///
    /// # Panics
    /// When it is not packed.
    pub fn view(&self) -> PackedMatrix<'_> {
        PackedMatrix::new(self.dtype.packed_as(), self.rows, self.cols, &self.bytes[self.range.clone()])
            .expect("the length was checked or made to fit when the matrix was loaded")
    }
}

/// Some panels of a matrix, which are packed together.
pub(crate) struct Piece {
    pub(crate) rows: Range<usize>,
    pub(crate) packed_len: usize,
}

/// A vector of norm weights or biases: the tensor `name` with the shape `[len]`, as finite `f32`.
pub(crate) fn load_vector(file: &GgufFile, name: &str, len: usize) -> Result<Vec<f32>, EngineError> {
    let invalid = |why: String| EngineError::invalid(tensor_place(name), why);
    let Some(TensorView { dtype, shape, bytes }) = file.tensor(name) else {
        return Err(invalid("the tensor is missing".into()));
    };
    if shape != [len] {
        return Err(invalid(format!("its shape is {shape:?}, but [{len}] was expected")));
    }
    let (halves, words) = (bytes.as_chunks().0.iter(), bytes.as_chunks().0.iter());
    let vector: Vec<f32> = match dtype {
        DType::F32 => words.map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        DType::F16 => halves.map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
        DType::BF16 => halves.map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect(),
        quantized => return Err(EngineError::unsupported(format!("norm weights or biases in the format {quantized}"))),
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
