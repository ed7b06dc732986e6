//! Packed matrices of every format against candle's own reading of the blocks.

use std::borrow::Cow;
use std::io::Cursor;

use candle_core::quantized::{GgmlDType, QStorage, QTensor, gguf_file};
use candle_core::{DType as CandleDType, Device, Tensor};
use rand::RngExt;

use super::*;

const FORMATS: [GgmlDType; 8] = [
    GgmlDType::F32,
    GgmlDType::F16,
    GgmlDType::BF16,
    GgmlDType::Q4_0,
    GgmlDType::Q8_0,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

fn file_with(tensor: &QTensor) -> GgufFile {
    let mut file = Cursor::new(Vec::new());
    gguf_file::write(&mut file, &[], &[("w", tensor)]).expect("a GGUF file");
    GgufFile::from_bytes(file.into_inner()).expect("a valid file")
}

fn dequantized(tensor: &QTensor) -> Vec<f32> {
    let tensor = tensor.dequantize(&Device::Cpu).expect("dequantized");
    tensor.flatten_all().expect("flat").to_vec1().expect("f32")
}

#[test]
fn dequantize_equals_candle_on_any_bytes() {
    let mut rng = rand::rng();
    for dtype in FORMATS {
        let (rows, cols) = (5, 768);
        let bytes: Vec<u8> = (0..rows * cols / dtype.block_size() * dtype.type_size()).map(|_| rng.random()).collect();
        let storage = QStorage::from_data(Cow::Owned(bytes), &Device::Cpu, dtype).expect("storage");
        let tensor = QTensor::new(storage, (rows, cols)).expect("a tensor");
        let file = file_with(&tensor);
        let mut matrix = WeightMatrix::find(&file, "w", rows, cols).expect("a matrix");
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
    let bytes: Vec<u8> = (0..rows * cols * 4).map(|index| (index / 7 % 251) as u8 & 0x3f).collect();
    let pieces: Vec<Piece> = pieces(WeightFormat::F32, rows, cols).collect();
    assert_eq!(pieces.iter().map(|piece| piece.rows).collect::<Vec<_>>(), [32, 32, 32, 32, 32, 7]);
    let len = packed_len(WeightFormat::F32, rows, cols);
    let (mut whole, mut in_pieces) = (vec![0; len], vec![0; len]);
    pack_rows(WeightFormat::F32, &bytes, rows, cols, &mut whole).expect("packed");
    pack_pieces(WeightFormat::F32, &bytes, rows, cols, &mut in_pieces, &CancelToken::new()).expect("packed");
    assert!(whole == in_pieces);
}

#[test]
fn a_cancelled_load_packs_nothing() {
    let tensor = QTensor::quantize(&Tensor::zeros((64, 64), CandleDType::F32, &Device::Cpu).unwrap(), GgmlDType::Q8_0);
    let file = file_with(&tensor.expect("a tensor"));
    let cancel = CancelToken::new();
    cancel.cancel();
    let mut matrix = WeightMatrix::find(&file, "w", 64, 64).expect("a matrix");
    assert!(matches!(matrix.pack(&cancel), Err(EngineError::Cancelled)));
}
