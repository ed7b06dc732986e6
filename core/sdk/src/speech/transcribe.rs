use std::sync::Arc;

use sotto_speech::{Audio, AudioReader, Recognize, SpeechMemory, TranscribeOptions, Transcriber};

use super::Speech;
use super::transcript::{Growing, Transcript, TranscriptPart};
use crate::job::{Job, Reporter};
use crate::{CancelToken, Error};

impl Speech {
    /// Transcribes a recording of any length. Its parts come as they become certain, window by window.
    ///
    /// The recording is read as it is needed and cut at pauses; silence is not given to the model. A file that ends too early is
    /// transcribed as far as it goes.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a recording that cannot be used; [`Error::Unsupported`] when the model cannot do what `options`
    /// ask for; [`Error::OutOfMemory`].
    pub fn transcribe(&self, audio: Audio, options: &TranscribeOptions) -> Job<TranscriptPart, Transcript> {
        let (shelf, options) = (Arc::clone(&self.0), options.clone());
        Job::start("transcribe", move |reporter, cancel| {
            let reader = audio.open()?;
            let model = shelf.model(cancel)?;
            let transcriber = Transcriber::new(model.recognizer()?, options);
            transcribe(reader, transcriber, model.memory(), reporter, cancel)
        })
    }
}

fn transcribe<R: Recognize>(
    mut reader: AudioReader,
    mut transcriber: Transcriber<R>,
    memory: SpeechMemory,
    reporter: &Reporter<TranscriptPart>,
    cancel: &CancelToken,
) -> Result<Transcript, Error> {
    let mut transcript = Growing::default();
    let mut piece = Vec::new();
    let audio_seconds = reader.seconds();
    loop {
        cancel.check()?;
        piece.clear();
        let more = reader.read(&mut piece)?;
        transcriber.push(&piece);
        if !more {
            transcriber.end();
        }
        while let Some(segments) = transcriber.next(cancel)? {
            let confirmed = transcript.confirm(segments);
            let heard_seconds = transcriber.position();
            reporter.report(TranscriptPart { confirmed, heard_seconds, audio_seconds, ..TranscriptPart::default() });
        }
        if !more {
            return Ok(transcript.finish(&transcriber, memory));
        }
    }
}
