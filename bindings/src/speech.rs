//! Speech models, and what they hear.

use std::convert::Infallible;
use std::sync::Arc;

use sotto_sdk::{
    Audio, AudioInput, Error, Job, Language, ListenOptions, PcmFormat, Samples, Speech, SpeechMemory, SpeechMetrics,
    SpeechOptions, Task, TranscribeOptions, Transcript, TranscriptPart, TranscriptSegment, TranscriptWord,
};

use crate::jobs::job;
use crate::{FfiError, FfiModelFile, FfiNoteSession};

/// Mirror of [`PcmFormat`].
#[derive(Debug, Clone, Copy, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiPcmFormat {
    pub sample_rate: u32,
    pub channels: u16,
}

impl From<FfiPcmFormat> for PcmFormat {
    fn from(FfiPcmFormat { sample_rate, channels }: FfiPcmFormat) -> Self {
        Self { sample_rate, channels }
    }
}

/// Mirror of [`Samples`], as little-endian bytes: each language has numbers of its own, and boxes them in lists.
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiSamples {
    F32 { bytes: Vec<u8> },
    I16 { bytes: Vec<u8> },
}

impl FfiSamples {
    fn numbers(&self) -> Numbers {
        match self {
            Self::F32 { bytes } => Numbers::F32(bytes.as_chunks().0.iter().map(|x| f32::from_le_bytes(*x)).collect()),
            Self::I16 { bytes } => Numbers::I16(bytes.as_chunks().0.iter().map(|x| i16::from_le_bytes(*x)).collect()),
        }
    }
}

enum Numbers {
    F32(Vec<f32>),
    I16(Vec<i16>),
}

impl Numbers {
    fn samples(&self) -> Samples<'_> {
        match self {
            Self::F32(samples) => Samples::F32(samples),
            Self::I16(samples) => Samples::I16(samples),
        }
    }
}

/// Mirror of [`Audio`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are the ways to make the SDK's type")]
pub enum FfiAudio {
    Samples { samples: FfiSamples, format: FfiPcmFormat },
    File { path: String },
}

impl TryFrom<FfiAudio> for Audio {
    type Error = Error;

    fn try_from(audio: FfiAudio) -> Result<Self, Error> {
        match audio {
            FfiAudio::Samples { samples, format } => Ok(Self::samples(samples.numbers().samples(), format.into())?),
            FfiAudio::File { path } => Ok(Self::file(path)),
        }
    }
}

/// Mirror of [`TranscribeOptions`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTranscribeOptions {
    pub language: Option<String>,
    pub translate: bool,
    pub vocabulary: String,
    pub words: bool,
}

impl TryFrom<FfiTranscribeOptions> for TranscribeOptions {
    type Error = FfiError;

    fn try_from(options: FfiTranscribeOptions) -> Result<Self, FfiError> {
        let FfiTranscribeOptions { language, translate, vocabulary, words } = options;
        let unknown = || FfiError::InvalidInput { what: "Whisper does not know a language with this code".into() };
        let language = language.map(|code| Language::from_code(&code).ok_or_else(unknown)).transpose()?;
        Ok(Self { language, task: if translate { Task::Translate } else { Task::Transcribe }, vocabulary, words })
    }
}

/// Mirror of [`ListenOptions`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiListenOptions {
    pub format: FfiPcmFormat,
    pub transcribe: FfiTranscribeOptions,
    pub tentative: bool,
}

impl TryFrom<FfiListenOptions> for ListenOptions {
    type Error = FfiError;

    fn try_from(options: FfiListenOptions) -> Result<Self, FfiError> {
        let FfiListenOptions { format, transcribe, tentative } = options;
        Ok(Self { format: format.into(), transcribe: transcribe.try_into()?, tentative })
    }
}

/// Mirror of [`TranscriptWord`].
#[derive(Debug, Clone, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTranscriptWord {
    pub start: f64,
    pub end: f64,
    pub text: String,
    pub probability: f32,
}

impl From<TranscriptWord> for FfiTranscriptWord {
    fn from(TranscriptWord { start, end, text, probability }: TranscriptWord) -> Self {
        Self { start, end, text, probability }
    }
}

/// Mirror of [`TranscriptSegment`].
#[derive(Debug, Clone, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTranscriptSegment {
    pub id: u32,
    pub start: f64,
    pub end: f64,
    pub text: String,
    pub words: Option<Vec<FfiTranscriptWord>>,
    pub no_speech: f32,
    pub mean_log_probability: f32,
}

impl From<TranscriptSegment> for FfiTranscriptSegment {
    fn from(segment: TranscriptSegment) -> Self {
        let TranscriptSegment { id, start, end, text, words, no_speech, mean_log_probability } = segment;
        let words = words.map(|words| words.into_iter().map(Into::into).collect());
        Self { id, start, end, text, words, no_speech, mean_log_probability }
    }
}

/// Mirror of [`TranscriptPart`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTranscriptPart {
    pub confirmed: Vec<FfiTranscriptSegment>,
    pub tentative: Vec<FfiTranscriptSegment>,
    pub heard_seconds: f64,
    pub audio_seconds: Option<f64>,
}

impl From<TranscriptPart> for FfiTranscriptPart {
    fn from(TranscriptPart { confirmed, tentative, heard_seconds, audio_seconds }: TranscriptPart) -> Self {
        let mirror = |segments: Vec<TranscriptSegment>| segments.into_iter().map(Into::into).collect();
        Self { confirmed: mirror(confirmed), tentative: mirror(tentative), heard_seconds, audio_seconds }
    }
}

