use sotto_engine::compute::{Compute, Team};

use crate::audio::check_floats;
use crate::decoding::{Attempt, Decoding, prefix};
use crate::forward::{Decoder, Encoder};
use crate::mel::{HOP, MelRoom};
use crate::model::config::AUDIO_POSITIONS;
use crate::segments::{Span, Spans, spans};
use crate::words::align;
use crate::{
    CancelToken, Language, SAMPLE_RATE, Segment, SpeechError, SpeechModel, Task, WINDOW_SAMPLES, WindowOptions,
    WindowTranscript,
};

/// Transcribes windows, one after the other, in memory of its own. Several may use one model at the same time.
#[derive(Debug)]
pub struct Recognizer {
    model: SpeechModel,
    encoder: Encoder,
    decoder: Decoder,
    mel: Vec<f32>,
    mel_room: MelRoom,
}

impl SpeechModel {
    /// Memory to transcribe one recording at a time.
    ///
    /// # Errors
    /// [`SpeechError::OutOfMemory`].
    pub fn recognizer(&self) -> Result<Recognizer, SpeechError> {
        Recognizer::new(self.clone())
    }
}

impl Recognizer {
    fn new(model: SpeechModel) -> Result<Self, SpeechError> {
        let (config, kv_type) = (&model.0.config, model.0.precision.kv_type());
        let (encoder, decoder) = (Encoder::new(config, kv_type)?, Decoder::new(config, kv_type)?);
        Ok(Self { encoder, decoder, mel: Vec::new(), mel_room: MelRoom::default(), model })
    }

    /// The model.
    pub fn model(&self) -> &SpeechModel {
        &self.model
    }

    /// What is said in `samples`, at most [`WINDOW_SAMPLES`] of 16 kHz mono sound.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] when there are none, too many, or some that are not finite numbers or far beyond ±1;
    /// [`SpeechError::Unsupported`] when the model cannot do what `options` ask for; [`SpeechError::ModelInvalid`] when its weights
    /// give no finite numbers; [`SpeechError::OutOfMemory`], and [`SpeechError::Cancelled`].
    pub fn window(
        &mut self,
        samples: &[f32],
        options: &WindowOptions,
        cancel: &CancelToken,
    ) -> Result<WindowTranscript, SpeechError> {
        check_samples(samples)?;
        self.check_options(options)?;
        let model = self.model.clone();
        let team = model.0.pool.enter(cancel)?;
        let compute = compute(&model, &team, cancel);
        let mut heard = enough_positions(samples.len());
        let mut decoded = self.decode(&compute, samples, heard, options)?;
        if !decoded.attempt.is_good() && heard < AUDIO_POSITIONS {
            heard = AUDIO_POSITIONS;
            decoded = self.decode(&compute, samples, heard, options)?;
        }
        let Decoded { language, prefix, attempt } = decoded;
        let model = &*model.0;
        let duration = samples.len() as f64 / SAMPLE_RATE as f64;
        if attempt.is_silence() {
            return Ok(WindowTranscript { language, segments: Vec::new(), end: duration, unfinished: None });
        }
        let Spans { finished, end, unfinished } = spans(&model.vocabulary, &attempt.tokens, duration);
        let mut segments: Vec<Segment> = finished.iter().map(|span| segment(model, span, &attempt)).collect();
        if options.words {
            let mut decoding = Decoding { model, decoder: &mut self.decoder, compute };
            align(&mut decoding, self.encoder.heard(heard), &prefix, language, duration, &mut segments)?;
        }
        segments.retain(|segment| has_words(&segment.text));
        let unfinished = unfinished.map(|span| segment(model, &span, &attempt)).filter(|rest| has_words(&rest.text));
        Ok(WindowTranscript { language, segments, end, unfinished })
    }

    /// The language that is most likely spoken in `samples`, at most [`WINDOW_SAMPLES`] of 16 kHz mono sound, and its probability
    /// among all languages the model knows.
    ///
    /// # Errors
    /// As for [`Recognizer::window`].
    pub fn language(&mut self, samples: &[f32], cancel: &CancelToken) -> Result<(Language, f32), SpeechError> {
        check_samples(samples)?;
        let model = self.model.clone();
        if !model.0.vocabulary.is_multilingual() {
            return Ok((Language::ENGLISH, 1.0));
        }
        let team = model.0.pool.enter(cancel)?;
        let compute = compute(&model, &team, cancel);
        self.hear(&compute, samples, enough_positions(samples.len()))?;
        Decoding { model: &model.0, decoder: &mut self.decoder, compute }.detect_language()
    }

    /// Decodes what is in `samples` and the silence after them, together `positions`. Only what is heard in a whole window is decoded with
    /// chance.
    fn decode(
        &mut self,
        compute: &Compute<'_>,
        samples: &[f32],
        positions: usize,
        options: &WindowOptions,
    ) -> Result<Decoded, SpeechError> {
        let model = self.model.clone();
        let model = &*model.0;
        self.hear(compute, samples, positions)?;
        let mut decoding = Decoding { model, decoder: &mut self.decoder, compute: *compute };
        let language = match options.language {
            Some(language) => language,
            None => decoding.detect_language()?.0,
        };
        let prefix = prefix(&model.vocabulary, language, options.task);
        let attempt = decoding.decode(&prefix, options, positions == AUDIO_POSITIONS)?;
        Ok(Decoded { language, prefix, attempt })
    }

