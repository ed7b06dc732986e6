//! A summary as text, printed while it grows.

use std::io::{self, Write};

use console::style;
use sotto::{Action, NoteSummary, Segment};

use crate::screen::answer;
use crate::timestamp::Timestamp;

/// Prints growing summaries. Printed text is never changed.
///
/// The overview is printed as it is written. Points and actions are printed at the end, because until then an action
/// may get an owner, and a better item may replace another.
pub struct SummaryPrinter<'a> {
    /// The note's segments, which have the times of the evidence.
    segments: &'a [Segment],
    printed: String,
}

impl<'a> SummaryPrinter<'a> {
    pub fn new(segments: &'a [Segment]) -> Self {
        Self { segments, printed: String::new() }
    }

    /// Prints what `snapshot` adds to the previous ones. `whole` marks the last snapshot.
    pub fn print(&mut self, out: &mut impl Write, snapshot: &NoteSummary, whole: bool) -> io::Result<()> {
        let text = render(self.segments, snapshot, whole);
        if let Some(new) = text.strip_prefix(&self.printed) {
            out.write_all(new.as_bytes())?;
            self.printed = text;
        }
        out.flush()
    }
}

fn render(segments: &[Segment], summary: &NoteSummary, whole: bool) -> String {
    if !whole && summary.overview.is_empty() {
        return String::new();
    }
    let (points, actions) = if whole { (&summary.points[..], &summary.actions[..]) } else { Default::default() };
    let line = |bullet, text: &str, evidence: &[u32]| line(bullet, text, &ids_and_time(segments, evidence));
    let parts = [
        if summary.title.is_empty() { String::new() } else { style(answer(&summary.title)).bold().to_string() },
        answer(&summary.overview).into_owned(),
        section("Points", points.iter().map(|point| line("•", &point.text, &point.evidence)).collect()),
        section("Actions", actions.iter().map(|action| line("☐", &action_text(action), &action.evidence)).collect()),
    ];
    let mut text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    if whole {
        text.push_str(if text.is_empty() { "(nothing found in this note)\n" } else { "\n" });
    }
    text
}

fn section(heading: &str, lines: String) -> String {
    if lines.is_empty() { lines } else { format!("{}{lines}", style(heading).underlined()) }
}

fn line(bullet: &str, text: &str, evidence: &str) -> String {
    format!("\n  {bullet} {} {}", answer(text), style(format!("[{evidence}]")).dim())
}

/// The ids of the evidence for a line, and the time of the first of them, if known.
fn ids_and_time(segments: &[Segment], evidence: &[u32]) -> String {
    let ids = evidence.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let first = evidence.first().and_then(|id| segments.iter().find(|segment| segment.id == *id));
    match first.and_then(|segment| segment.start) {
        Some(start) => format!("{ids} at {}", Timestamp::of(start).short()),
        None => ids,
    }
}

fn action_text(action: &Action) -> String {
    let mut text = action.text.clone();
    if let Some(owner) = &action.owner {
        text.push_str(&format!(" — {owner}"));
    }
    if let Some(due) = &action.due {
        text.push_str(&format!(" ({due})"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto::Point;

    fn point(text: &str) -> Point {
        Point { id: 1, text: text.into(), evidence: vec![1] }
    }

    fn action(text: &str, owner: Option<&str>) -> Action {
        Action { id: 1, text: text.into(), owner: owner.map(str::to_owned), due: None, evidence: vec![2, 3] }
    }

    #[test]
    fn growing_snapshots_print_the_whole_text_once() {
        console::set_colors_enabled(false);
        let mut summary = NoteSummary::default();
        let mut printer = SummaryPrinter::new(&[]);
        let mut out = Vec::new();
        let mut step = |change: &mut dyn FnMut(&mut NoteSummary), whole| {
            change(&mut summary);
            printer.print(&mut out, &summary, whole).unwrap();
        };
        step(&mut |s| s.title = "Stand".into(), false);
        step(&mut |s| s.title = "Standup".into(), false);
        step(&mut |s| s.overview = "About the demo".into(), false);
        step(&mut |s| s.points.push(point("the demo moved")), false);
        step(&mut |s| s.actions.push(action("write", None)), false);
        step(&mut |s| s.actions[0] = action("write a test", Some("Marcus")), false);
        step(&mut |_| {}, true);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "Standup\n\nAbout the demo\n\nPoints\n  • the demo moved [1]\n\nActions\n  ☐ write a test — Marcus [2, 3]\n"
        );
    }

    #[test]
    fn what_a_line_rests_on_has_its_time() {
        let said = |id, start| Segment { id, start, end: None, text: "words".into(), speaker: None };
        let segments = [said(1, None), said(2, Some(64.9)), said(3, Some(3_600.0))];
        let cases: [(&[u32], _); 4] = [(&[1], "1"), (&[2, 3], "2, 3 at 1:04"), (&[3], "3 at 1:00:00"), (&[], "")];
        for (evidence, text) in cases {
            assert_eq!(ids_and_time(&segments, evidence), text);
        }
    }

    #[test]
    fn a_summary_without_a_title_or_without_anything_is_no_heap_of_empty_lines() {
        console::set_colors_enabled(false);
        let text = |summary: &NoteSummary| {
            let mut out = Vec::new();
            SummaryPrinter::new(&[]).print(&mut out, summary, true).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(&NoteSummary::default()), "(nothing found in this note)\n");
        let only_points = NoteSummary { points: vec![point("one")], ..NoteSummary::default() };
        assert_eq!(text(&only_points), "Points\n  • one [1]\n");
    }
}
