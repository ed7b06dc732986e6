//! A text becomes a value of a given JSON schema.

use std::convert::Infallible;

use serde::Serialize;
use serde_json::Value;
use sotto_text::OutputFormat;

use super::{constrained_answer, context_for, split_context, task_prompt};
use crate::job::Job;
use crate::metrics::{Metrics, StopReason};
use crate::model::{Loaded, LocalModel};
use crate::sequence::Sequence;
use crate::{CancelToken, Error};

/// The most tokens of one extracted value.
const ANSWER_TOKENS: usize = 1024;

/// A value read out of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extraction {
    /// The value; it fits the schema.
    pub value: Value,
    /// What it cost.
    pub metrics: Metrics,
}

impl LocalModel {
    /// Reads a value of `schema` (JSON Schema) out of a text. The answer is held to the schema token by token, so it
    /// always parses and fits.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text or a schema that cannot be used; [`Error::ContextFull`] when the text
    /// or the value is longer than the context.
    pub fn extract(&self, text: &str, schema: &Value) -> Job<Infallible, Extraction> {
        let (model, text, schema) = (self.loaded(), text.to_owned(), schema.clone());
        Job::start("extract", move |_, cancel| extract(&model, &text, schema, cancel))
    }
}

fn extract(model: &Loaded, text: &str, schema: Value, cancel: &CancelToken) -> Result<Extraction, Error> {
    if text.trim().is_empty() {
        return Err(Error::invalid_input("the text is empty: there is nothing to extract from"));
    }
    let prompt = task_prompt(model, &instruction(model, &schema), text)?;
    let (_, max_tokens) = split_context(model.context_limit(), ANSWER_TOKENS);
    let mut sequence = Sequence::new(model.decoder(context_for(model, prompt.len(), max_tokens)?)?);
    let format = OutputFormat::JsonSchema(schema);
    let answer = constrained_answer(model, &mut sequence, &prompt, &format, max_tokens, cancel, |_| {})?;
    if answer.metrics.stop_reason == StopReason::Length {
        return Err(Error::ContextFull { limit: max_tokens, needed: max_tokens + 1 });
    }
    let value = serde_json::from_str(&answer.text)
        .map_err(|error| Error::internal(format!("the answer is no JSON value: {:?}", error.classify())))?;
    Ok(Extraction { value, metrics: answer.metrics })
}

fn instruction(model: &Loaded, schema: &Value) -> String {
    let names: Option<Vec<&str>> =
        schema.get("properties").and_then(Value::as_object).map(|fields| fields.keys().map(String::as_str).collect());
    match names {
        Some(names) if model.tuned => format!("extract: {}", names.join(", ")),
        _ => format!(
            "Read the user's text and answer with one JSON value that fits this JSON schema. Use only what the text says; use null \
             for what it does not say, where the schema allows it. Schema: {schema}"
        ),
    }
}
