use std::any::Any;
use std::hint;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a thread spins before it sleeps: longer than what a pass computes alone between two regions.
const SPIN: Duration = Duration::from_micros(60);
/// Looks at the state between two looks at the clock.
const LOOKS: usize = 16;
/// Looks at the state before the thread that waits for the last tasks lets others run.
const SPINS_BEFORE_YIELD: usize = 10_000;

type Work<'a> = &'a (dyn Fn(usize) + Sync);
type Panic = Box<dyn Any + Send>;

/// A region: a number of tasks that threads take one by one until none are left.
///
/// A single word ([`State`]) decides who takes which task, so a thread that comes late, when its region is over or the
/// next has begun, takes nothing.
#[derive(Default)]
pub(super) struct Region {
    state: AtomicU64,
    /// The number of tasks of the region that have ended.
    ended: AtomicUsize,
    /// The work of the region: a [`Work`] on the stack of the thread in [`Region::run`].
    work: AtomicPtr<()>,
    panic: Mutex<Option<Panic>>,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    closed: AtomicBool,
}

/// A region's number, how many tasks it has, and which is the next.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    number: u32,
    tasks: u16,
    next: u16,
}

impl State {
    fn unpack(word: u64) -> Self {
        Self { number: (word >> 32) as u32, tasks: (word >> 16) as u16, next: word as u16 }
    }

    fn pack(self) -> u64 {
        u64::from(self.number) << 32 | u64::from(self.tasks) << 16 | u64::from(self.next)
    }
}

impl Region {
    /// Runs all tasks on this thread and those in [`Region::serve`]. Only one thread may be here at a time.
    pub(super) fn run(&self, tasks: usize, work: Work<'_>) -> Result<(), Panic> {
        let mut first = 0;
        while first < tasks {
            // A state counts to 65,535 tasks.
            let count = (tasks - first).min(usize::from(u16::MAX));
            self.run_some(count, &|task| work(first + task))?;
            first += count;
        }
        Ok(())
    }

    fn run_some(&self, tasks: usize, work: Work<'_>) -> Result<(), Panic> {
        let work_pointer: *const Work<'_> = &work;
        self.ended.store(0, Ordering::Relaxed);
        self.work.store(work_pointer.cast_mut().cast(), Ordering::Relaxed);
        let number = State::unpack(self.state.load(Ordering::Relaxed)).number.wrapping_add(1);
        // Sequentially consistent with `sleepers`: either this thread sees a sleeper, or that one sees the new state.
        self.state.store(State { number, tasks: tasks as u16, next: 0 }.pack(), Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(self.lock_sleep());
            self.wake.notify_all();
        }
        self.take_tasks(number);
        let mut looks = 0;
        // Acquire: what the tasks wrote is visible from here on.
        while self.ended.load(Ordering::Acquire) < tasks {
            looks += 1;
            if looks < SPINS_BEFORE_YIELD { hint::spin_loop() } else { thread::yield_now() }
        }
        match self.panic.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(payload) => Err(payload),
            None => Ok(()),
        }
    }

    /// Takes part in every region until [`Region::close`].
    pub(super) fn serve(&self) {
        let mut seen = 0;
        while let Some(number) = self.wait_for_region_after(seen) {
            self.take_tasks(number);
            seen = number;
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        drop(self.lock_sleep());
        self.wake.notify_all();
    }

    /// Spins, then sleeps, until there is a region with another number than `seen`; `None` when there will be no more.
    fn wait_for_region_after(&self, seen: u32) -> Option<u32> {
        let look = || {
            let number = State::unpack(self.state.load(Ordering::SeqCst)).number;
            (number != seen).then_some(number)
        };
        let start = Instant::now();
        while start.elapsed() < SPIN {
            for _ in 0..LOOKS {
                if let Some(number) = look() {
                    return Some(number);
                }
                hint::spin_loop();
            }
        }
        let mut guard = self.lock_sleep();
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let found = loop {
            if self.closed.load(Ordering::SeqCst) {
                break None;
            }
            if let Some(number) = look() {
                break Some(number);
            }
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        found
    }

    fn take_tasks(&self, number: u32) {
        while let Some(task) = self.take_task(number) {
            // SAFETY: a task of region `number` was taken and has not ended, so `run_some` has not returned: the pointer
            // is the one that it stored before that region's state, and what it points to is still there.
            let work = unsafe { *self.work.load(Ordering::Relaxed).cast::<Work<'_>>() };
            if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| work(task))) {
                *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
            }
            self.ended.fetch_add(1, Ordering::Release);
        }
    }

    /// The next task of region `number`, unless it is over.
    fn take_task(&self, number: u32) -> Option<usize> {
        let mut word = self.state.load(Ordering::Acquire);
        loop {
            let state = State::unpack(word);
            if state.number != number || state.next >= state.tasks {
                return None;
            }
            let taken = State { next: state.next + 1, ..state }.pack();
            match self.state.compare_exchange_weak(word, taken, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some(usize::from(state.next)),
                Err(now) => word = now,
            }
        }
    }

    fn lock_sleep(&self) -> MutexGuard<'_, ()> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
