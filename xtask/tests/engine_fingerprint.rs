//! The fingerprint, judged by real BuildKit: whenever an edit makes another image, the fingerprint has
//! to be another one.
//!
//! Random repositories see random edits. What is built is compared by the image's configuration and
//! the digests of its layers, of builds whose times are all the same. That the test would see a fault
//! is shown by planting some in the recorded fingerprints. `XTASK_CASES` and `XTASK_SEED` say how many
//! edits at least, and which; `cargo xtask test --long` runs more of them.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::print_stderr)]
#![allow(clippy::print_stdout, missing_docs)]

#[path = "differential/bases.rs"]
mod bases;
#[path = "differential/course.rs"]
mod course;
#[path = "differential/edits.rs"]
mod edits;
#[path = "differential/faults.rs"]
mod faults;
#[path = "differential/files.rs"]
mod files;
#[path = "differential/judge.rs"]
mod judge;
#[path = "differential/links.rs"]
mod links;
#[path = "differential/random.rs"]
mod random;
#[path = "differential/reading.rs"]
mod reading;
#[path = "differential/recipe.rs"]
mod recipe;
#[path = "differential/recipes.rs"]
mod recipes;
#[path = "differential/shop.rs"]
mod shop;
#[path = "differential/site.rs"]
mod site;
#[path = "differential/steps.rs"]
mod steps;
mod support;
#[path = "differential/surroundings.rs"]
mod surroundings;
#[path = "differential/unseen.rs"]
mod unseen;
#[path = "differential/world.rs"]
mod world;
#[path = "differential/wrong.rs"]
mod wrong;

use course::Tally;
use faults::{FAULTS, FalseHit, Fault, false_hits, fingerprints};
use reading::{Snapshot, State};
use std::collections::BTreeMap;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn what_buildkit_builds_otherwise_has_another_fingerprint() {
    let count = number("XTASK_CASES", if support::long() { 3000 } else { 200 });
    let first = number("XTASK_SEED", 1);
    let mut tally = Tally::default();
    let mut caught: BTreeMap<&str, usize> = FAULTS.iter().map(|(name, _)| (*name, 0)).collect();
    let mut wrong = Vec::new();
    let mut seed = first;
    while (tally.edits as u64) < count {
        let snapshots = course::run(seed, &mut tally);
        check_recorded(&snapshots);
        wrong.extend(false_hits(&snapshots, Fault::None).iter().map(|hit| told(seed, hit)));
        for (name, fault) in FAULTS {
            *caught.entry(name).or_default() += false_hits(&snapshots, fault).len();
        }
        seed += 1;
    }
    report(first..seed, &tally, &caught);
    assert!(wrong.is_empty(), "{} false hits:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tally.aimed * 3 >= tally.edits, "too few edits are aimed");
    let refused: usize = tally.refused.values().sum();
    assert!(refused * 10 < tally.edits, "BuildKit refuses too much: {:?}", tally.refused);
    let missed: Vec<&&str> =
        caught.iter().filter(|(_, n)| **n == 0).map(|(name, _)| name).collect();
    // A sample may lack what would show one or the other.
    let may_miss = if tally.edits < 1000 { FAULTS.len() / 4 } else { 0 };
    assert!(missed.len() <= may_miss, "planted faults that nothing caught: {missed:?}");
}

/// Recorded fingerprints tell the same states apart as the real ones.
fn check_recorded(snapshots: &[Snapshot]) {
    let mut recorded: BTreeMap<String, &str> = BTreeMap::new();
    let mut real: BTreeMap<&str, String> = BTreeMap::new();
    for snapshot in snapshots {
        for (state, key) in snapshot.services.iter().zip(fingerprints(snapshot, Fault::None)) {
            let (Ok(identity), Some(key)) = (&state.identity, key) else { continue };
            let known = *recorded.entry(key.clone()).or_insert(&identity.whole);
            assert_eq!(known, identity.whole, "two fingerprints of the same records");
            let known = real.entry(&identity.whole).or_insert_with(|| key.clone());
            assert_eq!(*known, key, "two sets of records with the same fingerprint");
        }
    }
}

fn report(seeds: std::ops::Range<u64>, tally: &Tally, caught: &BTreeMap<&str, usize>) {
    println!(
        "{} edits with seeds {} to {}, {} of them aimed: {} images built, {} changed, {} fingerprints \
         changed, {} needless rebuilds, {} without a fingerprint, {} edits after which BuildKit refused; \
         {} files told by git's index, {} by reading",
        tally.edits,
        seeds.start,
        seeds.end - 1,
        tally.aimed,
        tally.built,
        tally.images_changed,
        tally.fingerprints_changed,
        tally.needless,
        tally.without,
        tally.refused.values().sum::<usize>(),
        tally.by_index,
        tally.by_bytes,
    );
    for (edit, [times, changed, needless]) in &tally.by_edit {
        println!("  {edit}: {times} times, {changed} images changed, {needless} needless");
    }
    println!("planted faults, and how many states each would have taken for another one:");
    for (fault, times) in caught {
        println!("  {fault}: {times}");
    }
}

/// A false hit in words: what can be done again with the seed.
fn told(seed: u64, hit: &FalseHit) -> String {
    let FalseHit { one, other } = hit;
    let told = |(snapshot, state): &(&Snapshot, &State)| {
        let records = state.parts.values().flatten().map(|record| format!("      {record}\n"));
        format!(
            "    step {} after `{}`\n    {}\n{}{}\n",
            snapshot.step,
            snapshot.edit,
            state.image.as_deref().unwrap_or_default(),
            state.seen.dockerfile,
            records.collect::<String>(),
        )
    };
    format!(
        "seed {seed}, repository {}, service `{}`: two images with one fingerprint\n{}{}",
        one.0.shop,
        one.1.service,
        told(one),
        told(other)
    )
}
