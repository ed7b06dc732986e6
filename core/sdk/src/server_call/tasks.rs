//! What each task asks a server, and what it makes of the answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use sotto_text::{Message, OutputFormat, Role, fits_schema};

use super::events::End;
use super::{HandoverReason, ServerCall, ServerText, Style};
use crate::Error;
use crate::finish_reason::FinishReason;
use crate::note::VoiceNote;
use crate::session::{ChatOptions, Reply, Turn};
use crate::tasks::classify::{Classification, ClassifyOptions};
use crate::tasks::extract::{ANSWER_TOKENS, Extraction};
use crate::tasks::prompts;
use crate::tasks::summarize::dictation::Dictation;
use crate::tasks::summarize::{NoteSummary, SummaryOptions, check};

/// The maximum number of tokens in a label and in a summary.
const LABEL_TOKENS: usize = 128;
const SUMMARY_TOKENS: usize = 4096;

/// Servers that do not hold a model to the schema need to be asked for it.
const AS_JSON: &str = "Answer with JSON: {\"label\": \"…\"}.";

impl ServerCall<Infallible, Classification> {
    /// Asks for the label that fits a text, of the model that the server knows as `server_model`. A server tells no probabilities: the
    /// label has all of it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than two labels or repeated ones, or an empty text.
    pub fn classify(
        text: &str,
        options: &ClassifyOptions,
        server_model: &str,
        reason: HandoverReason,
    ) -> Result<Self, Error> {
        options.check()?;
        check_text(text)?;
        let names: Vec<String> = options.labels.iter().map(|label| label.name.clone()).collect();
        let mut messages = prompts::classify(false, &options.labels);
        messages.iter_mut().for_each(|message| message.content = format!("{}\n{AS_JSON}", message.content));
        messages.push(Message::new(Role::User, text));
        let style = Style::greedy(LABEL_TOKENS, Some(label_schema(&names)));
        let value = move |answer: ServerText| {
            let label = answer.json()?.get("label").and_then(Value::as_str).map(str::to_owned);
            let label = label.filter(|label| names.contains(label));
            let label = label.ok_or_else(|| Error::server_answer("it is none of the labels"))?;
            let score = |name: String| {
                let probability = if name == label { 1.0 } else { 0.0 };
                (name, probability)
            };
            let scores = names.into_iter().map(score).collect();
            Ok(Classification { scores, label, confidence: 1.0, abstained: false, metrics: answer.metrics })
        };
        Ok(Self::new((server_model, reason), &messages, style, |_, _| None, value))
    }
}

fn label_schema(names: &[String]) -> Value {
    json!({
        "type": "object",
        "properties": { "label": { "type": "string", "enum": names } },
        "required": ["label"],
        "additionalProperties": false,
    })
}

impl ServerCall<Infallible, Extraction> {
    /// Asks for a value that fits a JSON schema. It must be one that the device could have written: the schema's limits and
    /// default limits hold ([`LocalModel::extract`](crate::LocalModel::extract)).
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text or an unsupported schema.
    pub fn extract(text: &str, schema: &Value, server_model: &str, reason: HandoverReason) -> Result<Self, Error> {
        check_text(text)?;
        // Tells of an unsupported schema before anything is sent.
        fits_schema(&Value::Null, schema)?;
        let mut messages = prompts::extract(false, schema);
        messages.push(Message::new(Role::User, text));
        let style = Style::greedy(ANSWER_TOKENS, Some(schema.clone()));
        let schema = schema.clone();
        let value = move |answer: ServerText| {
            let value = answer.json()?;
            check_fits(&value, &schema)?;
            Ok(Extraction { value, metrics: answer.metrics })
        };
        Ok(Self::new((server_model, reason), &messages, style, |_, _| None, value))
    }
}

