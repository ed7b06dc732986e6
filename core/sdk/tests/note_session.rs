//! Notes that are summarized while they are spoken: the same summary, sooner.

mod common;

use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{NOTE, at_most, demo, random};
use proptest::prelude::*;
use sotto::{Error, LocalModel, NoteSession, NoteSummary, Segment, SummaryOptions, VoiceNote};

fn without_metrics(summary: NoteSummary) -> NoteSummary {
    NoteSummary { metrics: None, ..summary }
}

fn say(model: &LocalModel, note: &VoiceNote, pause: Duration) -> NoteSession {
    let session = model.note_session(&SummaryOptions::default());
    for segment in note.segments() {
        session.append(segment.clone()).unwrap();
        sleep(pause);
    }
    session
}

#[test]
fn when_the_note_ends_most_of_it_is_read() {
    let (model, note) = (demo(), VoiceNote::text(&NOTE.repeat(3)));
    let expected = model.summarize(&note, &SummaryOptions::default()).wait().unwrap();
    let prompt = expected.metrics.as_ref().unwrap().prefill_tokens;
    // A busy machine reads slowly; one that never reads ahead fails at every pace.
    let computed = [20, 100, 500, 2000].map(Duration::from_millis).into_iter().map(|pause| {
        let summary = say(&model, &note, pause).finish().wait().unwrap();
        let metrics = summary.metrics.clone().unwrap();
        assert_eq!(metrics.prefill_tokens + metrics.reused_tokens, prompt);
        assert_eq!(without_metrics(summary), without_metrics(expected.clone()));
        metrics.prefill_tokens
    });
    let seen: Vec<usize> = computed.take_while(|&computed| computed > 6).collect();
    assert!(seen.len() < 4, "{seen:?} of {prompt} tokens were left for the end");
}

#[test]
fn a_note_that_ends_at_once_is_the_same() {
    let (model, note) = (demo(), VoiceNote::text(NOTE));
    let expected = model.summarize(&note, &SummaryOptions::default()).wait().unwrap();
    let mut job = say(&model, &note, Duration::ZERO).finish();
    assert!(job.by_ref().count() > 5);
    assert_eq!(without_metrics(job.wait().unwrap()), without_metrics(expected));
}

#[test]
fn a_note_that_outgrows_the_context_is_the_same() {
    let (model, note) =
        (random(Some(640)), VoiceNote::text(&"Marcus will write a test for it by Thursday. ".repeat(24)));
    let expected = model.summarize(&note, &SummaryOptions::default()).wait().unwrap();
    assert!(expected.coverage.windows > 1);
    let summary = say(&model, &note, Duration::from_millis(2)).finish().wait().unwrap();
    assert_eq!(without_metrics(summary), without_metrics(expected));
}

#[test]
fn of_a_long_note_complete_windows_are_summarized_while_it_is_spoken() {
    let told = ["clinic-move", "team-call", "train-trip"].map(common::sample_note).join(" ");
    let (model, note) = (demo(), VoiceNote::text(&format!("{told} {told} {told}")));
    let expected = model.summarize(&note, &SummaryOptions::default()).wait().unwrap();
    assert!(expected.coverage.windows > 1);
    let all = expected.metrics.clone().unwrap().prefill_tokens;
    // A busy machine reads slowly; one that never reads ahead fails at every pace.
    let less = [50, 200, 1000].map(Duration::from_millis).into_iter().any(|pause| {
        let summary = say(&model, &note, pause).finish().wait().unwrap();
        let computed = summary.metrics.clone().unwrap().prefill_tokens;
        assert_eq!(without_metrics(summary), without_metrics(expected.clone()));
        2 * computed < all
    });
    assert!(less);
}

