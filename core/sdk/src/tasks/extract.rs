//! Extracts a value that fits a JSON schema from a text.

use std::convert::Infallible;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use sotto_text::{Message, OutputFormat};

use super::in_order::InOrder;
use super::{constrained_request, context_for, lasting_tokens, most_together, prompts, split_context, task_prompt};
use crate::finish_reason::FinishReason;
use crate::generate::{Answer, Writers, slots_for};
use crate::job::Job;
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::model::LocalModel;
use crate::note::span_pieces;
use crate::{CancelToken, Error};

/// The maximum number of tokens in an extracted value.
pub(crate) const ANSWER_TOKENS: usize = 1024;

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
        Job::start("extract", move |_, cancel| {
            let mut extraction = None;
            Extractor::new(&model, &schema)?.extract(&[text], cancel, |result| extraction = Some(result))?;
            extraction.unwrap_or_else(|| Err(Error::internal("a text has no result")))
        })
    }

    /// Extracts a value from each of many texts: several are written in one pass, and their common instruction is read once. Each result is
    /// reported as soon as it and all before it are there, in the order of the texts, and is the same as that of [`LocalModel::extract`]. A
    /// text from which nothing can be extracted has an error instead, and the others go on.
    ///
    /// # Errors
    /// Those of [`LocalModel::extract`] are reported in the text's place.
    pub fn extract_all(&self, texts: Vec<String>, schema: &Value) -> Job<Result<Extraction, Error>, ()> {
        let (model, schema) = (self.loaded(), schema.clone());
        Job::start("extract", move |reporter, cancel| {
            Extractor::new(&model, &schema)?.extract(&texts, cancel, |result| reporter.report(result))
        })
    }
}

/// Extracts values that fit a schema.
struct Extractor<'a> {
    model: &'a Arc<Loaded>,
    schema: &'a Value,
    instruction: Vec<Message>,
    /// How many tokens of each prompt are the instruction's.
    lasting: usize,
    /// The maximum number of tokens in a value.
    max_tokens: usize,
    /// The maximum number of values that are written together.
    together: usize,
}

impl<'a> Extractor<'a> {
    fn new(model: &'a Arc<Loaded>, schema: &'a Value) -> Result<Self, Error> {
        let instruction = prompts::extract(model.tuning.tuned, schema);
        let lasting = lasting_tokens(model, &instruction)?;
        let (_, max_tokens) = split_context(model.context_limit(), ANSWER_TOKENS);
        Ok(Self { model, schema, instruction, lasting, max_tokens, together: most_together(model) })
    }

    /// Extracts a value from each text, and reports them in order.
    ///
    /// # Errors
    /// Those that concern all texts.
    fn extract(
        &self,
        texts: &[String],
        cancel: &CancelToken,
        mut on_result: impl FnMut(Result<Extraction, Error>),
    ) -> Result<(), Error> {
        let prompts: Vec<Result<Vec<u32>, Error>> = texts.iter().map(|text| self.prompt(text)).collect();
        let longest = prompts.iter().flatten().map(Vec::len).max().unwrap_or(0);
        let (context, most) = (longest + self.max_tokens, self.together.min(texts.len()));
        let mut slots = slots_for(most, self.model, context)?;
        let mut texts_in_slots = vec![None; slots.count()];
        let mut writers = Writers::new(self.model, &mut *slots);
        let mut waiting = prompts.into_iter().zip(texts).enumerate();
        let mut results = InOrder::new(texts.len());
        while !results.is_done() {
            while let Some(slot) = writers.free_slot()
                && let Some((index, (prompt, text))) = waiting.next()
            {
                let started = prompt.and_then(|prompt| self.start(slot, &prompt, text, &mut writers, cancel));
                match started {
                    Ok(()) => texts_in_slots[slot] = Some(index),
                    Err(Error::Cancelled) => return Err(Error::Cancelled),
                    Err(error) => results.put(index, Err(error)),
                }
            }
            writers.go_on(cancel)?;
            for (slot, text) in texts_in_slots.iter_mut().enumerate() {
                if let Some(answer) = writers.take_finished(slot)
                    && let Some(index) = text.take()
                {
                    results.put(index, self.value_of(answer));
                }
            }
            while let Some(result) = results.next() {
                on_result(result);
            }
        }
        Ok(())
    }

