//! The labels of an image: only what never changes from commit to commit (DESIGN 4.3).

use crate::manifest::{Project, Service};
use std::collections::BTreeMap;

/// OCI's labels and the manifest's own; the manifest's win.
pub fn labels(project: &Project, service: &Service) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut oci = |key: &str, value: Option<&String>| {
        if let Some(value) = value {
            labels.insert(format!("org.opencontainers.image.{key}"), value.clone());
        }
    };
    oci("title", Some(&service.name));
    oci("description", service.description.as_ref());
    oci("source", project.source.as_ref());
    oci("licenses", project.licenses.as_ref());
    labels.extend(service.labels.clone());
    labels
}
