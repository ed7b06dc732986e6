//! Tokens to text, as they come.

use crate::Tokenizer;

/// Turns a stream of tokens into text without ever giving half a character.
///
/// A token may hold part of a character (an emoji often takes three); its bytes wait here for the rest.
pub struct DecodeStream {
    tokenizer: Tokenizer,
    pending: Vec<u8>,
}

impl DecodeStream {
    /// Starts an empty stream.
    pub fn new(tokenizer: &Tokenizer) -> Self {
        Self { tokenizer: tokenizer.clone(), pending: Vec::new() }
    }

    /// The text that is complete with this token; may be empty. Control tokens have no text.
    pub fn push(&mut self, id: u32) -> String {
        self.pending.extend_from_slice(self.tokenizer.token_bytes(id));
        let complete = complete_length(&self.pending);
        let text = String::from_utf8_lossy(&self.pending[..complete]).into_owned();
        self.pending.drain(..complete);
        text
    }

    /// Ends the text: what is left of an unfinished character becomes U+FFFD.
    pub fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.pending)).into_owned()
    }
}

/// How many of the bytes need nothing more: all but a valid beginning of a character at the end.
fn complete_length(bytes: &[u8]) -> usize {
    let unfinished = (1..=3.min(bytes.len())).rev().find(|&length| {
        let end = &bytes[bytes.len() - length..];
        matches!(std::str::from_utf8(end), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
    });
    bytes.len() - unfinished.unwrap_or(0)
}
