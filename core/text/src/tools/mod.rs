//! Functions that a model may call.

mod call_format;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::call_format::CallFormat;

/// What a model is told of a function that it may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolSpec {
    /// The name: letters, digits, `_` and `-`.
    pub name: String,
    /// What the function does, and when to call it.
    pub description: String,
    /// A JSON schema of an object, with the arguments as properties.
    pub parameters: Value,
}

/// A call that a model made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The name of the tool.
    pub name: String,
    /// The arguments, which fit the tool's schema.
    pub arguments: Value,
}
