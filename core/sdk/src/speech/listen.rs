//! A microphone is transcribed while somebody speaks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_channel::{Receiver, Sender, TryRecvError, bounded, unbounded};
use sotto_speech::{
    Converter, PcmFormat, Recognize, SAMPLE_RATE, Samples, SpeechMemory, TranscribeOptions, Transcriber,
};

use super::Speech;
use super::transcript::{Growing, Transcript, TranscriptPart, TranscriptSegment};
use crate::job::{Job, Reporter};
use crate::tasks::note_session::NoteSession;
use crate::{CancelToken, Error};

/// Samples that are heard at once, 100 ms.
const PIECE: usize = SAMPLE_RATE / 10;
/// How many pieces may wait to be heard: a minute, 3.8 MB.
const MOST_WAITING: usize = 600;
/// After so many samples, what was said is looked at again, if nothing waits: a second.
const TENTATIVE_EVERY: usize = SAMPLE_RATE;
/// How long the listener rests before it looks again whether it was cancelled, of which nothing wakes it.
const PATIENCE: Duration = Duration::from_millis(50);

/// How to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenOptions {
    /// How the microphone's samples lie; 16 kHz mono by default.
    pub format: PcmFormat,
    /// How they are transcribed.
    pub transcribe: TranscribeOptions,
    /// Whether parts have tentative segments, the default. They let one read along, and take as much time as the device has.
    pub tentative: bool,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self { format: PcmFormat::default(), transcribe: TranscribeOptions::default(), tentative: true }
    }
}

/// Where a microphone's samples go.
///
/// ```text
///           push                pause               resume
/// hearing ───────▶ hearing ───────────▶ resting ──────────▶ hearing ── finish, or drop ──▶ finished
///                                        │   ▲                          push: an error
///                                        └───┘ push: waits to be heard
/// ```
/// When a minute of sound waits to be heard, [`push`](AudioInput::push) waits, too: no sample is lost.
#[derive(Debug)]
pub struct AudioInput {
    intake: Mutex<Intake>,
    pieces: Sender<Piece>,
    /// Tells that a piece was taken.
    room: Receiver<()>,
    /// How many pauses are over.
    resumed: Arc<AtomicU64>,
    bell: Arc<Bell>,
}

/// What becomes pieces.
#[derive(Debug)]
struct Intake {
    converter: Converter,
    /// Less than a piece, but while it is being taken.
    samples: Vec<f32>,
    /// How many pauses there were.
    pauses: u64,
    finished: bool,
}

#[derive(Debug)]
enum Piece {
    /// 16 kHz mono.
    Sound(Vec<f32>),
    /// The last window ends here, and the listener rests until so many pauses are over.
    Pause(u64),
}

/// The other end of an [`AudioInput`].
struct Pieces {
    pieces: Receiver<Piece>,
    room: Sender<()>,
    resumed: Arc<AtomicU64>,
    bell: Arc<Bell>,
}

/// Wakes the listener: there is a piece, or the end, or a pause is over.
#[derive(Debug)]
struct Bell {
    /// How often it has rung.
    rings: Mutex<u64>,
    rung: Condvar,
    /// How long it is waited for at once.
    patience: Duration,
}

impl Speech {
    /// Listens to a microphone. Its samples go into the [`AudioInput`]; the job tells what is said, and has the transcript when the
    /// input is finished. Dropping the job stops it.
    ///
    /// Once a second, what was said since the last confirmed segment is transcribed again, and is tentative. It becomes confirmed
    /// at a pause of two seconds, or in windows of at most 30 seconds that end at shorter pauses.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a rate or a number of channels that no microphone has. The job's are those of
    /// [`Speech::transcribe`].
    pub fn listen(&self, options: &ListenOptions) -> Result<(AudioInput, Job<TranscriptPart, Transcript>), Error> {
        self.start_listening(options, |_| Ok(()))
    }

    /// As [`Speech::listen`]: each confirmed segment is appended to `note`, too, as soon as it is there.
    ///
    /// # Errors
    /// As for [`Speech::listen`]. The job ends with [`Error::InvalidInput`] when the note is finished while somebody still speaks.
    pub fn listen_into(
        &self,
        note: &Arc<NoteSession>,
        options: &ListenOptions,
    ) -> Result<(AudioInput, Job<TranscriptPart, Transcript>), Error> {
        let note = Arc::clone(note);
        self.start_listening(options, move |segment| note.append(segment.into()))
    }

