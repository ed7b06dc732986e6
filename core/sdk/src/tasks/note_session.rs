//! A note that is still being spoken. The model reads it in the background, so that the summary starts as soon as the
//! note ends.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_channel::{Receiver, Sender, bounded};

use super::summarize::{NoteSummary, ReadSoFar, SummaryOptions, read_ahead, summarize};
use crate::job::Job;
use crate::loaded::Loaded;
use crate::model::LocalModel;
use crate::note::{Segment, VoiceNote};
use crate::request_lock::RequestLock;
use crate::{CancelToken, Error};

/// A note that is still being spoken.
///
/// ```text
///            append              finish
/// listening ───────▶ listening ─────────▶ finished ──▶ finish again: the same summary
///     │                                      │
///     └─ drop: reading stops                 └─ append: an error
/// ```
/// A separate thread reads the note so far into the KV cache, which has room for a full context and is kept until the
/// session is dropped. Each window of a long note is summarized as soon as it is complete.
pub struct NoteSession {
    note: Arc<SpokenNote>,
    /// `None` once the note is finished.
    reading: Mutex<Option<Reading>>,
}

struct SpokenNote {
    model: Arc<Loaded>,
    options: SummaryOptions,
    said: Mutex<VoiceNote>,
    so_far: RequestLock<ReadSoFar>,
}

/// Reads the note in the background; dropping it stops the reading.
struct Reading {
    said_more: Sender<()>,
    _job: Job<Infallible, ()>,
}

impl LocalModel {
    /// Starts a note whose segments arrive one by one while the user speaks.
    pub fn note_session(&self, options: &SummaryOptions) -> NoteSession {
        let (model, options) = (self.loaded(), options.clone());
        let so_far = RequestLock::new(ReadSoFar::default());
        let note = Arc::new(SpokenNote { model, options, said: Mutex::default(), so_far });
        let (said_more, heard_more) = bounded(1);
        let read = Arc::clone(&note);
        let job = Job::start("listen", move |_, cancel| read.read_along(&heard_more, cancel));
        NoteSession { note, reading: Mutex::new(Some(Reading { said_more, _job: job })) }
    }
}

impl NoteSession {
    /// Appends the next segment and returns at once; it is read in the background. It gets the next id, counted from 1,
    /// and an empty segment is left out.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] once the note is finished. Errors in the background are reported by
    /// [`NoteSession::finish`].
    pub fn append(&self, segment: Segment) -> Result<(), Error> {
        let reading = lock(&self.reading);
        let Some(reading) = &*reading else {
            return Err(Error::invalid_input("the note is finished: start a new one"));
        };
        lock(&self.note.said).push(segment);
        // If the channel is full, the reader is about to look anyway.
        let _ = reading.said_more.try_send(());
        Ok(())
    }

    /// The note so far, with the ids that the summary's evidence refers to.
    pub fn note(&self) -> VoiceNote {
        lock(&self.note.said).clone()
    }

    /// Ends the note and summarizes it exactly like [`LocalModel::summarize`]; most of it has been read by now. A
    /// second call writes the summary again.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a note without words or an invalid language name, [`Error::ContextFull`] for a note
    /// longer than 32 contexts, or one whose words are all too long; errors from reading the note.
    pub fn finish(&self) -> Job<NoteSummary, NoteSummary> {
        // Reading stops, and the summary continues from there, so it can be cancelled at any time.
        drop(lock(&self.reading).take());
        let note = Arc::clone(&self.note);
        Job::start("summarize", move |reporter, cancel| {
            let said = lock(&note.said).clone();
            note.with_so_far(cancel, |so_far| summarize(&note.model, &said, &note.options, so_far, reporter, cancel))
        })
    }
}

impl SpokenNote {
    /// Reads the note whenever there is more of it. An error ends this; the summary will meet the same error and report
    /// it.
    fn read_along(&self, heard_more: &Receiver<()>, cancel: &CancelToken) -> Result<(), Error> {
        while heard_more.recv_blocking().is_ok() {
            let said = lock(&self.said).clone();
            self.read(said.segments(), cancel)?;
        }
        Ok(())
    }

    /// If the summary already has the lock, the note has ended and nothing more needs to be read here.
    fn read(&self, said: &[Segment], cancel: &CancelToken) -> Result<(), Error> {
        self.with_so_far(cancel, |so_far| read_ahead(&self.model, said, &self.options, so_far, cancel))
    }

    /// Runs `work` with what was read, once it is free. A pass that panics may be half done, so the next one starts
    /// from scratch.
    fn with_so_far<Value>(
        &self,
        cancel: &CancelToken,
        work: impl FnOnce(&mut ReadSoFar) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let mut guard = self.so_far.lock(cancel)?;
        let mut so_far = std::mem::take(&mut *guard);
        let outcome = work(&mut so_far);
        *guard = so_far;
        outcome
    }
}

/// The guarded values are consistent at any time, even after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_model::demo;

    fn said() -> VoiceNote {
        VoiceNote::text("Call Tom. Buy milk.")
    }

    /// Tokens that were there, and that were computed, when the sequence reads `tokens`.
    fn reads(session: &NoteSession, tokens: &[u32]) -> (usize, usize) {
        let cancel = CancelToken::new();
        let prefill = session
            .note
            .with_so_far(&cancel, |so_far| so_far.sequence.as_mut().expect("something was read").set(tokens, &cancel));
        prefill.map(|prefill| (prefill.reused, prefill.computed)).expect("it is read")
    }

    #[test]
    fn a_reader_that_comes_late_leaves_what_the_summary_read() {
        let session = demo().note_session(&SummaryOptions::default());
        session.note.read(said().segments(), &CancelToken::new()).unwrap();
        reads(&session, &[1, 2, 3]);
        let ended = CancelToken::new();
        ended.cancel();
        assert!(matches!(session.note.read(said().segments(), &ended), Err(Error::Cancelled)));
        assert_eq!(reads(&session, &[1, 2, 3]), (2, 1));
    }

    #[test]
    fn a_panic_within_a_pass_leaves_no_half_read_note() {
        let session = demo().note_session(&SummaryOptions::default());
        session.note.read(said().segments(), &CancelToken::new()).unwrap();
        let note = Arc::clone(&session.note);
        let panicked = std::thread::spawn(move || {
            note.with_so_far(&CancelToken::new(), |_| -> Result<(), Error> { panic!("on purpose") })
        });
        assert!(panicked.join().is_err());
        assert!(session.note.with_so_far(&CancelToken::new(), |so_far| Ok(so_far.sequence.is_none())).unwrap());
    }
}
