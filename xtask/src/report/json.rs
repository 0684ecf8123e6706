//! What came of a run, as JSON: standard output of `--json`, and `target/xtask/report.json`.
#![expect(clippy::disallowed_methods, reason = "writes the report")]

use crate::docker::build::Outcome;
use crate::plan::Plan;
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The report of a run that took so many seconds.
pub fn report(plan: &Plan, outcomes: &BTreeMap<String, Outcome>, took: f64) -> Value {
    let services = plan.services.iter().map(|service| {
        let mut entry = json!({
            "service": service.service,
            "image": service.image,
            "tags": service.tags,
            "reason": service.reason,
        });
        match outcomes.get(&service.service) {
            Some(Outcome::Built(built)) => {
                entry["outcome"] = "built".into();
                entry["digest"] = built.digest.clone().into();
                entry["seconds"] = rounded(built.seconds);
                entry["steps"] =
                    json!({ "total": built.steps.total, "cached": built.steps.cached });
            }
            Some(Outcome::Skipped(digest)) => {
                entry["outcome"] = "skipped".into();
                entry["digest"] = digest.clone().into();
            }
            Some(Outcome::Promoted(digest)) => {
                entry["outcome"] = "promoted".into();
                entry["digest"] = digest.clone().into();
            }
            Some(Outcome::Failed(failed)) => {
                entry["outcome"] = "failed".into();
                let step = failed.step.as_ref();
                entry["step"] = step.map(|step| step.name.clone()).into();
                entry["error"] = step.map_or(&failed.last_words, |step| &step.error).clone().into();
            }
            Some(Outcome::NotTried { because }) => {
                entry["outcome"] = "not-tried".into();
                entry["because"] = because.clone().into();
            }
            None => entry["outcome"] = "not-tried".into(),
        }
        entry
    });
    let services: Vec<Value> = services.collect();
    json!({ "schema": 1, "event": plan.event, "seconds": rounded(took), "services": services })
}

/// Writes it to `target/xtask/report.json`, whole or not at all.
pub fn write(root: &Utf8Path, report: &Value) -> Result<()> {
    let folder = root.join("target/xtask");
    let (file, half) = (folder.join("report.json"), folder.join("report.json.part"));
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&half, format!("{report:#}\n")))
        .and_then(|()| std::fs::rename(&half, &file));
    written.with_context(|| format!("cannot write the report `{file}`"))
}

fn rounded(seconds: f64) -> Value {
    ((seconds * 1000.0).round() / 1000.0).into()
}
