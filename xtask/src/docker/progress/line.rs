//! A line of rawjson. What is not known here is passed over.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Line {
    #[serde(default)]
    pub vertexes: Vec<RawVertex>,
    #[serde(default)]
    pub statuses: Vec<RawStatus>,
    #[serde(default)]
    pub logs: Vec<RawLog>,
}

#[derive(Deserialize)]
pub(super) struct RawVertex {
    pub digest: String,
    #[serde(default)]
    pub name: String,
    pub started: Option<String>,
    pub completed: Option<String>,
    #[serde(default)]
    pub cached: bool,
    #[serde(default)]
    pub error: String,
}

#[derive(Deserialize)]
pub(super) struct RawStatus {
    pub vertex: String,
    #[serde(default)]
    pub id: String,
}

#[derive(Deserialize)]
pub(super) struct RawLog {
    pub vertex: String,
    #[serde(default)]
    pub data: String,
}

/// Seconds since 1970 of an RFC 3339 time in UTC, as BuildKit writes them.
pub(super) fn seconds(time: &str) -> Option<f64> {
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.splitn(3, ':');
    let hours: f64 = clock.next()?.parse().ok()?;
    let minutes: f64 = clock.next()?.parse().ok()?;
    let rest: f64 = clock.next()?.parse().ok()?;
    // Days since 1970 in the proleptic Gregorian calendar, with years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    Some(days as f64 * 86_400.0 + hours * 3_600.0 + minutes * 60.0 + rest)
}
