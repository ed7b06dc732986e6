//! What a server of the app is asked in place of this device. Each language sends it; here is no network code.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use sotto_sdk::{Classification, Error, Extraction, NoteSummary, Reply, ServerCall};

use crate::model::{classify_options, note};
use crate::options::parse_schema;
use crate::{
    FfiChatOptions, FfiClassification, FfiError, FfiExtraction, FfiHandoverReason, FfiLabel, FfiNoteSummary, FfiReply,
    FfiSegment, FfiSummaryOptions, FfiTurn,
};

/// A handle for calls with this snapshot and this value; both convert into what crosses the border.
macro_rules! server_call {
    ($name:ident: $call:ty, snapshot: $snapshot:ident, value: $value:ident) => {
        server_call!($name: $call, value: $value);

        #[uniffi::export]
        impl $name {
            /// [`ServerCall::read`].
            pub fn read(&self, bytes: Vec<u8>) -> Result<Vec<$snapshot>, FfiError> {
                Ok(self.with(|call| call.read(&bytes))?.into_iter().map(Into::into).collect())
            }
        }
    };
    ($name:ident: $call:ty, value only: $value:ident) => {
        server_call!($name: $call, value: $value);

        #[uniffi::export]
        impl $name {
            /// [`ServerCall::read`]; there are no snapshots.
            pub fn read(&self, bytes: Vec<u8>) -> Result<(), FfiError> {
                self.with(|call| call.read(&bytes).map(drop))
            }
        }
    };
    ($name:ident: $call:ty, value: $value:ident) => {
        /// A [`ServerCall`].
        #[derive(uniffi::Object)]
        pub struct $name(Mutex<Option<$call>>);

        impl From<$call> for $name {
            fn from(call: $call) -> Self {
                Self(Mutex::new(Some(call)))
            }
        }

        impl $name {
            /// Does something with the call, until its value is given.
            fn with<T>(&self, action: impl FnOnce(&mut $call) -> Result<T, Error>) -> Result<T, FfiError> {
                let mut call = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(action(call.as_mut().ok_or_else(ended)?)?)
            }
        }

        #[uniffi::export]
        impl $name {
            /// [`ServerCall::body`].
            pub fn body(&self) -> Result<String, FfiError> {
                self.with(|call| Ok(call.body().to_owned()))
            }

            /// [`ServerCall::value`]; given once.
            pub fn value(&self) -> Result<$value, FfiError> {
                let call = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
                Ok(call.ok_or_else(ended)?.value()?.into())
            }
        }
    };
}

fn ended() -> FfiError {
    FfiError::Internal { why: "a call of a server was used after its end".to_owned() }
}

server_call!(FfiServerClassify: ServerCall<Infallible, Classification>, value only: FfiClassification);
server_call!(FfiServerExtract: ServerCall<Infallible, Extraction>, value only: FfiExtraction);
server_call!(FfiServerSummarize: ServerCall<NoteSummary, NoteSummary>, snapshot: FfiNoteSummary, value: FfiNoteSummary);
server_call!(FfiServerChat: ServerCall<String, Reply>, snapshot: String, value: FfiReply);

/// [`ServerCall::classify`].
#[uniffi::export]
pub fn server_classify(
    text: &str,
    labels: Vec<FfiLabel>,
    min_confidence: f64,
    server_model: &str,
    reason: FfiHandoverReason,
) -> Result<FfiServerClassify, FfiError> {
    Ok(ServerCall::classify(text, &classify_options(labels, min_confidence), server_model, reason.into())?.into())
}

/// [`ServerCall::extract`].
#[uniffi::export]
pub fn server_extract(
    text: &str,
    schema: &str,
    server_model: &str,
    reason: FfiHandoverReason,
) -> Result<FfiServerExtract, FfiError> {
    Ok(ServerCall::extract(text, &parse_schema(schema)?, server_model, reason.into())?.into())
}

/// [`ServerCall::summarize`].
#[uniffi::export]
pub fn server_summarize(
    segments: Vec<FfiSegment>,
    options: FfiSummaryOptions,
    server_model: &str,
    reason: FfiHandoverReason,
) -> Result<FfiServerSummarize, FfiError> {
    Ok(ServerCall::summarize(&note(segments), &options.into(), server_model, reason.into())?.into())
}

/// [`ServerCall::chat`].
#[uniffi::export]
pub fn server_chat(
    instructions: Option<String>,
    history: Vec<FfiTurn>,
    question: &str,
    options: FfiChatOptions,
    server_model: &str,
    reason: FfiHandoverReason,
) -> Result<FfiServerChat, FfiError> {
    let history = history.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, _>>()?;
    let options = options.try_into()?;
    let call = ServerCall::chat(instructions.as_deref(), &history, question, &options, server_model, reason.into())?;
    Ok(call.into())
}
