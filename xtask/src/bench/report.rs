//! What was measured, as data: printed as a table or as JSON, and saved. Pure.

use super::floor::Floor;
use super::generate::Wanted;
use super::scenario::Case;
use super::statistics::{Spread, median_count};
use super::traffic::Traffic;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the format of a report.
pub const SCHEMA: u32 = 2;

/// What we are called.
pub const OURS: &str = "xtask";

/// One run of one contestant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// From the start of the first command to the end of the last
    pub seconds: f64,
    /// What came by at the registry
    pub traffic: Traffic,
    /// The most memory that our process had, in bytes
    pub peak_memory: Option<u64>,
    /// Steps that were run or cached, and those that were cached, where they were counted
    pub steps: Option<Steps>,
}

/// Steps that could be cached (DESIGN 4.7), and those that were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// All
    pub total: u64,
    /// Of which cached
    pub cached: u64,
}

/// All that was measured so far.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// The version of this format
    pub schema: u32,
    /// What was built
    pub work: Wanted,
    /// How often each was run
    pub runs: u32,
    /// How many cores the machine has
    pub cores: usize,
    /// What the machine is: processor, memory, system, versions
    #[serde(default)]
    pub machine: Vec<String>,
    /// The command that measured
    #[serde(default)]
    pub command: String,
    /// The rows in the order in which they were measured
    pub rows: Vec<Row>,
}

/// One contestant in one case.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// What was done
    #[serde(flatten)]
    pub case: Case,
    /// By whom; `floor` is what nobody can be faster than
    pub contestant: String,
    /// What it took
    pub seconds: Spread,
    /// Seconds as a multiple of ours
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_ours: Option<f64>,
    /// Seconds as a multiple of the fastest peer's
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_fastest_peer: Option<f64>,
    /// Requests a service, without those for tokens
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_service: Option<f64>,
    /// What came by at the registry
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// The least and the most of each count over the runs
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The most memory that our process had, in bytes
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// What the floor consists of
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<Floor>,
    /// How many processes wanted to run when it began (the load over the last minute)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
}

/// Counts over the runs of one contestant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Requests, without those for tokens
    pub requests: Extent,
    /// Tags that were written
    pub tags: Extent,
    /// Bytes of bodies to the registry
    pub pushed: Extent,
    /// Bytes of bodies from the registry
    pub pulled: Extent,
    /// Steps that could be cached, of the runs in which they were counted
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Extent>,
    /// Those of them that were
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<Extent>,
}

/// The least and the most of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Extent {
    /// The least
    pub min: u64,
    /// The most
    pub max: u64,
}

impl Extent {
    fn of(values: impl Iterator<Item = u64> + Clone) -> Option<Self> {
        Some(Self { min: values.clone().min()?, max: values.max()? })
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min, max } = self;
        if min == max { write!(f, "{min}") } else { write!(f, "{min} to {max}") }
    }
}

impl Counts {
    fn of(runs: &[Run]) -> Option<Self> {
        let each = |count: fn(&Run) -> u64| Extent::of(runs.iter().map(count));
        let steps = runs.iter().filter_map(|run| run.steps);
        let of_steps = |count: fn(Steps) -> u64| Extent::of(steps.clone().map(count));
        Some(Self {
            requests: each(|run| run.traffic.requests)?,
            tags: each(|run| run.traffic.tags)?,
            pushed: each(|run| run.traffic.bytes_pushed)?,
            pulled: each(|run| run.traffic.bytes_pulled)?,
            steps: of_steps(|steps| steps.total),
            cached: of_steps(|steps| steps.cached),
        })
    }
}

impl Row {
    /// Steps that could be cached, where they are known.
    pub fn steps_in_all(&self) -> Option<Extent> {
        self.counts.as_ref()?.steps
    }

    /// Those that were.
    pub fn cached(&self) -> Option<Extent> {
        self.counts.as_ref()?.cached
    }

    /// The part of the steps that was cached, of the worst run; none where there was no step.
    pub fn hit_rate(&self) -> Option<f64> {
        let (steps, cached) = (self.steps_in_all()?, self.cached()?);
        (steps.max > 0).then(|| cached.min as f64 / steps.max as f64)
    }

    /// What several runs of one contestant come to; nothing where there was none.
    pub fn of(case: Case, contestant: &str, runs: &[Run], services: usize) -> Option<Self> {
        let seconds = Spread::of(runs.iter().map(|run| run.seconds).collect())?;
        let traffic = Traffic::median(&runs.iter().map(|run| &run.traffic).collect::<Vec<_>>());
        let peaks: Option<Vec<u64>> = runs.iter().map(|run| run.peak_memory).collect();
        Some(Self {
            requests_per_service: Some(rounded(traffic.requests as f64 / services as f64)),
            traffic: Some(traffic),
            counts: Counts::of(runs),
            peak_memory: peaks.map(median_count),
            ..Self::bare(case, contestant, seconds)
        })
    }

