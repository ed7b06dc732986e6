//! Adapters (LoRA): low-rank changes to a model's matrices, applied during a pass.
//!
//! Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021; the file is llama.cpp's: for a matrix `NAME`, the
//! tensors `NAME.lora_a`, `[rank, inputs]`, and `NAME.lora_b`, `[outputs, rank]`, and `adapter.lora.alpha`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Weak};

use sotto_kernels::packed::{PackedMatrix, WeightFormat, pack, packed_len};

use super::rows::{RowOrder, Rows};
use super::{LayerWeights, Transformer, WeightMatrix, Weights};
use crate::architecture::shortened;
use crate::gguf::{GgufFile, Pages, key_place, tensor_place};
use crate::machine::{resize, zeros};
use crate::{CancelToken, DType, EngineError, FileKind, ModelConfig};

const ARCHITECTURE_KEY: &str = "general.architecture";
const TYPE_KEY: &str = "adapter.type";
const ALPHA_KEY: &str = "adapter.lora.alpha";
/// Tokens that switch an adapter on ("activated LoRA"). Ignoring them would change the result.
const INVOCATION_KEY: &str = "adapter.alora.invocation_tokens";
const EMBEDDING: &str = "token_embd.weight";
/// The alignment of a matrix within an adapter's pages.
const ALIGNMENT: usize = 64;
const OTHER_MODEL: &str = "load the adapter with the model that it was trained on";

/// An adapter (LoRA) that was loaded for a model. Clones share it.
#[derive(Clone)]
pub struct Adapter(Arc<Loaded>);

struct Loaded {
    model: Weak<Transformer>,
    changes: Changes,
    /// The largest of all.
    rank: usize,
    bytes: u64,
}

/// A change of a matrix: `weight + scale * b · a`.
#[derive(Debug)]
pub(crate) struct LowRank {
    /// `[rank, inputs]`; of the embedding `[tokens, rank]`.
    pub(crate) a: Floats,
    /// `[outputs, rank]`.
    pub(crate) b: Floats,
    /// `alpha / rank`.
    pub(crate) scale: f32,
}

/// A packed matrix of numbers that are not quantized, a part of an adapter's pages.
#[derive(Debug)]
pub(crate) struct Floats {
    format: WeightFormat,
    shape: [usize; 2],
    pages: Arc<Pages>,
    range: Range<usize>,
}

impl Adapter {
    /// # Errors
    /// As for [`crate::Model::load_adapter`].
    pub(crate) fn load(file: &GgufFile, model: &Arc<Transformer>, cancel: &CancelToken) -> Result<Self, EngineError> {
        let (changes, bytes) = find(file, &model.weights, &model.config, cancel)?;
        let rank = changes.values().map(|change| change.b.shape[1]).max().unwrap_or(0);
        Ok(Self(Arc::new(Loaded { model: Arc::downgrade(model), changes, rank, bytes })))
    }

    /// Its largest rank: the inner dimension of a change.
    pub fn rank(&self) -> usize {
        self.0.rank
    }

    /// The number of the model's matrices that it changes.
    pub fn matrices(&self) -> usize {
        self.0.changes.len()
    }

    /// Bytes of private memory that it needs, however many decoders use it.
    pub fn private_bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Whether it was loaded for this model.
    pub(crate) fn is_of(&self, model: &Arc<Transformer>) -> bool {
        Weak::ptr_eq(&self.0.model, &Arc::downgrade(model))
    }

    /// Its change to a matrix of the model.
    pub(crate) fn change_of(&self, matrix: &WeightMatrix) -> Option<&LowRank> {
        self.0.changes.get(matrix.name())
    }
}

impl PartialEq for Adapter {
    /// Whether it is the same, not only equal.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").field("rank", &self.0.rank).finish_non_exhaustive()
    }
}

impl Floats {
    /// The matrix, for the kernels.
    pub(crate) fn view(&self) -> PackedMatrix<'_> {
        let [rows, cols] = self.shape;
        PackedMatrix::new(self.format, rows, cols, &self.pages[self.range.clone()]).expect("the length was made to fit")
    }
}

/// Changes by the name of the model's matrix.
type Changes = HashMap<String, LowRank>;

