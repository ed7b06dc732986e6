//! Work that runs on a thread of its own, and is watched from the caller's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::{CancelToken, Error};

enum Event<Snapshot, Value> {
    Snapshot(Snapshot),
    Done(Result<Value, Error>),
}

/// A request that is being worked on.
///
/// Iterate over it for snapshots as they come, or [`wait`](Job::wait) for the value. Dropping it cancels the work;
/// a slow reader loses nothing.
#[must_use = "dropping a job cancels it"]
#[derive(Debug)]
pub struct Job<Snapshot, Value> {
    events: Receiver<Event<Snapshot, Value>>,
    cancel: CancelToken,
    outcome: Option<Result<Value, Error>>,
}

/// Where running work leaves its snapshots.
pub(crate) struct Reporter<Snapshot, Value>(Sender<Event<Snapshot, Value>>);

impl<Snapshot, Value> Reporter<Snapshot, Value> {
    /// Hands a snapshot to whoever holds the job; nobody may hold it any more, and then the work is cancelled already.
    pub(crate) fn report(&self, snapshot: Snapshot) {
        let _ = self.0.send(Event::Snapshot(snapshot));
    }
}

impl<Snapshot: Send + 'static, Value: Send + 'static> Job<Snapshot, Value> {
    /// Starts `work` on a thread of its own. A panic in it becomes [`Error::Internal`].
    pub(crate) fn start(
        name: &str,
        work: impl FnOnce(&Reporter<Snapshot, Value>, &CancelToken) -> Result<Value, Error> + Send + 'static,
    ) -> Self {
        let (sender, events) = channel();
        let cancel = CancelToken::new();
        let seen_by_work = cancel.clone();
        let reporter = Reporter(sender);
        let spawned = thread::Builder::new().name(format!("sotto-{name}")).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(&reporter, &seen_by_work)))
                .unwrap_or_else(|_| Err(Error::internal("a request panicked")));
            let _ = reporter.0.send(Event::Done(result));
        });
        let outcome = spawned.err().map(|error| Err(Error::internal(format!("no thread could be started: {error}"))));
        Self { events, cancel, outcome }
    }
}

impl<Snapshot, Value> Job<Snapshot, Value> {
    /// Stops the work within 100 ms; the job then ends with [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// The token that cancels this job, for another thread or a signal handler.
    pub fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Waits for the end and gives the value, passing over snapshots.
    ///
    /// # Errors
    /// Whatever ended the work early.
    pub fn wait(mut self) -> Result<Value, Error> {
        while self.next().is_some() {}
        self.outcome.take().unwrap_or_else(|| Err(Error::internal("a request ended without an answer")))
    }
}

impl<Snapshot, Value> Iterator for Job<Snapshot, Value> {
    type Item = Snapshot;

    /// The next snapshot; `None` at the end, after which [`Job::wait`] gives the value or the error.
    fn next(&mut self) -> Option<Snapshot> {
        if self.outcome.is_some() {
            return None;
        }
        match self.events.recv() {
            Ok(Event::Snapshot(snapshot)) => Some(snapshot),
            Ok(Event::Done(outcome)) => {
                self.outcome = Some(outcome);
                None
            }
            Err(_) => None,
        }
    }
}

impl<Snapshot, Value> Drop for Job<Snapshot, Value> {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn snapshots_come_in_order_and_none_is_lost() {
        let mut job = Job::start("test", |reporter, _| {
            (0..1000).for_each(|number| reporter.report(number));
            Ok("done")
        });
        thread::sleep(Duration::from_millis(5));
        assert!(job.by_ref().eq(0..1000));
        assert_eq!(job.next(), None);
        assert_eq!(job.wait(), Ok("done"));
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let job: Job<(), ()> = Job::start("test", |_, _| panic!("on purpose"));
        assert!(matches!(job.wait(), Err(Error::Internal { .. })));
    }

    #[test]
    fn dropping_a_job_cancels_its_work() {
        let (sender, receiver) = channel();
        let job: Job<(), ()> = Job::start("test", move |_, cancel| {
            while !cancel.is_cancelled() {
                thread::yield_now();
            }
            sender.send(()).unwrap();
            Err(Error::Cancelled)
        });
        drop(job);
        assert!(receiver.recv_timeout(Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn cancelling_ends_the_job_with_that_error() {
        let job: Job<(), ()> = Job::start("test", |_, cancel| {
            while cancel.check().is_ok() {
                thread::yield_now();
            }
            Ok(cancel.check()?)
        });
        job.cancel();
        assert_eq!(job.wait(), Err(Error::Cancelled));
    }
}
