//! Work on a separate thread that the caller can watch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use async_channel::{Receiver, Sender, bounded, unbounded};

use crate::{CancelToken, Error};

/// A running request.
///
/// Iterate over it for snapshots as they arrive, or call [`wait`](Job::wait) for the value. Dropping it cancels the
/// work. A slow reader loses nothing. In asynchronous code, [`next_snapshot`](Job::next_snapshot) and
/// [`value`](Job::value) do the same, on any executor.
#[must_use = "dropping a job cancels it"]
#[derive(Debug)]
pub struct Job<Snapshot, Value> {
    snapshots: Receiver<Snapshot>,
    outcome: Receiver<Result<Value, Error>>,
    cancel: CancelToken,
}

/// Where running work sends its snapshots.
pub(crate) struct Reporter<Snapshot>(Sender<Snapshot>);

impl<Snapshot> Reporter<Snapshot> {
    /// For work of which only the value matters.
    pub(crate) fn to_nobody() -> Self {
        Self(bounded(1).0)
    }

    /// Sends a snapshot to the holder of the job. If the job was dropped, nobody receives it, and the work is already
    /// cancelled.
    pub(crate) fn report(&self, snapshot: Snapshot) {
        let _ = self.0.try_send(snapshot);
    }
}

/// Progress of a long operation, in tokens or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Done.
    pub done: usize,
    /// In all.
    pub total: usize,
}

impl<Snapshot: Send + 'static, Value: Send + 'static> Job<Snapshot, Value> {
    /// Starts `work` on a new thread. A panic in it becomes [`Error::Internal`].
    pub(crate) fn start(
        name: &str,
        work: impl FnOnce(&Reporter<Snapshot>, &CancelToken) -> Result<Value, Error> + Send + 'static,
    ) -> Self {
        let (reporter, snapshots) = unbounded();
        let (finished, outcome) = bounded(1);
        let cancel = CancelToken::new();
        let (reporter, seen_by_work, refused) = (Reporter(reporter), cancel.clone(), finished.clone());
        let spawned = thread::Builder::new().name(format!("sotto-{name}")).spawn(move || {
            // This thread computes, too.
            sotto_engine::prefer_fast_cores();
            let result = catch_unwind(AssertUnwindSafe(|| work(&reporter, &seen_by_work)))
                .unwrap_or_else(|_| Err(Error::internal("a request panicked")));
            let _ = finished.try_send(result);
            // The snapshots end only now, so that the outcome is there when a reader sees their end.
            drop(reporter);
        });
        if let Err(error) = spawned {
            let _ = refused.try_send(Err(Error::internal(format!("cannot start a thread: {error}"))));
        }
        Self { snapshots, outcome, cancel }
    }
}

impl<Snapshot, Value> Job<Snapshot, Value> {
    /// Stops the work within 100 ms. The job then ends with [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// The token that cancels this job, for another thread or a signal handler.
    pub fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Waits for the end and returns the value, skipping snapshots.
    ///
    /// # Errors
    /// The error that ended the work.
    pub fn wait(mut self) -> Result<Value, Error> {
        while self.next().is_some() {}
        self.outcome.try_recv().unwrap_or_else(|_| Err(no_answer()))
    }

    /// The next snapshot; `None` at the end, after which [`Job::value`] returns the value or the error.
    pub async fn next_snapshot(&self) -> Option<Snapshot> {
        self.snapshots.recv().await.ok()
    }

    /// The value, once it is ready, skipping snapshots. It is returned only once.
    ///
    /// # Errors
    /// The error that ended the work.
    pub async fn value(&self) -> Result<Value, Error> {
        while self.next_snapshot().await.is_some() {}
        self.outcome.try_recv().unwrap_or_else(|_| Err(no_answer()))
    }
}

fn no_answer() -> Error {
    Error::internal("a request ended without a result, or its result was taken twice")
}

impl<Snapshot, Value> Iterator for Job<Snapshot, Value> {
    type Item = Snapshot;

    /// The next snapshot; `None` at the end, after which [`Job::wait`] returns the value or the error.
    fn next(&mut self) -> Option<Snapshot> {
        self.snapshots.recv_blocking().ok()
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
    use std::future::Future;
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::task::{Context, Poll, Wake};
    use std::time::Duration;

    /// Wakes the thread that waits for a future.
    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        let waker = Arc::new(Unpark(thread::current())).into();
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return value,
                Poll::Pending => thread::park(),
            }
        }
    }

    #[test]
    fn asynchronous_readers_get_the_same() {
        let job = Job::start("test", |reporter, _| {
            (0..1000).for_each(|number| reporter.report(number));
            Ok("done")
        });
        block_on(async {
            for number in 0..1000 {
                assert_eq!(job.next_snapshot().await, Some(number));
            }
            assert_eq!(job.next_snapshot().await, None);
            assert_eq!(job.value().await, Ok("done"));
            assert!(matches!(job.value().await, Err(Error::Internal { .. })));
        });
    }

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
