//! At which hours and on which weekdays something is used.

use crate::Timestamp;

/// A use counts for its own hour and half as much for the ones before and after it.
const HOUR_KERNEL: [(usize, f32); 3] = [(0, 0.5), (1, 0.25), (23, 0.25)];
/// So many uses of what is more general count beside the uses of the thing itself.
const PRIOR_USES: f32 = 4.0;
/// A habit makes something at most e² times as likely, or as unlikely.
const MAX_LIFT: f32 = 2.0;

/// Weighted counts of uses.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Habits {
    hours: [f32; 24],
    weekdays: [f32; 7],
    total: f32,
}

/// How likely uses are in one hour, and on one weekday.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likelihood {
    hour: f32,
    weekday: f32,
}

impl Likelihood {
    /// If nothing is known.
    pub(super) const UNIFORM: Self = Self { hour: 1.0 / 24.0, weekday: 1.0 / 7.0 };

    /// How much more likely this is than `base`: the logarithm of the quotient, 0 if they are equal, at most 2 each for hour
    /// and weekday.
    pub(super) fn lift_over(self, base: Self) -> f32 {
        let lift = |mine: f32, base: f32| (mine / base).ln().clamp(-MAX_LIFT, MAX_LIFT);
        lift(self.hour, base.hour) + lift(self.weekday, base.weekday)
    }
}

impl Habits {
    pub(super) fn add(&mut self, time: Timestamp, weight: f32) {
        self.hours[usize::from(time.hour())] += weight;
        self.weekdays[usize::from(time.weekday())] += weight;
        self.total += weight;
    }

    /// How likely a use is at the hour and weekday of `now`, where few uses count less than the `prior`. `scale` turns a
    /// weight into a number of uses.
    pub(super) fn likelihood(&self, now: Timestamp, prior: Likelihood, scale: f32) -> Likelihood {
        let hour = usize::from(now.hour());
        let around: f32 = HOUR_KERNEL.iter().map(|(step, share)| share * self.hours[(hour + step) % 24]).sum();
        let weekday = self.weekdays[usize::from(now.weekday())];
        let blend = |uses: f32, prior: f32| (uses * scale + PRIOR_USES * prior) / (self.total * scale + PRIOR_USES);
        Likelihood { hour: blend(around, prior.hour), weekday: blend(weekday, prior.weekday) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY, HOUR};

    #[test]
    fn what_is_used_in_the_morning_is_likelier_in_the_morning() {
        let at = |day: i64, hour: i64| Timestamp::utc(day * DAY + hour * HOUR);
        let mut habits = Habits::default();
        (0..20).for_each(|day| habits.add(at(day, 8), 1.0));
        let lift = |hour| habits.likelihood(at(21, hour), Likelihood::UNIFORM, 1.0).lift_over(Likelihood::UNIFORM);
        assert!(lift(8) > lift(9) && lift(9) > 0.0 && lift(20) < 0.0);
        assert_eq!(lift(7), lift(9));
        assert_eq!(Habits::default().likelihood(at(0, 3), Likelihood::UNIFORM, 1.0), Likelihood::UNIFORM);
    }
}
