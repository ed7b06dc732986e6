//! The sequences of one request, and what they read next.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Append, Priority};
use crate::forward::{Output, Part, Pass, SequenceState, USUAL_SEQUENCES, Wanted};
use crate::machine::resize;
use crate::model::{Adapter, Transformer};
use crate::{CancelToken, EngineError, KvType, Prefix};

/// Sequences that read at the same time, with the same adapters. While they read, the scheduler has the group.
pub(crate) struct Group {
    model: Arc<Transformer>,
    sequences: Vec<SequenceState>,
    /// With their scales.
    adapters: Arc<[(Adapter, f32)]>,
    priority: Priority,
    request: Request,
    /// What the last request gave: `[rows of all, any]`.
    output: Vec<f32>,
}

/// Tokens that are read in one pass or more, with those of other groups.
#[derive(Default)]
struct Request {
    /// Those of all appends, one after the other.
    tokens: Vec<u32>,
    appends: SmallVec<[OfSequence; USUAL_SEQUENCES]>,
    kind: OutputKind,
    /// The tokens whose logits are wanted.
    ids: Vec<u32>,
    /// Numbers in a row of the output.
    width: usize,
    cancel: CancelToken,
    /// The number of tokens that were read.
    read: usize,
    /// The number of rows that were written.
    written: usize,
    /// Tokens and rows in the pass that is being planned or runs.
    in_pass: (usize, usize),
}

/// What one sequence appends.
struct OfSequence {
    sequence: usize,
    tokens: Range<usize>,
    /// The number of its last tokens whose output is wanted.
    rows: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum OutputKind {
    #[default]
    Logits,
    LogitsOf,
    HiddenStates,
}

impl Group {
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn new(
        model: Arc<Transformer>,
        sequences: usize,
        kv_type: KvType,
        context_length: usize,
        priority: Priority,
    ) -> Result<Self, EngineError> {
        let sequence = |_| SequenceState::new(&model.config, kv_type, context_length);
        let sequences = (0..sequences).map(sequence).collect::<Result<_, _>>()?;
        let (adapters, output) = (Arc::new([]), Vec::new());
        Ok(Self { sequences, adapters, priority, request: Request::default(), output, model })
    }

    pub(crate) fn model(&self) -> &Arc<Transformer> {
        &self.model
    }

    pub(crate) fn sequences(&self) -> usize {
        self.sequences.len()
    }

    /// # Panics
    /// If there is no such sequence.
    pub(crate) fn sequence(&self, index: usize) -> &SequenceState {
        &self.sequences[index]
    }

    /// # Panics
    /// If there is no such sequence.
    pub(crate) fn sequence_mut(&mut self, index: usize) -> &mut SequenceState {
        &mut self.sequences[index]
    }

    pub(crate) fn adapters(&self) -> &[(Adapter, f32)] {
        &self.adapters
    }

    pub(crate) fn shared_adapters(&self) -> Arc<[(Adapter, f32)]> {
        Arc::clone(&self.adapters)
    }

    pub(crate) fn priority(&self) -> Priority {
        self.priority
    }

    /// What the last request gave, `[rows of all, any]`.
    pub(crate) fn output(&self) -> &[f32] {
        &self.output
    }

    /// Uses these adapters from now on. If they are others than before, all sequences are empty afterwards.
    ///
    /// # Errors
    /// As for [`crate::Decoder::set_adapters`]. After an error, nothing has changed.
    pub(crate) fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
        if *self.adapters == *adapters {
            return Ok(());
        }
        if !adapters.iter().all(|(adapter, _)| adapter.is_of(&self.model)) {
            return Err(EngineError::unsupported("an adapter that was loaded for another model: load it for this one"));
        }
        if !adapters.iter().all(|(_, scale)| scale.is_finite()) {
            return Err(EngineError::unsupported("an adapter scale that is not a finite number"));
        }
        self.adapters = adapters.into();
        self.sequences.iter_mut().for_each(|sequence| sequence.truncate(0));
        Ok(())
    }

