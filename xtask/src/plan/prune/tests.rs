//! Each rule as a case.

use super::*;

const DAY: u64 = 86_400;
const NOW: u64 = 1_000 * DAY;
const BY_TAG: Deletes = Deletes::Tags { digests: true };

/// A repository in few words.
#[derive(Default)]
struct World {
    held: Held,
    protected: Protected,
    commits: BTreeMap<String, u64>,
}

fn sha(number: u64) -> String {
    format!("{number:07x}{}", "0".repeat(33))
}

fn fp(number: u64) -> String {
    format!("fp-{number:064x}")
}

impl World {
    /// An index of two manifests, one of them of this image alone; `blob` is of all of them.
    fn image(&mut self, digest: &str, days: u64) -> &mut Content {
        let part = format!("{digest}-part");
        let blobs = [(format!("{digest}-layer"), 100), ("base".to_owned(), 1_000)];
        let content = Content { size: 10, blobs: blobs.into(), ..Content::default() };
        self.held.manifests.insert(part.clone(), content);
        let created = Some(NOW - days * DAY);
        let index = Content { size: 1, parts: vec![part], created, ..Content::default() };
        self.held.manifests.entry(digest.into()).or_insert(index)
    }

    fn tag(&mut self, tag: &str, digest: &str) {
        self.held.tags.insert(tag.into(), digest.into());
    }

    /// What a push to dev leaves: a commit of so many days ago, on an image.
    fn push(&mut self, number: u64, days: u64, digest: &str) {
        self.commits.insert(sha(number), NOW - days * DAY);
        self.tag(&format!("dev-{}", &sha(number)[..7]), digest);
        self.tag(&sha(number), digest);
        self.tag("dev", digest);
    }

    fn prune(&self, rules: (Option<u64>, Option<usize>), deletes: &Deletes) -> Pruning {
        let rules = Rules { older_than: rules.0.map(|days| days * DAY), keep: rules.1, now: NOW };
        let Self { held, protected, commits } = self;
        Prune { held, protected, commits, rules, deletes }.decide()
    }
}

fn goes(pruning: &Pruning) -> Vec<&str> {
    let goes = pruning.tags.iter().filter(|(_, it)| matches!(it.fate, Fate::Goes(_)));
    goes.map(|(tag, _)| tag.as_str()).collect()
}

fn digests(pruning: &Pruning) -> Vec<&str> {
    pruning.manifests.iter().map(|removal| removal.digest.as_str()).collect()
}

#[track_caller]
fn stays(pruning: &Pruning, tag: &str, why: &str) {
    match &pruning.tags[tag].fate {
        Fate::Stays(reason) if reason.contains(why) => {}
        other => panic!("{tag}: {other:?}"),
    }
}

/// Three pushes: two old ones of the same image, and a new one of another.
fn three_pushes() -> World {
    let mut world = World::default();
    for (number, days, image) in [(1, 60, "a"), (2, 50, "a"), (3, 1, "b")] {
        world.image(image, days);
        world.push(number, days, image);
    }
    world.tag(&fp(1), "a");
    world.tag(&fp(2), "b");
    world
}

#[test]
fn old_tags_go_with_what_only_they_refer_to() {
    let world = three_pushes();
    for deletes in [BY_TAG, Deletes::Digests] {
        let pruning = world.prune((Some(30), None), &deletes);
        let expected = ["0000001000000000000000000000000000000000".to_owned(), sha(2)];
        let shorts = ["dev-0000001".to_owned(), "dev-0000002".into(), fp(1)];
        assert_eq!(goes(&pruning), [&expected[..], &shorts[..]].concat());
        assert_eq!(digests(&pruning), ["a", "a-part"], "an index before what it lists");
        assert_eq!(pruning.frees, 111, "the layer that both images have stays");
        stays(&pruning, "dev", "never");
        stays(&pruning, &fp(2), "newest");
    }
    let only_tags = world.prune((Some(30), None), &Deletes::Tags { digests: false });
    assert_eq!((goes(&only_tags).len(), only_tags.manifests.len()), (5, 0));
}

#[test]
fn the_newest_so_many_commits_stay() {
    let world = three_pushes();
    let pruning = world.prune((None, Some(2)), &BY_TAG);
    assert_eq!(goes(&pruning), [&sha(1), "dev-0000001"], "the image has a commit that stays");
    assert!(digests(&pruning).is_empty());
    stays(&pruning, &fp(1), "days old");
    assert_eq!(goes(&world.prune((None, Some(3)), &BY_TAG)), [""; 0]);
    assert_eq!(goes(&world.prune((Some(100), None), &BY_TAG)), [""; 0]);
}

#[test]
fn a_tag_that_cannot_go_alone_stays() {
    let world = three_pushes();
    let pruning = world.prune((None, Some(2)), &Deletes::Digests);
    assert_eq!(goes(&pruning), [""; 0]);
    stays(&pruning, &sha(1), "it cannot go alone");
    let mut released = three_pushes();
    released.tag("v1.0.0", "a");
    let pruning = released.prune((Some(30), None), &Deletes::Digests);
    stays(&pruning, &sha(1), "shares its digest with `v1.0.0`, and this registry deletes only");
    stays(&pruning, &fp(1), "`v1.0.0` stands on this image");
    let pruning = released.prune((Some(30), None), &BY_TAG);
    assert_eq!(goes(&pruning), [&sha(1), &sha(2), "dev-0000001", "dev-0000002"]);
    assert!(digests(&pruning).is_empty());
}

