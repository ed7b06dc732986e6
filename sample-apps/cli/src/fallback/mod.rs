//! A server that answers what this machine cannot: `--fallback`. docs/fallback.md has the rules.

mod server;

use std::str::FromStr;

use sotto::{Classification, Error, HandoverReason, ServerCall};

pub use self::server::ServerError;
use self::server::{Server, watch};
use crate::args::FallbackArguments;
use crate::failure::Failure;

/// When a server answers: a word of `--fallback-when`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition {
    ContextTooLong,
    /// The label's probability is below this.
    LowConfidence(f64),
    ModelMissing,
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let unknown = || format!("{word} is none of context, confidence=P (0 to 1) and model");
        match word.split_once('=') {
            None if word == "context" => Ok(Self::ContextTooLong),
            None if word == "model" => Ok(Self::ModelMissing),
            Some(("confidence", least)) => {
                let least = least.parse().ok().filter(|least| (0.0..=1.0).contains(least));
                least.map(Self::LowConfidence).ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }
}

/// A server, and when it answers.
pub struct Fallback {
    server: Server,
    /// What the server calls the model.
    pub model: String,
    when: Vec<Condition>,
}

impl Fallback {
    /// The server of the command line, if it names one.
    pub fn of(arguments: &FallbackArguments) -> Result<Option<Self>, Failure> {
        let FallbackArguments { fallback: Some(address), fallback_model: Some(model), .. } = arguments else {
            return Ok(None);
        };
        let key = std::env::var("SOTTO_FALLBACK_KEY").ok().filter(|key| !key.is_empty());
        let server = Server::new(address, key, arguments.fallback_timeout)?;
        Ok(Some(Self { server, model: model.clone(), when: arguments.fallback_when.clone() }))
    }

    /// Why the server is to answer after this failure; `None` if it is not.
    pub fn reason(&self, failure: &Failure) -> Option<HandoverReason> {
        let (condition, reason) = match failure {
            Failure::Sotto(Error::ContextFull { .. }) | Failure::Advised { error: Error::ContextFull { .. }, .. } => {
                (Condition::ContextTooLong, HandoverReason::ContextTooLong)
            }
            Failure::Sotto(
                Error::ModelNotFound { .. }
                | Error::ModelInvalid { .. }
                | Error::Unsupported { .. }
                | Error::OutOfMemory { .. },
            )
            | Failure::NotPulled(_) => (Condition::ModelMissing, HandoverReason::ModelMissing),
            _ => return None,
        };
        self.when.contains(&condition).then_some(reason)
    }

    /// Whether the server is to find a label, as this one is not sure enough.
    pub fn is_for(&self, found: &Classification) -> bool {
        let too_low =
            |condition: &Condition| matches!(condition, Condition::LowConfidence(least) if found.confidence < *least);
        self.when.iter().any(too_low)
    }

    /// Asks the server. Each snapshot goes to `on_snapshot`, and Ctrl-C closes the connection.
    pub fn ask<Snapshot, Value>(
        &self,
        call: ServerCall<Snapshot, Value>,
        on_snapshot: impl FnMut(Snapshot) -> Result<(), Failure>,
    ) -> Result<Value, Failure> {
        watch(&self.server, call, on_snapshot)
    }
}

/// What this machine has found, or what the server answers where it is to do so.
pub fn or_server<T>(
    fallback: Option<&Fallback>,
    found: Result<T, Failure>,
    ask: impl FnOnce(&Fallback, HandoverReason) -> Result<T, Failure>,
) -> Result<T, Failure> {
    found.or_else(|failure| match fallback.and_then(|server| Some((server, server.reason(&failure)?))) {
        Some((server, reason)) => ask(server, reason),
        None => Err(failure),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_words() {
        assert_eq!("context".parse(), Ok(Condition::ContextTooLong));
        assert_eq!("confidence=0.6".parse(), Ok(Condition::LowConfidence(0.6)));
        for wrong in ["", "confidence", "confidence=2", "confidence=x", "context=1", "always"] {
            assert!(wrong.parse::<Condition>().is_err(), "{wrong}");
        }
    }
}
