//! Times as the OCI annotations write them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The time of day from when the run began: it is read once, and goes on by itself.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: f64,
    began: Instant,
}

impl Clock {
    /// It was this time at that instant.
    pub fn new(start: SystemTime, began: Instant) -> Self {
        let start = start.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        Self { start, began }
    }

    /// Seconds since 1970.
    pub fn now(&self) -> f64 {
        self.start + self.began.elapsed().as_secs_f64()
    }
}

/// A time in UTC as RFC 3339, in whole seconds: `2026-11-24T11:28:07Z`.
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // From days to a date of the proleptic Gregorian calendar, with years that begin in March.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year + u64::from(month >= 10), (month + 2) % 12 + 1);
    let (hour, minute, second) = (rest / 3_600, rest % 3_600 / 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Seconds since 1970 of a time as [`rfc3339`] writes it, or with a fraction. `None` for anything else.
pub fn seconds_of_rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let date: Vec<u64> = date.split('-').map(str::parse).collect::<Result<_, _>>().ok()?;
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    let time: Vec<u64> = time.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    seconds_since_1970(date.try_into().ok()?, time.try_into().ok()?)
}

/// Seconds since 1970 of a date (year, month, day) and a time (hour, minute, second) in UTC.
pub fn seconds_since_1970(date: [u64; 3], time: [u64; 3]) -> Option<u64> {
    let ([year, month, day], [hour, minute, second]) = (date, time);
    let is_date =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970-01-01; years begin in March, so that the leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    Some((days - 719_469) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// How long ago something was, in seconds, for people: `5 min`, `3 h`, `8 days`.
pub fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[track_caller]
    fn case(seconds: u64, expected: &str) {
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        assert_eq!(seconds_of_rfc3339(expected), Some(seconds));
    }

    #[test]
    fn dates_are_right_over_leap_years() {
        case(0, "1970-01-01T00:00:00Z");
        case(951_782_399, "2000-02-28T23:59:59Z");
        case(951_782_400, "2000-02-29T00:00:00Z");
        case(951_868_800, "2000-03-01T00:00:00Z");
        case(1_735_689_599, "2024-12-31T23:59:59Z");
        case(1_795_519_687, "2026-11-24T11:28:07Z");
        case(4_107_542_400, "2100-03-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        assert_eq!(seconds_of_rfc3339("1970-01-01T00:00:00.999Z"), Some(0));
        for text in ["", "yesterday", "2026-11-24", "2026-13-01T00:00:00Z", "2026-11-24T11:28:07"] {
            assert_eq!(seconds_of_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn ages() {
        assert_eq!(
            [age(5), age(600), age(7_300), age(700_000)],
            ["5 s", "10 min", "2 h", "8 days"]
        );
    }
}
