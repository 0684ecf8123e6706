//! A line of rawjson. What is not known here is passed over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

#[derive(Default, Deserialize)]
pub(super) struct Line {
    #[serde(default, deserialize_with = "known")]
    pub vertexes: Vec<RawVertex>,
    #[serde(default, deserialize_with = "known")]
    pub statuses: Vec<RawStatus>,
    #[serde(default, deserialize_with = "known")]
    pub logs: Vec<RawLog>,
    #[serde(default, deserialize_with = "known")]
    pub warnings: Vec<RawWarning>,
}

#[derive(Deserialize)]
pub(super) struct RawVertex {
    pub digest: String,
    #[serde(default)]
    pub inputs: Option<Vec<String>>,
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
    #[serde(default)]
    pub current: i64,
    #[serde(default)]
    pub total: i64,
    pub started: Option<String>,
    pub completed: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RawLog {
    pub vertex: String,
    #[serde(default)]
    pub stream: i64,
    #[serde(default)]
    pub data: String,
}

#[derive(Deserialize)]
pub(super) struct RawWarning {
    pub vertex: String,
    #[serde(default)]
    pub short: String,
    #[serde(default)]
    pub detail: Option<Vec<String>>,
    #[serde(default)]
    pub url: String,
    #[serde(rename = "sourceInfo")]
    pub source: Option<RawSource>,
    #[serde(default)]
    pub range: Option<Vec<RawRange>>,
}

#[derive(Deserialize)]
pub(super) struct RawSource {
    #[serde(default)]
    pub filename: String,
}

#[derive(Deserialize)]
pub(super) struct RawRange {
    pub start: RawPosition,
    pub end: RawPosition,
}

#[derive(Deserialize)]
pub(super) struct RawPosition {
    #[serde(default)]
    pub line: usize,
}

/// Those entries of a list that can be read: one of another shape costs itself only.
fn known<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: serde::de::DeserializeOwned,
    D: Deserializer<'de>,
{
    let all = Option::<Vec<serde_json::Value>>::deserialize(deserializer).unwrap_or_default();
    let all = all.into_iter().flatten();
    Ok(all.filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

/// The text of a log or a warning; nothing where it is not base64.
pub(super) fn decoded(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap_or_default()
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
    // No clock shows such years; the sums below would not hold them.
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970 in the proleptic Gregorian calendar, with years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    let all = days as f64 * 86_400.0 + hours * 3_600.0 + minutes * 60.0 + rest;
    all.is_finite().then_some(all)
}
