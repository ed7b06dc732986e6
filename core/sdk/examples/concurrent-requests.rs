//! What requests that run at the same time gain, and what they cost each other:
//! `cargo run --release -p sotto --example concurrent-requests -- MODEL [ROUNDS] [THREADS]`
//!
//! In turns: one chat alone, and four at once; then a question alone, and beside background work; and how long cancelling takes then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use sotto::{
    ChatOptions, Error, FinishReason, LoadOptions, LocalModel, ModelFile, Priority, Reply, SamplingOptions, median,
};

const CHATS: usize = 4;
const QUESTIONS: [&str; CHATS] = [
    "Tell me a long story about a lighthouse.",
    "Explain in detail how bread is made.",
    "Describe a walk through a forest in autumn, step by step.",
    "Write a long letter to a friend about moving to another town.",
];

fn ask(model: &LocalModel, question: &str, max_tokens: usize) -> Result<Reply, Error> {
    let sampling = SamplingOptions { temperature: 0.0, ..SamplingOptions::default() };
    let options = ChatOptions { sampling, max_tokens, ..ChatOptions::default() };
    let reply = model.session(None)?.respond(question, &options).wait()?;
    assert!(reply.finish_reason == FinishReason::MaxTokens || !reply.text.is_empty());
    Ok(reply)
}

/// Tokens a second of all answers.
fn speed(model: &LocalModel, questions: &[&str]) -> Result<(f64, Vec<String>), Error> {
    let start = Instant::now();
    let replies = thread::scope(|scope| {
        let asking: Vec<_> = questions.iter().map(|question| scope.spawn(|| ask(model, question, 120))).collect();
        asking.into_iter().map(|asking| asking.join().expect("no panic")).collect::<Result<Vec<_>, Error>>()
    })?;
    let tokens: usize = replies.iter().map(|reply| reply.metrics.decode_tokens).sum();
    Ok((tokens as f64 / start.elapsed().as_secs_f64(), replies.into_iter().map(|reply| reply.text).collect()))
}

/// Seconds to the first token of a question of some 300 tokens, and from a cancellation to its end.
fn wait_for_first_token(model: &LocalModel) -> Result<(f64, f64), Error> {
    let question = "The lift is being repaired on Tuesday, so please use the stairs. ".repeat(20);
    let first = ask(model, &question, 1)?.metrics.time_to_first_token;
    let mut job = model.session(None)?.respond(&question, &ChatOptions::default());
    job.next();
    let start = Instant::now();
    job.cancel();
    let _ = job.wait();
    Ok((first, start.elapsed().as_secs_f64()))
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let file = ModelFile::path(arguments.next().expect("a model file"));
    let mut number = |default| arguments.next().map_or(default, |word| word.parse().expect("a number"));
    let (rounds, threads) = (number(5), number(2));
    let model = LocalModel::load_with(file, &LoadOptions { threads: Some(threads), ..LoadOptions::default() })?;
    let background = model.with_priority(Priority::Background);
    let (_, expected) = speed(&model, &QUESTIONS)?;
    let (mut alone, mut together, mut gain) = (Vec::new(), Vec::new(), Vec::new());
    let (mut first_alone, mut first_beside, mut delay) = (Vec::new(), Vec::new(), Vec::new());
    let mut cancelled = Vec::new();
    for _ in 0..rounds {
        let (one, text) = speed(&model, &QUESTIONS[..1])?;
        assert_eq!(text, expected[..1], "the same text");
        let (four, texts) = speed(&model, &QUESTIONS)?;
        assert_eq!(texts, expected, "the same text");
        alone.push(one);
        together.push(four);
        gain.push(four / one);

        let (first, _) = wait_for_first_token(&model)?;
        let done = AtomicBool::new(false);
        let beside = thread::scope(|scope| {
            for question in QUESTIONS {
                let (background, done) = (&background, &done);
                scope.spawn(move || {
                    let note = format!("{question} {}", "It rained, and the road was closed. ".repeat(40));
                    while !done.load(Ordering::Relaxed) {
                        ask(background, &note, 40).expect("an answer");
                    }
                });
            }
            thread::sleep(std::time::Duration::from_millis(500));
            let beside = wait_for_first_token(&model);
            done.store(true, Ordering::Relaxed);
            beside
        })?;
        first_alone.push(first);
        first_beside.push(beside.0);
        delay.push(beside.0 / first);
        cancelled.push(beside.1);
    }
    println!(
        "{CHATS} chats: {:.1} tokens/s alone, {:.1} together: {:.2} times",
        median(alone),
        median(together),
        median(gain)
    );
    println!(
        "first token: {:.3} s alone, {:.3} s beside background work: {:.2} times",
        median(first_alone),
        median(first_beside),
        median(delay)
    );
    println!("cancelled beside background work within {:.0} ms", 1000.0 * cancelled.into_iter().fold(0.0, f64::max));
    Ok(())
}
