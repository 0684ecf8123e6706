//! Budgets: what a case may cost at most, or has to reach. Pure.

use super::report::{OURS, Report, Row};
use super::scenario::{Engine, Event, Scenario};
use super::verdict::{Verdict, Weight};
use serde::Deserialize;

/// A TOML file of budgets, each a `[[budget]]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budgets {
    /// In the order of the file
    #[serde(default)]
    pub budget: Vec<Budget>,
}

/// What one case may cost. What is not said is not held to anything.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budget {
    /// Which scenario
    pub scenario: Scenario,
    /// As which event; all of the scenario if not said
    pub event: Option<Event>,
    /// On which engine; all of the scenario if not said
    pub engine: Option<Engine>,
    /// At most so many seconds (the median)
    pub seconds: Option<f64>,
    /// So many times faster than the fastest peer of the same run
    pub times_faster: Option<f64>,
    /// At most so many requests a service
    pub requests_per_service: Option<f64>,
    /// At most so many bytes to the registry
    pub bytes_pushed: Option<u64>,
    /// At most so many bytes from the registry
    pub bytes_pulled: Option<u64>,
    /// At most so many bytes of memory
    pub peak_memory: Option<u64>,
    /// At least this part of the steps that were run or cached, from 0 to 1
    pub hit_rate: Option<f64>,
}

impl Budgets {
    /// Reads a file's text. `Err` tells line and column.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Holds a measurement to all of them.
    pub fn hold(&self, report: &Report) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for budget in &self.budget {
            let rows: Vec<&Row> = report.rows.iter().filter(|row| budget.is_for(row)).collect();
            if rows.is_empty() {
                verdicts.push(Verdict {
                    case: budget.scenario.name().to_owned(),
                    weight: Weight::Unknown,
                    text: "there is a budget, but it was not measured".to_owned(),
                });
            }
            rows.into_iter().for_each(|row| budget.of_row(row, &mut verdicts));
        }
        verdicts
    }
}

impl Budget {
    fn is_for(&self, row: &Row) -> bool {
        row.contestant == OURS
            && row.case.scenario == self.scenario
            && self.event.is_none_or(|event| event == row.case.event)
            && self.engine.is_none_or(|engine| engine == row.case.engine)
    }

    fn of_row(&self, row: &Row, verdicts: &mut Vec<Verdict>) {
        let traffic = row.traffic.as_ref();
        let faster = row.times_fastest_peer.filter(|times| *times > 0.0).map(f64::recip);
        let at_most = [
            ("seconds", self.seconds, Some(row.seconds.median)),
            ("requests a service", self.requests_per_service, row.requests_per_service),
            ("bytes pushed", float(self.bytes_pushed), float(traffic.map(|t| t.bytes_pushed))),
            ("bytes pulled", float(self.bytes_pulled), float(traffic.map(|t| t.bytes_pulled))),
            ("bytes of memory", float(self.peak_memory), float(row.peak_memory)),
        ];
        let at_least = [
            ("times faster than the fastest peer", self.times_faster, faster),
            ("hit rate", self.hit_rate, row.hit_rate()),
        ];
        let all =
            at_most.map(|one| (one, true)).into_iter().chain(at_least.map(|one| (one, false)));
        for ((what, budget, value), most) in all {
            let Some(budget) = budget else { continue };
            let word = if most { "at most" } else { "at least" };
            let (weight, value) = match value {
                None => (Weight::Unknown, "not known".to_owned()),
                Some(value) if (value <= budget) == most || value == budget => {
                    (Weight::Same, shown(value))
                }
                Some(value) => (Weight::Worse, shown(value)),
            };
            let text = format!("{what}: {value}, the budget is {word} {}", shown(budget));
            verdicts.push(Verdict::of(row, weight, text));
        }
    }
}

fn float(count: Option<u64>) -> Option<f64> {
    count.map(|count| count as f64)
}

fn shown(value: f64) -> String {
    if value.fract() == 0.0 || value >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::{Run, tests::report};

    fn verdicts(text: &str) -> Vec<String> {
        let run = |seconds| Run { seconds, ..Run::default() };
        let report = report(&[("xtask", &[run(0.1)]), ("bake", &[run(2.0)])]);
        Budgets::parse(text).unwrap().hold(&report).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_kept_and_what_is_not() {
        let text = "[[budget]]\nscenario = 'noop'\nevent = 'pr'\nengine = 'warm'\n\
                    seconds = 0.05\ntimes-faster = 20\nrequests-per-service = 0\nhit-rate = 0.9\n";
        assert_eq!(
            verdicts(text),
            [
                "WORSE    noop pr warm: seconds: 0.100, the budget is at most 0.050",
                "same     noop pr warm: requests a service: 0, the budget is at most 0",
                "same     noop pr warm: times faster than the fastest peer: 20, the budget is at least 20",
                "unknown  noop pr warm: hit rate: not known, the budget is at least 0.900",
            ]
        );
    }

    #[test]
    fn what_was_not_measured_is_said() {
        let text = "[[budget]]\nscenario = 'release'\nseconds = 1\n";
        assert_eq!(
            verdicts(text),
            ["unknown  release: there is a budget, but it was not measured"]
        );
    }

    #[test]
    fn unknown_keys_are_refused_with_their_place() {
        let error = Budgets::parse("[[budget]]\nscenario = 'noop'\nsecnds = 1\n").unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
    }
}
