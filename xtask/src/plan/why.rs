//! Why an image is not the published one: what differs, by parts, and in them by name. Pure.
//!
//! The digests of parts in the claim say for certain which parts differ. What in them is told by
//! comparing the tree with the commit that was published; where that does not explain a part (an
//! external image has moved, ignored files were sent), a note says so.

use super::claim::Claim;
use super::difference::{Change, Kind, own, stand_ins};
use super::facts::Facts;
use super::fingerprint::{Identity, Part};
use std::collections::{BTreeMap, BTreeSet};

/// A tree, and the fingerprints in it.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// What was read of it
    pub facts: &'a Facts,
    /// Of the service, and of all that it builds on
    pub identities: &'a BTreeMap<String, Identity>,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The parts that differ
    pub parts: Vec<Part>,
    /// What differs, of the service first, then of what it builds on
    pub changes: Vec<(String, Change)>,
    /// What could not be told
    pub notes: Vec<String>,
}

/// Compares the tree with what is published. Without `then` only parts can be told.
pub fn why(name: &str, claim: &Claim, now: Tree, then: Option<Tree>) -> Why {
    let parts = now.identities.get(name).map(|identity| differing(identity, claim));
    let Some(then) = then else {
        return Why { parts: parts.flatten().unwrap_or_default(), ..Why::default() };
    };
    let mut all = changes(name, then.facts, now.facts);
    let found = all.remove(name).unwrap_or_default();
    let parts = parts.flatten().unwrap_or_else(|| {
        found.iter().map(|c| c.part).collect::<BTreeSet<_>>().into_iter().collect()
    });
    let mut why = Why { parts, ..Why::default() };
    let own: Vec<Change> = found.into_iter().filter(|c| why.parts.contains(&c.part)).collect();
    why.notes = notes(name, claim, now, then, &why.parts, &own);
    let by_services = own.iter().any(|change| change.part == Part::Services);
    why.changes.extend(own.into_iter().map(|change| (name.to_owned(), change)));
    if by_services {
        let others = all.into_iter();
        why.changes.extend(others.flat_map(|(service, changes)| {
            changes.into_iter().map(move |change| (service.clone(), change))
        }));
    }
    why
}

/// The answer in one line: `services/web/a.c changed (content), and 2 more, since dev (1a2b3c4)`. None
/// where nothing differs that can be told.
pub fn line(why: &Why, service: &str, tag: &str, revision: Option<&str>) -> Option<String> {
    let of = |own: bool| {
        let changes = why.changes.iter().filter(move |(name, _)| (name == service) == own);
        changes.map(|(_, change)| change.to_string())
    };
    // A file that is part of two things is one; what has changed below is what counts, if this has not.
    let own: Vec<String> = of(true).collect();
    let below: Vec<String> = of(false).collect();
    let by_service = !why.parts.is_empty() && why.parts.iter().all(|part| *part == Part::Services);
    let mut changes = if by_service && !below.is_empty() { below } else { own };
    let mut seen = BTreeSet::new();
    changes.retain(|change| seen.insert(change.clone()));
    let what = match (changes.as_slice(), why.parts.as_slice()) {
        ([only], _) => only.clone(),
        ([first, rest @ ..], _) => format!("{first}, and {} more", rest.len()),
        ([], []) => return None,
        ([], parts) => {
            let names: Vec<&str> = parts.iter().map(|part| part.name()).collect();
            format!("{} differ", names.join(", "))
        }
    };
    let commit = revision.and_then(|sha| sha.get(..7)).map(|sha| format!(" ({sha})"));
    Some(format!("{what}, since {tag}{}", commit.unwrap_or_default()))
}

/// The parts whose digest is not the claim's. Nothing is known where there is no fingerprint.
fn differing(identity: &Identity, claim: &Claim) -> Option<Vec<Part>> {
    let fingerprint = identity.as_ref().ok()?;
    let differs = |(part, digest): &(&Part, &String)| claim.parts.get(*part) != Some(*digest);
    Some(fingerprint.parts.iter().filter(differs).map(|(part, _)| *part).collect())
}

/// What differs in a service and in all that it builds on.
fn changes(name: &str, then: &Facts, now: &Facts) -> BTreeMap<String, Vec<Change>> {
    let stand_ins = stand_ins(then, now);
    let mut all: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for service in now.graph.levels(&now.graph.with_dependencies([name])).into_iter().flatten() {
        let mut changes = own(then, now, &service, &stand_ins).changes;
        let differs = |other: &&str| all.get(*other).is_some_and(|changes| !changes.is_empty());
        changes.extend(now.graph.direct(&service).filter(differs).map(|other| Change {
            part: Part::Services,
            what: "service",
            name: other.to_owned(),
            change: Kind::Changed,
            detail: String::new(),
        }));
        all.insert(service, changes);
    }
    all
}

/// What the commit does not explain.
fn notes(
    name: &str,
    claim: &Claim,
    now: Tree,
    then: Tree,
    parts: &[Part],
    changes: &[Change],
) -> Vec<String> {
    let mut notes = Vec::new();
    for part in parts.iter().filter(|part| !changes.iter().any(|change| change.part == **part)) {
        notes.push(match part {
            Part::Images => {
                let needs = now.facts.needs.get(name).into_iter();
                let bases: Vec<&str> = needs.flat_map(|n| n.bases.keys().map(String::as_str)).collect();
                format!(
                    "images: what a name stands for has moved since ({}); what it was then is not known",
                    bases.join(", ")
                )
            }
            Part::Services => "services: a service that it builds on differs in what the commit does not \
                 tell, for example by an external image that has moved".to_owned(),
            part => format!(
                "{}: it differs from what was published, but not from the commit: something was sent \
                 then, or is now, that git does not store (ignored files, permission bits)",
                part.name()
            ),
        });
    }
    let before = then.identities.get(name).and_then(|identity| identity.as_ref().ok());
    let others = before.map(|before| differing(&Ok(before.clone()), claim).unwrap_or_default());
    // Where the whole part is unexplained, that is said already.
    let others = others.unwrap_or_default().into_iter();
    let others: Vec<&str> = others
        .filter(|part| parts.contains(part) && changes.iter().any(|change| change.part == *part))
        .map(Part::name)
        .collect();
    if !others.is_empty() {
        notes.push(format!(
            "{}: what was published was not of the commit alone, so that there may be more",
            others.join(", ")
        ));
    }
    notes
}