/// Mirror of [`SpeechMetrics`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiSpeechMetrics {
    pub audio_seconds: f64,
    pub window_seconds: f64,
    pub windows: u32,
    pub seconds: f64,
    pub real_time_factor: f64,
    pub private_bytes: u64,
}

impl From<SpeechMetrics> for FfiSpeechMetrics {
    fn from(metrics: SpeechMetrics) -> Self {
        let SpeechMetrics { audio_seconds, window_seconds, windows, seconds, real_time_factor, private_bytes } =
            metrics;
        Self { audio_seconds, window_seconds, windows: windows as u32, seconds, real_time_factor, private_bytes }
    }
}

/// Mirror of [`Transcript`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTranscript {
    pub language: Option<String>,
    pub segments: Vec<FfiTranscriptSegment>,
    pub metrics: FfiSpeechMetrics,
}

impl From<Transcript> for FfiTranscript {
    fn from(Transcript { language, segments, metrics }: Transcript) -> Self {
        Self { language, segments: segments.into_iter().map(Into::into).collect(), metrics: metrics.into() }
    }
}

/// Mirror of [`SpeechMemory`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiSpeechMemory {
    pub weights: u64,
    pub recognizer: u64,
    pub available: Option<u64>,
}

impl From<SpeechMemory> for FfiSpeechMemory {
    fn from(SpeechMemory { weights, recognizer, available }: SpeechMemory) -> Self {
        Self { weights, recognizer, available }
    }
}

/// [`Speech::start_loading`].
#[uniffi::export]
pub fn load_speech(file: FfiModelFile, threads: Option<u32>) -> Result<FfiLoadSpeechJob, FfiError> {
    #[cfg(not(test))]
    crate::faults::tell_places_only();
    let options = SpeechOptions { threads: threads.map(|threads| threads as usize), ..SpeechOptions::default() };
    Ok(Speech::start_loading(file.into(), &options).into())
}

/// [`Speech::memory_of`].
#[uniffi::export]
pub fn speech_memory_of(file: FfiModelFile) -> Result<FfiSpeechMemoryJob, FfiError> {
    #[cfg(not(test))]
    crate::faults::tell_places_only();
    Ok(Speech::memory_of(file.into(), &SpeechOptions::default()).into())
}

/// A [`Speech`].
#[derive(uniffi::Object)]
pub struct FfiSpeech(Speech);

impl From<Speech> for FfiSpeech {
    fn from(speech: Speech) -> Self {
        Self(speech)
    }
}

#[uniffi::export]
impl FfiSpeech {
    /// [`Speech::transcribe`].
    pub fn transcribe(&self, audio: FfiAudio, options: FfiTranscribeOptions) -> Result<FfiTranscribeJob, FfiError> {
        Ok(self.0.transcribe(audio.try_into()?, &options.try_into()?).into())
    }

    /// [`Speech::listen`].
    pub fn listen(&self, options: FfiListenOptions) -> Result<FfiListening, FfiError> {
        Ok(self.0.listen(&options.try_into()?)?.into())
    }

    /// [`Speech::listen_into`].
    pub fn listen_into(&self, note: &FfiNoteSession, options: FfiListenOptions) -> Result<FfiListening, FfiError> {
        Ok(self.0.listen_into(&note.0, &options.try_into()?)?.into())
    }

    /// [`Speech::memory`].
    pub fn memory(&self) -> Result<FfiSpeechMemory, FfiError> {
        Ok(self.0.memory().into())
    }

    /// [`Speech::trim`].
    pub fn trim(&self) -> Result<(), FfiError> {
        self.0.trim();
        Ok(())
    }
}

/// What [`Speech::listen`] gives.
#[derive(uniffi::Record)]
#[allow(missing_docs, reason = "they are what the types say")]
pub struct FfiListening {
    pub input: Arc<FfiAudioInput>,
    pub job: Arc<FfiTranscribeJob>,
}

impl From<(AudioInput, Job<TranscriptPart, Transcript>)> for FfiListening {
    fn from((input, job): (AudioInput, Job<TranscriptPart, Transcript>)) -> Self {
        Self { input: Arc::new(FfiAudioInput(input)), job: Arc::new(job.into()) }
    }
}

/// An [`AudioInput`].
#[derive(uniffi::Object)]
pub struct FfiAudioInput(AudioInput);

#[uniffi::export]
impl FfiAudioInput {
    /// [`AudioInput::push_async`].
    pub async fn push(&self, samples: FfiSamples) -> Result<(), FfiError> {
        Ok(self.0.push_async(samples.numbers().samples()).await?)
    }

    /// [`AudioInput::pause`].
    pub fn pause(&self) -> Result<(), FfiError> {
        self.0.pause();
        Ok(())
    }

    /// [`AudioInput::resume`].
    pub fn resume(&self) -> Result<(), FfiError> {
        self.0.resume();
        Ok(())
    }

    /// [`AudioInput::finish`].
    pub fn finish(&self) -> Result<(), FfiError> {
        Ok(self.0.finish()?)
    }
}

job!(FfiLoadSpeechJob: Job<Infallible, Speech>, value: FfiSpeech);
job!(FfiSpeechMemoryJob: Job<Infallible, SpeechMemory>, value: FfiSpeechMemory);
job!(FfiTranscribeJob: Job<TranscriptPart, Transcript>, next: FfiTranscriptPart, value: FfiTranscript);
