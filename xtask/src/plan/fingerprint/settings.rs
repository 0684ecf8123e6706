//! Records of what the manifest says of a build.

use super::record::Record;
use crate::manifest::{Project, Service};
use crate::plan::labels::labels;
use std::borrow::Cow;

/// Arguments by value, secrets by id, and whatever else changes the result.
///
/// Every field of [`Service`] is named, so that a new one is not forgotten here.
pub fn settings<'a>(project: &'a Project, service: &'a Service) -> Vec<Record<'a>> {
    let Service {
        // In labels.
        name: _,
        description: _,
        labels: _,
        // What is in them is recorded, not where they are.
        context: _,
        dockerfile: _,
        contexts: _,
        // With the Dockerfile.
        target: _,
        // One recipe for all of them: a hit needs every platform to be there.
        platforms: _,
        // When to build again, not what.
        refresh: _,
        test: _,
        args,
        volatile_args,
        secrets,
        ssh,
        network,
        extra_hosts,
        shm_size,
        epoch,
    } = service;
    let pair = |kind, (name, value): (&'a String, &'a String)| {
        Record::new(kind, [name.as_str().into(), value.as_str().into()])
    };
    let one = |kind, value: &'a str| Record::new(kind, [value.into()]);
    let mut records = vec![Record::new("epoch", [epoch.to_string().into()])];
    let lasting = args.iter().filter(|(name, _)| !volatile_args.contains(name));
    records.extend(lasting.map(|arg| pair("arg", arg)));
    records.extend(
        labels(project, service)
            .into_iter()
            .map(|(name, value)| Record::new("label", [Cow::Owned(name), Cow::Owned(value)])),
    );
    records.extend(secrets.iter().map(|secret| one("secret", &secret.id)));
    records.extend(ssh.iter().map(|ssh| one("ssh", ssh.split('=').next().unwrap_or(ssh))));
    records.extend(network.iter().map(|network| one("network", network)));
    records.extend(extra_hosts.iter().map(|host| pair("host", host)));
    records.extend(shm_size.iter().map(|size| one("shm-size", size)));
    records
}
