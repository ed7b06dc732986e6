//! What is sent, and which answers are taken.

use serde_json::{Value, json};

use super::*;
use crate::tasks::classify::ClassifyOptions;
use crate::{ChatOptions, FinishReason, OutputFormat, SummaryOptions, Turn, VoiceNote};

const REASON: HandoverReason = HandoverReason::ContextTooLong;

/// A reply with this text in pieces of some characters.
fn reply(text: &str, finish_reason: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let pieces = characters.chunks(3).map(|piece| piece.iter().collect::<String>());
    let event = |delta: Value, reason: Option<&str>| {
        format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] }))
    };
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 50, "completion_tokens": 9 } });
    let text: String = pieces.map(|piece| event(json!({ "content": piece }), None)).collect();
    format!("{text}{}data: {usage}\n\ndata: [DONE]\n\n", event(json!({}), Some(finish_reason)))
}

fn answered<S, T>(mut call: ServerCall<S, T>, reply: &str) -> Result<(Vec<S>, T), Error> {
    let snapshots = call.read(reply.as_bytes())?;
    Ok((snapshots, call.value()?))
}

fn sent<S, T>(call: &ServerCall<S, T>) -> Value {
    serde_json::from_str(call.body()).unwrap()
}

fn is_refused<T: fmt::Debug>(outcome: Result<T, Error>) -> bool {
    matches!(&outcome, Err(Error::ServerAnswer { why }) if !why.contains("secret"))
}

#[test]
fn a_label_is_one_of_those_given() {
    let classify = || {
        let options = ClassifyOptions::new(["urgent", "a, b"]);
        ServerCall::classify("the server is down", &options, "big", HandoverReason::LowConfidence).unwrap()
    };
    let body = sent(&classify());
    assert_eq!((&body["model"], &body["stream"]), (&json!("big"), &json!(true)));
    assert_eq!(body["messages"][1], json!({ "role": "user", "content": "the server is down" }));
    let schema = &body["response_format"]["json_schema"]["schema"];
    assert_eq!(schema["properties"]["label"]["enum"], json!(["urgent", "a, b"]));

    let (_, result) = answered(classify(), &reply("{\"label\": \"a, b\"}", "stop")).unwrap();
    assert_eq!((result.label.as_str(), result.confidence, result.abstained), ("a, b", 1.0, false));
    assert_eq!(result.scores, [("urgent".to_owned(), 0.0), ("a, b".to_owned(), 1.0)]);
    assert_eq!(result.metrics.handed_over, Some(HandoverReason::LowConfidence));
    assert_eq!((result.metrics.prefill_tokens, result.metrics.decode_tokens), (50, 9));

    for (text, reason) in [
        ("{\"label\": \"secret\"}", "stop"),
        ("{\"label\": 7}", "stop"),
        ("{\"other\": \"urgent\"}", "stop"),
        ("The label is urgent.", "stop"),
        (&"secret ".repeat(1000), "stop"),
        ("", "stop"),
        ("{\"label\": \"urgent\"}", "length"),
        ("{\"label\": \"urgent\"}", "tool_calls"),
    ] {
        assert!(is_refused(answered(classify(), &reply(text, reason))), "{text} {reason}");
    }
    let whole = reply("{\"label\": \"urgent\"}", "stop");
    let cut = &whole[..whole.find("\"stop\"").unwrap()];
    assert!(is_refused(answered(classify(), cut)));
    for (text, labels) in [("", ["a", "b"]), ("text", ["a", "a"])] {
        let refused = ServerCall::classify(text, &ClassifyOptions::new(labels), "big", REASON);
        assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    }
}

#[test]
fn a_value_fits_the_schema() {
    let schema = json!({ "type": "object", "properties": { "task": { "type": "string" }, "day": { "enum": ["Monday", null] } },
        "required": ["task", "day"], "additionalProperties": false });
    let extract = || ServerCall::extract("call Tom", &schema, "big", REASON).unwrap();
    assert_eq!(sent(&extract())["response_format"]["json_schema"]["schema"], schema);
    let (_, result) = answered(extract(), &reply("{\"day\":null,\n \"task\": \"call Tom\"}", "stop")).unwrap();
    assert_eq!(result.value, json!({ "task": "call Tom", "day": null }));
    assert_eq!(result.metrics.handed_over, Some(REASON));
    for text in
        ["{\"task\": \"secret\"}", "{\"task\": \"secret\", \"day\": \"Friday\"}", "secret", "[]", "{\"task\": \"sec"]
    {
        assert!(is_refused(answered(extract(), &reply(text, "stop"))), "{text}");
    }
    let unsupported = ServerCall::extract("call Tom", &json!({ "type": "nothing" }), "big", REASON);
    assert!(matches!(unsupported, Err(Error::InvalidInput { .. })));
}

#[test]
fn a_conversation_is_sent_whole_and_answered_in_pieces() {
    let history = [Turn { question: "Hello".into(), calls: Vec::new(), answer: "Hi.".into() }];
    let chat =
        |options: &ChatOptions| ServerCall::chat(Some("Be brief."), &history, "And now?", options, "big", REASON);
    let options = ChatOptions { max_tokens: 20, ..ChatOptions::default() };
    let said = [("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi."), ("user", "And now?")];
    let said = said.map(|(role, content)| json!({ "role": role, "content": content }));
    let body = sent(&chat(&options).unwrap());
    assert_eq!((&body["messages"], &body["max_tokens"]), (&json!(said), &json!(20)));
    assert!(body.get("response_format").is_none());
    let (pieces, result) = answered(chat(&options).unwrap(), &reply("Good evening. 😀", "stop")).unwrap();
    assert!(pieces.len() > 3);
    assert_eq!((pieces.concat(), result.finish_reason), (result.text.clone(), FinishReason::Complete));
    assert_eq!(result.metrics.handed_over, Some(REASON));
    let (_, cut) = answered(chat(&options).unwrap(), &reply("Good ev", "length")).unwrap();
    assert_eq!(cut.finish_reason, FinishReason::MaxTokens);

    let held = |format| chat(&ChatOptions { format: Some(format), ..ChatOptions::default() });
    let yes_or_no = || held(OutputFormat::JsonSchema(json!({ "enum": ["yes", "no"] }))).unwrap();
    assert_eq!(answered(yes_or_no(), &reply("\"yes\"", "stop")).unwrap().1.text, "\"yes\"");
    assert!(is_refused(answered(yes_or_no(), &reply("\"secret\"", "stop"))));
    assert!(matches!(held(OutputFormat::Regex("a+".into())), Err(Error::InvalidInput { .. })));
}

#[test]
fn a_summary_quotes_the_note() {
    let note = VoiceNote::text("Marcus will write a test by Thursday. The demo moved to Monday.");
    let summarize = || ServerCall::summarize(&note, &SummaryOptions::default(), "big", REASON).unwrap();
    let written = "Title: standup\nOverview: a test\nPoints:\n- the demo moved to Monday\n- secret\nActions:\n- write a test\n  owner: Marcus\n";
    let (snapshots, summary) = answered(summarize(), &reply(written, "stop")).unwrap();
    assert!(snapshots.len() > 3);
    assert_eq!((summary.points.len(), summary.actions.len()), (1, 1));
    assert_eq!(summary.metrics.unwrap().handed_over, Some(REASON));
    assert!(is_refused(answered(summarize(), &reply("I am sorry.", "stop"))));
}

#[test]
fn a_call_shows_nothing_of_the_text() {
    let call = ServerCall::extract("secret", &json!({ "type": "string" }), "big", REASON).unwrap();
    assert!(!format!("{call:?}").contains("secret"));
}
