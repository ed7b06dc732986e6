//! A prompt in which control tokens and text are told apart.

/// A part of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptPiece {
    /// A control token that the template wrote.
    Control(String),
    /// Text, the template's own or a message's; whatever it looks like, it is encoded as text.
    Text(String),
}

/// What a chat template makes of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderedPrompt {
    pieces: Vec<PromptPiece>,
}

impl RenderedPrompt {
    /// The parts in order.
    pub fn pieces(&self) -> &[PromptPiece] {
        &self.pieces
    }

    /// The exact text of the prompt, as the template made it.
    pub fn text(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                PromptPiece::Control(text) | PromptPiece::Text(text) => text.as_str(),
            })
            .collect()
    }

    pub(crate) fn push(&mut self, piece: PromptPiece) {
        self.pieces.push(piece);
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(PromptPiece::Text(text.to_owned()));
        }
    }
}
