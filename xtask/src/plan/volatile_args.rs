//! Values of `volatile-args`, told apart without being told. Pure.

use super::facts::Facts;
use std::collections::BTreeMap;

/// So many hex digits tell values apart well enough.
const DIGITS: usize = 12;

/// A short hash of each value that the environment gives, by service and name.
pub fn hashes(facts: &Facts) -> BTreeMap<String, BTreeMap<String, String>> {
    let of_service = |(name, service): (&String, &crate::manifest::Service)| {
        let given = service
            .volatile_args
            .iter()
            .filter_map(|arg| Some((arg.clone(), hash(facts.environment_args.get(arg)?))));
        (name.clone(), given.collect())
    };
    facts.manifest.services.iter().map(of_service).collect()
}

fn hash(value: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, value.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    hex[..DIGITS].to_owned()
}
