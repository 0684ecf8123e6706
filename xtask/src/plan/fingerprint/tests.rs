//! Tables: what makes a difference, what makes none, and that the encoding stays what it is.

use super::*;
use crate::context::event::{Event, Kind as EventKind};
use crate::plan::facts::BaseImage;
use crate::plan::graph::{Graph, Needs};
use std::sync::Arc;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const MANIFEST: &str = r#"
[project]
name = "shop"
registry = "reg.invalid/shop"
[bases."debian:slim"]
[services.base]
[services.web]
args = { LEVEL = "info", DATE = "1" }
volatile-args = ["DATE"]
secrets = [{ id = "token", env = "TOKEN" }]
ssh = ["key=/a"]
labels = { team = "web" }
network = "none"
extra-hosts = { db = "10.0.0.1" }
shm-size = "64m"
epoch = 1
target = "run"
contexts = { shared = "shared", other = "docker-image://x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }
"#;

fn file(path: &str, mode: u32, content: u8) -> Entry {
    let kind = Kind::File { mode: Mode::new(mode), blob: BlobId([content; 20]), first: None };
    Entry { path: path.into(), kind, xattrs: Vec::new() }
}

fn tree(entries: Vec<Entry>) -> Tree {
    Tree { entries, bits: Bits::Plain, stamp: Stamp::default(), told: Told::default() }
}

fn inputs(named: &[&str]) -> Inputs {
    let folder = Kind::Folder { mode: Mode::new(0o755) };
    let folder = Entry { path: "src".into(), kind: folder, xattrs: Vec::new() };
    let link = Kind::Link { text: "a".into() };
    let link = Entry { path: "link".into(), kind: link, xattrs: Vec::new() };
    let entries = vec![file("src/a", 0o644, 1), file("b", 0o755, 2), folder, link];
    let shared = |name: &&str| ((*name).to_owned(), Ok(Arc::new(tree(vec![file("c", 0o644, 3)]))));
    Inputs {
        dockerfile: Ok(Bytes { sha256: "00".repeat(32), length: 3, stamp: Stamp::default() }),
        context: Ok(Arc::new(tree(entries))),
        named: named.iter().map(shared).collect(),
    }
}

/// `web` builds on `base` and on `debian:slim`.
fn facts(manifest: &str) -> Facts {
    let manifest = crate::manifest::parse("services.toml", manifest).unwrap().manifest;
    let base =
        Needs { bases: [("debian:slim".into(), "debian:slim".into())].into(), ..Needs::default() };
    let web = Needs {
        services: [("reg.invalid/shop/base".into(), "base".into())].into(),
        ..base.clone()
    };
    let context = format!("docker-image://debian@{DIGEST}");
    let image = BaseImage { context, platforms: Vec::new(), stands_in: false };
    let named: Vec<&str> = if manifest.services["web"].contexts.contains_key("shared") {
        vec!["shared"]
    } else {
        vec![]
    };
    let event = Event { kind: EventKind::Local, git_ref: None, revision: None, fork: false };
    Facts {
        graph: Graph::new([("web".into(), ["base".into()].into())].into()).unwrap(),
        needs: [("base".to_owned(), base), ("web".to_owned(), web)].into(),
        inputs: [("base".to_owned(), inputs(&[])), ("web".to_owned(), inputs(&named))].into(),
        bases: [("debian:slim".to_owned(), image)].into(),
        ..Facts::unread(manifest, event)
    }
}

fn web(facts: &Facts) -> Identity {
    identify(facts, &["web".to_owned()].into()).remove("web").unwrap()
}

/// The parts that are not what they were.
fn changed(facts: &Facts) -> Vec<&'static str> {
    let (before, after) = (web(&self::facts(MANIFEST)).unwrap(), web(facts).unwrap());
    let parts = before.parts.iter().filter(|(part, digest)| after.parts[part] != **digest);
    let parts: Vec<&str> = parts.map(|(part, _)| part.name()).collect();
    assert_eq!(parts.is_empty(), before.whole == after.whole);
    parts
}

#[track_caller]
fn manifest(from: &str, to: &str, expected: &[&str]) {
    assert!(MANIFEST.contains(from), "{from}");
    assert_eq!(changed(&facts(&MANIFEST.replacen(from, to, 1))), expected, "{from} -> {to}");
}

