//! Texts said in another way.

use sotto_personal::StyleProfile;
use sotto_text::{Message, Role};

use crate::Error;
use crate::job::Job;
use crate::model::LocalModel;
use crate::session::{ChatOptions, Reply};

/// What is asked for, before the text.
const REWRITE: &str = "Rewrite this message the way I write:";

impl LocalModel {
    /// Says a text as the writer of `style` would, streaming it piece by piece. It is best with an adapter that [`LocalModel::tune`] trained
    /// on the writer's texts; without one, small models follow a style badly.
    ///
    /// # Errors
    /// Those of [`crate::Session::respond`].
    pub fn rewrite(&self, text: &str, style: &StyleProfile, options: &ChatOptions) -> Job<String, Reply> {
        let (model, text, style, options) = (self.clone(), text.to_owned(), style.clone(), options.clone());
        Job::start("rewrite", move |reporter, cancel| {
            if text.trim().is_empty() {
                return Err(Error::invalid_input("there is no text to rewrite"));
            }
            let session = model.session(style.instruction().as_deref())?;
            session.answer(&question(&text), &options, cancel, |piece| reporter.report(piece.to_owned()))
        })
    }
}

/// The conversation in which a text is rewritten.
pub(super) fn rewrite_messages(text: &str, style: &StyleProfile) -> Vec<Message> {
    let instruction = style.instruction().map(|instruction| Message::new(Role::System, instruction));
    instruction.into_iter().chain([Message::new(Role::User, question(text))]).collect()
}

fn question(text: &str) -> String {
    format!("{REWRITE}\n\n{}", text.trim())
}
