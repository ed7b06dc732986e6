//! A note that is still being spoken: the model reads along, so that its summary begins as soon as the note ends.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_channel::{Receiver, Sender, bounded};

use super::summarize::{NoteSummary, prompt, summarize, windows};
use crate::job::Job;
use crate::model::{Loaded, LocalModel};
use crate::note::{Segment, VoiceNote};
use crate::sequence::{Sequence, common_prefix};
use crate::turns::Turns;
use crate::{CancelToken, Error};

/// A note that is still being spoken.
///
/// ```text
///            append              finish
/// listening ───────▶ listening ─────────▶ finished ──▶ finish again: the same summary
///     │                                      │
///     └─ drop: reading stops                 └─ append: an error
/// ```
/// Between the segments a thread of its own reads what was said so far into the KV cache, which has room for a whole context and
/// stays until the session is dropped. A note that outgrows the context is read in windows, of which only the first
/// is read ahead.
pub struct NoteSession {
    note: Arc<SpokenNote>,
    /// Gone once the note is finished.
    reading: Mutex<Option<Reading>>,
}

struct SpokenNote {
    model: Arc<Loaded>,
    said: Mutex<VoiceNote>,
    /// Appears when there is something to read.
    sequence: Turns<Option<Sequence>>,
}

/// The work of reading along; dropping it ends that.
struct Reading {
    said_more: Sender<()>,
    _job: Job<Infallible, ()>,
}

impl LocalModel {
    /// Begins a note whose segments come one by one, while a person speaks.
    pub fn note_session(&self) -> NoteSession {
        let note = Arc::new(SpokenNote { model: self.loaded(), said: Mutex::default(), sequence: Turns::new(None) });
        let (said_more, heard_more) = bounded(1);
        let read = Arc::clone(&note);
        let job = Job::start("listen", move |_, cancel| read.read_along(&heard_more, cancel));
        NoteSession { note, reading: Mutex::new(Some(Reading { said_more, _job: job })) }
    }
}

impl NoteSession {
    /// Appends what was said next, and returns at once: it is read in the background. Its id is given anew, from 1; an
    /// empty segment is left out.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] once the note is finished. What goes wrong in the background is told by
    /// [`NoteSession::finish`].
    pub fn append(&self, segment: Segment) -> Result<(), Error> {
        let reading = lock(&self.reading);
        let Some(reading) = &*reading else {
            return Err(Error::invalid_input("the note is finished: begin another one"));
        };
        lock(&self.note.said).push(segment);
        // When the channel is full, the reader is about to look anyway.
        let _ = reading.said_more.try_send(());
        Ok(())
    }

    /// What was said so far, numbered as the summary's evidence is.
    pub fn note(&self) -> VoiceNote {
        lock(&self.note.said).clone()
    }

    /// Ends the note, and summarizes it exactly as [`LocalModel::summarize`] does: most of it is read by now. Asked
    /// again, the answer is written again.
    ///
    /// # Errors
    /// As for [`LocalModel::summarize`].
    pub fn finish(&self) -> Job<NoteSummary, NoteSummary> {
        // Reading stops where it is, and the summary goes on from there: so it can be cancelled at any time.
        drop(lock(&self.reading).take());
        let note = Arc::clone(&self.note);
        Job::start("summarize", move |reporter, cancel| {
            let said = lock(&note.said).clone();
            note.with_sequence(cancel, |sequence| summarize(&note.model, &said, sequence, reporter, cancel))
        })
    }
}

impl SpokenNote {
    /// Reads what was said each time that there is more. An error ends this; the summary meets it again, and tells it.
    fn read_along(&self, heard_more: &Receiver<()>, cancel: &CancelToken) -> Result<(), Error> {
        while heard_more.recv_blocking().is_ok() {
            let said = lock(&self.said).clone();
            let said = said.segments();
            if !said.is_empty() && windows(&self.model, said, cancel)?.len() == 1 {
                self.read(&lasting_prompt(&self.model, said)?, cancel)?;
            }
        }
        Ok(())
    }

