use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::EngineError;

/// A flag to stop running work from another thread. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    /// Each of these sets this one, too.
    others: Box<[CancelToken]>,
}

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled as soon as one of these is, or it is itself.
    pub(crate) fn any_of(tokens: impl IntoIterator<Item = Self>) -> Self {
        Self(Arc::new(Flag { set: AtomicBool::new(false), others: tokens.into_iter().collect() }))
    }

    /// Asks the work that holds this token to stop.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::Relaxed);
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::Relaxed) || self.0.others.iter().any(Self::is_cancelled)
    }

    /// The flag itself, for code that does not know this type.
    pub fn flag(&self) -> &AtomicBool {
        &self.0.set
    }

    /// [`EngineError::Cancelled`] once the token is cancelled.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] once the token is cancelled.
    pub fn check(&self) -> Result<(), EngineError> {
        if self.is_cancelled() { Err(EngineError::Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_several_stops_what_they_share() {
        let several = [CancelToken::new(), CancelToken::new()];
        let shared = CancelToken::any_of(several.clone());
        assert!(shared.check().is_ok());
        several[1].cancel();
        assert!(matches!(shared.clone().check(), Err(EngineError::Cancelled)));
        assert!(!several[0].is_cancelled());
        let shared = CancelToken::any_of([several[0].clone()]);
        shared.cancel();
        assert_eq!((shared.is_cancelled(), several[0].is_cancelled()), (true, false));
    }
}
