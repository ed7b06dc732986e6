use serde::Serialize;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended the answer, or the format allows nothing more.
    Complete,
    /// The answer was cut off at its limit of tokens: allow more, or ask the model to go on.
    MaxTokens,
    /// The answer was cut off at the end of the context: start a new conversation, or load the model with a longer
    /// context.
    ContextFull,
    /// The model wanted to call tools once more than it may ([`MAX_TOOL_CALLS`](crate::MAX_TOOL_CALLS)): ask more
    /// precisely, or give it fewer tools.
    TooManyToolCalls,
}

impl FinishReason {
    /// The reason for an answer that was allowed `wanted` tokens where the context had room for `room`.
    pub(crate) fn given_room(self, wanted: usize, room: usize) -> Self {
        match self {
            Self::MaxTokens if wanted > room => Self::ContextFull,
            reason => reason,
        }
    }
}