impl ServerCall<NoteSummary, NoteSummary> {
    /// Asks for a summary of a note. Points and actions that are not quoted from the note are left out, so nothing in them is invented.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a note without words or an invalid language name.
    pub fn summarize(
        note: &VoiceNote,
        options: &SummaryOptions,
        server_model: &str,
        reason: HandoverReason,
    ) -> Result<Self, Error> {
        check(note, options)?;
        let dictation = Dictation::new(note, options);
        let mut messages = prompts::summarize(false, options.language.as_deref(), true);
        messages.push(Message::new(Role::User, dictation.note()));
        let dictation = Arc::new(Mutex::new(dictation));
        let reader = Arc::clone(&dictation);
        let lock = |dictation: &Arc<Mutex<Dictation>>, written: &str, finished| {
            dictation.lock().unwrap_or_else(PoisonError::into_inner).take(written, finished)
        };
        let snapshot = move |_: &str, written: &str| lock(&reader, written, false);
        let value = move |answer: ServerText| {
            let summary = lock(&dictation, &answer.text, true);
            let summary = summary.ok_or_else(|| Error::server_answer("it is not a summary"))?;
            Ok(NoteSummary { metrics: Some(answer.metrics), ..summary })
        };
        let style = Style::greedy(SUMMARY_TOKENS, None);
        Ok(Self::new((server_model, reason), &messages, style, snapshot, value))
    }
}

impl ServerCall<String, Reply> {
    /// Asks for the next answer of a conversation. Of the sampling options, temperature and `top_p` are passed on. Calls of tools in the
    /// history are not sent.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a format that is not a JSON schema, or a schema that is not supported.
    pub fn chat(
        instructions: Option<&str>,
        history: &[Turn],
        question: &str,
        options: &ChatOptions,
        server_model: &str,
        reason: HandoverReason,
    ) -> Result<Self, Error> {
        let schema = match &options.format {
            None => None,
            Some(OutputFormat::JsonSchema(schema)) => Some(schema.clone()),
            Some(_) => return Err(Error::invalid_input("a server can only be held to a JSON schema")),
        };
        schema.as_ref().map(|schema| fits_schema(&Value::Null, schema)).transpose()?;
        let said = |turn: &Turn| [(Role::User, turn.question.clone()), (Role::Assistant, turn.answer.clone())];
        let messages: Vec<Message> = instructions
            .map(|text| (Role::System, text.to_owned()))
            .into_iter()
            .chain(history.iter().flat_map(said))
            .chain([(Role::User, question.to_owned())])
            .map(|(role, text)| Message::new(role, text))
            .collect();
        let style = Style {
            max_tokens: options.max_tokens,
            temperature: options.sampling.temperature,
            top_p: options.sampling.top_p,
            schema: schema.clone(),
        };
        let value = move |answer: ServerText| {
            let finish_reason = match answer.end {
                Some(End::MaxTokens) => FinishReason::MaxTokens,
                _ => FinishReason::Complete,
            };
            if let Some(schema) = schema.filter(|_| finish_reason == FinishReason::Complete) {
                check_fits(&answer.json()?, &schema)?;
            }
            Ok(Reply { text: answer.text, finish_reason, metrics: answer.metrics })
        };
        Ok(Self::new((server_model, reason), &messages, style, |new, _| Some(new.to_owned()), value))
    }
}

impl ServerText {
    /// The answer as a JSON value.
    fn json(&self) -> Result<Value, Error> {
        match self.end {
            Some(End::MaxTokens) => Err(Error::server_answer("it was cut off at its limit of tokens")),
            _ => serde_json::from_str(&self.text).map_err(|_| Error::server_answer("it is not JSON")),
        }
    }
}

fn check_text(text: &str) -> Result<(), Error> {
    match text.trim().is_empty() {
        true => Err(Error::invalid_input("the text is empty: there is nothing to ask about")),
        false => Ok(()),
    }
}

fn check_fits(value: &Value, schema: &Value) -> Result<(), Error> {
    match fits_schema(value, schema)? {
        true => Ok(()),
        false => Err(Error::server_answer("it does not fit the schema")),
    }
}