#[test]
fn what_the_manifest_says_makes_a_difference_or_none() {
    manifest("LEVEL = \"info\"", "LEVEL = \"warn\"", &["settings"]);
    manifest("LEVEL = \"info\"", "LEVELS = \"info\"", &["settings"]);
    manifest("LEVEL = \"info\"", "LEVEL = \"info\", MORE = \"\"", &["settings"]);
    manifest("id = \"token\"", "id = \"other\"", &["settings"]);
    manifest("key=/a", "other=/a", &["settings"]);
    manifest("team = \"web\"", "team = \"db\"", &["settings"]);
    manifest("network = \"none\"", "network = \"host\"", &["settings"]);
    manifest("db = \"10.0.0.1\"", "db = \"10.0.0.2\"", &["settings"]);
    manifest("64m", "65m", &["settings"]);
    manifest("epoch = 1", "epoch = 2", &["settings"]);
    manifest("[services.web]", "[services.web]\ndescription = \"x\"", &["settings"]);
    manifest("target = \"run\"", "target = \"build\"", &["dockerfile"]);
    manifest("target = \"run\"", "", &["dockerfile"]);
    manifest(
        "other = \"docker-image://x@sha256:0",
        "other = \"docker-image://x@sha256:1",
        &["images"],
    );
    manifest("other = \"docker-image://x@", "more = \"docker-image://x@", &["images"]);
    // A volatile value, where a secret comes from, where images go, platforms, when to refresh.
    manifest("DATE = \"1\"", "DATE = \"2\"", &[]);
    manifest("env = \"TOKEN\"", "file = \"token\"", &[]);
    manifest("key=/a", "key=/b", &[]);
    manifest("[services.web]", "[services.web]\nplatforms = [\"linux/arm64\"]", &[]);
    manifest("[services.web]", "[services.web]\nrefresh = \"7d\"", &[]);
    manifest("other = \"docker-image://x@", "other = \"docker-image://y@", &[]);
    // Of what it builds on, all counts.
    manifest("[services.base]", "[services.base]\nepoch = 1", &["services"]);
}

#[track_caller]
fn entries(change: impl Fn(&mut Vec<Entry>), expected: &[&str]) {
    let mut facts = facts(MANIFEST);
    let inputs = facts.inputs.get_mut("web").unwrap();
    change(&mut Arc::make_mut(inputs.context.as_mut().unwrap()).entries);
    assert_eq!(changed(&facts), expected);
}

#[test]
fn what_is_sent_makes_a_difference() {
    let context = &["context"];
    entries(|all| all[0] = file("src/a", 0o644, 9), context);
    entries(|all| all[0] = file("src/b", 0o644, 1), context);
    entries(|all| all[0] = file("src/a", 0o640, 1), context);
    entries(|all| all[0] = file("src/a", 0o4644, 1), context);
    entries(|all| all[2].kind = Kind::Folder { mode: Mode::new(0o700) }, context);
    entries(|all| all[3].kind = Kind::Link { text: "b".into() }, context);
    entries(|all| all[3].kind = Kind::Folder { mode: Mode::new(0o755) }, context);
    entries(|all| all[0].xattrs.push(("user.x".into(), vec![1])), context);
    entries(|all| all.truncate(3), context);
    entries(|all| all.push(file("new", 0o644, 0)), context);
    let linked = |all: &mut Vec<Entry>| {
        if let Kind::File { first, .. } = &mut all[0].kind {
            *first = Some("b".into());
        }
    };
    entries(linked, context);
    // A umask of 002, and the order in which files are found.
    entries(|all| all[0] = file("src/a", 0o664, 1), &[]);
    entries(|all| all[1] = file("b", 0o775, 2), &[]);
    entries(|all| all.reverse(), &[]);
}

