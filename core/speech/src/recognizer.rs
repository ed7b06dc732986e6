use crate::{CancelToken, Language, SpeechError, SpeechModel, WINDOW_SAMPLES, WindowTranscript};

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

/// Transcribes windows, one after the other, in memory of its own. Several may use one model at the same time.
#[derive(Debug)]
pub struct Recognizer {
    model: SpeechModel,
}

impl Recognizer {
    pub(crate) fn new(model: SpeechModel) -> Self {
        Self { model }
    }

    /// The model.
    pub fn model(&self) -> &SpeechModel {
        &self.model
    }

    /// What is said in `samples`, at most [`WINDOW_SAMPLES`] of 16 kHz mono sound.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] when there are too many samples or some are not finite numbers, [`SpeechError::Unsupported`] when
    /// the model cannot do what `options` ask for, [`SpeechError::OutOfMemory`], and [`SpeechError::Cancelled`].
    pub fn window(
        &mut self,
        samples: &[f32],
        _options: &WindowOptions,
        _cancel: &CancelToken,
    ) -> Result<WindowTranscript, SpeechError> {
        if samples.len() > WINDOW_SAMPLES {
            return Err(SpeechError::AudioInvalid { why: "a window has at most 30 seconds".into() });
        }
        Err(SpeechError::unsupported("speech: not there yet"))
    }
}