#[test]
fn the_end_of_a_note_is_its_end() {
    let session = say(&demo(), &VoiceNote::text(NOTE), Duration::ZERO);
    let once = session.finish().wait().unwrap();
    let late = Segment { id: 0, start: None, end: None, text: "One more thing.".into(), speaker: None };
    let refused = session.append(late);
    assert!(matches!(&refused, Err(Error::InvalidInput { what }) if !what.contains("thing")), "{refused:?}");
    assert_eq!(session.note(), VoiceNote::text(NOTE));
    let again = session.finish().wait().unwrap();
    assert_eq!(again.metrics.as_ref().unwrap().prefill_tokens, 1);
    assert_eq!(without_metrics(again), without_metrics(once));
}

#[test]
fn segments_are_numbered_as_they_come_and_empty_ones_left_out() {
    let session = demo().note_session(&SummaryOptions::default());
    for text in ["", "Buy milk.", " \n ", "Call Tom."] {
        session.append(Segment { id: 9, start: None, end: None, text: text.into(), speaker: None }).unwrap();
        sleep(Duration::from_millis(5));
    }
    assert_eq!(session.note(), VoiceNote::text("Buy milk. Call Tom."));
    assert!(session.finish().wait().is_ok());
    assert!(matches!(demo().note_session(&SummaryOptions::default()).finish().wait(), Err(Error::InvalidInput { .. })));
}

#[test]
fn what_goes_wrong_while_it_is_read_is_told_at_the_end() {
    let model = random(Some(256));
    let note = VoiceNote::text(&"a".repeat(5000));
    let session = say(&model, &note, Duration::from_millis(20));
    assert!(matches!(session.append(note.segments()[0].clone()), Ok(())));
    assert_eq!(session.finish().wait(), model.summarize(&session.note(), &SummaryOptions::default()).wait());
    assert!(matches!(session.finish().wait(), Err(Error::ContextFull { .. })));
}

#[test]
fn a_cancelled_end_can_be_asked_for_again() {
    let (model, note) = (demo(), VoiceNote::text(&NOTE.repeat(4)));
    let session = say(&model, &note, Duration::ZERO);
    for delay in [0, 1, 5, 20, 60] {
        let job = session.finish();
        sleep(Duration::from_millis(delay));
        job.cancel();
        assert!(matches!(job.wait(), Err(Error::Cancelled) | Ok(_)));
    }
    let expected = model.summarize(&note, &SummaryOptions::default()).wait().unwrap();
    assert_eq!(without_metrics(session.finish().wait().unwrap()), without_metrics(expected));
}

#[test]
fn an_end_that_waits_for_another_can_be_cancelled() {
    let session = say(&random(Some(2048)), &VoiceNote::text(&NOTE.repeat(24)), Duration::ZERO);
    let mut ending = session.finish();
    assert!(ending.next().is_some());
    let again = session.finish();
    sleep(Duration::from_millis(50));
    let cancelled = Instant::now();
    again.cancel();
    assert!(matches!(again.wait(), Err(Error::Cancelled)));
    assert!(cancelled.elapsed() < Duration::from_millis(100), "{:?}", cancelled.elapsed());
    ending.cancel();
    assert!(matches!(ending.wait(), Err(Error::Cancelled)), "the first was over: nobody waited");
}

proptest! {
    #![proptest_config(at_most(12))]

    /// A model that knows nothing answers differently to the smallest change of what it reads.
    #[test]
    fn however_it_is_said_the_summary_is_the_same(
        said in proptest::collection::vec(
            (proptest::option::of("[A-Z][a-z]{2,5}"), "[ a-zéßЖ中🎉'\"\\:0-9-]{1,30}[.!?)…,]?[.\n ]?", 0..20_u64), 1..8),
    ) {
        let model = random(Some(1024));
        let session = model.note_session(&SummaryOptions::default());
        for (speaker, text, pause) in said {
            session.append(Segment { id: 0, start: None, end: None, text, speaker }).unwrap();
            sleep(Duration::from_millis(pause));
        }
        let expected = model.summarize(&session.note(), &SummaryOptions::default()).wait().map(without_metrics);
        prop_assert_eq!(session.finish().wait().map(without_metrics), expected);
    }
}