    fn start_listening(
        &self,
        options: &ListenOptions,
        on_confirmed: impl FnMut(&TranscriptSegment) -> Result<(), Error> + Send + 'static,
    ) -> Result<(AudioInput, Job<TranscriptPart, Transcript>), Error> {
        let (input, pieces) = input(options.format)?;
        let (shelf, options) = (Arc::clone(&self.0), options.clone());
        let job = Job::start("hear", move |reporter, cancel| {
            let model = shelf.model(cancel)?;
            let transcriber = Transcriber::new(model.recognizer()?, options.transcribe);
            let listener = Listener {
                transcriber,
                transcript: Growing::default(),
                tentative: options.tentative.then(Vec::new),
                on_confirmed,
                reporter,
                cancel,
            };
            listener.listen(&pieces, model.memory())
        });
        Ok((input, job))
    }
}

fn input(format: PcmFormat) -> Result<(AudioInput, Pieces), Error> {
    let intake = Intake { converter: Converter::new(format)?, samples: Vec::new(), pauses: 0, finished: false };
    let ((sender, receiver), (taken, room)) = (unbounded(), bounded(1));
    let (resumed, bell) = (Arc::new(AtomicU64::new(0)), Arc::new(Bell::new(PATIENCE)));
    let pieces = Pieces { pieces: receiver, room: taken, resumed: Arc::clone(&resumed), bell: Arc::clone(&bell) };
    Ok((AudioInput { intake: Mutex::new(intake), pieces: sender, room, resumed, bell }, pieces))
}

impl AudioInput {
    /// Takes the next samples, from any thread, and waits while a minute of sound is still to be heard.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for samples that are no sound, of which none is taken then, and once the input is finished.
    /// [`Error::Cancelled`] once the job has ended; it says why.
    pub fn push(&self, samples: Samples<'_>) -> Result<(), Error> {
        while self.is_full() {
            self.room.recv_blocking().map_err(|_| Error::Cancelled)?;
        }
        self.take(samples)
    }

    /// As [`AudioInput::push`], on any executor. Dropped before its end, it has taken nothing.
    ///
    /// # Errors
    /// As for [`AudioInput::push`].
    pub async fn push_async(&self, samples: Samples<'_>) -> Result<(), Error> {
        while self.is_full() {
            self.room.recv().await.map_err(|_| Error::Cancelled)?;
        }
        self.take(samples)
    }

    /// Ends a window here, so that all that was said becomes confirmed, and lets the listener rest. What is pushed meanwhile waits
    /// to be heard.
    pub fn pause(&self) {
        let mut intake = self.lock();
        if !intake.finished {
            intake.pauses += 1;
            self.send_rest(&mut intake);
            self.send(Piece::Pause(intake.pauses));
        }
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        self.resume_after(&self.lock());
    }

    /// Says that no more samples come: the job ends when all are heard.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn finish(&self) -> Result<(), Error> {
        let mut intake = self.lock();
        self.resume_after(&intake);
        if !std::mem::replace(&mut intake.finished, true) {
            let Intake { converter, samples, .. } = &mut *intake;
            converter.finish(samples)?;
            self.send_rest(&mut intake);
            self.pieces.close();
            self.bell.ring();
        }
        Ok(())
    }

    fn resume_after(&self, intake: &Intake) {
        self.resumed.store(intake.pauses, Ordering::Relaxed);
        self.bell.ring();
    }

    fn is_full(&self) -> bool {
        self.pieces.len() >= MOST_WAITING
    }

    fn take(&self, samples: Samples<'_>) -> Result<(), Error> {
        let mut intake = self.lock();
        if intake.finished {
            return Err(Error::invalid_input("the input is finished: start listening again"));
        }
        let Intake { converter, samples: waiting, .. } = &mut *intake;
        converter.push(samples, waiting)?;
        let whole = waiting.len() - waiting.len() % PIECE;
        for piece in waiting.drain(..whole).as_slice().chunks(PIECE) {
            self.send(Piece::Sound(piece.to_vec()));
        }
        match self.pieces.is_closed() {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }

    fn send_rest(&self, intake: &mut Intake) {
        self.send(Piece::Sound(std::mem::take(&mut intake.samples)));
    }

    /// Whether anybody still hears it is seen by `take`.
    fn send(&self, piece: Piece) {
        let _ = self.pieces.try_send(piece);
        self.bell.ring();
    }

    /// What this lock guards is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Intake> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AudioInput {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            log::warn!("the end of a recording was lost: {error}");
        }
    }
}