#[test]
fn names_and_texts_are_never_mixed_up() {
    let a = Record::new("arg", ["ab".into(), "c".into()]);
    for other in [
        Record::new("arg", ["a".into(), "bc".into()]),
        Record::new("arg", ["abc".into()]),
        Record::new("args", ["ab".into(), "c".into()]),
        Record::new("arg", ["ab".into(), "c".into(), "".into()]),
    ] {
        assert_ne!(a.encode(), other.encode());
        assert_ne!(a.to_string(), other.to_string());
    }
    let strange = Record::new("file", ["a b\n\"c\"".into(), "".into()]);
    assert_eq!(strange.to_string(), r#"file "a b\n\"c\"" """#);
}

#[test]
fn a_base_counts_by_its_digest_wherever_it_is() {
    let with = |context: String| {
        let mut facts = facts(MANIFEST);
        facts.bases.get_mut("debian:slim").unwrap().context = context;
        facts
    };
    let other = DIGEST.replace("012", "112");
    assert_eq!(changed(&with(format!("docker-image://debian@{other}"))), ["images", "services"]);
    assert_eq!(changed(&with(format!("oci-layout:///here/debian@{DIGEST}"))), Vec::<&str>::new());
}

#[track_caller]
fn none(change: impl Fn(&mut Facts), reason: &str) {
    let mut facts = facts(MANIFEST);
    change(&mut facts);
    let reasons = web(&facts).unwrap_err();
    assert!(reasons.iter().any(|r| r.contains(reason)), "{reasons:?}");
}

#[test]
fn what_cannot_be_told_is_a_reason() {
    none(|f| f.bases.clear(), "the base `debian:slim` has no digest yet");
    none(
        |f| f.bases.get_mut("debian:slim").unwrap().stands_in = true,
        "the base `debian:slim` stands in for the locked one",
    );
    none(|f| f.bases.clear(), "it builds on `base`, which has no fingerprint");
    let by_tag = |f: &mut Facts, context: &str| {
        f.bases.get_mut("debian:slim").unwrap().context = context.into();
    };
    none(|f| by_tag(f, "docker-image://debian:slim"), "has no digest yet");
    none(|f| by_tag(f, "docker-image://debian@sha256:12"), "has no digest yet");
    none(|f| f.inputs.clear(), "its files were not read");
    none(|f| f.inputs.get_mut("web").unwrap().context = Err("x vanished".into()), "x vanished");
    none(|f| f.inputs.get_mut("web").unwrap().dockerfile = Err("y".into()), "y");
    none(|f| f.needs.get_mut("web").unwrap().unclear.push("cannot tell".into()), "cannot tell");
    none(|f| f.needs.get_mut("web").unwrap().unpinned.push("a frontend".into()), "a frontend");
    let context = |f: &mut Facts, value: &str| {
        let web = f.manifest.services.get_mut("web").unwrap();
        web.contexts.insert("other".into(), value.into());
    };
    for value in
        ["docker-image://x:1", "https://x.invalid/y@sha256:12", "git@x:y", "oci-layout://x"]
    {
        none(|f| context(f, value), "may change");
    }
    let git = format!("https://x.invalid/y@{DIGEST}");
    none(|f| context(f, &git), "may change");
}

#[test]
fn bits_of_other_kinds_publish_no_claim() {
    let with = |bits| {
        let mut facts = facts(MANIFEST);
        let inputs = facts.inputs.get_mut("web").unwrap();
        Arc::make_mut(inputs.context.as_mut().unwrap()).bits = bits;
        web(&facts).unwrap()
    };
    assert_eq!(with(Bits::Plain).no_claim, Vec::<String>::new());
    assert_eq!(with(Bits::GroupWritable).no_claim.len(), 1);
    assert_eq!(with(Bits::Absent).no_claim.len(), 1);
    assert_eq!(with(Bits::GroupWritable).whole, with(Bits::Plain).whole);
}

#[test]
fn what_was_written_and_put_back_is_noticed() {
    let before = inputs(&["shared"]);
    assert!(before.clone().is_untouched_since(&before));
    let mut after = before.clone();
    Arc::make_mut(after.named.get_mut("shared").unwrap().as_mut().unwrap()).stamp = Stamp([1; 32]);
    assert!(!after.is_untouched_since(&before));
    let unread = Inputs { context: Err("x".into()), ..before };
    assert!(!unread.clone().is_untouched_since(&unread));
}

/// Changing this makes every published image be built again: raise [`SCHEMA`] when that is meant.
#[test]
fn the_encoding_stays_what_it_is() {
    let web = web(&facts(MANIFEST)).unwrap();
    assert_eq!(web.whole, "e7a1b842b60b96c19f8dda19ea82dc2c705beb8ca1281c41e254f9811ade3142");
}