/// Finds and checks all changes, and counts their bytes.
pub(crate) fn find(
    file: &GgufFile,
    weights: &Weights,
    config: &ModelConfig,
    cancel: &CancelToken,
) -> Result<(Changes, u64), EngineError> {
    check_kind(file, config)?;
    let mut finder = Finder { file, alpha: alpha(file)?, found: BTreeMap::new(), known: HashSet::new() };
    weights.layers.iter().enumerate().try_for_each(|(index, layer)| finder.layer(index, layer))?;
    finder.embedding(&weights.embedding, config.tied_embeddings)?;
    if !config.tied_embeddings {
        finder.change(weights.output.name(), &[(&weights.output, RowOrder::AsInFile)])?;
    }
    finder.refuse_unknown()?;
    finder.pack(cancel)
}

/// An error unless the file is an adapter for models like this one.
fn check_kind(file: &GgufFile, config: &ModelConfig) -> Result<(), EngineError> {
    match FileKind::of(file) {
        FileKind::Adapter if file.is_packed() => return Err(EngineError::unsupported("a packed adapter")),
        FileKind::Adapter => {}
        FileKind::Model => {
            return Err(EngineError::unsupported("a model as an adapter: use a LoRA in GGUF format"));
        }
        kind => {
            let what = format!("a file of the kind {:?} as an adapter: use a LoRA in GGUF format", kind.name());
            return Err(EngineError::unsupported(what));
        }
    }
    let text = |key: &str| file.metadata().string(key);
    if text(TYPE_KEY)? != Some("lora") {
        return Err(EngineError::unsupported("an adapter that is not a LoRA"));
    }
    if file.metadata().contains(INVOCATION_KEY) {
        return Err(EngineError::unsupported(
            "an adapter that certain tokens switch on (activated LoRA): use a plain LoRA",
        ));
    }
    let (named, of_model) = (text(ARCHITECTURE_KEY)?.unwrap_or_default(), config.architecture.name);
    if named != of_model {
        let why = format!(
            "it is for the architecture {:?}, but the model's is {of_model:?}: {OTHER_MODEL}",
            shortened(named)
        );
        return Err(EngineError::invalid(key_place(ARCHITECTURE_KEY), why));
    }
    Ok(())
}

/// Divided by the rank, the factor for changes; `None` for 1.
pub(crate) fn alpha(file: &GgufFile) -> Result<Option<f32>, EngineError> {
    match file.metadata().f32(ALPHA_KEY)? {
        Some(alpha) if !alpha.is_finite() => {
            Err(EngineError::invalid(key_place(ALPHA_KEY), "it is not a finite number"))
        }
        alpha => Ok(alpha.filter(|&alpha| alpha != 0.0)),
    }
}

/// Finds an adapter's tensors in its file.
struct Finder<'a> {
    file: &'a GgufFile,
    alpha: Option<f32>,
    /// By the name of the model's matrix.
    found: BTreeMap<String, Found>,
    /// The tensors that were used.
    known: HashSet<String>,
}

/// A change whose matrices are still in the file.
struct Found {
    a: WeightMatrix,
    b: WeightMatrix,
    rank: usize,
}

/// The name and the shape of a tensor of a pair.
type Half = (String, [usize; 2]);

/// A matrix of the model, and the position of its rows in files that are not packed.
type Part<'a> = (&'a WeightMatrix, RowOrder);

