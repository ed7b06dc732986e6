//! Conversations that go on in a later process without being read again.

use std::convert::Infallible;
use std::path::Path;

use crate::Error;
use crate::job::Job;
use crate::model::LocalModel;
use crate::session::{Session, Turn};

impl Session {
    /// Saves what the model has read and computed of the conversation, for [`LocalModel::resume_from`]: 2 bytes for each key and value in F16, which
    /// is 32 KiB a token in Llama 3.2 1B. The file appears whole or not at all, and replaces one that is there. Waits for a running answer.
    ///
    /// The file contains what was said, as tokens. Keep it where only the app can read it, leave it out of backups, and delete it together with
    /// the conversation. What the conversation is made of is its [history](Session::history), which has to be stored besides.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if nothing has been read yet, [`Error::Storage`] when the file cannot be written, [`Error::OutOfMemory`],
    /// [`Error::Unsupported`] for candle's models.
    pub fn save(&self, file: &Path) -> Job<Infallible, ()> {
        let (session, file) = (self.clone(), file.to_owned());
        Job::start("save", move |_, cancel| session.locked(cancel, |sequence| sequence.save(&file)))
    }
}

impl LocalModel {
    /// Continues a conversation with this `history`, as [`LocalModel::resume`], but takes what was read of it from a file that
    /// [`Session::save`] has written. The next answer then computes only what the file lacks.
    ///
    /// The file is never trusted. One that is missing, damaged, or was written with another model, other adapters, another number format of
    /// the KV cache or by another version, is not used: the log says why, and the next answer reads the conversation again.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when there is not enough memory for its KV cache.
    pub fn resume_from(
        &self,
        instructions: Option<&str>,
        history: &[Turn],
        snapshot: &Path,
    ) -> Job<Infallible, Session> {
        let (model, instructions, history) = (self.clone(), instructions.map(str::to_owned), history.to_vec());
        let snapshot = snapshot.to_owned();
        Job::start("resume", move |_, cancel| {
            let session = model.resume(instructions.as_deref(), &history)?;
            match session.locked(cancel, |sequence| sequence.restore(&snapshot, cancel)) {
                Ok(()) => {}
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => log::warn!("a conversation is read again, because its snapshot cannot be used: {error}"),
            }
            Ok(session)
        })
    }
}