    /// The floor of a case.
    pub fn of_floor(case: Case, floors: &[Floor]) -> Option<Self> {
        let seconds = Spread::of(floors.iter().map(Floor::total).collect())?;
        let part = |part: fn(&Floor) -> f64| {
            let parts = Spread::of(floors.iter().map(part).collect());
            parts.map(|spread| spread.median).unwrap_or_default()
        };
        let floor = Floor {
            hash: part(|f| f.hash),
            git_status: part(|f| f.git_status),
            gets: part(|f| f.gets),
        };
        Some(Self { floor: Some(floor), ..Self::bare(case, "floor", seconds) })
    }

    fn bare(case: Case, contestant: &str, seconds: Spread) -> Self {
        Self {
            case,
            contestant: contestant.to_owned(),
            seconds,
            times_ours: None,
            times_fastest_peer: None,
            requests_per_service: None,
            traffic: None,
            counts: None,
            peak_memory: None,
            floor: None,
            load: None,
        }
    }
}

/// Fills in what the rows of one case are to each other.
pub fn compare(rows: &mut [Row]) {
    let median = |row: &Row| row.seconds.median;
    let is_ours = |row: &&Row| row.contestant == OURS;
    let ours = rows.iter().find(is_ours).map(median);
    let peers = rows.iter().filter(|row| !is_ours(row) && row.floor.is_none());
    let fastest = peers.map(median).min_by(f64::total_cmp);
    for row in rows {
        let to = |other: f64| (other > 0.0).then(|| rounded(row.seconds.median / other));
        (row.times_ours, row.times_fastest_peer) = (ours.and_then(to), fastest.and_then(to));
    }
}

/// To four digits: what a report can tell.
fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    let scale = 10_f64.powf(3.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

#[cfg(test)]
pub(in crate::bench) mod tests {
    use super::*;
    use crate::bench::generate::Base;
    use crate::bench::scenario::Scenario;

    /// One case, as it was measured by each.
    pub fn report(of: &[(&str, &[Run])]) -> Report {
        let wanted = Wanted { services: 20, files: 50, bytes: 1, seed: 1, base: Base::Busybox };
        let case = Scenario::Noop.cases()[0];
        let row = |(by, runs): &(&str, &[Run])| Row::of(case, by, runs, wanted.services);
        let mut rows: Vec<Row> = of.iter().filter_map(row).collect();
        compare(&mut rows);
        let runs = of.iter().map(|(_, runs)| runs.len()).max().unwrap_or_default() as u32;
        let (machine, command) = (Vec::new(), String::new());
        Report { schema: SCHEMA, work: wanted, runs, cores: 2, machine, command, rows }
    }

    fn row(contestant: &str, seconds: f64) -> Row {
        let run = Run { seconds, ..Run::default() };
        Row::of(Scenario::Noop.cases()[0], contestant, &[run], 10).unwrap()
    }

    #[test]
    fn ratios_are_to_ours_and_to_the_fastest_peer() {
        let floor = Floor { hash: 0.01, git_status: 0.0, gets: 0.01 };
        let floor = Row::of_floor(Scenario::Noop.cases()[0], &[floor]).unwrap();
        let mut rows = [row("xtask", 0.04), row("bake", 2.0), row("loop", 6.0), floor];
        compare(&mut rows);
        let ratios: Vec<_> =
            rows.iter().map(|r| (r.times_ours.unwrap(), r.times_fastest_peer.unwrap())).collect();
        assert_eq!(ratios, [(1.0, 0.02), (50.0, 1.0), (150.0, 3.0), (0.5, 0.01)]);
        let mut alone = [row("xtask", 0.04)];
        compare(&mut alone);
        assert_eq!(alone[0].times_fastest_peer, None);
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let json = serde_json::to_value(row("bake", 2.0)).unwrap();
        assert_eq!(json["scenario"], "noop");
        assert_eq!(json["event"], "pr");
        assert_eq!(json["engine"], "warm");
        assert_eq!(json["requests-per-service"], 0.0);
        assert!(json.get("peak-memory").is_none() && json.get("floor").is_none(), "{json}");
    }

    #[test]
    fn four_digits() {
        assert_eq!(rounded(0.012_345_6), 0.012_35);
        assert_eq!(rounded(1234.56), 1235.0);
        assert_eq!(rounded(0.0), 0.0);
    }
}
