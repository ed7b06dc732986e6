pub use sotto_kernels::blocks::DType;

/// Names of unsupported formats, for error messages.
const FOREIGN_FORMATS: [(u32, &str); 12] = [
    (9, "Q8_1"),
    (15, "Q8_K"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (31, "Q4_0_4_4"),
    (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"),
    (40, "NVFP4"),
    (41, "Q1_0"),
];

/// The name of a format that [`DType::from_ggml`] does not know.
pub(crate) fn foreign_format(id: u32) -> String {
    match FOREIGN_FORMATS.iter().find(|format| format.0 == id) {
        Some((_, name)) => format!("the tensor format {name}"),
        None => format!("the tensor format with number {id}"),
    }
}
