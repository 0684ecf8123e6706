//! An external image whose name stands for another content than in the run before.

use super::Evidence;
use crate::report::data::{Advice, rounded};
use crate::report::outcome::short;
use crate::report::seconds;
use std::collections::BTreeMap;

pub fn moved(evidence: &Evidence) -> Vec<Advice> {
    let Some(last) = evidence.last else { return Vec::new() };
    let mut moved: BTreeMap<(&str, &str, &str), (Vec<&str>, f64)> = BTreeMap::new();
    for service in evidence.now.services.iter().filter(|service| service.outcome == "built") {
        let before = last.services.iter().find(|other| other.service == service.service);
        for (name, digest) in &service.bases {
            let Some(was) = before.and_then(|before| before.bases.get(name)) else { continue };
            if was != digest && !evidence.locked.contains(name) {
                let (services, cost) = moved.entry((name, was, digest)).or_default();
                services.push(&service.service);
                *cost += service.seconds.unwrap_or_default();
            }
        }
    }
    let told = moved.into_iter().map(|((name, was, digest), (services, cost))| Advice {
        kind: "base-moved".into(),
        service: services.join(", "),
        step: Some(format!("FROM {name}")),
        seconds: Some(rounded(cost)),
        text: format!(
            "`{name}` has moved ({} -> {}), so that all on it was built anew ({}): `cargo xtask bases \
             update {name}` locks it, and it moves when you say so",
            short(was),
            short(digest),
            seconds(cost)
        ),
        ..Advice::default()
    });
    told.collect()
}
