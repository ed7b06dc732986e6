use crate::Language;

/// What language the text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Task {
    /// The one that is spoken.
    #[default]
    Transcribe,
    /// English, whatever is spoken. Only multilingual models can.
    Translate,
}

/// How a window is to be transcribed.
#[derive(Debug, Clone, Default)]
pub struct WindowOptions {
    /// The language that is spoken; detected where it is not given.
    pub language: Option<Language>,
    /// What language the text is in.
    pub task: Task,
    /// Names and rare words that may be said, as a text such as `Zoë, Kubernetes`: the model spells what it hears as it reads it here.
    pub vocabulary: String,
    /// The tokens of earlier windows' segments, so that the text goes on as it began. Only the last ones count.
    pub context: Vec<u32>,
    /// Whether segments come with their words' times, which takes a further pass.
    pub words: bool,
}
