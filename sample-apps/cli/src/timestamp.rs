//! Times in a recording.

use std::fmt;

/// A time in a recording, to the millisecond. It is written as transcripts have it, `01:02:03.250`.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp {
    hours: u64,
    minutes: u64,
    seconds: u64,
    milliseconds: u64,
}

impl Timestamp {
    /// The time after so many seconds.
    pub fn of(seconds: f64) -> Self {
        let milliseconds = (seconds.max(0.0) * 1000.0).round() as u64;
        let seconds = milliseconds / 1000;
        Self {
            hours: seconds / 3600,
            minutes: seconds / 60 % 60,
            seconds: seconds % 60,
            milliseconds: milliseconds % 1000,
        }
    }

    /// The time as players show it: `2:03`, or `1:02:03` from one hour on.
    pub fn short(self) -> String {
        match self {
            Self { hours: 0, minutes, seconds, .. } => format!("{minutes}:{seconds:02}"),
            Self { hours, minutes, seconds, .. } => format!("{hours}:{minutes:02}:{seconds:02}"),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hours, minutes, seconds, milliseconds } = self;
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_time_agree() {
        let cases = [
            (-1.0, "00:00:00.000", "0:00"),
            (64.9, "00:01:04.900", "1:04"),
            (59.9996, "00:01:00.000", "1:00"),
            (3_661.25, "01:01:01.250", "1:01:01"),
            (360_000.0, "100:00:00.000", "100:00:00"),
        ];
        for (seconds, long, short) in cases {
            let time = Timestamp::of(seconds);
            assert_eq!((time.to_string().as_str(), time.short().as_str()), (long, short));
        }
    }
}
