//! Summarizes many notes: several at a time, which share passes through the model.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::{NoteSummary, ReadSoFar, SummaryOptions, summarize_together};
use crate::generate::most_sequences;
use crate::job::{Job, Reporter};
use crate::loaded::Loaded;
use crate::model::LocalModel;
use crate::note::VoiceNote;
use crate::tasks::in_order::InOrder;
use crate::tasks::most_together;
use crate::{CancelToken, Error};

impl LocalModel {
    /// Summarizes many notes: several are read at the same time, as memory allows. Each result is reported as soon as it and all before it
    /// are there, in the order of the notes, and is the same as that of [`LocalModel::summarize`]. A note that cannot be summarized has an
    /// error instead, and the others go on.
    ///
    /// # Errors
    /// Those of [`LocalModel::summarize`] are reported in the note's place.
    pub fn summarize_all(
        &self,
        notes: Vec<VoiceNote>,
        options: &SummaryOptions,
    ) -> Job<Result<NoteSummary, Error>, ()> {
        let (model, options) = (self.loaded(), options.clone());
        Job::start("summarize", move |reporter, cancel| {
            let sequences = most_sequences(&model, model.context_limit())?.clamp(1, most_together(&model));
            summarize_all(&model, &notes, &options, sequences, cancel, |result| reporter.report(result))
        })
    }
}

/// Summarizes notes with so many sequences in all, and reports their results in order.
fn summarize_all(
    model: &Arc<Loaded>,
    notes: &[VoiceNote],
    options: &SummaryOptions,
    sequences: usize,
    cancel: &CancelToken,
    mut on_result: impl FnMut(Result<NoteSummary, Error>),
) -> Result<(), Error> {
    let notes_at_once = sequences.min(notes.len());
    let windows_at_once = sequences / notes_at_once.max(1);
    let (next, (sender, finished)) = (AtomicUsize::new(0), mpsc::channel());
    let summarize_next = |sender: mpsc::Sender<(usize, Result<NoteSummary, Error>)>| {
        while let Some((index, note)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, notes.get(n)?)))
        {
            let (mut nothing, reporter) = (ReadSoFar::default(), Reporter::to_nobody());
            let result = summarize_together(model, note, options, windows_at_once, &mut nothing, &reporter, cancel);
            if sender.send((index, result)).is_err() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..notes_at_once {
            let sender = sender.clone();
            scope.spawn(|| summarize_next(sender));
        }
        drop(sender);
        let mut results = InOrder::new(notes.len());
        for (index, result) in finished {
            cancel.check()?;
            results.put(index, result);
            while let Some(result) = results.next() {
                on_result(result);
            }
        }
        Ok(cancel.check()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_model::demo;

    fn without_metrics(result: Result<NoteSummary, Error>) -> Result<NoteSummary, Error> {
        result.map(|summary| NoteSummary { metrics: None, ..summary })
    }

    #[test]
    fn each_note_has_the_summary_that_it_has_alone() {
        let long = (0..40).map(|n| format!("Dana has to send list {n} by Friday. The lift in hall {n} is stuck."));
        let texts = [
            "I have to call the clinic by Friday. The lift is stuck.",
            "",
            &long.collect::<Vec<_>>().join(" "),
            "Marcus will write a test by Thursday.",
            "Buy milk. Call Tom on Friday.",
        ];
        let (model, options) = (demo(), SummaryOptions::default());
        let notes: Vec<VoiceNote> = texts.iter().map(|text| VoiceNote::text(text)).collect();
        let alone: Vec<_> = notes.iter().map(|note| without_metrics(model.summarize(note, &options).wait())).collect();
        assert_eq!(alone.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, true, true]);
        for sequences in [1, 2, 4, 16] {
            let mut together = Vec::new();
            let add = |result| together.push(without_metrics(result));
            summarize_all(&model.loaded(), &notes, &options, sequences, &CancelToken::new(), add).unwrap();
            assert_eq!(together, alone, "{sequences} sequences");
        }
        let listed: Vec<_> = model.summarize_all(notes, &options).map(without_metrics).collect();
        assert_eq!(listed, alone);
        assert_eq!(model.summarize_all(Vec::new(), &options).count(), 0);
    }

    #[test]
    fn cancelling_ends_all() {
        let notes = vec![VoiceNote::text("Call Tom on Friday. The lift is stuck."); 200];
        let mut job = demo().summarize_all(notes, &SummaryOptions::default());
        assert!(job.next().is_some_and(|result| result.is_ok()));
        job.cancel();
        assert_eq!(job.wait(), Err(Error::Cancelled));
    }
}
