//! Conversations.

use std::path::Path;

use sotto_sdk::{FinishReason, Reply, Session, Turn};

use crate::model::scaled;
use crate::{
    FfiChatOptions, FfiError, FfiForkJob, FfiMetrics, FfiPrewarmJob, FfiRespondJob, FfiSaveJob, FfiScaledAdapter,
    FfiToolUse,
};

/// Mirror of [`Turn`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTurn {
    pub question: String,
    pub calls: Vec<FfiToolUse>,
    pub answer: String,
}

impl TryFrom<FfiTurn> for Turn {
    type Error = FfiError;

    fn try_from(FfiTurn { question, calls, answer }: FfiTurn) -> Result<Self, FfiError> {
        let calls = calls.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok(Self { question, calls, answer })
    }
}

/// The turns of a history.
pub(crate) fn turns(history: Vec<FfiTurn>) -> Result<Vec<Turn>, FfiError> {
    history.into_iter().map(TryInto::try_into).collect()
}

impl From<Turn> for FfiTurn {
    fn from(Turn { question, calls, answer }: Turn) -> Self {
        Self { question, calls: calls.into_iter().map(Into::into).collect(), answer }
    }
}

/// Mirror of [`FinishReason`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiFinishReason {
    Complete,
    MaxTokens,
    ContextFull,
    TooManyToolCalls,
}

impl From<FinishReason> for FfiFinishReason {
    fn from(reason: FinishReason) -> Self {
        match reason {
            FinishReason::Complete => Self::Complete,
            FinishReason::MaxTokens => Self::MaxTokens,
            FinishReason::ContextFull => Self::ContextFull,
            FinishReason::TooManyToolCalls => Self::TooManyToolCalls,
        }
    }
}

/// Mirror of [`Reply`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiReply {
    pub text: String,
    pub finish_reason: FfiFinishReason,
    pub metrics: FfiMetrics,
}

impl From<Reply> for FfiReply {
    fn from(Reply { text, finish_reason, metrics }: Reply) -> Self {
        Self { text, finish_reason: finish_reason.into(), metrics: metrics.into() }
    }
}

/// A [`Session`].
#[derive(uniffi::Object)]
pub struct FfiSession(pub(crate) Session);

impl From<Session> for FfiSession {
    fn from(session: Session) -> Self {
        Self(session)
    }
}

#[uniffi::export]
impl FfiSession {
    /// [`Session::history`].
    pub fn history(&self) -> Vec<FfiTurn> {
        self.0.history().into_iter().map(Into::into).collect()
    }

    /// [`Session::prewarm`].
    pub fn prewarm(&self) -> Result<FfiPrewarmJob, FfiError> {
        Ok(self.0.prewarm().into())
    }

    /// [`Session::fork`].
    pub fn fork(&self) -> Result<FfiForkJob, FfiError> {
        Ok(self.0.fork().into())
    }

    /// [`Session::save`].
    pub fn save(&self, file: &str) -> Result<FfiSaveJob, FfiError> {
        Ok(self.0.save(Path::new(file)).into())
    }

    /// [`Session::context_used`].
    pub fn context_used(&self) -> Result<u32, FfiError> {
        Ok(self.0.context_used()? as u32)
    }

    /// [`Session::with_adapters`].
    pub fn with_adapters(&self, adapters: Vec<FfiScaledAdapter>) -> Result<Self, FfiError> {
        Ok(Self(self.0.with_adapters(&scaled(adapters))?))
    }

    /// [`Session::respond`].
    pub fn respond(&self, text: &str, options: FfiChatOptions) -> Result<FfiRespondJob, FfiError> {
        Ok(self.0.respond(text, &options.try_into()?).into())
    }
}
