//! Whether all jobs of a workflow went well. Pure.

use serde::Deserialize;
use std::collections::BTreeMap;

/// What GitHub says of a job in `needs`.
#[derive(Clone, Debug, Deserialize)]
pub struct Needed {
    /// `success`, `failure`, `cancelled` or `skipped`
    pub result: String,
}

/// One line for each job that did not go well. A job that may be skipped, and was, is well only where
/// all others are: else it was skipped because of them.
pub fn judge(needs: &BTreeMap<String, Needed>, may_skip: &[String]) -> Vec<String> {
    let is_well = |(job, needed): &(&String, &Needed)| match needed.result.as_str() {
        "success" => true,
        "skipped" => may_skip.contains(job),
        _ => false,
    };
    let wrong = needs.iter().filter(|it| !is_well(it));
    wrong
        .map(|(job, needed)| match needed.result.as_str() {
            "failure" => format!("the job `{job}` failed"),
            "cancelled" => format!("the job `{job}` was cancelled"),
            "skipped" => format!("the job `{job}` was skipped"),
            other => format!("the job `{job}` ended as `{other}`"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(plan: &str, build: &str, expected: &[&str]) {
        let needed = |result: &str| Needed { result: result.into() };
        let needs = [("plan".into(), needed(plan)), ("build".into(), needed(build))].into();
        assert_eq!(judge(&needs, &["build".into()]), expected, "{plan} {build}");
    }

    #[test]
    fn every_end_of_two_jobs() {
        case("success", "success", &[]);
        case("success", "skipped", &[]);
        case("success", "failure", &["the job `build` failed"]);
        case("success", "cancelled", &["the job `build` was cancelled"]);
        case("failure", "skipped", &["the job `plan` failed"]);
        case("cancelled", "skipped", &["the job `plan` was cancelled"]);
        case("skipped", "skipped", &["the job `plan` was skipped"]);
        case("success", "", &["the job `build` ended as ``"]);
        case("failure", "failure", &["the job `build` failed", "the job `plan` failed"]);
    }
}