    /// The prompt for a text.
    fn prompt(&self, text: &str) -> Result<Vec<u32>, Error> {
        if text.trim().is_empty() {
            return Err(Error::invalid_input("the text is empty: there is nothing to extract from"));
        }
        let prompt = task_prompt(self.model, self.instruction.clone(), text)?;
        context_for(self.model, prompt.len(), self.max_tokens)?;
        Ok(prompt)
    }

    fn start(
        &self,
        slot: usize,
        prompt: &[u32],
        text: &str,
        writers: &mut Writers<'_>,
        cancel: &CancelToken,
    ) -> Result<(), Error> {
        let schema = self.schema.clone();
        let format = match self.model.tuning.tuned {
            // Tuned models were trained to copy.
            true => OutputFormat::JsonSchemaOverText { schema, lines: span_pieces(text) },
            false => OutputFormat::JsonSchema(schema),
        };
        let request = constrained_request(self.model, prompt, self.lasting, &format, self.max_tokens)?;
        writers.start(slot, request, cancel)
    }

    fn value_of(&self, answer: Answer) -> Result<Extraction, Error> {
        let max_tokens = self.max_tokens;
        if answer.finish_reason == FinishReason::MaxTokens {
            let more = if max_tokens < ANSWER_TOKENS { ", or allow a longer context" } else { "" };
            return Err(Error::invalid_input(format!(
                "the value did not end within {max_tokens} tokens: limit it in the schema (properties, maxLength, maxItems){more}"
            )));
        }
        Ok(Extraction { value: value_of(&answer.text)?, metrics: answer.metrics })
    }
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
    use crate::demo_model::demo;

    #[test]
    fn values_that_are_written_together_are_those_that_are_written_alone() {
        let (model, cancel) = (demo().loaded(), CancelToken::new());
        let schema = serde_json::json!({ "type": "object", "properties": {
            "task": { "type": "string", "maxLength": 30 }, "day": { "enum": ["Monday", "Friday", null] }
        } });
        let texts = [
            "Call Tom on Friday.",
            "",
            "Marcus will write a test by Monday, I think.",
            "Buy milk.",
            "word ".repeat(9000).as_str(),
            "Dana has to send the list.",
            "The lift is stuck again since Monday.",
        ]
        .map(str::to_owned);
        let extracted = |together: usize, texts: &[String]| {
            let (mut values, extractor) = (Vec::new(), Extractor::new(&model, &schema).unwrap());
            let extractor = Extractor { together, ..extractor };
            let add = |result: Result<Extraction, Error>| values.push(result.map(|extraction| extraction.value));
            extractor.extract(texts, &cancel, add).unwrap();
            values
        };
        let alone: Vec<_> = texts.iter().flat_map(|text| extracted(1, std::slice::from_ref(text))).collect();
        assert_eq!(alone.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, true, false, true, true]);
        assert!(matches!((&alone[1], &alone[4]), (Err(Error::InvalidInput { .. }), Err(Error::ContextFull { .. }))));
        for together in [1, 2, 3, 8] {
            assert_eq!(extracted(together, &texts), alone, "{together} together");
        }
        assert_eq!(extracted(8, &[]), []);
    }

    #[test]
    fn what_json_allows_and_nobody_can_hold_is_told() {
        assert_eq!(value_of("{\"n\": 7}"), Ok(serde_json::json!({ "n": 7 })));
        for answer in ["1e999", &"[".repeat(200)] {
            assert!(matches!(value_of(answer), Err(Error::InvalidInput { .. })), "{answer}");
        }
    }
}
