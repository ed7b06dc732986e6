//! Tools of a conversation. The request's thread starts the app's function, which runs elsewhere, and waits for its result.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use sotto_sdk::{CancelToken, Tool, ToolUse};

use crate::options::parse_schema;
use crate::{FfiError, FfiSession};

/// The time between two checks of the cancel token.
const PATIENCE: Duration = Duration::from_millis(20);

/// The app's function.
#[uniffi::export(with_foreign)]
pub trait FfiToolHandler: Send + Sync {
    /// Starts the function and returns at once. The function ends with [`FfiToolCall::succeed`] or [`FfiToolCall::fail`].
    fn start(&self, call: Arc<FfiToolCall>);
}

/// A call that waits for its result.
#[derive(uniffi::Object)]
pub struct FfiToolCall {
    arguments: String,
    result: Sender<Result<String, String>>,
    /// Closed once nobody waits any more.
    ended: async_channel::Receiver<Infallible>,
}

#[uniffi::export]
impl FfiToolCall {
    /// The arguments, as JSON.
    pub fn arguments(&self) -> String {
        self.arguments.clone()
    }

    /// Gives the text for the model.
    pub fn succeed(&self, text: String) {
        self.end(Ok(text));
    }

    /// Says why there is none.
    pub fn fail(&self, why: String) {
        self.end(Err(why));
    }

    /// Waits until there is a result, or the request was cancelled: then the function should end, too.
    pub async fn ended(&self) {
        // Nothing is ever sent.
        let _ = self.ended.recv().await;
    }
}

impl FfiToolCall {
    fn end(&self, result: Result<String, String>) {
        // After a cancellation, nobody waits.
        let _ = self.result.send(result);
    }
}

/// Calls the app's function and waits for it, or for the cancellation.
fn call(handler: &dyn FfiToolHandler, arguments: String, cancel: &CancelToken) -> Result<String, String> {
    let (sender, result) = channel();
    let (_until_the_end, ended) = async_channel::bounded(1);
    handler.start(Arc::new(FfiToolCall { arguments, result: sender, ended }));
    wait(&result, cancel)
}

fn wait(result: &Receiver<Result<String, String>>, cancel: &CancelToken) -> Result<String, String> {
    loop {
        match result.recv_timeout(PATIENCE) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => return Err("the tool gave no result".to_owned()),
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => return Err("cancelled".to_owned()),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Mirror of [`Tool`]; the parameters are JSON.
#[derive(uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiTool {
    pub name: String,
    pub description: String,
    pub parameters: String,
    pub handler: Arc<dyn FfiToolHandler>,
}

impl TryFrom<FfiTool> for Tool {
    type Error = FfiError;

    fn try_from(FfiTool { name, description, parameters, handler }: FfiTool) -> Result<Self, FfiError> {
        Ok(Self::new(name, description, parse_schema(&parameters)?, move |arguments, cancel| {
            call(&*handler, arguments.to_string(), cancel)
        }))
    }
}

/// Mirror of [`ToolUse`]; the arguments are JSON.
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiToolUse {
    pub text: String,
    pub name: String,
    pub arguments: String,
    pub result: String,
}

impl From<ToolUse> for FfiToolUse {
    fn from(ToolUse { text, name, arguments, result }: ToolUse) -> Self {
        Self { text, name, arguments: arguments.to_string(), result }
    }
}

impl TryFrom<FfiToolUse> for ToolUse {
    type Error = FfiError;

    fn try_from(FfiToolUse { text, name, arguments, result }: FfiToolUse) -> Result<Self, FfiError> {
        let arguments = serde_json::from_str(&arguments).map_err(|_| FfiError::InvalidInput {
            what: "the arguments of a call in the history are not JSON: resume with what the session gave".to_owned(),
        })?;
        Ok(Self { text, name, arguments, result })
    }
}

#[uniffi::export]
impl FfiSession {
    /// [`sotto_sdk::Session::with_tools`].
    pub fn with_tools(&self, tools: Vec<FfiTool>) -> Result<Self, FfiError> {
        let tools = tools.into_iter().map(Tool::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(self.0.with_tools(tools)?))
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{sleep, spawn};

    use super::*;

    /// Does this on another thread.
    struct Elsewhere(fn(Arc<FfiToolCall>));

    impl FfiToolHandler for Elsewhere {
        fn start(&self, call: Arc<FfiToolCall>) {
            let function = self.0;
            spawn(move || function(call));
        }
    }

    #[test]
    fn a_function_is_waited_for() {
        let outcome = |function| call(&Elsewhere(function), "{}".to_owned(), &CancelToken::new());
        let echo: fn(Arc<FfiToolCall>) = |call| {
            sleep(2 * PATIENCE);
            call.succeed(format!("{} and more", call.arguments()));
        };
        assert_eq!(outcome(echo), Ok("{} and more".to_owned()));
        assert_eq!(outcome(|call| call.fail("no network".to_owned())), Err("no network".to_owned()));
        assert_eq!(outcome(|_| {}), Err("the tool gave no result".to_owned()));
    }

    #[test]
    fn a_function_learns_that_its_request_was_cancelled() {
        let cancel = CancelToken::new();
        let (canceller, (sender, has_ended)) = (cancel.clone(), channel());
        struct Waiting(Sender<bool>, CancelToken);
        impl FfiToolHandler for Waiting {
            fn start(&self, call: Arc<FfiToolCall>) {
                let (sender, cancel) = (self.0.clone(), self.1.clone());
                spawn(move || {
                    cancel.cancel();
                    sender.send(call.ended.recv_blocking().is_err())
                });
            }
        }
        let outcome = call(&Waiting(sender, canceller), "{}".to_owned(), &cancel);
        assert_eq!(outcome, Err("cancelled".to_owned()));
        assert_eq!(has_ended.recv_timeout(Duration::from_secs(60)), Ok(true));
    }
}
