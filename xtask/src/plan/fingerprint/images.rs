//! Records of external images: by the digest that is imposed on the build.

use super::record::Record;
use crate::manifest::Service;
use crate::plan::facts::Facts;

/// Bases, and named contexts that are no folders.
pub fn images<'a>(
    facts: &'a Facts,
    service: &'a Service,
    reasons: &mut Vec<String>,
) -> Vec<Record<'a>> {
    let mut records = Vec::new();
    let needs = facts.needs.get(&service.name);
    for (used, base) in needs.into_iter().flat_map(|needs| &needs.bases) {
        let image = facts.bases.get(base);
        match image.and_then(|image| digest(&image.context)) {
            _ if image.is_some_and(|image| image.stands_in) => reasons.push(format!(
                "the base `{base}` stands in for the locked one, which cannot be reached"
            )),
            Some(digest) => {
                records.push(Record::new("image", [used.as_str().into(), digest.into()]));
            }
            None => reasons.push(format!("the base `{base}` has no digest yet")),
        }
    }
    for (name, value) in service.contexts.iter().filter(|(_, value)| !is_folder(value)) {
        let pinned = value.starts_with("docker-image://") || value.starts_with("oci-layout://");
        match digest(value).filter(|_| pinned) {
            Some(digest) => {
                records.push(Record::new("image", [name.as_str().into(), digest.into()]));
            }
            None => reasons.push(format!(
                "the named context `{name}` is `{value}`, which may change: name an image by its digest"
            )),
        }
    }
    records
}

/// Whether a named context is a folder of the repository, not an address.
pub fn is_folder(context: &str) -> bool {
    !context.contains("://") && !context.starts_with("git@")
}

/// Whether an address names one content.
pub fn is_pinned(context: &str) -> bool {
    digest(context).is_some()
}

/// The digest at the end of `docker-image://NAME@sha256:…` or `oci-layout://FOLDER@sha256:…`.
fn digest(context: &str) -> Option<&str> {
    let (_, digest) = context.rsplit_once('@')?;
    let hex = digest.strip_prefix("sha256:")?;
    let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    (hex.len() == 64 && hex.bytes().all(is_hex)).then_some(digest)
}