    /// Lets the decoder hear what is in `samples` and the silence after them, together `positions`.
    fn hear(&mut self, compute: &Compute<'_>, samples: &[f32], positions: usize) -> Result<(), SpeechError> {
        let model = &*self.model.0;
        model.mel.log_mel(compute, samples, 2 * positions, &mut self.mel_room, &mut self.mel)?;
        let scratch = self.decoder.scratch();
        let heard = self.encoder.encode(compute, &model.weights, &self.mel, positions, scratch)?;
        Ok(self.decoder.hear(compute, &model.weights, heard)?)
    }

    fn check_options(&self, options: &WindowOptions) -> Result<(), SpeechError> {
        let vocabulary = &self.model.0.vocabulary;
        if let Some(language) = options.language
            && language.index() >= vocabulary.languages()
        {
            return Err(SpeechError::unsupported(format!("the language {language}: this model does not know it")));
        }
        if options.task == Task::Translate && !vocabulary.is_multilingual() {
            return Err(SpeechError::unsupported("translation by a model that only knows English"));
        }
        Ok(())
    }
}

/// What was decoded, and what it begins with.
struct Decoded {
    language: Language,
    prefix: Vec<u32>,
    attempt: Attempt,
}

/// Positions of a short window, 20 seconds, which models understand as well as a whole one; and those of the silence that it has after what is
/// said, at least.
const SHORT_POSITIONS: usize = 1000;
const SILENT_POSITIONS: usize = 450;

/// Positions for so many samples and the silence after them. Models were trained with 30 seconds; what fewer cost is measured in
/// `docs/speech.md`.
fn enough_positions(samples: usize) -> usize {
    let sounding = samples.div_ceil(2 * HOP);
    if sounding + SILENT_POSITIONS <= SHORT_POSITIONS { SHORT_POSITIONS } else { AUDIO_POSITIONS }
}

fn compute<'a>(model: &SpeechModel, team: &'a Team<'a>, cancel: &'a CancelToken) -> Compute<'a> {
    Compute { kernels: model.0.kernels, team, cancel, adapters: &[] }
}

fn check_samples(samples: &[f32]) -> Result<(), SpeechError> {
    let invalid = |why: &str| Err(SpeechError::AudioInvalid { why: why.into() });
    match samples.len() {
        0 => invalid("there are no samples"),
        len if len > WINDOW_SAMPLES => invalid("a window has at most 30 seconds"),
        _ => check_floats(samples),
    }
}

/// Whether a text has more than punctuation: that alone is what models make of humming.
fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn segment(model: &crate::model::Loaded, span: &Span, attempt: &Attempt) -> Segment {
    Segment {
        start: span.start,
        end: span.end,
        text: model.vocabulary.text(&span.tokens).trim().to_owned(),
        words: Vec::new(),
        no_speech: attempt.no_speech,
        mean_log_probability: attempt.mean_log_probability,
        tokens: span.tokens.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Precision;
    use crate::small_model::{SMALL, Shape, load};

    #[test]
    fn models_for_english_hear_english_only() {
        let model = Shape { vocabulary: 51_864, ..SMALL }.load(Precision::EightBits);
        assert_eq!(model.languages().collect::<Vec<_>>(), [Language::ENGLISH]);
        let mut recognizer = model.recognizer().expect("memory");
        let mut hear = |options: &WindowOptions| recognizer.window(&[0.1; 16_000], options, &CancelToken::new());
        for language in [None, Some(Language::ENGLISH)] {
            let heard = hear(&WindowOptions { language, words: true, ..WindowOptions::default() });
            assert_eq!(heard.expect("a transcript").language, Language::ENGLISH);
        }
        for options in [
            WindowOptions { language: Language::from_code("de"), ..WindowOptions::default() },
            WindowOptions { task: Task::Translate, ..WindowOptions::default() },
        ] {
            let refused = hear(&options);
            assert!(matches!(refused, Err(SpeechError::Unsupported { .. })), "{refused:?}");
        }
    }

    #[test]
    fn punctuation_alone_is_not_speech() {
        for text in ["", ".", "...", "♪", "?!"] {
            assert!(!has_words(text), "{text}");
        }
        for text in ["No.", "7", "日本。", "é"] {
            assert!(has_words(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_sound_is_refused() {
        let mut recognizer = load(Precision::EightBits).recognizer().expect("memory");
        let mut hear = |samples: &[f32]| recognizer.window(samples, &WindowOptions::default(), &CancelToken::new());
        for samples in
            [&[][..], &[0.0; WINDOW_SAMPLES + 1], &[0.5, f32::NAN], &[f32::NEG_INFINITY], &[1e20], &[16_384.0]]
        {
            let heard = hear(samples);
            assert!(matches!(heard, Err(SpeechError::AudioInvalid { .. })), "{} samples: {heard:?}", samples.len());
        }
        assert!(hear(&[1.5; 160]).is_ok(), "a recorder that does not clip");
    }
}
