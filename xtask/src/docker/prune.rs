//! The one place that takes something away from a registry (besides tags that a release puts back).

use super::registry::oci::digest_of;
use super::registry::{ByApi, Deletion, Packages, Reason, Reference, Registry};
use crate::interrupt::Interrupt;
use crate::plan::prune::{Deletes, Fate, Pruning, Removal};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// How a repository's contents are deleted.
#[derive(Clone, Debug)]
pub struct Way {
    /// What the registry deletes
    pub deletes: Deletes,
    /// By GitHub's packages API instead of the registry's own
    api: Option<Packages>,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Tags that are gone
    pub tags: BTreeSet<String>,
    /// Manifests that are gone
    pub manifests: BTreeSet<String>,
    /// What could not be deleted, and why: tags by name, manifests by digest
    pub failed: BTreeMap<String, String>,
}

/// Finds out how a repository's contents are deleted, by asking for the deletion of what cannot be
/// there: a tag, and a digest, that nobody has ever made.
pub fn way(
    registry: &Registry,
    repository: &Reference,
    vars: &BTreeMap<String, String>,
) -> Result<Way> {
    match Packages::of(repository, vars) {
        ByApi::Yes(packages) => {
            return Ok(Way { deletes: Deletes::Digests, api: Some(packages) });
        }
        ByApi::Cannot(why) => return Ok(Way { deletes: Deletes::Nothing(why), api: None }),
        ByApi::No => {}
    }
    let nothing = format!("xtask asks whether {} deletes tags", repository.name());
    let digest = digest_of(nothing.as_bytes());
    let by_tag = repository.with_tag(&format!("nobody-has-{}", &digest[7..23]))?;
    let by_digest = repository.with_digest(&digest)?;
    let deletes = match (can(registry, &by_tag), can(registry, &by_digest)) {
        (Ok(()), digests) => Deletes::Tags { digests: digests.is_ok() },
        (Err(_), Ok(())) => Deletes::Digests,
        (Err(_), Err(reason)) => Deletes::Nothing(if reason.is_refusal() {
            format!("we may not delete here ({reason}): log in as somebody who may")
        } else {
            format!("this registry deletes nothing ({reason})")
        }),
    };
    Ok(Way { deletes, api: None })
}

fn can(registry: &Registry, nothing: &Reference) -> Result<(), Reason> {
    match registry.delete_manifest(nothing)? {
        Deletion::Done | Deletion::Absent => Ok(()),
        Deletion::Unsupported(reason) => Err(reason),
    }
}

/// Carries a plan out. What fails is left where it is, and what it lists with it.
pub fn carry_out(
    registry: &Registry,
    interrupt: &Interrupt,
    repository: &Reference,
    plan: &Pruning,
    way: &Way,
) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    if let Deletes::Tags { .. } = way.deletes {
        let goes = plan.tags.iter().filter(|(_, it)| matches!(it.fate, Fate::Goes(_)));
        for (tag, _) in goes {
            interrupt.check()?;
            match deleted(registry.delete_manifest(&repository.with_tag(tag)?)) {
                Ok(()) => pruned.tags.extend([tag.clone()]),
                Err(why) => pruned.failed.extend([(tag.clone(), why)]),
            }
        }
    }
    let versions = match &way.api {
        Some(packages) => registry.versions(packages)?.unwrap_or_default(),
        None => BTreeMap::new(),
    };
    for removal in &plan.manifests {
        interrupt.check()?;
        let stays = removal.after.iter().find(|parent| pruned.failed.contains_key(*parent));
        let done = match (stays, &way.api) {
            (Some(parent), _) => Err(format!("{parent}, which lists it, is still there")),
            (None, Some(packages)) => match versions.get(&removal.digest) {
                None => Ok(()),
                Some(version) => delete_version(registry, packages, version, removal),
            },
            (None, None) => {
                deleted(registry.delete_manifest(&repository.with_digest(&removal.digest)?))
            }
        };
        match done {
            Ok(()) => {
                pruned.tags.extend(removal.tags.iter().cloned());
                pruned.manifests.insert(removal.digest.clone());
            }
            Err(why) => pruned.failed.extend([(removal.digest.clone(), why)]),
        }
    }
    if way.api.is_none() {
        read_back(registry, repository, &mut pruned)?;
    }
    Ok(pruned)
}

/// Some registries answer "not found" to those who may not: what is still listed is not gone.
fn read_back(registry: &Registry, repository: &Reference, pruned: &mut Pruned) -> Result<()> {
    let listed = registry.tags(repository).known()?.unwrap_or_default();
    for tag in listed {
        if pruned.tags.remove(&tag) {
            pruned.failed.insert(tag, "it is still there: may we delete here?".into());
        }
    }
    Ok(())
}

/// GitHub says which tags go along: one that nobody judged keeps the version.
fn delete_version(
    registry: &Registry,
    packages: &Packages,
    version: &super::registry::Version,
    removal: &Removal,
) -> Result<(), String> {
    if let Some(tag) = version.tags.iter().find(|tag| !removal.tags.contains(tag)) {
        return Err(format!("`{tag}` stands on it by now"));
    }
    registry.delete_version(packages, version).map_err(|reason| reason.to_string())
}

fn deleted(deletion: Result<Deletion, Reason>) -> Result<(), String> {
    match deletion {
        Ok(Deletion::Done | Deletion::Absent) => Ok(()),
        Ok(Deletion::Unsupported(reason)) | Err(reason) => Err(reason.to_string()),
    }
}
