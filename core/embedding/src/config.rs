//! The shape of a model, and how its vectors are made: from the text files in its folder.

use std::path::Path;

use serde::Deserialize;
use sotto_engine::EngineError;
use sotto_engine::tensors::read_json;

use crate::pooling::Pooling;

/// Widths, positions and tokens of a model, at most: four times those of the largest that are in use.
const LARGEST: usize = 4096;
const MOST_LAYERS: usize = 96;
const MOST_POSITIONS: usize = 32_768;
const MOST_TOKENS: usize = 1 << 20;
/// What attention takes.
const WIDEST_HEAD: usize = 256;
/// Tokens around a text: `[CLS]` and `[SEP]`.
pub(crate) const AROUND: usize = 2;

/// A model's shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) vocab_size: usize,
    /// Width of the residual stream, and of the result.
    pub(crate) width: usize,
    pub(crate) inner_width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    /// Rows of the position embedding.
    pub(crate) positions: usize,
    pub(crate) token_types: usize,
    pub(crate) norm_epsilon: f32,
    /// Tokens of a text that are read, those around it among them.
    pub(crate) max_tokens: usize,
    pub(crate) pooling: Pooling,
}

/// `config.json`.
#[derive(Deserialize)]
struct ModelFile {
    model_type: Option<String>,
    position_embedding_type: Option<String>,
    hidden_act: Option<String>,
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    max_position_embeddings: Option<usize>,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f32>,
}

/// `sentence_bert_config.json`.
#[derive(Deserialize)]
struct LengthFile {
    max_seq_length: Option<usize>,
}

/// `1_Pooling/config.json`.
#[derive(Deserialize)]
struct PoolingFile {
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
}

/// A step of `modules.json`.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
}

impl Config {
    /// Reads the text files of a folder. Only `config.json` must be there.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Invalid`] and [`EngineError::Unsupported`].
    pub(crate) fn read(folder: &Path) -> Result<Self, EngineError> {
        let file: ModelFile = read_json(&folder.join("config.json"))?;
        refuse_other_kinds(&file)?;
        refuse_other_steps(optional(&folder.join("modules.json"))?)?;
        let given = |key: &str, number: Option<usize>| number.ok_or_else(|| invalid(format!("{key} is missing")));
        let positions = given("max_position_embeddings", file.max_position_embeddings)?;
        let length: Option<LengthFile> = optional(&folder.join("sentence_bert_config.json"))?;
        let config = Self {
            vocab_size: given("vocab_size", file.vocab_size)?,
            width: given("hidden_size", file.hidden_size)?,
            inner_width: given("intermediate_size", file.intermediate_size)?,
            layers: given("num_hidden_layers", file.num_hidden_layers)?,
            heads: given("num_attention_heads", file.num_attention_heads)?,
            positions,
            token_types: given("type_vocab_size", file.type_vocab_size)?,
            norm_epsilon: file.layer_norm_eps.unwrap_or(1e-12),
            max_tokens: length.and_then(|length| length.max_seq_length).unwrap_or(positions),
            pooling: pooling(optional(&folder.join("1_Pooling/config.json"))?)?,
        };
        config.check()?;
        Ok(config)
    }

    /// Checks that a model of this shape can be.
    fn check(&self) -> Result<(), EngineError> {
        let between = |key: &str, number: usize, least: usize, most: usize| match (least..=most).contains(&number) {
            true => Ok(()),
            false => Err(invalid(format!("{key} is {number}, not between {least} and {most}"))),
        };
        between("vocab_size", self.vocab_size, AROUND + 1, MOST_TOKENS)?;
        between("hidden_size", self.width, 1, LARGEST)?;
        between("intermediate_size", self.inner_width, 1, 4 * LARGEST)?;
        between("num_hidden_layers", self.layers, 1, MOST_LAYERS)?;
        between("num_attention_heads", self.heads, 1, self.width)?;
        between("max_position_embeddings", self.positions, AROUND + 1, MOST_POSITIONS)?;
        between("type_vocab_size", self.token_types, 1, LARGEST)?;
        between("max_seq_length", self.max_tokens, AROUND + 1, self.positions)?;
        if !self.width.is_multiple_of(self.heads) || self.width / self.heads > WIDEST_HEAD {
            return Err(invalid(format!("{} heads do not share a hidden_size of {}", self.heads, self.width)));
        }
        match self.norm_epsilon.is_finite() && self.norm_epsilon >= 0.0 {
            true => Ok(()),
            false => Err(invalid("layer_norm_eps is no small positive number".into())),
        }
    }
}

/// A model of another kind would give vectors that mean nothing.
fn refuse_other_kinds(file: &ModelFile) -> Result<(), EngineError> {
    let unsupported = |what: String| Err(EngineError::Unsupported { what });
    match file.model_type.as_deref() {
        Some("bert") => {}
        Some(other) => {
            let other: String = other.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
            return unsupported(format!("an embedding model of the kind {other}: use a BERT model"));
        }
        None => return unsupported("an embedding model whose config.json has no model_type: use a BERT model".into()),
    }
    if file.position_embedding_type.as_deref().is_some_and(|kind| kind != "absolute") {
        return unsupported("a BERT model with relative positions".into());
    }
    match file.hidden_act.as_deref() {
        None | Some("gelu") => Ok(()),
        Some(_) => unsupported("a BERT model with another activation than GELU".into()),
    }
}

/// What a model does after its encoder must be known, too.
fn refuse_other_steps(modules: Option<Vec<Module>>) -> Result<(), EngineError> {
    let known =
        |module: &Module| ["Transformer", "Pooling", "Normalize"].iter().any(|step| module.kind.ends_with(step));
    match modules.unwrap_or_default().iter().all(known) {
        true => Ok(()),
        false => Err(EngineError::Unsupported { what: "an embedding model with layers after its pooling".into() }),
    }
}

fn pooling(file: Option<PoolingFile>) -> Result<Pooling, EngineError> {
    let Some(file) = file else { return Ok(Pooling::Mean) };
    let others = file.pooling_mode_max_tokens || file.pooling_mode_mean_sqrt_len_tokens;
    match (file.pooling_mode_mean_tokens, file.pooling_mode_cls_token, others) {
        (true, false, false) => Ok(Pooling::Mean),
        (false, true, false) => Ok(Pooling::First),
        _ => Err(EngineError::Unsupported { what: "a pooling that is neither the mean nor the first token".into() }),
    }
}

/// The contents of a JSON file, if there is one.
fn optional<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, EngineError> {
    match read_json(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(EngineError::NotFound { .. }) if !path.exists() => Ok(None),
        Err(error) => Err(error),
    }
}

fn invalid(why: String) -> EngineError {
    EngineError::Invalid { at: "config.json".into(), why }
}
