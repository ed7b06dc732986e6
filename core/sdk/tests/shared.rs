//! What requests share: passes of lists, and the beginnings of prompts.

mod common;

use std::time::Instant;

use common::{NOTE, demo, demo_path, random, with_metadata};
use serde_json::json;
use sotto::{
    ChatOptions, Classification, ClassifyOptions, Error, KvType, LoadOptions, LocalModel, ModelFile, SamplingOptions,
    Session, SummaryOptions, VoiceNote,
};

const LABELS: [&str; 4] = ["urgent", "task", "ignorable", "for your attention"];

fn greedy() -> ChatOptions {
    ChatOptions { sampling: SamplingOptions::default(), max_tokens: 24, format: None }
}

fn with_cache(kv_type: KvType) -> LocalModel {
    LocalModel::load_with(ModelFile::path(demo_path()), &LoadOptions { kv_type, ..LoadOptions::default() }).unwrap()
}

/// Texts of different lengths, some longer than a pass.
fn texts(count: usize) -> Vec<String> {
    let text = |index: usize| match index % 5 {
        0 => format!("Buy milk {index}."),
        1 => format!("The server in hall {index} is down, fix it now!"),
        2 => NOTE.repeat(1 + index % 3),
        3 => "Sale!".into(),
        _ => format!("Dana, please send list {index} by Friday, and book a room for the {index} of us."),
    };
    (0..count).map(text).collect()
}

#[test]
fn many_texts_get_the_bits_that_each_gets_alone() {
    let options = ClassifyOptions::new(LABELS);
    for kv_type in [KvType::F16, KvType::Q8_0, KvType::F32] {
        let (model, texts) = (with_cache(kv_type), texts(19));
        let together: Result<Vec<Classification>, Error> = model.classify_all(texts.clone(), &options).collect();
        let together = together.unwrap();
        assert_eq!(together.len(), texts.len());
        assert!(together.iter().skip(1).all(|result| result.metrics.reused_tokens > 5));
        for (text, result) in texts.iter().zip(&together) {
            // Another model has read nothing yet.
            let alone = with_cache(kv_type).classify(text, &options).wait().unwrap();
            assert_eq!((&alone.label, &alone.scores), (&result.label, &result.scores), "{kv_type:?}");
        }
    }
}

#[test]
fn a_text_without_a_result_does_not_cost_the_others_theirs() {
    let (model, options) = (demo(), ClassifyOptions::new(LABELS));
    let texts = ["Buy milk.", " ", "The server is down!", &"word ".repeat(9000), ""].map(str::to_owned);
    let results: Vec<Result<Classification, Error>> = model.classify_all(texts.to_vec(), &options).collect();
    let [Ok(milk), Err(Error::InvalidInput { .. }), Ok(server), Err(Error::ContextFull { .. }), Err(_)] = &results[..]
    else {
        panic!("{results:?}")
    };
    for (text, result) in [(&texts[0], milk), (&texts[2], server)] {
        assert_eq!(model.classify(text, &options).wait().unwrap().scores, result.scores);
    }
    assert_eq!(model.classify_all(Vec::new(), &options).count(), 0);
    let refused = model.classify_all(texts.to_vec(), &ClassifyOptions::new(["one"])).wait();
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    let schema = json!({ "enum": ["yes", "no"] });
    let values: Vec<bool> = model.extract_all(texts.to_vec(), &schema).map(|result| result.is_ok()).collect();
    assert_eq!(values, [true, false, true, false, false]);
}

#[test]
fn a_list_is_cancelled_at_once() {
    let mut job = demo().classify_all(texts(2000), &ClassifyOptions::new(LABELS));
    assert!(job.next().is_some());
    let cancelled = Instant::now();
    job.cancel();
    assert!(matches!(job.wait(), Err(Error::Cancelled)));
    // 100 ms on a machine that has nothing else to do; the list itself would take minutes.
    assert!(cancelled.elapsed().as_millis() < 1000, "{:?}", cancelled.elapsed());
}

#[test]
fn an_instruction_is_read_once_for_all_tasks_of_its_kind() {
    let model = with_metadata(|_| {});
    let summary = |text: &str| {
        let summary = model.summarize(&VoiceNote::text(text), &SummaryOptions::default()).wait().unwrap();
        summary.metrics.unwrap()
    };
    let first = summary("Call Tom.");
    assert_eq!(first.reused_tokens, 0);
    let schema = json!({ "enum": ["yes", "no"] });
    let extract = |text: &str| model.extract(text, &schema).wait().unwrap().metrics;
    let reused = extract("Call Tom.").reused_tokens;
    assert!(reused < 10, "the beginning of the template: {reused}");
    model.classify("Call Tom.", &ClassifyOptions::new(LABELS)).wait().unwrap();
    // The other tasks did not push it out.
    let second = summary("Buy some milk.");
    assert!(second.prefill_tokens < 20 && second.reused_tokens + 20 > first.prefill_tokens, "{first:?} {second:?}");
    assert!(extract("Buy milk.").reused_tokens > 30);
    let cached = model.cached_bytes();
    assert!(cached > 0);
    assert_eq!((model.trim(), model.cached_bytes()), (cached, 0));
    assert_eq!(summary("Call Tom.").reused_tokens, 0);
}

fn ask(session: &Session, question: &str) -> (String, usize) {
    let reply = session.respond(question, &greedy()).wait().unwrap();
    (reply.text, reply.metrics.reused_tokens)
}

#[test]
fn sessions_with_the_same_instructions_read_them_once() {
    for kv_type in [KvType::F16, KvType::Q8_0] {
        let model = with_cache(kv_type);
        let (first, reused) = ask(&model.session(Some(NOTE)).unwrap(), "Who has to write a test?");
        assert_eq!(reused, 0);
        let (second, reused) = ask(&model.session(Some(NOTE)).unwrap(), "Who has to write a test?");
        assert_eq!(second, first);
        assert!(reused > 30, "{reused}");
        let (_, reused) = ask(&model.session(None).unwrap(), NOTE);
        assert!(reused < 30, "what a person says is not kept: {reused}");
    }
}

#[test]
fn a_fork_goes_on_from_the_same_place_without_reading_it_again() {
    let session = demo().session(Some("Be brief.")).unwrap();
    assert!(session.fork().wait().is_ok(), "nothing was read yet");
    ask(&session, NOTE);
    let fork = session.fork().wait().unwrap();
    let used = session.context_used().unwrap();
    assert_eq!(fork.context_used().unwrap(), used);
    let (expected, _) = ask(&session, "Who has to write a test?");
    ask(&session, "And by when?");
    let (answer, reused) = ask(&fork, "Who has to write a test?");
    assert_eq!(answer, expected);
    assert!(reused + 10 > used, "{reused} of {used}");
    assert_eq!((session.history().len(), fork.history().len()), (3, 2));
    assert!(session.context_used().unwrap() > fork.context_used().unwrap());
    assert_eq!(demo().session(None).unwrap().context_used(), Ok(0));
}

#[test]
fn a_fork_waits_for_an_answer_and_can_be_cancelled() {
    let session = random(None).session(None).unwrap();
    let mut answering = session.respond("Tell me a story.", &ChatOptions { max_tokens: 3000, ..greedy() });
    assert!(answering.next().is_some());
    let fork = session.fork();
    fork.cancel();
    assert!(matches!(fork.wait().map(drop), Err(Error::Cancelled)));
}
