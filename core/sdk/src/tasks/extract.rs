//! Extracts a value that fits a JSON schema from a text.

use std::convert::Infallible;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use sotto_text::OutputFormat;

use super::{constrained_answer, context_for, prompts, split_context, task_prompt};
use crate::finish_reason::FinishReason;
use crate::job::Job;
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::model::LocalModel;
use crate::note::span_pieces;
use crate::sequence::Sequence;
use crate::{CancelToken, Error};

/// The maximum number of tokens in an extracted value.
const ANSWER_TOKENS: usize = 1024;

/// A value extracted from a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extraction {
    /// The value; it fits the schema.
    pub value: Value,
    /// Time, tokens and memory it took.
    pub metrics: Metrics,
}

impl LocalModel {
    /// Extracts a value that fits `schema` (JSON Schema) from a text. The answer is constrained token by token, so it
    /// always parses and fits. What the schema leaves unbounded gets a default limit, and objects have the named
    /// properties (`docs/task-format.md`, "Schemas").
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text, an unsupported schema (with the property's path and what to change),
    /// or a value that is too long for an answer; [`Error::ContextFull`] when the text is longer than the context.
    pub fn extract(&self, text: &str, schema: &Value) -> Job<Infallible, Extraction> {
        let (model, text, schema) = (self.loaded(), text.to_owned(), schema.clone());
        Job::start("extract", move |_, cancel| extract(&model, &text, schema, cancel))
    }
}

fn extract(model: &Arc<Loaded>, text: &str, schema: Value, cancel: &CancelToken) -> Result<Extraction, Error> {
    if text.trim().is_empty() {
        return Err(Error::invalid_input("the text is empty: there is nothing to extract from"));
    }
    let prompt = task_prompt(model, prompts::extract(model.tuning.tuned, &schema), text)?;
    let (_, max_tokens) = split_context(model.context_limit(), ANSWER_TOKENS);
    let mut sequence = Sequence::new(model.decoder(context_for(model, prompt.len(), max_tokens)?)?);
    let format = match model.tuning.tuned {
        // Tuned models were trained to copy.
        true => OutputFormat::JsonSchemaOverText { schema, lines: span_pieces(text) },
        false => OutputFormat::JsonSchema(schema),
    };
    let answer = constrained_answer(model, &mut sequence, &prompt, &format, max_tokens, cancel, |_| {})?;
    if answer.finish_reason == FinishReason::MaxTokens {
        let more = if max_tokens < ANSWER_TOKENS { ", or allow a longer context" } else { "" };
        return Err(Error::invalid_input(format!(
            "the value did not end within {max_tokens} tokens: limit it in the schema (properties, maxLength, maxItems){more}"
        )));
    }
    Ok(Extraction { value: value_of(&answer.text)?, metrics: answer.metrics })
}

/// Parses an answer that fits the schema, which may allow numbers that are too large.
fn value_of(answer: &str) -> Result<Value, Error> {
    serde_json::from_str(answer).map_err(|_| {
        Error::invalid_input(
            "the value has a number that is too large, or is nested too deeply: limit it in the schema (maximum)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_allows_and_nobody_can_hold_is_told() {
        assert_eq!(value_of("{\"n\": 7}"), Ok(serde_json::json!({ "n": 7 })));
        for answer in ["1e999", &"[".repeat(200)] {
            assert!(matches!(value_of(answer), Err(Error::InvalidInput { .. })), "{answer}");
        }
    }
}