    /// Nobody wants less than the summary has read: when the note ends while that has the sequence, nothing is done.
    fn read(&self, prompt: &[u32], cancel: &CancelToken) -> Result<(), Error> {
        self.with_sequence(cancel, |sequence| {
            let sequence = match sequence {
                Some(sequence) => sequence,
                none => none.insert(Sequence::new(self.model.decoder(self.model.context_limit())?)),
            };
            sequence.set(prompt, cancel)?;
            Ok(())
        })
    }

    /// Gives the sequence to `work` once nobody else has it. A pass that panics may be half done: what comes after it begins
    /// afresh.
    fn with_sequence<Value>(
        &self,
        cancel: &CancelToken,
        work: impl FnOnce(&mut Option<Sequence>) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let mut turn = self.sequence.take(cancel)?;
        let mut sequence = turn.take();
        let outcome = work(&mut sequence);
        *turn = sequence;
        outcome
    }
}

/// The beginning of the prompt that stays as it is whatever is said next: at the seam, tokens may change.
fn lasting_prompt(model: &Loaded, said: &[Segment]) -> Result<Vec<u32>, Error> {
    let mut now = prompt(model, said)?;
    let one_more: Vec<Segment> = said.iter().chain(said.last()).cloned().collect();
    now.truncate(common_prefix(&now, &prompt(model, &one_more)?));
    Ok(now)
}

/// What these locks guard is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::ModelFile;

    fn demo() -> LocalModel {
        // Where this package is now, not when it was compiled: on a phone, its files lie elsewhere.
        let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
        let path = package.join("../../sample-apps/demo-model/sotto-demo.gguf");
        LocalModel::load(ModelFile::path(path)).expect("the demo model loads")
    }

    #[test]
    fn what_is_read_lasts_whatever_follows() {
        let model = demo().loaded();
        let plain =
            VoiceNote::text("I need to send the notes. Marcus will write a test by Thursday! Is the demo on Monday?");
        let spoken = VoiceNote::transcript("Marta: I'll send it.\nTom: Good (and the room is booked)\nMarta: At 7:30?");
        for note in [plain, spoken] {
            let segments = note.segments();
            let whole = prompt(&model, segments).unwrap();
            for count in 1..segments.len() {
                let read = lasting_prompt(&model, &segments[..count]).unwrap();
                assert!(whole.starts_with(&read));
                // A mark at the end may become one token with a line break after it.
                let words = segments[count - 1].text.trim_end_matches(|last: char| last.is_ascii_punctuation());
                assert!(model.tokenizer.decode(&read).contains(words));
            }
        }
    }

    #[test]
    fn a_reader_that_comes_late_leaves_what_the_summary_read() {
        let session = demo().note_session();
        session.note.read(&[1, 2, 3], &CancelToken::new()).unwrap();
        let ended = CancelToken::new();
        ended.cancel();
        assert!(matches!(session.note.read(&[1], &ended), Err(Error::Cancelled)));
        let cancel = CancelToken::new();
        let again = session.note.with_sequence(&cancel, |sequence| sequence.as_mut().unwrap().set(&[1, 2, 3], &cancel));
        assert_eq!(again.map(|again| (again.reused, again.computed)).unwrap(), (2, 1));
    }

    #[test]
    fn a_panic_within_a_pass_leaves_no_half_read_note() {
        let session = demo().note_session();
        session.note.read(&[1, 2, 3], &CancelToken::new()).unwrap();
        let note = Arc::clone(&session.note);
        let panicked = std::thread::spawn(move || {
            note.with_sequence(&CancelToken::new(), |_| -> Result<(), Error> { panic!("on purpose") })
        });
        assert!(panicked.join().is_err());
        assert!(session.note.with_sequence(&CancelToken::new(), |sequence| Ok(sequence.is_none())).unwrap());
    }
}
