//! Tables: what stands in the registry, and what that is for a commit.

use super::*;
use crate::context::event::{Event, Kind};
use crate::plan::claim::Claim;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::graph::Graph;
use crate::plan::look_up::Published;

/// `web` that builds on `base`; both have fingerprints, and nothing was looked up.
fn facts() -> Facts {
    let manifest = "[project]\nname = \"p\"\nregistry = \"r.invalid/p\"\n[services.base]\n\
        [services.web]\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n";
    let manifest = crate::manifest::parse("services.toml", manifest).unwrap().manifest;
    let event = Event { kind: Kind::Dev, git_ref: None, revision: None, fork: false };
    let identities = ["base", "web"].map(|name| (name.to_owned(), Ok(fingerprint(name))));
    Facts {
        graph: Graph::new([("web".to_owned(), ["base".to_owned()].into())].into()).unwrap(),
        identities: identities.into(),
        look_ups: [("base".to_owned(), published("base", None)), ("web".into(), LookUp::Absent)]
            .into(),
        ..Facts::unread(manifest, event)
    }
}

fn fingerprint(name: &str) -> Fingerprint {
    Fingerprint { whole: format!("f-{name}"), parts: BTreeMap::new(), no_claim: Vec::new() }
}

fn published(name: &str, cache: Option<&str>) -> LookUp {
    let claim = Claim { cache: cache.map(str::to_owned), ..Claim::of(&fingerprint(name)) };
    LookUp::Published(Published { digest: format!("sha256:{name}"), claim })
}

fn with_web(look_up: LookUp) -> Facts {
    let mut facts = facts();
    facts.look_ups.insert("web".into(), look_up);
    facts
}

/// A cache that has all its blobs.
fn cache(annotations: BTreeMap<String, String>) -> CacheManifest {
    let blobs = ["sha256:1", "sha256:2"].map(|blob| (blob.to_owned(), Known::Known(true)));
    CacheManifest { digest: "sha256:c".into(), annotations, blobs: blobs.into() }
}

fn with_blob(there: Known<bool>) -> CacheManifest {
    let mut cache = cache(marks(&facts(), "web").unwrap());
    cache.blobs.insert("sha256:2".into(), there);
    cache
}

fn web(facts: &Facts, cache: CacheManifest) -> String {
    match judge(facts, "web", &Known::Known(Some(cache))) {
        State::Hot => "hot".into(),
        State::Cold(why) => format!("cold: {why}"),
        State::Unknown(why) => format!("unknown: {why}"),
    }
}

fn unknown() -> LookUp {
    LookUp::Unknown("timed out".into())
}

#[test]
fn a_cache_that_a_claim_names_is_hot() {
    let unmarked = || cache(BTreeMap::new());
    let case = |look_up: LookUp, expected: &str| {
        assert_eq!(web(&with_web(look_up), unmarked()), expected);
    };
    case(published("web", Some("sha256:c")), "hot");
    case(published("web", Some("sha256:d")), "cold: it is of another fingerprint");
    case(published("web", None), "cold: it is of another fingerprint");
    case(LookUp::Absent, "cold: no claim names it: nothing is published of its fingerprint");
    case(
        LookUp::NoClaim("it claims nothing".into()),
        "cold: no claim names it: what is published under its fingerprint does not count: it \
         claims nothing",
    );
    case(
        LookUp::NoClaim("it has no image for linux/arm64".into()),
        "cold: it has no layers of linux/arm64",
    );
    case(unknown(), "unknown: whether it is published: timed out");
}

#[test]
fn a_cache_that_is_marked_is_hot_for_what_its_marks_say() {
    let facts = facts();
    let marks = marks(&facts, "web").unwrap();
    assert_eq!(web(&facts, cache(marks.clone())), "hot");
    for look_up in [unknown(), published("web", Some("sha256:d"))] {
        assert_eq!(web(&with_web(look_up), cache(marks.clone())), "hot");
    }
    let with = |name: &str, text: &str| {
        let mut marks = marks.clone();
        marks.insert(name.into(), text.into());
        cache(marks)
    };
    let other = "cold: it is of another fingerprint (f-old)";
    assert_eq!(web(&facts, with(FINGERPRINT, "f-old")), other);
    let lacks = "cold: it has no layers of linux/arm64";
    assert_eq!(web(&facts, with(PLATFORMS, "linux/amd64")), lacks);
    assert_eq!(web(&facts, with(PLATFORMS, "linux/s390x,linux/arm64,linux/amd64")), "hot");
}

/// A cache of what was built along is of no use to what stands on a published image.
#[test]
fn what_it_builds_on_is_published_or_built_along() {
    let mut facts = facts();
    let on_published = marks(&facts, "web").unwrap();
    facts.look_ups.insert("base".into(), LookUp::Absent);
    let along = marks(&facts, "web").unwrap();
    assert_eq!(along[BUILT_ALONG], "base");
    let moved = "cold: what it builds on was published or removed since: base";
    assert_eq!(web(&facts, cache(along.clone())), "hot");
    assert_eq!(web(&facts, cache(on_published.clone())), moved);
    facts.look_ups.insert("base".into(), published("base", None));
    assert_eq!(web(&facts, cache(along.clone())), moved);
    facts.look_ups.insert("base".into(), unknown());
    for marks in [along, on_published] {
        let told = web(&facts, cache(marks));
        assert_eq!(told, "unknown: whether `base` is published: timed out");
    }
}

#[test]
fn lost_blobs_come_before_all_else() {
    let gone = "cold: a layer of it is gone (sha256:2)";
    assert_eq!(web(&facts(), with_blob(Known::Known(false))), gone);
    assert_eq!(web(&with_web(unknown()), with_blob(Known::Known(false))), gone);
    let claimed = with_web(published("web", Some("sha256:c")));
    assert_eq!(web(&claimed, with_blob(Known::Known(false))), gone);
    let mut both = with_blob(Known::Known(false));
    both.blobs.insert("sha256:1".into(), Known::Unknown("timed out".into()));
    assert_eq!(web(&facts(), both.clone()), gone);
    both.blobs.insert("sha256:1".into(), Known::Known(false));
    assert_eq!(web(&facts(), both), "cold: 2 layers of it are gone (sha256:1, sha256:2)");
    let unknown = "unknown: whether sha256:2 is there: timed out";
    assert_eq!(web(&claimed, with_blob(Known::Unknown("timed out".into()))), unknown);
}

#[test]
fn absent_unknown_and_without_a_fingerprint() {
    let judged = |cache| judge(&facts(), "web", &cache);
    assert_eq!(judged(Known::Known(None)), State::Cold(Cold::Absent));
    assert_eq!(judged(Known::Unknown("why".into())), State::Unknown("why".into()));
    let mut facts = facts();
    facts.identities.insert("web".into(), Err(vec!["an ADD of a URL".into()]));
    assert_eq!(marks(&facts, "web"), None);
    let none = "cold: nobody can tell what it is of: it has no fingerprint: an ADD of a URL";
    assert_eq!(web(&facts, cache(BTreeMap::new())), none);
    let no_claim = Fingerprint { no_claim: vec!["bits".into()], ..fingerprint("web") };
    facts.identities.insert("web".into(), Ok(no_claim));
    assert_eq!(marks(&facts, "web"), None);
}
