use serde::{Deserialize, Serialize};

use crate::time::{DAY, HOUR};

/// Tells by which time the age of records is measured. A clock that jumps ahead for a moment deletes nothing: a time that
/// is more than a day ahead of the last one counts only once a later call, an hour or more after it, confirms it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Clock {
    trusted: i64,
    doubted: Option<i64>,
}

impl Clock {
    pub(super) fn starting_at(now: i64) -> Self {
        Self { trusted: now, doubted: None }
    }

    /// The time to measure by, in Unix milliseconds, when the device's clock says `now`.
    pub(super) fn measure(&mut self, now: i64) -> i64 {
        if let Some(doubted) = self.doubted.filter(|doubted| now >= doubted.saturating_add(HOUR)) {
            *self = Self::starting_at(doubted);
        }
        if now <= self.trusted.saturating_add(DAY) {
            *self = Self::starting_at(now);
        } else if self.doubted.is_none_or(|doubted| now < doubted) {
            self.doubted = Some(now);
        }
        self.trusted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_ahead_counts_only_once_confirmed() {
        let mut clock = Clock::starting_at(0);
        assert_eq!(clock.measure(DAY), DAY);
        let far = 10_000 * DAY;
        assert_eq!(clock.measure(far), DAY);
        assert_eq!(clock.measure(far + HOUR / 2), DAY);
        // The clock was wrong, and is right again.
        assert_eq!(clock.measure(DAY + HOUR), DAY + HOUR);
        assert_eq!(clock.measure(far), DAY + HOUR);
        // The app was really not used for long.
        assert_eq!(clock.measure(far + HOUR), far + HOUR);
        // A jump confirms what was before it, not itself.
        assert_eq!(clock.measure(far + 9 * DAY), far + HOUR);
        assert_eq!(clock.measure(3 * far), far + 9 * DAY);
        assert_eq!(clock.measure(far + 9 * DAY), far + 9 * DAY);
    }

    #[test]
    fn a_jump_back_is_followed_at_once() {
        let mut clock = Clock::starting_at(1000 * DAY);
        assert_eq!(clock.measure(5), 5);
        assert_eq!(clock.measure(i64::MIN), i64::MIN);
        assert_eq!(clock.measure(i64::MAX), i64::MIN);
    }
}
