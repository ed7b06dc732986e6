//! Continuous batching: requests that run at the same time share passes through the model, so each weight is read once for all of them.
//!
//! No thread of its own: of the threads that wait for their request, one at a time leads. It plans a pass of what all of them need next
//! ([`plan`]), runs it, and gives each of them its logits. Requests join and leave between any two passes. Each gets the bits that it gets alone.
//!
//! Yu et al., "Orca: A Distributed Serving System for Transformer-Based Generative Models", 2022 (scheduling by pass); Agrawal et al.,
//! "SARATHI: Efficient LLM Inference by Piggybacking Decodes with Chunked Prefills", 2023; Hendler et al., "Flat Combining and the
//! Synchronization-Parallelism Tradeoff", 2010 (who leads).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use smallvec::SmallVec;
use sotto_kernels::GEMV_ROWS;

use super::group::Group;
use super::plan::{Asked, Plan, plan};
use crate::forward::{Pass, USUAL_SEQUENCES, Workspace};
use crate::machine::check_available;
use crate::model::Transformer;
use crate::{Adapter, CancelToken, EngineError};

/// How long a request waits before it looks at its cancel token again.
const PATIENCE: Duration = Duration::from_millis(5);

/// Shares the passes of one model among its requests.
pub(crate) struct Scheduler {
    model: Arc<Transformer>,
    queue: Mutex<Queue>,
    /// Something in the queue is new: a request, or the end of a pass.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    finished: Vec<Finished>,
    /// Someone leads.
    led: bool,
    /// The number of requests that the last pass served. More are likely to come from where they came from.
    expected: usize,
    last_pass: Duration,
    last_number: u64,
    /// `None` before the first pass, and while someone leads.
    workspace: Option<Workspace>,
}

/// A request that waits for passes.
struct Waiting {
    number: u64,
    group: Box<Group>,
    /// The number of passes, since it came or last took part, that ran without it.
    passed_over: u32,
    /// A pass with others failed.
    alone: bool,
}

struct Finished {
    number: u64,
    group: Box<Group>,
    outcome: Result<(), EngineError>,
}

impl Scheduler {
    pub(crate) fn new(model: Arc<Transformer>) -> Self {
        Self { model, queue: Mutex::default(), changed: Condvar::new() }
    }

    pub(crate) fn model(&self) -> &Arc<Transformer> {
        &self.model
    }

