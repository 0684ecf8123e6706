//! Fingerprints as they would be with a fault in them, from what was recorded.
//!
//! None of this is in the program: what it found out is taken, and made worse.

use super::reading::{Snapshot, State};
use super::wrong;
use ring::digest::{SHA256, digest};
use std::collections::{BTreeMap, BTreeSet};
use xtask::plan::fingerprint::{Part, Record, hex};

/// The records of a service.
pub type Parts = BTreeMap<Part, Vec<Record<'static>>>;

/// What is wrong.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Nothing: to see that recorded and real fingerprints are the same ones
    None,
    /// Records are other ones, or none
    Records(fn(Record<'static>) -> Option<Record<'static>>),
    /// The records of a service are other ones
    Parts(fn(&State, &mut Parts)),
    /// What a service builds on counts without what that builds on
    Shallow,
}

/// What may go wrong. (Extended attributes are not here: BuildKit builds anew, but none reaches an image.)
pub const FAULTS: [(&str, Fault); 33] = [
    ("the exec bit dropped", Fault::Records(wrong::no_exec_bit)),
    ("only the exec bit of files", Fault::Records(wrong::only_exec_bit)),
    ("the bits of folders dropped", Fault::Records(wrong::no_folder_bits)),
    ("folders dropped", Fault::Records(|record| wrong::without(record, "folder"))),
    ("the text of links dropped", Fault::Records(wrong::no_link_text)),
    ("links followed", Fault::Parts(wrong::links_followed)),
    ("links and files alike", Fault::Parts(wrong::kinds_alike)),
    ("names of files dropped", Fault::Records(wrong::no_names)),
    ("names in lower case", Fault::Records(wrong::lower_case)),
    ("size and time instead of content", Fault::Parts(wrong::size_and_time)),
    ("contents without their ends", Fault::Parts(wrong::no_ends)),
    ("hard links dropped", Fault::Records(|record| wrong::without(record, "hard-link"))),
    ("what git ignores left out", Fault::Parts(wrong::no_git_ignored)),
    ("what git does not know left out", Fault::Parts(wrong::only_tracked)),
    ("ignore rules in reverse", Fault::Parts(wrong::rules_reversed)),
    ("ignore rules beside the Dockerfile missed", Fault::Parts(wrong::rules_beside_missed)),
    ("a context that is only mounted missed", Fault::Parts(wrong::mounted_context_missed)),
    ("named contexts dropped", Fault::Records(|record| wrong::without(record, "named"))),
    ("the Dockerfile dropped", Fault::Records(|record| wrong::without(record, "bytes"))),
    ("heredocs skipped", Fault::Parts(wrong::no_heredocs)),
    ("the target dropped", Fault::Records(|record| wrong::without(record, "target"))),
    ("arguments dropped", Fault::Records(|record| wrong::without(record, "arg"))),
    ("labels dropped", Fault::Records(|record| wrong::without(record, "label"))),
    ("the network dropped", Fault::Records(|record| wrong::without(record, "network"))),
    ("hosts dropped", Fault::Records(|record| wrong::without(record, "host"))),
    ("the size of shared memory dropped", Fault::Records(|r| wrong::without(r, "shm-size"))),
    ("ids of secrets dropped", Fault::Records(|record| wrong::without(record, "secret"))),
    ("bases by tag", Fault::Records(|record| wrong::by_name(record, "image"))),
    ("images only of FROM", Fault::Parts(wrong::images_of_from)),
    ("services dropped", Fault::Records(|record| wrong::without(record, "service"))),
    ("services only of FROM", Fault::Parts(wrong::services_of_from)),
    ("services by their names", Fault::Records(|record| wrong::by_name(record, "service"))),
    ("services not deep", Fault::Shallow),
];

/// Two states of a service that have one fingerprint and are two images.
pub struct FalseHit<'a> {
    pub one: (&'a Snapshot, &'a State),
    pub other: (&'a Snapshot, &'a State),
}

/// All false hits that there are with a fault, one for each state that is taken for another one.
pub fn false_hits(snapshots: &[Snapshot], fault: Fault) -> Vec<FalseHit<'_>> {
    let mut first: BTreeMap<(usize, &str, String), (&Snapshot, &State)> = BTreeMap::new();
    let mut hits = Vec::new();
    for snapshot in snapshots {
        for (state, key) in snapshot.services.iter().zip(fingerprints(snapshot, fault)) {
            let (Some(key), Some(image)) = (key, &state.image) else { continue };
            let found = first.entry((snapshot.shop, &state.service, key));
            let one = *found.or_insert((snapshot, state));
            if one.1.image.as_ref() != Some(image) {
                hits.push(FalseHit { one, other: (snapshot, state) });
            }
        }
    }
    hits
}

/// The fingerprints of one snapshot's services. None where nothing may be published under it.
pub fn fingerprints(snapshot: &Snapshot, fault: Fault) -> Vec<Option<String>> {
    // By the real fingerprint: how others refer to a service.
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut all = Vec::new();
    for state in &snapshot.services {
        let Ok(identity) = &state.identity else {
            all.push(None);
            continue;
        };
        let mut parts = state.parts.clone();
        if let Fault::Parts(change) = fault {
            change(state, &mut parts);
        }
        if let Fault::Records(change) = fault {
            parts.values_mut().for_each(|records| {
                *records = std::mem::take(records).into_iter().filter_map(change).collect();
            });
        }
        for record in parts.get_mut(&Part::Services).into_iter().flatten() {
            if let Some(key) = record.fields.get(1).and_then(|field| known.get(&**field)) {
                record.fields[1] = key.clone().into();
            }
        }
        let key = sum(&parts);
        if matches!(fault, Fault::Shallow) {
            parts.remove(&Part::Services);
        }
        known.insert(&identity.whole, sum(&parts));
        all.push(identity.no_claim.is_empty().then_some(key));
    }
    all
}

fn sum(parts: &Parts) -> String {
    let lines = parts.iter().flat_map(|(part, records)| {
        records.iter().map(|record| format!("{} {record}\n", part.name()))
    });
    let sorted: BTreeSet<String> = lines.collect();
    hex(digest(&SHA256, sorted.into_iter().collect::<String>().as_bytes()).as_ref())
}
