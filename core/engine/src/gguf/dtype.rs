use std::fmt;

/// The number format of a tensor, as ggml numbers them (`enum ggml_type` in ggml.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants carry the formats' own names")]
pub enum DType {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q8_1,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    Q8K,
}

/// Id in the file, name, weights per block, bytes per block.
const FORMATS: [(DType, u32, &str, usize, usize); 15] = [
    (DType::F32, 0, "F32", 1, 4),
    (DType::F16, 1, "F16", 1, 2),
    (DType::Q4_0, 2, "Q4_0", 32, 18),
    (DType::Q4_1, 3, "Q4_1", 32, 20),
    (DType::Q5_0, 6, "Q5_0", 32, 22),
    (DType::Q5_1, 7, "Q5_1", 32, 24),
    (DType::Q8_0, 8, "Q8_0", 32, 34),
    (DType::Q8_1, 9, "Q8_1", 32, 36),
    (DType::Q2K, 10, "Q2_K", 256, 84),
    (DType::Q3K, 11, "Q3_K", 256, 110),
    (DType::Q4K, 12, "Q4_K", 256, 144),
    (DType::Q5K, 13, "Q5_K", 256, 176),
    (DType::Q6K, 14, "Q6_K", 256, 210),
    (DType::Q8K, 15, "Q8_K", 256, 292),
    (DType::BF16, 30, "BF16", 1, 2),
];

/// Names of the formats that no part of this engine reads, to say which one a file uses.
const FOREIGN_FORMATS: [(u32, &str); 19] = [
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (31, "Q4_0_4_4"),
    (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"),
    (34, "TQ1_0"),
    (39, "MXFP4"),
];

impl DType {
    /// The format with this id in a GGUF file.
    pub fn from_ggml(id: u32) -> Option<Self> {
        FORMATS.iter().find(|format| format.1 == id).map(|format| format.0)
    }

    /// The format's id in a GGUF file.
    pub(crate) fn ggml_id(self) -> u32 {
        self.format().1
    }

    /// The format's name in ggml, for example `Q4_K`.
    pub fn name(self) -> &'static str {
        self.format().2
    }

    /// Weights in a block; rows are whole blocks.
    pub fn block_len(self) -> usize {
        self.format().3
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        self.format().4
    }

    fn format(self) -> &'static (DType, u32, &'static str, usize, usize) {
        FORMATS.iter().find(|format| format.0 == self).expect("every variant has a format")
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What to call a format that [`DType::from_ggml`] does not know.
pub(crate) fn foreign_format(id: u32) -> String {
    match FOREIGN_FORMATS.iter().find(|format| format.0 == id) {
        Some((_, name)) => format!("the tensor format {name}"),
        None => format!("the tensor format with number {id}"),
    }
}