    /// Makes sure that there is memory for passes, and for so many bytes more.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn make_room_for(&self, more: u64) -> Result<(), EngineError> {
        let mut queue = self.queue();
        if queue.led || queue.workspace.is_some() {
            return check_available(more);
        }
        check_available(more + self.model.workspace_bytes())?;
        queue.workspace = Some(Workspace::new(Arc::clone(&self.model))?);
        Ok(())
    }

    /// Bytes of the buffers that all requests share.
    pub(crate) fn workspace_bytes(&self) -> u64 {
        self.queue().workspace.as_ref().map_or_else(|| self.model.workspace_bytes(), Workspace::bytes)
    }

    /// Gives back the memory of the buffers, unless a pass runs. The next pass takes it again.
    pub(crate) fn trim(&self) {
        self.queue().workspace = None;
    }

    /// How many tokens of one request are worth reading in a pass in which others take part as they did in the last.
    pub(crate) fn tokens_at_once(&self) -> usize {
        (GEMV_ROWS / self.queue().expected.max(1)).max(1)
    }

    /// Reads what a group asks for, in passes that it shares with the other requests of this time.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that produce numbers that are not finite,
    /// [`EngineError::OutOfMemory`], [`EngineError::Internal`]. After an error, each sequence holds a prefix of what it was given.
    pub(crate) fn read(&self, group: Box<Group>) -> (Box<Group>, Result<(), EngineError>) {
        let cancel = group.cancel().clone();
        let mut queue = self.queue();
        let number = queue.add(group);
        self.changed.notify_all();
        loop {
            if let Some(Finished { group, outcome, .. }) = queue.take_finished(number) {
                return (group, outcome);
            }
            if let Some(group) = queue.take_waiting(number, || cancel.is_cancelled()) {
                return (group, Err(EngineError::Cancelled));
            }
            queue = match queue.led {
                true => self.wait(queue, PATIENCE),
                false => self.lead(queue, number, &cancel),
            };
        }
    }

    /// Runs a pass in which the request with this number takes part. If the next pass has no room for it, another one's thread leads: this
    /// one must see at once when it is cancelled.
    fn lead<'a>(
        &'a self,
        mut queue: MutexGuard<'a, Queue>,
        number: u64,
        cancel: &CancelToken,
    ) -> MutexGuard<'a, Queue> {
        queue.led = true;
        queue = self.wait_for_the_others(queue, cancel);
        let plan = queue.plan();
        if !plan.iter().any(|&(index, _)| queue.waiting[index].number == number) {
            queue.led = false;
            self.changed.notify_all();
            return self.wait(queue, PATIENCE);
        }
        let (mut in_pass, workspace) = (queue.take_pass(plan), queue.workspace.take());
        drop(queue);

        let started = Instant::now();
        let (workspace, outcome) = self.run(workspace, &mut in_pass);
        let mut queue = self.queue();
        queue.workspace = workspace;
        queue.last_pass = started.elapsed();
        queue.expected = in_pass.len();
        queue.give_back(in_pass, outcome);
        queue.led = false;
        self.changed.notify_all();
        queue
    }

    /// Those that were in the last pass are choosing a token now, and will be here in a moment. A pass without them would make them wait for
    /// the next one, and halve the number that share it. One that has ended costs half a pass, once.
    fn wait_for_the_others<'a>(
        &'a self,
        mut queue: MutexGuard<'a, Queue>,
        cancel: &CancelToken,
    ) -> MutexGuard<'a, Queue> {
        let deadline = Instant::now() + queue.last_pass / 2;
        while queue.waiting.len() < queue.expected && !cancel.is_cancelled() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            queue = self.wait(queue, left.min(PATIENCE));
        }
        queue
    }

    /// Runs a pass, and returns the buffers, if it did not panic.
    fn run(&self, workspace: Option<Workspace>, in_pass: &mut InPass) -> (Option<Workspace>, Result<(), EngineError>) {
        let run = || {
            let mut workspace = workspace.map_or_else(|| Workspace::new(Arc::clone(&self.model)), Ok)?;
            let outcome = run_pass(&mut workspace, in_pass);
            Ok((Some(workspace), outcome))
        };
        let failed = |error| (None, Err(error));
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(ran) => ran.unwrap_or_else(failed),
            Err(_) => failed(EngineError::Internal("a forward pass panicked".into())),
        }
    }

    fn wait<'a>(&'a self, queue: MutexGuard<'a, Queue>, most: Duration) -> MutexGuard<'a, Queue> {
        self.changed.wait_timeout(queue, most).unwrap_or_else(PoisonError::into_inner).0
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run_pass(workspace: &mut Workspace, in_pass: &mut InPass) -> Result<(), EngineError> {
    let mut tokens = in_pass.iter().map(|(waiting, _)| waiting.group.cancel().clone());
    let cancel = if in_pass.len() == 1 { tokens.next() } else { Some(CancelToken::any_of(tokens)) };
    let adapters = in_pass.first().map(|(first, _)| first.group.shared_adapters());
    let (Some(cancel), Some(adapters)) = (cancel, adapters) else { return Ok(()) };
    let mut pass = Pass::default();
    for (waiting, tokens) in in_pass {
        waiting.group.join(&mut pass, *tokens);
    }
    workspace.run(&mut pass, &adapters, &cancel)
}

/// The requests of a pass, each with its number of tokens.
type InPass = SmallVec<[(Waiting, usize); USUAL_SEQUENCES]>;

impl Queue {
    /// Adds a request, and returns its number.
    fn add(&mut self, group: Box<Group>) -> u64 {
        self.last_number += 1;
        self.waiting.push(Waiting { number: self.last_number, group, passed_over: 0, alone: false });
        self.last_number
    }

    fn take_finished(&mut self, number: u64) -> Option<Finished> {
        let index = self.finished.iter().position(|finished| finished.number == number)?;
        Some(self.finished.swap_remove(index))
    }

    /// Takes a request back, unless a pass has it.
    fn take_waiting(&mut self, number: u64, is_cancelled: impl FnOnce() -> bool) -> Option<Box<Group>> {
        let index = self.waiting.iter().position(|waiting| waiting.number == number)?;
        is_cancelled().then(|| self.waiting.swap_remove(index).group)
    }

    fn plan(&self) -> Plan {
        let asked: SmallVec<[_; USUAL_SEQUENCES]> = self.waiting.iter().map(Waiting::asked).collect();
        plan(&asked)
    }

    /// Takes the requests of the next pass.
    fn take_pass(&mut self, mut plan: Plan) -> InPass {
        // From the last index to the first, so that taking one moves none of the others.
        plan.sort_unstable_by_key(|&(index, _)| std::cmp::Reverse(index));
        let taken = plan.into_iter().map(|(index, tokens)| (self.waiting.swap_remove(index), tokens));
        let mut in_pass: InPass = taken.collect();
        // Neighbours that want all logits share the reading of the output matrix.
        in_pass.sort_unstable_by_key(|(waiting, _)| waiting.group.wants_all_logits());
        self.waiting.iter_mut().for_each(|waiting| waiting.passed_over += 1);
        in_pass
    }

    /// After a pass: a request that has all it asked for is finished, and one that was cancelled; the others go on. If a pass of several failed,
    /// each of them gets one of its own, and one's error does not become another's.
    fn give_back(&mut self, in_pass: InPass, outcome: Result<(), EngineError>) {
        let shared = in_pass.len() > 1;
        let mut failure = outcome.err();
        for (mut waiting, _) in in_pass {
            let outcome = match &failure {
                None => {
                    waiting.group.advance();
                    waiting.passed_over = 0;
                    (waiting.group.unread() == 0).then_some(Ok(()))
                }
                Some(_) if waiting.group.cancel().is_cancelled() => Some(Err(EngineError::Cancelled)),
                Some(EngineError::Cancelled) => None,
                Some(_) if shared => {
                    waiting.alone = true;
                    None
                }
                Some(_) => failure.take().map(Err),
            };
            match outcome {
                Some(outcome) => {
                    self.finished.push(Finished { number: waiting.number, group: waiting.group, outcome });
                }
                None => self.waiting.push(waiting),
            }
        }
    }
}

impl Waiting {
    fn asked(&self) -> Asked<&[(Adapter, f32)]> {
        let &Self { number, ref group, passed_over, alone } = self;
        let (tokens, priority, adapters) = (group.unread(), group.priority(), group.adapters());
        Asked { number, tokens, priority, adapters, passed_over, alone }
    }
}
