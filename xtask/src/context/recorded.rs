//! What earlier runs have recorded: how long services took.
#![expect(clippy::disallowed_methods, reason = "reads the report, and keeps a file of its own")]

use crate::plan::matrix::median;
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde_json::Value;
use std::collections::BTreeMap;

/// Of so many builds of a service the seconds are kept.
const KEPT: usize = 5;

/// What services usually take: the median of their last builds (`target/xtask/seconds.json`), else what
/// the last run that built anything (`built.json`) or the last one (`report.json`) says. Of others nothing.
pub fn seconds(root: &Utf8Path) -> BTreeMap<String, f64> {
    let reports = ["built.json", "report.json"].map(|name| root.join("target/xtask").join(name));
    let mut all: BTreeMap<String, f64> = reports.iter().flat_map(|file| of_report(file)).collect();
    let usual = of_runs(root).into_iter().filter(|(_, seconds)| !seconds.is_empty());
    all.extend(usual.map(|(service, seconds)| (service, median(seconds))));
    all
}

/// Adds what services took in this run.
pub fn remember(root: &Utf8Path, took: &BTreeMap<&str, f64>) -> Result<()> {
    if took.is_empty() {
        return Ok(());
    }
    let mut all = of_runs(root);
    for (service, seconds) in took {
        let runs = all.entry((*service).to_owned()).or_default();
        runs.push((seconds * 1000.0).round() / 1000.0);
        runs.drain(..runs.len().saturating_sub(KEPT));
    }
    let folder = root.join("target/xtask");
    let (file, half) = (folder.join("seconds.json"), folder.join("seconds.json.part"));
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&half, serde_json::to_string(&all).unwrap_or_default()))
        .and_then(|()| std::fs::rename(&half, &file));
    written.with_context(|| format!("cannot write `{file}`"))
}

/// One that cannot be read is as good as none: nothing but a guess is made from it.
fn of_runs(root: &Utf8Path) -> BTreeMap<String, Vec<f64>> {
    let text = std::fs::read_to_string(root.join("target/xtask/seconds.json")).unwrap_or_default();
    let mut all: BTreeMap<String, Vec<f64>> = serde_json::from_str(&text).unwrap_or_default();
    all.values_mut().for_each(|runs| runs.retain(|seconds| *seconds >= 0.0));
    all
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_last_builds_counts() {
        let root = std::env::temp_dir().join(format!("xtask-recorded-{}", std::process::id()));
        let root = camino::Utf8PathBuf::from_path_buf(root).unwrap();
        let write = |file: &str, text: &str| {
            std::fs::create_dir_all(root.join("target/xtask")).unwrap();
            std::fs::write(root.join("target/xtask").join(file), text).unwrap();
        };
        assert_eq!(seconds(&root), BTreeMap::new());
        write(
            "report.json",
            r#"{"services":[{"service":"web","seconds":7},{"service":"db","seconds":2}]}"#,
        );
        for took in [90.0, 80.0, 1.0, 2.0, 3.0, 4.0, 5.0] {
            remember(&root, &[("web", took)].into()).unwrap();
        }
        let expected = [("db".to_owned(), 2.0), ("web".to_owned(), 3.0)];
        assert_eq!(seconds(&root), expected.into());
        write("seconds.json", "no JSON");
        assert_eq!(seconds(&root)["web"], 7.0);
        std::fs::remove_dir_all(root).unwrap();
    }
}
