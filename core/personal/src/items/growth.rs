//! Weights that fade: what is newer counts more.

use crate::time::DAY;

/// After so many days, an event counts half.
const HALF_LIFE_DAYS: f64 = 30.0;
/// Weights and their sums stay finite, whatever the clock says: events older than eight years count as if they were that old.
const MAX_EXPONENT: f64 = 100.0;

/// Instead of making old weights smaller again and again, new ones are made larger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    origin: i64,
}

impl Growth {
    /// Weights are 1 at the time `origin`, in Unix milliseconds.
    pub(super) fn from(origin: i64) -> Self {
        Self { origin }
    }

    /// The weight of an event at `time`.
    pub(super) fn at(self, time: i64) -> f32 {
        let days = (time as f64 - self.origin as f64) / DAY as f64;
        (days / HALF_LIFE_DAYS).clamp(-MAX_EXPONENT, MAX_EXPONENT).exp2() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_half_as_much_as_one_thirty_days_later() {
        let growth = Growth::from(5 * DAY);
        assert!((growth.at(40 * DAY) / growth.at(10 * DAY) - 2.0).abs() < 1e-6);
        assert!(growth.at(i64::MAX).is_finite() && growth.at(i64::MIN) > 0.0);
    }
}
