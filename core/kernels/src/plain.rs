//! Bytes of a file or an anonymous mapping, seen as numbers or quantized blocks.

use half::{bf16, f16};

use crate::blocks::*;

/// A type that any bytes of its size are a valid value of.
///
/// # Safety
/// The type must have no padding, no invalid bit pattern, no pointer and no `Drop`.
pub unsafe trait Plain: Sized + Copy + Send + Sync + 'static {}

macro_rules! plain {
    ($why:literal: $($type:ty),+) => {
        // SAFETY: the reason given at each use of this macro.
        $(unsafe impl Plain for $type {})+
    };
}

plain!("numbers: every bit pattern is a value": f32, f16, bf16);
plain!("repr(C) arrays of f16, u8 and i8 without padding (their sizes are asserted)":
    BlockQ4_0, BlockQ4_1, BlockQ5_0, BlockQ5_1, BlockQ8_0, BlockIQ4NL, BlockMXFP4, BlockQ2K, BlockQ3K, BlockQ4K, BlockQ5K, BlockQ6K,
    BlockIQ4XS, BlockIQ2XXS, BlockIQ2XS, BlockIQ2S, BlockIQ3XXS, BlockIQ3S, BlockIQ1S, BlockIQ1M, BlockTQ1_0, BlockTQ2_0);

/// `bytes` as values of `T`; `None` when they are not aligned for it or not a whole number of them.
pub fn cast_slice<T: Plain>(bytes: &[u8]) -> Option<&[T]> {
    // SAFETY: `T` is `Plain`, so any aligned bytes are values of it; `align_to` sees to alignment and length.
    let (before, values, after) = unsafe { bytes.align_to::<T>() };
    (before.is_empty() && after.is_empty()).then_some(values)
}

/// The bytes of `values`.
pub fn bytes_of<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: `T` is `Plain`, so all of its bytes are initialized; a byte has no alignment to keep.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// As [`cast_slice`], for writing.
pub fn cast_slice_mut<T: Plain>(bytes: &mut [u8]) -> Option<&mut [T]> {
    // SAFETY: as in `cast_slice`; and what is written through the slice are initialized bytes again, as `T` has no
    // padding.
    let (before, values, after) = unsafe { bytes.align_to_mut::<T>() };
    (before.is_empty() && after.is_empty()).then_some(values)
}
