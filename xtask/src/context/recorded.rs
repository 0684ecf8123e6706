//! What an earlier run has recorded: how long services took.
#![expect(clippy::disallowed_methods, reason = "reads the report")]

use camino::Utf8Path;
use serde_json::Value;
use std::collections::BTreeMap;

/// The seconds of those that the last run has built, from `target/xtask/report.json`; of others, those of
/// the last run that built anything (`built.json`). None where there is no such report.
pub fn seconds(root: &Utf8Path) -> BTreeMap<String, f64> {
    let reports = ["built.json", "report.json"].map(|name| root.join("target/xtask").join(name));
    reports.iter().flat_map(|file| of_report(file)).collect()
}

fn of_report(file: &Utf8Path) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let report: Value = serde_json::from_str(&text).unwrap_or_default();
    let services = report["services"].as_array().into_iter().flatten();
    let one = |service: &Value| {
        let seconds = service["seconds"].as_f64().filter(|seconds| *seconds >= 0.0)?;
        Some((service["service"].as_str()?.to_owned(), seconds))
    };
    services.filter_map(one).collect()
}
