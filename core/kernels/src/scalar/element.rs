use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// A floating-point format that weights or a key-value cache are stored in; arithmetic is done in `f32`.
pub trait FloatElement: Copy + Send + Sync + 'static {
    /// The row as `f32`: itself, or widened into `buffer`, which is at least as long. Exact.
    fn widen<'a>(row: &'a [Self], buffer: &'a mut [f32]) -> &'a [f32];

    /// Stores `values` as `row`, rounding to nearest. Both have the same length.
    fn store(values: &[f32], row: &mut [Self]);
}

impl FloatElement for f32 {
    fn widen<'a>(row: &'a [Self], _buffer: &'a mut [f32]) -> &'a [f32] {
        row
    }

    fn store(values: &[f32], row: &mut [Self]) {
        row.copy_from_slice(values);
    }
}

impl FloatElement for f16 {
    fn widen<'a>(row: &'a [Self], buffer: &'a mut [f32]) -> &'a [f32] {
        let buffer = &mut buffer[..row.len()];
        row.convert_to_f32_slice(buffer);
        buffer
    }

    fn store(values: &[f32], row: &mut [Self]) {
        row.convert_from_f32_slice(values);
    }
}

impl FloatElement for bf16 {
    fn widen<'a>(row: &'a [Self], buffer: &'a mut [f32]) -> &'a [f32] {
        let buffer = &mut buffer[..row.len()];
        row.convert_to_f32_slice(buffer);
        buffer
    }

    fn store(values: &[f32], row: &mut [Self]) {
        row.convert_from_f32_slice(values);
    }
}
