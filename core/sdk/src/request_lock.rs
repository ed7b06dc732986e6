//! A lock whose wait can be cancelled, for what one request uses at a time.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{CancelToken, Error};

/// How long a waiting request sleeps between two looks at its cancel token.
const PATIENCE: Duration = Duration::from_millis(5);

/// A value that one request uses at a time. A request may take minutes, so waiting for it can be cancelled.
#[derive(Debug)]
pub(crate) struct RequestLock<T> {
    /// `None` while a request has it.
    free: Mutex<Option<T>>,
    freed: Condvar,
}

/// The value, until this is dropped.
pub(crate) struct RequestGuard<'a, T> {
    owner: &'a RequestLock<T>,
    /// `None` only within `drop`.
    thing: Option<T>,
}

impl<T> RequestLock<T> {
    pub(crate) fn new(thing: T) -> Self {
        Self { free: Mutex::new(Some(thing)), freed: Condvar::new() }
    }

    /// Waits until no other request has it.
    ///
    /// # Errors
    /// [`Error::Cancelled`], within a few milliseconds.
    pub(crate) fn lock(&self, cancel: &CancelToken) -> Result<RequestGuard<'_, T>, Error> {
        let mut free = self.slot();
        loop {
            cancel.check()?;
            if let Some(thing) = free.take() {
                return Ok(RequestGuard { owner: self, thing: Some(thing) });
            }
            (free, _) = self.freed.wait_timeout(free, PATIENCE).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<T>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for RequestGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("it is there until this is dropped")
    }
}

impl<T> DerefMut for RequestGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("it is there until this is dropped")
    }
}

impl<T> Drop for RequestGuard<'_, T> {
    /// Runs even when a request panics: the next one goes on with what that one left.
    fn drop(&mut self) {
        *self.owner.slot() = self.thing.take();
        self.owner.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Instant;

    #[test]
    fn whoever_waits_gets_it_when_it_is_free() {
        let lock = RequestLock::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let mut guard = lock.lock(&CancelToken::new()).expect("nobody cancels");
                        let seen = *guard;
                        thread::yield_now();
                        *guard = seen + 1;
                    }
                });
            }
        });
        assert_eq!(*lock.lock(&CancelToken::new()).expect("free"), 400);
    }

    #[test]
    fn whoever_waits_can_be_cancelled() {
        let lock = RequestLock::new(());
        let _taken = lock.lock(&CancelToken::new()).expect("free");
        let cancel = CancelToken::new();
        thread::scope(|scope| {
            let waits = scope.spawn(|| lock.lock(&cancel).err());
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
        let lock = RequestLock::new(1);
        thread::scope(|scope| {
            let panics = scope.spawn(|| {
                *lock.lock(&CancelToken::new()).expect("free") = 2;
                let _taken = lock.lock(&CancelToken::new()).expect("free");
                panic!("on purpose");
            });
            assert!(panics.join().is_err());
        });
        assert_eq!(*lock.lock(&CancelToken::new()).expect("free"), 2);
    }
}
