//! Times as the OCI annotations write them.

use std::time::{SystemTime, UNIX_EPOCH};

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[track_caller]
    fn case(seconds: u64, expected: &str) {
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
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
}
