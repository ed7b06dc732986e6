//! The grammar of an answer, which is built while the prompt is read.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use sotto_text::{Constraint, OutputFormat};

use crate::loaded::Loaded;
use crate::{CancelToken, Error};

/// Most grammars are built, and unsupported ones rejected, before the prompt is read.
const HEAD_START: Duration = Duration::from_millis(30);
/// The time between two checks of the cancel token.
const PATIENCE: Duration = Duration::from_millis(20);

/// A constraint, or a thread that builds it. A model's first constraint puts the vocabulary into a trie, and one for
/// copying from a long note takes a second on a phone.
pub(crate) struct Grammar(Making);

enum Making {
    Done(Box<Constraint>),
    Running(Receiver<Result<Constraint, Error>>),
}

impl Grammar {
    /// Starts to build it. If it is rejected at once, that is an error.
    pub(crate) fn start(model: &Arc<Loaded>, format: &OutputFormat) -> Result<Self, Error> {
        let (model, format) = (Arc::clone(model), format.clone());
        let (sender, made) = channel();
        let thread = thread::Builder::new().name("sotto-grammar".into());
        let work = move || {
            // The receiver may be gone.
            let _ = sender.send(model.constraints().and_then(|all| Ok(all.constraint(&format)?)));
        };
        thread.spawn(work).map_err(|error| Error::internal(format!("cannot start a thread: {error}")))?;
        Ok(Self(match made.recv_timeout(HEAD_START) {
            Ok(made) => Making::Done(Box::new(made?)),
            Err(RecvTimeoutError::Timeout) => Making::Running(made),
            Err(RecvTimeoutError::Disconnected) => return Err(panicked()),
        }))
    }

    /// The constraint, once it is ready. After a cancellation, the thread finishes alone.
    pub(crate) fn wait(self, cancel: &CancelToken) -> Result<Constraint, Error> {
        let made = match self.0 {
            Making::Done(constraint) => return Ok(*constraint),
            Making::Running(made) => made,
        };
        loop {
            match made.recv_timeout(PATIENCE) {
                Ok(made) => return made,
                Err(RecvTimeoutError::Timeout) => cancel.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(panicked()),
            }
        }
    }
}

fn panicked() -> Error {
    Error::internal("building a grammar panicked")
}
