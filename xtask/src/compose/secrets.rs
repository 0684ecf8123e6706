//! Build secrets in compose's words. Pure.
//!
//! compose has no optional secrets: a file that is absent fails the build, and a variable that is not
//! set gives an empty secret, which Dockerfiles take for one. So an optional one is asked for under
//! its id only where a variable is set, and else under a name that no Dockerfile mounts.
//! (Tried with compose 2.40, building by bake and without.)

use super::{key, quoted};
use crate::manifest::{Manifest, Secret, SecretSource, Service};
use std::collections::BTreeMap;

/// The item of `build.secrets` for a service's secret.
pub(super) fn used(manifest: &Manifest, service: &Service, secret: &Secret) -> String {
    let (name, id) = (name(manifest, service, secret), &secret.id);
    match switch(manifest, service, secret) {
        Some(variable) => {
            format!("- source: {name}\n          target: ${{{variable}:+{id}}}")
        }
        None if name == *id => format!("- {}", quoted(&name)),
        None => format!("- source: {name}\n          target: {}", quoted(id)),
    }
}

/// The entries of the top-level `secrets`, by name.
pub(super) fn top_level(manifest: &Manifest) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    for service in manifest.services.values() {
        for secret in &service.secrets {
            let name = name(manifest, service, secret);
            let source = match &secret.source {
                SecretSource::Env(variable) => format!("    environment: {}\n", quoted(variable)),
                SecretSource::File(path) => match file_variable(manifest, service, secret) {
                    None => format!("    file: {}\n", quoted(path.as_str())),
                    Some(variable) => format!(
                        "    # Optional: give it by the variable; the manifest's is {}\n    \
                         file: ${{{variable}:-/dev/null}}\n",
                        key(path.as_str())
                    ),
                },
            };
            entries.insert(name.clone(), format!("  {}:\n{source}", quoted(&name)));
        }
    }
    entries
}

/// The variable by which compose is told of an optional secret's file.
pub fn file_variable(manifest: &Manifest, service: &Service, secret: &Secret) -> Option<String> {
    if !secret.optional || !matches!(secret.source, SecretSource::File(_)) {
        return None;
    }
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = plain_name(manifest, service, secret).chars().map(letter).collect();
    Some(format!("XTASK_SECRET_{name}"))
}

/// The variable without which an optional secret is not given.
fn switch(manifest: &Manifest, service: &Service, secret: &Secret) -> Option<String> {
    match &secret.source {
        SecretSource::Env(variable) => secret.optional.then(|| variable.clone()),
        SecretSource::File(_) => file_variable(manifest, service, secret),
    }
}

fn name(manifest: &Manifest, service: &Service, secret: &Secret) -> String {
    let end = if secret.optional { ".optional" } else { "" };
    plain_name(manifest, service, secret) + end
}

/// The id, unless services mean different things by it: a name holds for the whole file.
fn plain_name(manifest: &Manifest, service: &Service, secret: &Secret) -> String {
    let mut all = manifest.services.values().flat_map(|service| &service.secrets);
    match all.all(|other| other.id != secret.id || other == secret) {
        true => secret.id.clone(),
        false => format!("{}.{}", service.name, secret.id),
    }
}