impl Finder<'_> {
    /// A tensor that some families fuse may also be fused in the adapter.
    fn layer(&mut self, index: usize, layer: &LayerWeights) -> Result<(), EngineError> {
        let name = |tensor: &str| format!("blk.{index}.{tensor}.weight");
        let [query, key, value, output, gate, up, down] =
            [&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.gate, &layer.up, &layer.down]
                .map(|linear| (&linear.weight, linear.order));
        self.change(&name("attn_qkv"), &[query, key, value])?;
        match self.rows_of(&name("ffn_up")) == Some(gate.0.shape()[0] + up.0.shape()[0]) {
            true => self.change(&name("ffn_up"), &[gate, up])?,
            false => self.change(&name("ffn_up"), &[up])?,
        }
        [query, key, value, output, gate, down].into_iter().try_for_each(|part| self.change(part.0.name(), &[part]))
    }

    /// The rows of a tensor that a change was made for.
    fn rows_of(&self, tensor: &str) -> Option<usize> {
        self.file.tensor(&format!("{tensor}.lora_b"))?.shape.first().copied()
    }

    /// The change to a tensor, if there is one: to the model's matrices that are contiguous in it.
    fn change(&mut self, tensor: &str, parts: &[Part<'_>]) -> Result<(), EngineError> {
        let Some([(a, a_shape), (b, b_shape)]) = self.halves(tensor)? else { return Ok(()) };
        let (rows, cols) = (parts.iter().map(|(matrix, _)| matrix.shape()[0]).sum(), parts[0].0.shape()[1]);
        let rank = b_shape[1];
        self.check_shape(&a, a_shape, [rank, cols])?;
        self.check_shape(&b, b_shape, [rows, rank])?;
        let mut first = 0;
        for (matrix, order) in parts {
            let rows_of_part = Rows { first, count: matrix.shape()[0], order: *order };
            first += rows_of_part.count;
            let found = Found {
                a: WeightMatrix::find(self.file, &a, &a, [rank, cols], Rows::all(rank))?,
                b: WeightMatrix::find(self.file, &b, &b, [rows, rank], rows_of_part)?,
                rank,
            };
            if self.found.insert(matrix.name().to_owned(), found).is_some() {
                return Err(EngineError::invalid(tensor_place(&b), "another tensor changes the same matrix"));
            }
        }
        Ok(())
    }

    /// The change to the embedding, whose `a` is transposed: it has a row for each token.
    fn embedding(&mut self, embedding: &WeightMatrix, tied: bool) -> Result<(), EngineError> {
        let Some([(a, a_shape), (b, b_shape)]) = self.halves(EMBEDDING)? else { return Ok(()) };
        if tied {
            return Err(EngineError::unsupported(
                "an adapter for an embedding that is the output matrix, too: programs differ in what it changes then; train one \
                 without the embedding",
            ));
        }
        let ([tokens, hidden], rank) = (embedding.shape(), b_shape[1]);
        self.check_shape(&a, a_shape, [tokens, rank])?;
        self.check_shape(&b, b_shape, [hidden, rank])?;
        let found = Found {
            a: WeightMatrix::find(self.file, &a, &a, [tokens, rank], Rows::all(tokens))?,
            b: WeightMatrix::find(self.file, &b, &b, [hidden, rank], Rows::all(hidden))?,
            rank,
        };
        self.found.insert(EMBEDDING.to_owned(), found);
        Ok(())
    }

    /// The names and shapes of the two tensors that change another; `None` without them.
    fn halves(&mut self, tensor: &str) -> Result<Option<[Half; 2]>, EngineError> {
        let names = ["lora_a", "lora_b"].map(|half| format!("{tensor}.{half}"));
        self.known.extend(names.clone());
        let shapes = names.each_ref().map(|name| self.file.tensor(name).map(|half| half.shape));
        let [a, b] = match shapes {
            [None, None] => return Ok(None),
            [Some(_), None] | [None, Some(_)] => {
                let missing = names[usize::from(shapes[0].is_some())].as_str();
                let why = "it is missing, though the other half of the pair is there: export the adapter again";
                return Err(EngineError::invalid(tensor_place(missing), why));
            }
            [Some(a), Some(b)] => [a, b],
        };
        let matrix = |shape: &[usize]| <[usize; 2]>::try_from(shape).ok();
        let [name_a, name_b] = names;
        match (matrix(a), matrix(b)) {
            (Some(_), Some([_, 0])) => Err(EngineError::invalid(tensor_place(&name_b), "its rank is 0")),
            (Some(a), Some(b)) => Ok(Some([(name_a, a), (name_b, b)])),
            _ => {
                Err(EngineError::invalid(tensor_place(&name_a), format!("{a:?} and {b:?} are not a pair of matrices")))
            }
        }
    }

    fn check_shape(&self, tensor: &str, shape: [usize; 2], expected: [usize; 2]) -> Result<(), EngineError> {
        if shape == expected {
            return Ok(());
        }
        let why = format!("its shape is {shape:?}, but the model needs {expected:?}: {OTHER_MODEL}");
        Err(EngineError::invalid(tensor_place(tensor), why))
    }

    fn refuse_unknown(&self) -> Result<(), EngineError> {
        let Some(name) = self.file.tensor_names().find(|name| !self.known.contains(*name)) else {
            return match self.found.is_empty() {
                true => Err(EngineError::invalid("the tensors", "the adapter has none: export it again")),
                false => Ok(()),
            };
        };
        if name.ends_with(".lora_a") || name.ends_with(".lora_b") {
            let why = format!("the model has no matrix that it could change: {OTHER_MODEL}");
            return Err(EngineError::invalid(tensor_place(name), why));
        }
        Err(EngineError::unsupported(format!(
            "the tensor {name} in an adapter: only pairs of lora_a and lora_b are supported"
        )))
    }

    /// Packs all changes, and counts their bytes.
    fn pack(self, cancel: &CancelToken) -> Result<(Changes, u64), EngineError> {
        let mut len = 0;
        let mut place = |matrix: &WeightMatrix| {
            let start = len;
            len = (start + floats_len(matrix)).next_multiple_of(ALIGNMENT);
            start..start + floats_len(matrix)
        };
        let placed: Vec<_> = self
            .found
            .into_iter()
            .map(|(name, Found { a, b, rank })| (name, rank, [(place(&a), a), (place(&b), b)]))
            .collect();
        let halves = || placed.iter().flat_map(|(.., halves)| halves);
        let pages = Arc::new(Pages::write(len, |pages| {
            halves().try_for_each(|(range, matrix)| pack_floats(matrix, &mut pages[range.clone()], cancel))
        })?);
        halves().try_for_each(|(range, matrix)| floats(matrix, range, &pages).check_finite(matrix.name()))?;
        let change = |rank: usize, [a, b]: &[(Range<usize>, WeightMatrix); 2]| LowRank {
            a: floats(&a.1, &a.0, &pages),
            b: floats(&b.1, &b.0, &pages),
            scale: self.alpha.map_or(1.0, |alpha| alpha / rank as f32),
        };
        let changes = placed.iter().map(|(name, rank, halves)| (name.clone(), change(*rank, halves))).collect();
        Ok((changes, len as u64))
    }
}

