//! The engine's own threads: they spin briefly between the pieces of a pass, and sleep between passes.

mod cores;
mod region;
mod split;

use std::any::Any;
use std::collections::VecDeque;
use std::panic;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{CancelToken, EngineError};
pub use cores::prefer_fast_cores;
use cores::{MAX_THREADS, performance_cores};
use region::Region;
pub use split::{Chunks, Pieces, Split};

/// Tasks for each thread, at least, where there are enough: the slowest thread ends a region, and on a phone some are.
const TASKS_PER_THREAD: usize = 8;
/// How long a pass waits for another one to end before it looks at its cancel token again.
const PATIENCE: Duration = Duration::from_millis(5);

/// Threads that compute, shared by all decoders of a model. One pass uses them at a time: two at once would only take
/// each other's cores. The thread that runs the pass is one of them.
pub struct Pool {
    threads: usize,
    workers: OnceLock<Workers>,
    queue: Mutex<Queue>,
    moved: Condvar,
}

/// Passes in the order in which they came: a long prefill leaves the threads to others between two of its own.
#[derive(Default)]
struct Queue {
    busy: bool,
    /// Numbers of those that wait.
    waiting: VecDeque<u64>,
    last: u64,
}

struct Workers {
    region: Arc<Region>,
    handles: Vec<JoinHandle<()>>,
}

/// The pool, held for a pass.
pub struct Team<'a> {
    pool: &'a Pool,
    region: &'a Region,
}

impl Pool {
    /// A pool of `threads` threads, or of one for each performance core. They start with the first pass.
    pub fn new(threads: Option<usize>) -> Self {
        let threads = threads.unwrap_or_else(performance_cores).clamp(1, MAX_THREADS);
        Self { threads, workers: OnceLock::new(), queue: Mutex::default(), moved: Condvar::new() }
    }

    /// How many threads it has, that of the pass among them.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Waits until no other pass runs.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`]; [`EngineError::Internal`] when threads cannot be started.
    pub fn enter(&self, cancel: &CancelToken) -> Result<Team<'_>, EngineError> {
        let workers = match self.workers.get() {
            Some(workers) => workers,
            None => {
                let started = Workers::start(self.threads - 1)?;
                // Two first passes at once may both start threads: one set is kept, the other ends here.
                self.workers.get_or_init(|| started)
            }
        };
        self.wait_for_turn(cancel)?;
        Ok(Team { pool: self, region: &workers.region })
    }

    fn wait_for_turn(&self, cancel: &CancelToken) -> Result<(), EngineError> {
        let mut queue = self.lock();
        queue.last += 1;
        let number = queue.last;
        queue.waiting.push_back(number);
        while queue.busy || queue.waiting.front() != Some(&number) {
            if let Err(cancelled) = cancel.check() {
                queue.waiting.retain(|&waiting| waiting != number);
                self.moved.notify_all();
                return Err(cancelled);
            }
            (queue, _) = self.moved.wait_timeout(queue, PATIENCE).unwrap_or_else(PoisonError::into_inner);
        }
        queue.waiting.pop_front();
        queue.busy = true;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Team<'_> {
    /// Runs `work(0)` to `work(tasks - 1)`, in any order and on any of the threads, and waits for all of them.
    ///
    /// # Panics
    /// When one of them does, after all have ended.
    pub fn run(&self, tasks: usize, work: impl Fn(usize) + Sync) {
        if self.pool.threads == 1 || tasks == 1 {
            (0..tasks).for_each(work);
        } else if let Err(payload) = self.region.run(tasks, &work) {
            panic::resume_unwind(payload);
        }
    }

    /// As [`Team::run`], each task with its part of some buffers.
    pub fn run_parts<S: Split + Sync>(&self, buffers: S, work: impl Fn(usize, S::Part) + Sync) {
        // SAFETY: a region runs each task once, so each part is taken once; and the buffers outlive the region.
        self.run(buffers.parts(), |task| work(task, unsafe { buffers.part(task) }));
    }

    /// How many of `items` one task should do, so that threads of different speed end at about the same time.
    pub fn items_per_task(&self, items: usize) -> usize {
        items.div_ceil(self.pool.threads * TASKS_PER_THREAD).max(1)
    }
}

impl Drop for Team<'_> {
    fn drop(&mut self) {
        self.pool.lock().busy = false;
        self.pool.moved.notify_all();
    }
}

impl Workers {
    fn start(count: usize) -> Result<Self, EngineError> {
        let region = Arc::new(Region::default());
        let mut workers = Self { region: Arc::clone(&region), handles: Vec::new() };
        for index in 0..count {
            let region = Arc::clone(&region);
            let thread = thread::Builder::new().name(format!("sotto-{}", index + 1));
            let handle = thread.spawn(move || {
                prefer_fast_cores();
                region.serve();
            });
            workers
                .handles
                .push(handle.map_err(|error| EngineError::Internal(format!("cannot start threads: {error}")))?);
        }
        Ok(workers)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.region.close();
        for handle in self.handles.drain(..) {
            // Panics of tasks are caught and reported where the region was run.
            let _: Result<(), Box<dyn Any + Send>> = handle.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