    /// A copy of the beginning of a sequence.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn prefix(&self, sequence: usize, length: usize) -> Result<Prefix, EngineError> {
        Prefix::of(&self.sequences[sequence], length, &self.model, &self.adapters)
    }

    /// The beginning of a sequence that a file holds: its tokens, and their keys and values.
    ///
    /// # Errors
    /// As for [`Prefix::open`].
    pub(crate) fn open_prefix(&self, path: &Path, sequence: usize) -> Result<(Vec<u32>, Prefix), EngineError> {
        Prefix::open(path, &self.sequences[sequence], &self.model, &self.adapters)
    }

    /// Makes a sequence hold the first `length` tokens of `prefix` instead of its own; returns whether it could.
    pub(crate) fn begin_with(&mut self, sequence: usize, prefix: &Prefix, length: usize) -> bool {
        prefix.begin(&mut self.sequences[sequence], length, &self.model, &self.adapters)
    }

    /// Bytes of private memory: KV caches, output and adapters.
    pub(crate) fn private_bytes(&self) -> u64 {
        let caches: u64 = self.sequences.iter().map(SequenceState::touched_bytes).sum();
        let adapters: u64 = self.adapters.iter().map(|(adapter, _)| adapter.private_bytes()).sum();
        caches + adapters + (self.output.capacity() * size_of::<f32>()) as u64
    }

    /// Notes what is to be read next, the sequences in ascending order.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`],
    /// [`EngineError::Cancelled`], [`EngineError::OutOfMemory`] when there is no room for what is wanted.
    pub(crate) fn request(
        &mut self,
        appends: &[Append<'_>],
        output: Output<'_>,
        cancel: &CancelToken,
    ) -> Result<(), EngineError> {
        let (config, request) = (&self.model.config, &mut self.request);
        request.tokens.clear();
        request.appends.clear();
        request.ids.clear();
        for append in appends {
            if append.tokens.is_empty() {
                return Err(EngineError::Internal("a forward pass needs at least one token".into()));
            }
            config.check_ids(append.tokens)?;
            self.sequences[append.sequence].check_room(append.tokens.len())?;
            let (start, rows) = (request.tokens.len(), append.rows.count(append.tokens.len()));
            request.tokens.extend_from_slice(append.tokens);
            let tokens = start..request.tokens.len();
            request.appends.push(OfSequence { sequence: append.sequence, tokens, rows });
        }
        (request.kind, request.width) = match output {
            Output::Logits => (OutputKind::Logits, config.vocab_size),
            Output::LogitsOf(ids) => {
                config.check_ids(ids)?;
                request.ids.extend_from_slice(ids);
                (OutputKind::LogitsOf, ids.len())
            }
            Output::HiddenStates => (OutputKind::HiddenStates, config.hidden_size),
        };
        cancel.check()?;
        request.cancel = cancel.clone();
        (request.read, request.written) = (0, 0);
        let rows: usize = request.appends.iter().map(|append| append.rows).sum();
        resize(&mut self.output, rows * request.width)
    }

    pub(crate) fn cancel(&self) -> &CancelToken {
        &self.request.cancel
    }

    pub(crate) fn wants_all_logits(&self) -> bool {
        self.request.kind == OutputKind::Logits
    }

    /// The number of tokens that are still to be read.
    pub(crate) fn unread(&self) -> usize {
        self.request.tokens.len() - self.request.read
    }

    /// Adds the next tokens to a pass, at most `most`.
    pub(crate) fn join<'a>(&'a mut self, pass: &mut Pass<'a>, most: usize) {
        let Self { sequences, request, output, .. } = self;
        let end = request.tokens.len().min(request.read + most);
        let rows_before: usize = pass.parts.iter().map(|part| part.wanted.len()).sum();
        let mut sequences = sequences.iter_mut().enumerate();
        for OfSequence { sequence, tokens, rows } in &request.appends {
            let taken = tokens.start.max(request.read)..tokens.end.min(end);
            let (_, state) = sequences.find(|(index, _)| index == sequence).expect("ascending, and of this group");
            if taken.is_empty() {
                continue;
            }
            let start = pass.tokens.len();
            pass.tokens.extend_from_slice(&request.tokens[taken.clone()]);
            let first_wanted = (tokens.end - rows).clamp(taken.start, taken.end);
            let wanted = start + first_wanted - taken.start..pass.tokens.len();
            pass.parts.push(Part { sequence: state, rows: start..pass.tokens.len(), wanted });
        }
        let rows = pass.parts.iter().map(|part| part.wanted.len()).sum::<usize>() - rows_before;
        request.in_pass = (end - request.read, rows);
        if rows > 0 {
            let kind = match request.kind {
                OutputKind::Logits => Output::Logits,
                OutputKind::LogitsOf => Output::LogitsOf(&request.ids),
                OutputKind::HiddenStates => Output::HiddenStates,
            };
            let values = &mut output[request.written * request.width..][..rows * request.width];
            pass.outputs.push(Wanted { rows, output: kind, values });
        }
    }

    /// After a pass: what was in it has been read.
    pub(crate) fn advance(&mut self) {
        let (tokens, rows) = self.request.in_pass;
        self.request.read += tokens;
        self.request.written += rows;
    }
}