impl Pieces {
    /// The next piece, once it is there; `None` at the end.
    fn next(&self, cancel: &CancelToken) -> Result<Option<Piece>, Error> {
        let piece = self.bell.when(cancel, || match self.pieces.try_recv() {
            Ok(piece) => Some(Some(piece)),
            Err(TryRecvError::Closed) => Some(None),
            Err(TryRecvError::Empty) => None,
        })?;
        // Where a token lies there already, whoever waits for room is about to look.
        let _ = self.room.try_send(());
        Ok(piece)
    }

    /// Waits until so many pauses are over.
    fn rest(&self, pauses: u64, cancel: &CancelToken) -> Result<(), Error> {
        self.bell.when(cancel, || (self.resumed.load(Ordering::Relaxed) >= pauses).then_some(()))
    }
}

impl Bell {
    fn new(patience: Duration) -> Self {
        Self { rings: Mutex::new(0), rung: Condvar::new(), patience }
    }

    fn ring(&self) {
        *self.lock() += 1;
        self.rung.notify_all();
    }

    /// What `ready` gives, once it gives something: it is asked at first, and whenever the bell has rung.
    fn when<T>(&self, cancel: &CancelToken, mut ready: impl FnMut() -> Option<T>) -> Result<T, Error> {
        loop {
            cancel.check()?;
            let rings = *self.lock();
            if let Some(value) = ready() {
                return Ok(value);
            }
            let waited = self.rung.wait_timeout_while(self.lock(), self.patience, |now| *now == rings);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// A number is whole at any time.
    fn lock(&self) -> MutexGuard<'_, u64> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What hears the pieces.
struct Listener<'a, R: Recognize, F> {
    transcriber: Transcriber<R>,
    transcript: Growing,
    /// What was told last; `None` where nobody wants to know.
    tentative: Option<Vec<TranscriptSegment>>,
    on_confirmed: F,
    reporter: &'a Reporter<TranscriptPart>,
    cancel: &'a CancelToken,
}

impl<R: Recognize, F: FnMut(&TranscriptSegment) -> Result<(), Error>> Listener<'_, R, F> {
    fn listen(mut self, pieces: &Pieces, memory: SpeechMemory) -> Result<Transcript, Error> {
        let mut unseen = 0;
        while let Some(piece) = pieces.next(self.cancel)? {
            match piece {
                Piece::Sound(samples) => {
                    unseen += samples.len();
                    self.transcriber.push(&samples);
                    self.confirm()?;
                    if unseen >= TENTATIVE_EVERY && pieces.pieces.is_empty() {
                        unseen = 0;
                        self.tell_tentative()?;
                    }
                }
                Piece::Pause(pauses) => {
                    self.transcriber.end();
                    self.confirm()?;
                    pieces.rest(pauses, self.cancel)?;
                }
            }
        }
        self.transcriber.end();
        self.confirm()?;
        Ok(self.transcript.finish(&self.transcriber, memory))
    }

    /// Tells what has become certain.
    fn confirm(&mut self) -> Result<(), Error> {
        while let Some(segments) = self.transcriber.next(self.cancel)? {
            let confirmed = self.transcript.confirm(segments);
            confirmed.iter().try_for_each(&mut self.on_confirmed)?;
            if let Some(last) = &mut self.tentative {
                last.clear();
            }
            let heard_seconds = self.transcriber.position();
            self.reporter.report(TranscriptPart { confirmed, heard_seconds, ..TranscriptPart::default() });
        }
        Ok(())
    }

    /// Tells what was said since then, if that has changed.
    fn tell_tentative(&mut self) -> Result<(), Error> {
        let Some(last) = &mut self.tentative else { return Ok(()) };
        let tentative = self.transcript.numbered(self.transcriber.tentative(self.cancel)?);
        if *last != tentative {
            last.clone_from(&tentative);
            let heard_seconds = self.transcriber.position();
            self.reporter.report(TranscriptPart { tentative, heard_seconds, ..TranscriptPart::default() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
