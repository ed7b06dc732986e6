//! Running requests: `next()` pulls, `value()` ends, `cancel()` and dropping stop.

use std::convert::Infallible;

use sotto_sdk::{
    Adapter, Classification, Error, Extraction, FileReport, Job, LocalModel, NoteSummary, Progress, Reply, Session,
    Tokenizer,
};

use crate::{
    FfiAdapter, FfiClassification, FfiError, FfiExtraction, FfiFileReport, FfiModel, FfiNoteSummary, FfiProgress,
    FfiReply, FfiSession, FfiTokenizer,
};

/// A handle for jobs with these snapshots and this value; both convert into what crosses the border.
macro_rules! job {
    ($name:ident: $job:ty, next: $snapshot:ident, value: $value:tt) => {
        job!($name: $job, value: $value);

        #[uniffi::export]
        impl $name {
            /// The next snapshot, once it is there; `None` at the end.
            pub async fn next(&self) -> Result<Option<$snapshot>, FfiError> {
                Ok(self.0.next_snapshot().await.map(Into::into))
            }
        }
    };
    ($name:ident: $job:ty, each: $result:ident) => {
        job!($name: $job, value: ());

        #[uniffi::export]
        impl $name {
            /// The next text's result, once it is there; `None` at the end. An error is that text's alone.
            pub async fn next(&self) -> Result<Option<$result>, FfiError> {
                Ok(self.0.next_snapshot().await.transpose()?.map(Into::into))
            }
        }
    };
    ($name:ident: $job:ty, value: $value:tt) => {
        /// A job of the SDK; dropping it cancels the work.
        #[derive(uniffi::Object)]
        pub struct $name($job);

        impl From<$job> for $name {
            fn from(job: $job) -> Self {
                Self(job)
            }
        }

        #[uniffi::export]
        impl $name {
            /// The value, once it is there, passing over snapshots; given once.
            pub async fn value(&self) -> Result<$value, FfiError> {
                Ok(self.0.value().await.map(Into::into)?)
            }

            /// Stops the work within 100 ms.
            pub fn cancel(&self) {
                self.0.cancel();
            }
        }
    };
}

// Parts that can be left out have their jobs beside them.
#[cfg(any(feature = "personal", feature = "speech"))]
pub(crate) use job;

job!(FfiLoadJob: Job<Progress, LocalModel>, next: FfiProgress, value: FfiModel);
job!(FfiLoadAdapterJob: Job<Infallible, Adapter>, value: FfiAdapter);
job!(FfiInspectJob: Job<Infallible, FileReport>, value: FfiFileReport);
job!(FfiLoadTokenizerJob: Job<Infallible, Tokenizer>, value: FfiTokenizer);
job!(FfiPackJob: Job<Progress, ()>, next: FfiProgress, value: ());
job!(FfiSummarizeJob: Job<NoteSummary, NoteSummary>, next: FfiNoteSummary, value: FfiNoteSummary);
job!(FfiSummarizeAllJob: Job<Result<NoteSummary, Error>, ()>, each: FfiNoteSummary);
job!(FfiClassifyJob: Job<Infallible, Classification>, value: FfiClassification);
job!(FfiClassifyAllJob: Job<Result<Classification, Error>, ()>, each: FfiClassification);
job!(FfiExtractJob: Job<Infallible, Extraction>, value: FfiExtraction);
job!(FfiExtractAllJob: Job<Result<Extraction, Error>, ()>, each: FfiExtraction);
job!(FfiForkJob: Job<Infallible, Session>, value: FfiSession);
job!(FfiSaveJob: Job<Infallible, ()>, value: ());
job!(FfiResumeJob: Job<Infallible, Session>, value: FfiSession);
job!(FfiRespondJob: Job<String, Reply>, next: String, value: FfiReply);
job!(FfiPrewarmJob: Job<Infallible, ()>, value: ());
