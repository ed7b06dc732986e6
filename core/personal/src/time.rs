use serde::{Deserialize, Serialize};

/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 3_600_000;
/// Milliseconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;

/// A moment, and what the user's clock showed at that moment. Habits are those of the user's hours and weekdays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub unix_millis: i64,
    /// Minutes that local time is ahead of UTC.
    pub utc_offset_minutes: i16,
}

impl Timestamp {
    /// A moment in UTC.
    pub fn utc(unix_millis: i64) -> Self {
        Self { unix_millis, utc_offset_minutes: 0 }
    }

    fn local_millis(self) -> i64 {
        self.unix_millis.saturating_add(i64::from(self.utc_offset_minutes) * 60_000)
    }

    /// The local hour, 0 to 23.
    pub fn hour(self) -> u8 {
        (self.local_millis().rem_euclid(DAY) / HOUR) as u8
    }

    /// The local weekday: 0 is Monday, 6 is Sunday.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        (self.local_millis().div_euclid(DAY) + 3).rem_euclid(7) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_weekdays_are_local() {
        // 2026-11-30 22:34:29 UTC, a Monday.
        let utc = Timestamp::utc(1_796_078_069_000);
        assert_eq!((utc.weekday(), utc.hour()), (0, 22));
        let berlin = Timestamp { utc_offset_minutes: 120, ..utc };
        assert_eq!((berlin.weekday(), berlin.hour()), (1, 0));
        assert_eq!((Timestamp::utc(-1).weekday(), Timestamp::utc(-1).hour()), (2, 23));
        let extreme = Timestamp { unix_millis: i64::MAX, utc_offset_minutes: 600 };
        assert!(extreme.hour() < 24 && extreme.weekday() < 7);
    }
}