#[test]
fn what_a_record_names_stays_though_no_tag_does() {
    let mut world = three_pushes();
    world.protected.digests.insert("a".into(), "v1.0.0".into());
    world.protected.commits.insert(sha(1), "v1.0.0".into());
    let pruning = world.prune((Some(30), None), &Deletes::Digests);
    assert_eq!(goes(&pruning), [""; 0]);
    stays(&pruning, &sha(1), "v1.0.0 is of this commit");
    stays(&pruning, &fp(1), "v1.0.0 names this image");
    stays(&pruning, &sha(2), "shares its digest with v1.0.0");
    let pruning = world.prune((Some(30), None), &BY_TAG);
    assert_eq!(goes(&pruning), [&sha(2), "dev-0000002"]);
    assert!(digests(&pruning).is_empty());
}

#[test]
fn a_record_alone_keeps_a_digest() {
    let mut world = three_pushes();
    world.held.tags.remove(&fp(1));
    world.protected.digests.insert("a".into(), "v1.0.0".into());
    let pruning = world.prune((Some(30), None), &Deletes::Digests);
    assert_eq!(goes(&pruning), [""; 0]);
    stays(&pruning, &sha(1), "shares its digest with v1.0.0");
}

#[test]
fn a_part_of_an_index_that_stays_is_never_deleted() {
    let mut world = three_pushes();
    // The old image is one of the platforms of the new index.
    world.held.manifests.get_mut("b").unwrap().parts.push("a".into());
    let pruning = world.prune((Some(30), None), &Deletes::Digests);
    assert_eq!(goes(&pruning), [""; 0]);
    stays(&pruning, &sha(1), "shares its digest with what stays");
    let pruning = world.prune((Some(30), None), &BY_TAG);
    assert_eq!((goes(&pruning).len(), digests(&pruning).len()), (5, 0));
}

#[test]
fn what_nobody_can_date_stays() {
    let mut world = three_pushes();
    world.commits.clear();
    let pruning = world.prune((Some(30), None), &BY_TAG);
    stays(&pruning, &sha(1), "not in this repository");
    // An index that was built of that very commit says when.
    world.held.manifests.get_mut("a").unwrap().revision = Some(sha(1));
    let pruning = world.prune((Some(30), None), &BY_TAG);
    assert!(goes(&pruning).is_empty(), "it is the newest that is known");
    world.commits.insert(sha(3), NOW);
    let pruning = world.prune((Some(30), None), &BY_TAG);
    assert_eq!(goes(&pruning), [&sha(1), "dev-0000001"], "the other commit is not known to be old");
    world.tag("nightly", "a");
    world.tag("cache", "c");
    world.image("d", 90).created = None;
    world.tag(&fp(9), "d");
    let pruning = world.prune((Some(30), None), &BY_TAG);
    stays(&pruning, "nightly", "no tag of ours");
    stays(&pruning, "cache", "cache");
    stays(&pruning, &fp(9), "does not say");
    // A short sha of two commits.
    world.commits.insert(sha(1), NOW - 60 * DAY);
    world.commits.insert(format!("0000001{}", "f".repeat(33)), NOW);
    let pruning = world.prune((Some(30), None), &BY_TAG);
    stays(&pruning, "dev-0000001", "not in this repository");
}

#[test]
fn signatures_go_with_what_they_sign_and_caches_with_age() {
    let mut world = three_pushes();
    let signed = format!("sha256:{}", "a".repeat(64));
    world.image(&signed, 70);
    world.push(0, 70, &signed);
    world.tag("dev", "b");
    world.image("signature", 70);
    world.tag(&format!("sha256-{}.sig", "a".repeat(64)), "signature");
    for (image, days) in [("a", 60), ("b", 1)] {
        let cache = format!("{image}-cache");
        world.image(&cache, days);
        world.held.manifests.get_mut(image).unwrap().cache = Some(cache);
    }
    let pruning = world.prune((Some(30), None), &Deletes::Digests);
    assert!(goes(&pruning).iter().any(|tag| tag.starts_with("sha256-")));
    let deleted = digests(&pruning);
    assert!(deleted.contains(&"signature") && deleted.contains(&"a-cache"), "{deleted:?}");
    assert!(!deleted.contains(&"b-cache"), "it is too new: a build may be reading it");
    world.tag("cache", "a-cache");
    assert!(!digests(&world.prune((Some(30), None), &BY_TAG)).contains(&"a-cache"));
    world.tag("v1.0.0", &signed);
    let pruning = world.prune((Some(30), None), &BY_TAG);
    assert!(!goes(&pruning).iter().any(|tag| tag.starts_with("sha256-")));
    assert!(!digests(&pruning).contains(&"signature"));
}

mod random;