/// The format in which a matrix is kept: quantized numbers are expanded.
fn floats_format(matrix: &WeightMatrix) -> WeightFormat {
    let format = matrix.dtype().packed_as();
    if format.is_quantized() { WeightFormat::F32 } else { format }
}

fn floats_len(matrix: &WeightMatrix) -> usize {
    let [rows, cols] = matrix.shape();
    packed_len(floats_format(matrix), rows, cols)
}

fn floats(matrix: &WeightMatrix, range: &Range<usize>, pages: &Arc<Pages>) -> Floats {
    let (format, shape) = (floats_format(matrix), matrix.shape());
    Floats { format, shape, pages: Arc::clone(pages), range: range.clone() }
}

fn pack_floats(matrix: &WeightMatrix, mut out: &mut [u8], cancel: &CancelToken) -> Result<(), EngineError> {
    let ([_, cols], format) = (matrix.shape(), matrix.dtype().packed_as());
    if !format.is_quantized() {
        return matrix.pack_to(out, cancel);
    }
    let (mut packed, mut row_numbers) = (Vec::new(), zeros(cols)?);
    for piece in matrix.pieces() {
        cancel.check()?;
        let rows = piece.rows.len();
        resize(&mut packed, piece.packed_len)?;
        matrix.pack_piece(&piece, &mut packed)?;
        let packed = PackedMatrix::new(format, rows, cols, &packed).expect("the length was made to fit");
        let mut bytes = Vec::with_capacity(rows * cols * size_of::<f32>());
        for row in 0..rows {
            packed.dequantize_row(row, &mut row_numbers);
            bytes.extend(row_numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        let (part, rest) = out.split_at_mut(packed_len(WeightFormat::F32, rows, cols));
        pack(DType::F32, &bytes, rows, cols, part)
            .map_err(|error| EngineError::Internal(format!("an expanded matrix cannot be packed: {error:?}")))?;
        out = rest;
    }
    Ok(())
}

impl Floats {
    fn check_finite(&self, tensor: &str) -> Result<(), EngineError> {
        let [rows, cols] = self.shape;
        let mut numbers = zeros(cols)?;
        for row in 0..rows {
            self.view().dequantize_row(row, &mut numbers);
            // Without an early exit, so that it becomes vector code.
            if !numbers.iter().fold(true, |finite, number| finite & number.is_finite()) {
                let why = "it holds values that are not finite numbers: the training failed, use an earlier checkpoint";
                return Err(EngineError::invalid(tensor_place(tensor), why));
            }
        }
        Ok(())
    }
}
