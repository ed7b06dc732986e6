//! Classification, extraction and conversation.

mod common;

use std::io::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use candle_core::quantized::gguf_file::{self, Value};
use common::{NOTE, demo, demo_path, random, with_metadata, with_template};
use serde_json::json;
use sotto::{
    ChatOptions, ClassifyOptions, CompletionOptions, Error, FinishReason, Label, Message, ModelFile, OutputFormat,
    Prompt, Role, SamplingOptions, SummaryOptions, Tokenizer, Turn, VoiceNote,
};

fn greedy() -> ChatOptions {
    ChatOptions { sampling: SamplingOptions::default(), max_tokens: 24, format: None }
}

#[test]
fn a_label_comes_with_probabilities_that_add_up() {
    let options = ClassifyOptions::new(["urgent", "task", "ignorable", "attention"]);
    let result = demo().classify("The basement is flooding, come right now!", &options).wait().unwrap();
    assert_eq!(result.label, "urgent");
    assert!((result.scores.iter().map(|(_, score)| score).sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(result.scores.iter().map(|(name, _)| name).eq(options.labels.iter().map(|label| &label.name)));
    assert!(result.scores.iter().all(|(_, score)| *score <= result.confidence));
}

#[test]
fn the_confidence_asked_for_decides_whether_it_abstains() {
    let sure = ClassifyOptions { min_confidence: 0.0, ..ClassifyOptions::new(["one", "two"]) };
    let never_sure = ClassifyOptions { min_confidence: 1.0, ..sure.clone() };
    assert!(!random(None).classify("text", &sure).wait().unwrap().abstained);
    assert!(random(None).classify("text", &never_sure).wait().unwrap().abstained);
}

#[test]
fn a_label_may_have_a_description_spaces_and_commas() {
    let text = "The basement is flooding, come right now!";
    let names = ["urgent", "not now, maybe later", "not now"];
    let scores = |labels: Vec<Label>| demo().classify(text, &ClassifyOptions::new(labels)).wait().unwrap().scores;
    let plain = scores(names.map(Label::from).into());
    assert_eq!(plain.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    let described = scores(vec![Label::described(names[0], "act at once"), names[1].into(), names[2].into()]);
    assert_eq!(described.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    assert_ne!(described, plain);
}

#[test]
fn what_a_model_thinks_of_labels_is_measured_once() {
    let model = demo();
    let options = ClassifyOptions::new(["bread", "butter"]);
    let read = |text: &str| model.classify(text, &options).wait().unwrap().metrics;
    let (first, second) = (read("Toast."), read("Toast."));
    assert!(first.prefill_tokens > second.prefill_tokens, "{first:?} {second:?}");
    assert!(first.decode_tokens > second.decode_tokens);
}

#[test]
fn an_empty_text_is_refused() {
    let refused = demo().classify(" ", &ClassifyOptions::new(["a", "b"])).wait();
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    assert!(matches!(demo().extract("", &json!({})).wait(), Err(Error::InvalidInput { .. })));
}

#[test]
fn what_is_extracted_fits_the_schema_whatever_the_model_knows() {
    let schema = json!({
        "type": "object",
        "properties": {
            "task": { "type": "string", "maxLength": 40 },
            "urgent": { "type": "boolean" },
            "count": { "type": "integer", "minimum": 0, "maximum": 99 },
            "owner": { "anyOf": [{ "type": "string", "maxLength": 20 }, { "type": "null" }] }
        },
        "required": ["task", "urgent", "count", "owner"],
        "additionalProperties": false
    });
    for model in [demo(), random(None)] {
        let value = model.extract(NOTE, &schema).wait().unwrap().value;
        let fields = value.as_object().unwrap();
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["task", "urgent", "count", "owner"]);
        assert!(fields["task"].is_string() && fields["urgent"].is_boolean());
        assert!(fields["count"].as_u64().is_some_and(|count| count < 100));
    }
}

#[test]
fn a_schema_that_is_none_is_refused() {
    let refused = demo().extract(NOTE, &json!({ "properties": { "list": { "items": { "type": "wish" } } } })).wait();
    assert!(matches!(&refused, Err(Error::InvalidInput { what }) if what.contains("list[]: ")), "{refused:?}");
}

#[test]
fn schemas_that_once_failed_give_values() {
    let Some(fixtures) = std::env::var_os("SOTTO_FIXTURES") else {
        writeln!(std::io::stderr(), "SKIPPED: schemas that once failed: SOTTO_FIXTURES is not set").unwrap();
        return;
    };
    for file in std::fs::read_dir(Path::new(&fixtures).join("cases/schemas")).unwrap() {
        let path = file.unwrap().path();
        let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let value = demo().extract("The parcel costs 12.50 euros", &schema).wait();
        let value = value.unwrap_or_else(|error| panic!("{}: {error}", path.display())).value;
        let named = schema["properties"].as_object().unwrap();
        assert!(value.as_object().unwrap().keys().all(|key| named.contains_key(key)), "{}: {value}", path.display());
    }
}

#[test]
fn a_value_that_finds_no_end_is_the_schemas_fault() {
    let refused = demo().extract(NOTE, &json!({ "type": "string", "minLength": 9000 })).wait();
    assert!(matches!(&refused, Err(Error::InvalidInput { what }) if what.contains("maxLength")), "{refused:?}");
}

#[test]
fn a_session_remembers_and_computes_only_what_is_new() {
    let session = demo().session(None).unwrap();
    let first = session.respond(NOTE, &greedy()).wait().unwrap();
    let second = session.respond("Who has to write a test?", &greedy()).wait().unwrap();
    assert_eq!(session.history().len(), 2);
    assert!(second.metrics.reused_tokens >= first.metrics.prefill_tokens);
    assert!(second.metrics.prefill_tokens < 40);
}

#[test]
fn a_resumed_session_goes_on_where_the_other_was() {
    let session = demo().session(Some("Be brief.")).unwrap();
    let answer = session.respond(NOTE, &greedy()).wait().unwrap().text;
    let expected = session.respond("Who has to write a test?", &greedy()).wait().unwrap().text;
    let history = session.history();
    assert_eq!(history[0], Turn { question: NOTE.into(), calls: vec![], answer });
    assert_eq!(
        history[1],
        Turn { question: "Who has to write a test?".into(), calls: vec![], answer: expected.clone() }
    );
    let stored = serde_json::to_string(&history[..1]).unwrap();
    let read: Vec<Turn> = serde_json::from_str(&stored).unwrap();
    let resumed = demo().resume(Some("Be brief."), &read).unwrap();
    assert_eq!(resumed.history(), read);
    assert_eq!(resumed.respond("Who has to write a test?", &greedy()).wait().unwrap().text, expected);
}

#[test]
fn a_prewarmed_session_has_read_what_comes_before_the_question() {
    let ask = |prewarm: bool| {
        let session = demo().session(Some(NOTE)).unwrap();
        if prewarm {
            session.prewarm().wait().unwrap();
        }
        session.respond("Who has to write a test?", &greedy()).wait().unwrap()
    };
    let (cold, warm) = (ask(false), ask(true));
    assert_eq!(warm.text, cold.text);
    assert!(warm.metrics.reused_tokens > 30, "{:?}", warm.metrics);
    assert!(demo().session(None).unwrap().prewarm().wait().is_ok());
}

#[test]
fn a_model_whose_template_knows_no_instructions_is_told_them_with_the_question() {
    let strict = "{% for message in messages %}{% if message.role != ('user', 'assistant')[loop.index0 % 2] %}\
                  {{ raise_exception('roles must alternate') }}{% endif %}[{{ message.content }}]{% endfor %}";
    let model = with_template(strict);
    let session = model.session(Some("Be short.")).unwrap();
    session.prewarm().wait().expect("nothing to read yet");
    session.respond("Which day is it?", &greedy()).wait().expect("an answer");
    session.respond("And tomorrow?", &greedy()).wait().expect("another answer");
    assert_eq!(session.history().len(), 2);
    model.classify("Buy milk.", &ClassifyOptions::new(["one", "two"])).wait().expect("a label");

    let refuses_all = with_template("{{ raise_exception('no') }}").session(None).unwrap();
    assert!(matches!(refuses_all.respond("Hello", &greedy()).wait(), Err(Error::Unsupported { .. })));
    assert_eq!(refuses_all.history(), []);
}

/// Such a template once sent the same prompt whatever the labels were.
#[test]
fn instructions_reach_the_prompt_of_a_template_that_drops_them() {
    let drops = "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ 'U: ' + m.content + '\\n' }}\
                 {% elif m.role == 'assistant' %}{{ 'A: ' + m.content + '\\n' }}{% endif %}{% endfor %}{{ 'A:' }}";
    let model = with_template(drops);
    let prompt = model.render(&[
        Message::new(Role::System, "Answer in French only."),
        Message::new(Role::User, "Hello"),
        Message::new(Role::Assistant, "Bonjour"),
        Message::new(Role::User, "Bye"),
    ]);
    assert!(prompt.unwrap().ends_with("U: Answer in French only.\n\nHello\nA: Bonjour\nU: Bye\nA:"));
    let classify = |labels: [&str; 2]| {
        let label = model.classify("Buy milk.", &ClassifyOptions::new(labels)).wait().unwrap();
        (label.metrics.prefill_tokens + label.metrics.reused_tokens, label.scores[0].1)
    };
    let (few, score) = classify(["one", "two"]);
    let (many, other_score) = classify(["one", "three or many more words that make a longer label"]);
    assert!(many > few + 10, "{many} tokens, {few} with short labels");
    assert_ne!(score, other_score);
}

#[test]
fn a_template_that_cannot_be_read_costs_conversations_and_tasks_alone() {
    let model = with_template("{% for message in messages %}{{ message.content");
    let completion = CompletionOptions { sampling: SamplingOptions::default(), max_tokens: 2, format: None };
    assert!(model.complete(Prompt::Text("Once".into()), &completion).wait().is_ok());
    assert!(model.token_count("Once").unwrap() > 0);
    assert!(model.perplexity(NOTE, 16).wait().is_ok());
    let unsupported = |error: Option<Error>| match error {
        Some(Error::Unsupported { what }) => assert!(what.contains("syntax error in line 1"), "{what}"),
        other => panic!("{other:?}"),
    };
    unsupported(model.render(&[Message::new(Role::User, "Hello")]).err());
    unsupported(model.session(None).unwrap().respond("Hello", &greedy()).wait().err());
    unsupported(model.classify("Buy milk.", &ClassifyOptions::new(["one", "two"])).wait().err());
    unsupported(model.summarize(&VoiceNote::text(NOTE), &SummaryOptions::default()).wait().err());
}

#[test]
fn an_empty_template_is_as_none() {
    let message = [Message::new(Role::User, "Hello")];
    let prompt = with_template(" \n").render(&message).unwrap();
    assert!(prompt.contains("Hello"), "{prompt}");
}

#[test]
fn a_cancelled_answer_leaves_the_session_usable() {
    let session = random(None).session(Some("Be brief.")).unwrap();
    let endless = ChatOptions { max_tokens: 2000, ..greedy() };
    let mut job = session.respond("Tell me a story.", &endless);
    let said = job.next();
    job.cancel();
    assert!(matches!(job.wait(), Err(Error::Cancelled) | Ok(_)));
    assert!(said.is_some());
    assert_eq!(session.history().len(), 1);
    assert!(session.respond("Hello?", &greedy()).wait().is_ok());
}

#[test]
fn a_question_that_waits_for_another_can_be_cancelled() {
    let session = random(None).session(Some("Be brief.")).unwrap();
    let endless = OutputFormat::Regex("[a-z ]{20000}".into());
    let endless = ChatOptions { max_tokens: 3500, format: Some(endless), ..greedy() };
    let mut answering = session.respond("Tell me a story.", &endless);
    assert!(answering.next().is_some());
    let (asking, warming) = (session.respond("And another?", &endless), session.prewarm());
    sleep(Duration::from_millis(20));
    let cancelled = Instant::now();
    asking.cancel();
    warming.cancel();
    assert!(matches!((asking.wait(), warming.wait()), (Err(Error::Cancelled), Err(Error::Cancelled))));
    assert!(cancelled.elapsed() < Duration::from_millis(100), "{:?}", cancelled.elapsed());
    // The first went on all the time, and nothing of the second is remembered.
    answering.cancel();
    assert!(matches!(answering.wait(), Err(Error::Cancelled)));
    assert_eq!(session.history().len(), 1);
}

#[test]
fn a_reply_tells_what_has_ended_it() {
    let ended = |context, format: &str, max_tokens| {
        let options = ChatOptions { max_tokens, format: Some(OutputFormat::Regex(format.into())), ..greedy() };
        random(context).session(None).unwrap().respond("Letters?", &options).wait().unwrap().finish_reason
    };
    assert_eq!(ended(None, "[a-z]{3}", 50), FinishReason::Complete);
    assert_eq!(ended(None, "[a-z]{500}", 5), FinishReason::MaxTokens);
    assert_eq!(ended(Some(64), "[a-z]{500}", 500), FinishReason::ContextFull);
}

#[test]
fn the_history_can_be_read_while_an_answer_is_written() {
    let session = random(None).session(None).unwrap();
    session.respond("Hello.", &ChatOptions { max_tokens: 4, ..greedy() }).wait().unwrap();
    let endless = OutputFormat::Regex("[a-z ]{20000}".into());
    let mut answering =
        session.respond("A story?", &ChatOptions { max_tokens: 3500, format: Some(endless), ..greedy() });
    assert!(answering.next().is_some());
    assert_eq!(session.history().len(), 1);
    answering.cancel();
    assert!(answering.wait().is_err());
    assert_eq!(session.history().len(), 2);
}

#[test]
fn a_conversation_that_outgrows_its_context_is_refused_and_stays_as_it_was() {
    let session = random(Some(96)).session(None).unwrap();
    assert!(session.respond("Hi.", &ChatOptions { max_tokens: 4, ..greedy() }).wait().is_ok());
    let refused = session.respond(&"word ".repeat(300), &greedy()).wait();
    assert!(matches!(refused, Err(Error::ContextFull { limit: 96, .. })), "{refused:?}");
    assert_eq!(session.history().len(), 1);
}

/// Before tokens are made of it: they would be too many, too, but counted exactly.
#[test]
fn a_text_that_is_far_too_long_is_refused_by_its_length() {
    let (model, text) = (demo(), "Buy milk. ".repeat(1 << 13));
    let exact = model.token_count(&text).unwrap();
    let refused = |error: Option<Error>| match error {
        Some(Error::ContextFull { limit, needed }) => assert!(needed > limit && needed < exact, "{needed} of {exact}"),
        other => panic!("{other:?}"),
    };
    refused(model.classify(&text, &ClassifyOptions::new(["one", "two"])).wait().err());
    refused(model.extract(&text, &json!({ "type": "object" })).wait().err());
    refused(model.session(None).unwrap().respond(&text, &greedy()).wait().err());
    let options = CompletionOptions { sampling: SamplingOptions::default(), max_tokens: 1, format: None };
    refused(model.complete(Prompt::Text(text.clone()), &options).wait().err());
}

#[test]
fn an_answer_can_be_held_to_choices() {
    let session = random(None).session(None).unwrap();
    let format = Some(OutputFormat::Choice(vec!["yes".into(), "no".into()]));
    let reply = session.respond("Is it?", &ChatOptions { format, ..greedy() }).wait().unwrap();
    assert!(["yes", "no"].contains(&reply.text.as_str()), "{}", reply.text);
}

#[test]
fn a_seed_fixes_the_answer_and_another_changes_it() {
    let model = random(None);
    let complete = |seed| {
        let sampling = SamplingOptions { temperature: 1.0, seed, ..SamplingOptions::default() };
        let options = CompletionOptions { sampling, max_tokens: 24, format: None };
        model.complete(Prompt::Text("Once".into()), &options).wait().unwrap().ids
    };
    assert_eq!(complete(1), complete(1));
    assert_ne!(complete(1), complete(2));
}

#[test]
fn pieces_put_together_are_the_text_in_whole_characters() {
    let model = random(None);
    for seed in 0..10 {
        let sampling = SamplingOptions { temperature: 2.0, seed, ..SamplingOptions::default() };
        let mut job = model
            .complete(Prompt::Text("日本 🎉".into()), &CompletionOptions { sampling, max_tokens: 60, format: None });
        let pieces: String = job.by_ref().collect();
        assert_eq!(pieces, job.wait().unwrap().text);
    }
}

/// Random weights: each row of the embedding is as likely as any other.
#[test]
fn rows_of_the_embedding_without_a_token_are_never_chosen() {
    let mut tokens = 0;
    let model = with_metadata(|metadata| {
        let mut list = |key: &str| match metadata.remove(&format!("tokenizer.ggml.{key}")) {
            Some(Value::Array(values)) => values,
            other => panic!("{key}: {other:?}"),
        };
        let (mut names, mut types) = (list("tokens"), list("token_type"));
        tokens = names.len();
        for id in tokens..3 * tokens {
            names.push(Value::String(format!("[PAD{id}]")));
            types.push(Value::I32(4));
        }
        metadata.insert("tokenizer.ggml.tokens".into(), Value::Array(names));
        metadata.insert("tokenizer.ggml.token_type".into(), Value::Array(types));
    });
    assert_eq!(model.inspect(16).unwrap().vocab_size, 3 * tokens);
    for (temperature, format) in [(0.0, None), (5.0, None), (5.0, Some(OutputFormat::Regex("[ -~]{40,80}".into())))] {
        let sampling = SamplingOptions { temperature, ..SamplingOptions::default() };
        let options = CompletionOptions { sampling, max_tokens: 40, format };
        let ids = model.complete(Prompt::Text("Once".into()), &options).wait().unwrap().ids;
        assert!(ids.iter().all(|&id| (id as usize) < tokens), "{ids:?} of {tokens}");
    }
}

#[test]
fn a_tokenizer_needs_the_vocabulary_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo_file = std::fs::File::open(demo_path()).unwrap();
    let mut metadata = gguf_file::Content::read(&mut demo_file).unwrap().metadata;
    metadata.insert("general.architecture".into(), Value::String("martian".into()));
    let entries: Vec<_> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let path = folder.path().join("vocabulary.gguf");
    gguf_file::write(&mut std::fs::File::create(&path).unwrap(), &entries, &[]).unwrap();
    let tokenizer = Tokenizer::load(ModelFile::path(&path)).unwrap();
    let ids = tokenizer.encode(NOTE).unwrap();
    assert_eq!(tokenizer.decode(&ids), NOTE);
    assert_eq!(tokenizer.token_count(NOTE).unwrap(), ids.len());
    assert_eq!(demo().token_count(NOTE).unwrap(), ids.len());
    assert_eq!(ids.iter().map(|&id| tokenizer.token_text(id)).collect::<String>(), NOTE);
    assert!(tokenizer.decode(&[u32::MAX]).is_empty());
    assert!(matches!(Tokenizer::load(ModelFile::path("nowhere.gguf")), Err(Error::ModelNotFound { .. })));
}

#[test]
fn the_rendered_prompt_holds_the_messages() {
    let messages = [Message::new(Role::System, "Be brief."), Message::new(Role::User, "a <|end|> b")];
    let prompt = demo().render(&messages).unwrap();
    assert!(prompt.contains("Be brief.") && prompt.contains("a <|end|> b"));
}

#[test]
fn perplexity_is_the_exponential_of_the_mean_loss_and_windows_matter() {
    let model = demo();
    let measure = |context| model.perplexity(&NOTE.repeat(3), context).wait().unwrap();
    let (short, long) = (measure(16), measure(256));
    assert!((short.nll.exp() - short.perplexity).abs() < 1e-9);
    assert!(long.perplexity < short.perplexity);
    let refused = model.perplexity("", 64).wait();
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    assert!(matches!(model.perplexity(NOTE, 1 << 30).wait(), Err(Error::ContextFull { .. })));
}
