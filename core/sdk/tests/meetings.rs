//! Real meetings: how many of the topics that their minutes name a summary touches.

mod common;

use std::collections::HashSet;
use std::io::Write as _;
use std::path::PathBuf;

use common::demo;
use serde_json::Value;
use sotto::{NoteSummary, SummaryOptions, VoiceNote};

/// A topic is touched when the summary has this share of its words or more.
const TOUCHED: f64 = 0.5;

/// Letters by which words are compared: "discussion" and "discussed" are one.
const STEM: usize = 5;

/// The fewest letters of a word that says something.
const SHORTEST_WORD: usize = 4;

/// A meeting's transcript and the topics of its minutes, where the fixtures are.
fn meeting(name: &str) -> Option<(VoiceNote, Vec<String>)> {
    let Some(folder) = std::env::var_os("SOTTO_FIXTURES").map(PathBuf::from) else {
        // A test's own output is only shown when it fails.
        writeln!(std::io::stderr(), "SKIPPED: the meeting {name}: SOTTO_FIXTURES is not set").expect("stderr");
        return None;
    };
    let file = |ending: &str| std::fs::read_to_string(folder.join("meetings").join(format!("{name}.{ending}")));
    let minutes: Value = serde_json::from_str(&file("summary.json").expect("minutes")).expect("JSON");
    let topics = minutes["topics"].as_array().expect("topics").iter();
    let topics = topics.map(|topic| topic.as_str().expect("a text").to_owned()).collect();
    Some((VoiceNote::transcript(&file("txt").expect("a transcript")), topics))
}

fn stems(text: &str) -> HashSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= SHORTEST_WORD);
    words.map(|word| word.to_lowercase().chars().take(STEM).collect()).collect()
}

fn touched(summary: &NoteSummary, topics: &[String]) -> usize {
    let points = summary.points.iter().map(|point| point.text.as_str());
    let actions = summary.actions.iter().map(|action| action.text.as_str());
    let told = stems(&points.chain(actions).chain([&*summary.title, &*summary.overview]).collect::<Vec<_>>().join(" "));
    let share = |topic: &str| {
        let words = stems(topic);
        words.intersection(&told).count() as f64 / words.len() as f64
    };
    topics.iter().filter(|topic| share(topic) >= TOUCHED).count()
}

#[test]
fn a_meeting_becomes_a_summary_of_its_topics() {
    let (mut found, mut all) = (0, 0);
    for name in ["ES2006a", "TS3010b"] {
        let Some((note, topics)) = meeting(name) else { return };
        let summary = demo().summarize(&note, &SummaryOptions::default()).wait().expect("a summary");
        assert!(summary.coverage.windows > 5);
        assert_eq!(summary.coverage.segments_read.len(), note.segments().len(), "every segment is read once");
        assert!(summary.points.len() <= 20 && !summary.title.is_empty());
        let touched = touched(&summary, &topics);
        println!("{name}: {touched} of {} topics touched", topics.len());
        (found, all) = (found + touched, all + topics.len());
    }
    assert!(2 * found >= all, "{found} of {all} topics are touched");
}
