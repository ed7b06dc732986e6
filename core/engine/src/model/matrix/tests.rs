//! Packed matrices of every format against candle's own reading of the blocks.

use std::borrow::Cow;
use std::io::Cursor;

use candle_core::quantized::{GgmlDType, QStorage, QTensor, gguf_file};
use candle_core::{DType as CandleDType, Device, Tensor};
use rand::RngExt;

use super::super::rows::RowOrder;
use super::*;

#[path = "../../../tests/common/candle_formats.rs"]
mod candle_formats;

use candle_formats::CANDLE_FORMATS;

fn file_with(tensor: &QTensor) -> GgufFile {
    let mut file = Cursor::new(Vec::new());
    gguf_file::write(&mut file, &[], &[("w", tensor)]).expect("a GGUF file");
    GgufFile::from_bytes(file.into_inner()).expect("a valid file")
}

/// Some rows of the tensor in [`file_with`].
fn found(file: &GgufFile, rows: Rows, cols: usize) -> WeightMatrix {
    let all = file.tensor("w").expect("a tensor").shape[0];
    WeightMatrix::find(file, "part", "w", [all, cols], rows).expect("a matrix")
}

fn dequantized(tensor: &QTensor) -> Vec<f32> {
    let tensor = tensor.dequantize(&Device::Cpu).expect("dequantized");
    tensor.flatten_all().expect("flat").to_vec1().expect("f32")
}

#[test]
fn dequantize_equals_candle_on_any_bytes() {
    let mut rng = rand::rng();
    for dtype in CANDLE_FORMATS {
        let (rows, cols) = (5, 768);
        let bytes: Vec<u8> = (0..rows * cols / dtype.block_size() * dtype.type_size()).map(|_| rng.random()).collect();
        let storage = QStorage::from_data(Cow::Owned(bytes), &Device::Cpu, dtype).expect("storage");
        let tensor = QTensor::new(storage, (rows, cols)).expect("a tensor");
        let file = file_with(&tensor);
        let mut matrix = found(&file, Rows::all(rows), cols);
        matrix.pack(&CancelToken::new()).expect("packed");
        let expected = dequantized(&tensor);
        for (row, expected) in expected.chunks(cols).enumerate() {
            let mut actual = vec![0.0; cols];
            matrix.view().dequantize_row(row, &mut actual);
            for (actual, expected) in actual.iter().zip(expected) {
                let same = actual.to_bits() == expected.to_bits() || (actual.is_nan() && expected.is_nan());
                assert!(same, "{dtype:?}: {actual} is not {expected}");
            }
        }
    }
}

#[test]
fn a_large_matrix_is_packed_in_pieces_as_in_one() {
    let (rows, cols) = (5 * PANEL_ROWS + 7, 1 << 15);
    let numbers: Vec<f32> = (0..rows * cols).map(|index| (index / 7 % 251) as f32).collect();
    let tensor = Tensor::from_vec(numbers, (rows, cols), &Device::Cpu).expect("a tensor");
    let file = file_with(&QTensor::quantize(&tensor, GgmlDType::F32).expect("F32"));
    let mut matrix = found(&file, Rows::all(rows), cols);
    let pieces: Vec<usize> = matrix.pieces().map(|piece| piece.rows.len()).collect();
    assert_eq!(pieces, [32, 32, 32, 32, 32, 7]);
    let mut whole = vec![0; matrix.packed_len()];
    pack(DType::F32, file.tensor("w").expect("a tensor").bytes, rows, cols, &mut whole).expect("packed");
    matrix.pack(&CancelToken::new()).expect("packed");
    assert!(whole == matrix.view().bytes());
}

#[test]
fn a_part_of_a_tensor_whose_heads_are_halves_is_packed_as_neighbours() {
    let (all, cols, head_dim, rope_dim) = (9 * 48, 64, 48, 32);
    let mut rng = rand::rng();
    let numbers: Vec<f32> = (0..all * cols).map(|_| rng.random_range(-1.0..1.0)).collect();
    let tensor = Tensor::from_vec(numbers, (all, cols), &Device::Cpu).expect("a tensor");
    let tensor = QTensor::quantize(&tensor, GgmlDType::Q8_0).expect("Q8_0");
    let rows = Rows { first: 2 * 48, count: 3 * 48, order: RowOrder::PairHalves { head_dim, rope_dim } };
    let mut matrix = found(&file_with(&tensor), rows, cols);
    matrix.pack(&CancelToken::new()).expect("packed");
    assert_eq!(matrix.shape(), [3 * 48, cols]);
    let (expected, mut actual) = (dequantized(&tensor), vec![0.0; cols]);
    for (row, lies) in [(0, 0), (1, 16), (2, 1), (31, 31), (32, 32), (47, 47), (48, 48), (95, 95), (48 + 7, 48 + 19)] {
        matrix.view().dequantize_row(row, &mut actual);
        assert_eq!(actual, expected[(2 * 48 + lies) * cols..][..cols], "row {row}");
    }
}

#[test]
fn a_cancelled_load_packs_nothing() {
    let tensor = QTensor::quantize(&Tensor::zeros((64, 64), CandleDType::F32, &Device::Cpu).unwrap(), GgmlDType::Q8_0);
    let file = file_with(&tensor.expect("a tensor"));
    let cancel = CancelToken::new();
    cancel.cancel();
    let mut matrix = found(&file, Rows::all(64), 64);
    assert!(matches!(matrix.pack(&cancel), Err(EngineError::Cancelled)));
}
