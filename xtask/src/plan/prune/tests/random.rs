//! Random repositories: whatever is taken away, and whatever fails, what stays is whole.

use super::*;

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn random(random: &mut Random) -> World {
    let mut world = World::default();
    let images = 2 + random.below(8);
    let digest = |number: u64| format!("sha256:{number:064x}");
    for number in 0..images {
        world.image(&digest(number), random.below(100));
        // Indexes list each other's parts, and earlier indexes.
        for _ in 0..random.below(3) {
            let other = digest(random.below(number + 1));
            let part = if random.below(2) == 0 { format!("{other}-part") } else { other.clone() };
            let content = world.held.manifests.get_mut(&digest(number)).unwrap();
            if part != digest(number) {
                content.parts.push(part);
            }
        }
        if random.below(3) == 0 {
            let content = world.held.manifests.get_mut(&digest(number)).unwrap();
            content.cache = Some(digest(random.below(number + 1)));
        }
    }
    for number in 0..random.below(20) {
        let image = digest(random.below(images));
        match random.below(8) {
            0 => world.tag(&fp(number), &image),
            1 => world.tag(&format!("v0.0.{number}"), &image),
            2 => world.tag("latest", &image),
            3 => world.tag("cache", &image),
            4 => {
                let subject = digest(random.below(images));
                world.tag(&format!("{}.sig", subject.replace(':', "-")), &image);
            }
            5 => world.tag(&fp(number), &format!("{image}-part")),
            6 => {
                world.protected.digests.insert(image, "v9".into());
            }
            _ => world.push(number, random.below(100), &image),
        }
    }
    world
}

/// What a registry holds after the deletions; `fails` says which of them fail.
fn carry_out(
    world: &World,
    pruning: &Pruning,
    deletes: &Deletes,
    fails: &mut dyn FnMut() -> bool,
) -> Held {
    let mut left = world.held.clone();
    if let Deletes::Tags { .. } = deletes {
        left.tags.retain(|tag, _| matches!(pruning.tags[tag].fate, Fate::Stays(_)));
    }
    let mut failed: BTreeSet<&String> = BTreeSet::new();
    for removal in &pruning.manifests {
        if removal.after.iter().any(|parent| failed.contains(parent)) || fails() {
            failed.insert(&removal.digest);
            continue;
        }
        left.manifests.remove(&removal.digest);
        left.tags.retain(|_, digest| *digest != removal.digest);
    }
    left
}

/// What is missing of a manifest, all told by itself.
fn missing(left: &Held, digest: &str) -> Option<String> {
    let Some(content) = left.manifests.get(digest) else { return Some(digest.to_owned()) };
    content.parts.iter().find_map(|part| missing(left, part))
}

#[test]
fn whatever_goes_what_stays_is_whole() {
    let mut seen = (0, 0, 0);
    for seed in 0..800 {
        let mut numbers = Random(seed);
        let world = random(&mut numbers);
        let rules = match numbers.below(3) {
            0 => (Some(numbers.below(90)), None),
            1 => (None, Some(numbers.below(4) as usize)),
            _ => (Some(numbers.below(90)), Some(numbers.below(4) as usize)),
        };
        for deletes in [BY_TAG, Deletes::Digests, Deletes::Tags { digests: false }] {
            let pruning = world.prune(rules, &deletes);
            let done = carry_out(&world, &pruning, &deletes, &mut || false);
            let half = carry_out(&world, &pruning, &deletes, &mut || numbers.below(5) == 0);
            for (tag, verdict) in &pruning.tags {
                let goes = matches!(verdict.fate, Fate::Goes(_));
                assert_eq!(done.tags.contains_key(tag), !goes, "{seed}: {tag}");
                assert!(goes || half.tags.get(tag) == Some(&verdict.digest), "{seed}: {tag}");
                let standing =
                    matches!(Sort::of(tag), Sort::Standing | Sort::Cache | Sort::Foreign);
                assert!(!(goes && standing), "{seed}: {tag}");
                *(if goes { &mut seen.0 } else { &mut seen.1 }) += 1;
            }
            for left in [&done, &half] {
                for digest in left.tags.values().chain(world.protected.digests.keys()) {
                    assert_eq!(missing(left, digest), None, "{seed}: {digest} is broken");
                }
            }
            seen.2 += pruning.manifests.len();
        }
    }
    assert!(seen.0 > 500 && seen.1 > 5_000 && seen.2 > 300, "{seen:?}");
}
