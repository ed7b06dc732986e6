//! What one request uses at a time, while others wait for it: a lock whose wait can be cancelled.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{CancelToken, Error};

/// How long somebody waits before it looks at its cancel token again.
const PATIENCE: Duration = Duration::from_millis(5);

/// Something that is used by one request at a time. A request may take minutes: whoever waits for it can be cancelled.
pub(crate) struct Turns<T> {
    /// `None` while somebody has it.
    free: Mutex<Option<T>>,
    freed: Condvar,
}

/// The thing itself, until this is dropped.
pub(crate) struct Turn<'a, T> {
    turns: &'a Turns<T>,
    /// `None` only within `drop`.
    thing: Option<T>,
}

impl<T> Turns<T> {
    pub(crate) fn new(thing: T) -> Self {
        Self { free: Mutex::new(Some(thing)), freed: Condvar::new() }
    }

    /// Waits until nobody else has it.
    ///
    /// # Errors
    /// [`Error::Cancelled`], within a few milliseconds.
    pub(crate) fn take(&self, cancel: &CancelToken) -> Result<Turn<'_, T>, Error> {
        let mut free = self.lock();
        loop {
            cancel.check()?;
            if let Some(thing) = free.take() {
                return Ok(Turn { turns: self, thing: Some(thing) });
            }
            (free, _) = self.freed.wait_timeout(free, PATIENCE).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Turn<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("it is there until this is dropped")
    }
}

impl<T> DerefMut for Turn<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("it is there until this is dropped")
    }
}

impl<T> Drop for Turn<'_, T> {
    /// Also when a request panics: the next one goes on with what that has left.
    fn drop(&mut self) {
        *self.turns.lock() = self.thing.take();
        self.turns.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Instant;

    #[test]
    fn whoever_waits_gets_it_when_it_is_free() {
        let turns = Turns::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let mut turn = turns.take(&CancelToken::new()).expect("nobody cancels");
                        let seen = *turn;
                        thread::yield_now();
                        *turn = seen + 1;
                    }
                });
            }
        });
        assert_eq!(*turns.take(&CancelToken::new()).expect("free"), 400);
    }

    #[test]
    fn whoever_waits_can_be_cancelled() {
        let turns = Turns::new(());
        let _taken = turns.take(&CancelToken::new()).expect("free");
        let cancel = CancelToken::new();
        thread::scope(|scope| {
            let waits = scope.spawn(|| turns.take(&cancel).err());
            thread::sleep(Duration::from_millis(20));
            assert!(!waits.is_finished());
            cancel.cancel();
            let asked = Instant::now();
            assert_eq!(waits.join().expect("no panic"), Some(Error::Cancelled));
            assert!(asked.elapsed() < Duration::from_millis(100), "{:?}", asked.elapsed());
        });
    }

    #[test]
    fn a_request_that_panics_gives_it_back() {
        let turns = Turns::new(1);
        thread::scope(|scope| {
            let panics = scope.spawn(|| {
                *turns.take(&CancelToken::new()).expect("free") = 2;
                let _taken = turns.take(&CancelToken::new()).expect("free");
                panic!("on purpose");
            });
            assert!(panics.join().is_err());
        });
        assert_eq!(*turns.take(&CancelToken::new()).expect("free"), 2);
    }
}
