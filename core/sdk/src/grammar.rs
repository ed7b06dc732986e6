//! The grammar of an answer, made while the prompt is read.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use sotto_text::{Constraint, OutputFormat};

use crate::loaded::Loaded;
use crate::{CancelToken, Error};

/// Most grammars are made, and those that cannot be used are refused, before the prompt is read.
const HEAD_START: Duration = Duration::from_millis(30);
/// Between two looks at a cancel token.
const PATIENCE: Duration = Duration::from_millis(20);

/// A constraint, or a thread that makes it: the first one of a model puts the vocabulary into a trie, and one that lets a long note's
/// words be copied takes a second on a phone.
pub(crate) struct Grammar(Making);

enum Making {
    Done(Box<Constraint>),
    Running(Receiver<Result<Constraint, Error>>),
}

impl Grammar {
    /// Starts to make it. What is refused at once is an error.
    pub(crate) fn start(model: &Arc<Loaded>, format: &OutputFormat) -> Result<Self, Error> {
        let (model, format) = (Arc::clone(model), format.clone());
        let (sender, made) = channel();
        let thread = thread::Builder::new().name("sotto-grammar".into());
        let work = move || {
            // Whoever wanted it may have gone.
            let _ = sender.send(model.constraints().and_then(|all| Ok(all.constraint(&format)?)));
        };
        thread.spawn(work).map_err(|error| Error::internal(format!("no thread could be started: {error}")))?;
        Ok(Self(match made.recv_timeout(HEAD_START) {
            Ok(made) => Making::Done(Box::new(made?)),
            Err(RecvTimeoutError::Timeout) => Making::Running(made),
            Err(RecvTimeoutError::Disconnected) => return Err(panicked()),
        }))
    }

    /// The constraint, once it is there. Whoever cancels leaves the thread alone with it.
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
    Error::internal("the making of a grammar panicked")
}
