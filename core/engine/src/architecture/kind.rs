use crate::EngineError;
use crate::gguf::GgufFile;

/// The kind of a GGUF file. Only a [`FileKind::Model`] writes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A language model, or a file of unknown kind.
    Model,
    /// A LoRA, which changes another model.
    Adapter,
    /// A projector (`mmproj`), which turns images or sound into a language model's embeddings.
    Projector,
    /// A model that embeds or ranks texts.
    Embedding,
    /// A tokenizer without weights.
    Vocabulary,
    /// A draft head (EAGLE, Medusa), which drafts tokens for another model.
    Draft,
    /// A model that generates images or videos.
    Image,
    /// A model for speech recognition or synthesis.
    Speech,
    /// Data for other programs: an importance matrix, a control vector.
    Data,
}

/// Architectures that are not language models, by their GGUF names.
const ARCHITECTURES: [(FileKind, &str); 6] = [
    (FileKind::Projector, "clip"),
    (FileKind::Data, "imatrix controlvector"),
    (FileKind::Draft, "eagle eagle2 eagle3 medusa"),
    (
        FileKind::Embedding,
        "bert nomic-bert nomic-bert-moe neo-bert modern-bert eurobert jina-bert-v2 jina-bert-v3 gemma-embedding t5encoder",
    ),
    (FileKind::Image, "sd1 sd2 sd3 sdxl flux aura ltxv hyvid wan hidream cosmos lumina2 pixart qwen_image z_image pig"),
    (FileKind::Speech, "whisper moonshine parakeet wavtokenizer-dec kokoro outetts"),
];

/// Prefixes of tensor names in files of other kinds that name no architecture.
const TENSORS: [(FileKind, &[&str]); 2] = [
    (FileKind::Image, &["model.diffusion_model.", "double_blocks.", "first_stage_model.", "transformer_blocks."]),
    (FileKind::Speech, &["encoder.conv1.", "model.encoder.conv1."]),
];

impl FileKind {
    /// Reads it from a file's metadata and the names of its tensors.
    pub fn of(file: &GgufFile) -> Self {
        let metadata = file.metadata();
        let text = |key: &str| metadata.string(key).ok().flatten().unwrap_or_default();
        let architecture = text("general.architecture");
        match text("general.type") {
            "adapter" => return Self::Adapter,
            "mmproj" => return Self::Projector,
            "imatrix" => return Self::Data,
            _ => {}
        }
        let listed = ARCHITECTURES.iter().find(|(_, names)| names.split(' ').any(|name| name == architecture));
        let pooled = metadata.count(&format!("{architecture}.pooling_type")).ok().flatten().unwrap_or(0) > 0;
        match listed {
            Some((kind, _)) => *kind,
            None if pooled => Self::Embedding,
            None if file.tensor_names().next().is_none() && metadata.contains("tokenizer.ggml.tokens") => {
                Self::Vocabulary
            }
            None if architecture.is_empty() => Self::of_tensors(file),
            None => Self::Model,
        }
    }

    fn of_tensors(file: &GgufFile) -> Self {
        let has = |beginning: &&str| file.tensor_names().any(|name| name.starts_with(beginning));
        TENSORS.iter().find(|(_, beginnings)| beginnings.iter().any(has)).map_or(Self::Model, |(kind, _)| *kind)
    }

    /// Its name, in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Adapter => "adapter",
            Self::Projector => "projector",
            Self::Embedding => "embedding",
            Self::Vocabulary => "vocabulary",
            Self::Draft => "draft",
            Self::Image => "image",
            Self::Speech => "speech",
            Self::Data => "data",
        }
    }

    /// A description, and what to use instead; `None` for a model.
    fn words(self) -> Option<&'static str> {
        Some(match self {
            Self::Model => return None,
            Self::Adapter => {
                "an adapter (LoRA), which changes another model: load that model, then this file as its adapter"
            }
            Self::Projector => {
                "a projector for images or sound (mmproj), which is part of another model: use the language model itself"
            }
            Self::Embedding => "an embedding model, which writes no text: use a language model",
            Self::Vocabulary => "a vocabulary without weights, which can only tokenize text: use a complete model",
            Self::Draft => "a draft head, which drafts tokens for another model: use that model",
            Self::Image => "a model that generates images: use a language model",
            Self::Speech => "a speech model: use a language model",
            Self::Data => "data for other programs (an importance matrix or a control vector): use the model itself",
        })
    }

    /// [`EngineError::Unsupported`] unless it may be a language model.
    pub(crate) fn check(self) -> Result<(), EngineError> {
        match self.words() {
            None => Ok(()),
            Some(words) => Err(EngineError::unsupported(words)),
        }
    }
}
