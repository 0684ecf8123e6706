//! Whether build secrets are there. Their values are never read: buildx does that.

use super::environment::Environment;
use crate::diagnostic::{Diagnostic, report};
use crate::error::Wrong;
use crate::manifest::{Loaded, Secret, SecretSource};
use crate::plan::facts::{SecretPlace, SecretThere};
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

/// The secrets of the given services that are there. One that is absent and not optional is an
/// error that points into the manifest.
pub fn find(
    loaded: &Loaded,
    root: &Utf8Path,
    env: &Environment,
    services: &BTreeSet<String>,
) -> Result<BTreeMap<String, Vec<SecretThere>>> {
    let mut there: BTreeMap<String, Vec<SecretThere>> = BTreeMap::new();
    let mut absent = Vec::new();
    for service in services.iter().filter_map(|name| loaded.manifest.services.get(name)) {
        for (index, secret) in service.secrets.iter().enumerate() {
            match place(secret, root, env) {
                Some(source) => {
                    let found = SecretThere { id: secret.id.clone(), source };
                    there.entry(service.name.clone()).or_default().push(found);
                }
                None if secret.optional => {}
                None => absent.push(missing(loaded, &service.name, index, secret)),
            }
        }
    }
    if absent.is_empty() { Ok(there) } else { Err(Wrong(report(&absent)).into()) }
}

/// Where a secret's value is, if it is there.
pub fn place(secret: &Secret, root: &Utf8Path, env: &Environment) -> Option<SecretPlace> {
    match &secret.source {
        SecretSource::Env(name) => {
            env.vars.contains_key(name).then(|| SecretPlace::Env(name.clone()))
        }
        SecretSource::File(path) => {
            let path = match path.strip_prefix("~") {
                Ok(below) => Utf8PathBuf::from(env.get("HOME")?).join(below),
                Err(_) => root.join(path),
            };
            path.is_file().then_some(SecretPlace::File(path))
        }
    }
}

fn missing(loaded: &Loaded, service: &str, index: usize, secret: &Secret) -> Diagnostic {
    let index = index.to_string();
    let span = loaded.places.value(&["services", service, "secrets", &index]);
    let what = match &secret.source {
        SecretSource::Env(name) => format!("the variable `{name}` is not set"),
        SecretSource::File(path) => format!("there is no file `{path}`"),
    };
    loaded
        .at(
            &span,
            format!("the secret `{}` of service `{service}` is not there: {what}", secret.id),
        )
        .help("provide it, or say `optional = true`")
}
