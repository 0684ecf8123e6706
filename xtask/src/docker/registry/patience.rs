//! How long to wait for a registry, and when to try again. All of it are values, which tests set.

use crate::time::seconds_since_1970;
use std::time::{Duration, SystemTime};

/// How long one operation may take, and how often it is tried (DESIGN 4.5, 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to stand
    pub connect: Duration,
    /// For one request and its answer; for a blob: without any byte moving
    pub per_request: Duration,
    /// For one operation with all its tries and waits (a blob on its way is not cut off by it)
    pub total: Duration,
    /// How many times a request is sent at most
    pub tries: u32,
    /// The wait after the first failure; doubled after each further one
    pub first_wait: Duration,
    /// No wait is longer, even where the registry asks for more by Retry-After
    pub longest_wait: Duration,
}

impl Patience {
    /// For a run at a desk, which never waits on the network: one try within 2 seconds.
    pub const LOCAL: Self = Self {
        connect: Duration::from_secs(1),
        per_request: Duration::from_secs(2),
        total: Duration::from_secs(2),
        tries: 1,
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_secs(1),
    };

    /// For a run that builds what it cannot find out about, as a pull request's: a few tries.
    pub const CHECK: Self = Self {
        connect: Duration::from_secs(3),
        per_request: Duration::from_secs(10),
        total: Duration::from_secs(20),
        tries: 3,
        first_wait: Duration::from_millis(200),
        longest_wait: Duration::from_secs(5),
    };

    /// For a run that publishes: minutes in all.
    pub const PUBLISH: Self = Self {
        connect: Duration::from_secs(10),
        per_request: Duration::from_secs(30),
        total: Duration::from_secs(300),
        tries: 8,
        first_wait: Duration::from_millis(500),
        longest_wait: Duration::from_secs(60),
    };

    /// The same, with so many seconds for each operation (`XTASK_REGISTRY_PATIENCE`).
    pub fn within(self, seconds: f64) -> Self {
        let total = Duration::try_from_secs_f64(seconds).unwrap_or(self.total);
        Self { total, per_request: self.per_request.min(total), ..self }
    }

    /// How long to wait after a failed try (the first is 1): what the registry asks for, else
    /// doubling waits with a little jitter, so that many clients do not come back at once.
    pub fn wait(&self, failed: u32, asked: Option<Duration>, jitter: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << failed.saturating_sub(1).min(16));
        let own = doubled.saturating_add((doubled / 400).saturating_mul(jitter % 100));
        asked.map_or(own, |asked| asked.max(self.first_wait)).min(self.longest_wait)
    }
}

/// The wait that a `Retry-After` header asks for: seconds, or a date (RFC 9110, 5.6.7), which is
/// compared with the answer's own `Date` where it has one, else with our clock.
pub fn retry_after(header: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = date
        .and_then(http_date)
        .or_else(|| now.duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs()).ok())?;
    Some(Duration::from_secs(http_date(header)?.saturating_sub(now)))
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = words[..] else { return None };
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    let month = MONTHS.find(month).filter(|at| at % 3 == 0 && month.len() == 3)? as u64 / 3 + 1;
    let clock: Vec<u64> = time.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    seconds_since_1970([year, month, day], clock.try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(http_date("Sun, 01 Mar 2026 00:00:00 GMT"), Some(1_772_323_200));
        for text in ["", "soon", "Sun, 06 Xyz 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_700);
        let ask = |text, date| retry_after(text, date, now).map(|wait| wait.as_secs());
        assert_eq!(ask("120", None), Some(120));
        assert_eq!(ask("Sun, 06 Nov 1994 08:49:37 GMT", None), Some(77));
        let date = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        assert_eq!(ask("Sun, 06 Nov 1994 08:49:37 GMT", date), Some(7));
        assert_eq!(ask("Sun, 06 Nov 1994 08:00:00 GMT", None), Some(0), "in the past");
        assert_eq!(ask("-1", None), None);
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let second = Duration::from_secs(1);
        let patience = Patience { first_wait: second, longest_wait: 5 * second, ..Patience::LOCAL };
        let waits: Vec<_> = (1..=5).map(|n| patience.wait(n, None, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
        assert_eq!(patience.wait(1, Some(3 * second), 0), 3 * second);
        assert_eq!(patience.wait(1, Some(60 * second), 0), 5 * second);
        assert_eq!(patience.wait(1, Some(Duration::ZERO), 0), second);
        assert_eq!(patience.wait(1000, None, 99), 5 * second);
    }
}
