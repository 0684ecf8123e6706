//! A report as outputs of a step of a workflow. Pure.

use super::data::Report;
use serde_json::{Map, Value};

/// Names and values: the files, how many services came to what, and the digest of each.
pub fn outputs(report: &Report, file: &str, timeline: &str) -> Vec<(&'static str, String)> {
    let number = |outcome: &str| {
        let of = report.services.iter().filter(|service| service.outcome == outcome);
        of.count().to_string()
    };
    let digests: Map<String, Value> = report
        .services
        .iter()
        .filter_map(|s| Some((s.service.clone(), s.digest.clone()?.into())))
        .collect();
    vec![
        ("report", file.to_owned()),
        ("timeline", timeline.to_owned()),
        ("built", number("built")),
        ("skipped", number("skipped")),
        ("promoted", number("promoted")),
        ("failed", number("failed")),
        ("digests", Value::from(digests).to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::Service;

    #[test]
    fn services_are_counted_and_named() {
        let service = |name: &str, outcome: &str, digest: Option<&str>| Service {
            service: name.into(),
            outcome: outcome.into(),
            digest: digest.map(str::to_owned),
            ..Service::default()
        };
        let services = vec![
            service("a", "built", Some("sha256:a")),
            service("b", "failed", None),
            service("c", "skipped", Some("sha256:c")),
        ];
        let report = Report { services, ..Report::default() };
        let all = outputs(&report, "r.json", "t.html");
        let value = |name| all.iter().find(|(known, _)| *known == name).unwrap().1.as_str();
        assert_eq!((value("built"), value("promoted"), value("failed")), ("1", "0", "1"));
        assert_eq!(value("digests"), r#"{"a":"sha256:a","c":"sha256:c"}"#);
    }
}
