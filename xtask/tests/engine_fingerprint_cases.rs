//! What random edits hardly find; and external images whose tags are moved between builds: the
//! fingerprint is that of the digest, and the digest is what is built.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "differential/bases.rs"]
mod bases;
#[path = "differential/cases.rs"]
mod cases;
#[path = "differential/judge.rs"]
mod judge;
mod support;
#[path = "differential/world.rs"]
mod world;

use bases::Bases;
use judge::Order;
use std::collections::BTreeSet;
use support::Repository;
use world::world;
use xtask::context::facts::World;
use xtask::plan::fingerprint::identify;

const SERVICE: &str = "web";

#[test]
fn a_base_that_is_moved() {
    case("from", |base, _| format!("FROM {base}\nCOPY a /\n"));
}

#[test]
fn an_image_that_is_copied_from() {
    case("copy", |base, _| format!("FROM scratch\nCOPY --from={base} /base /\n"));
}

#[test]
fn an_image_that_is_mounted() {
    let run = "mkdir /x && cat /m/base > /x/base";
    case("mount", |base, fixed| format!("FROM {fixed}\nRUN --mount=from={base},target=/m {run}\n"));
}

/// Image zero, image one, and image zero again under one tag.
fn case(tag: &str, dockerfile: impl Fn(&str, &str) -> String) {
    let (bases, base) = (Bases::get(), Bases::get().name(tag));
    let fixed = bases.name(&format!("{tag}-fixed"));
    bases.put(2, &format!("{tag}-fixed"));
    bases.put(0, tag);
    let text = dockerfile(&base, &fixed);
    let manifest = format!(
        "[project]\nname = \"shop\"\nregistry = \"shop.invalid/x\"\n[bases.\"{base}\"]\n\
         [bases.\"{fixed}\"]\n[services.{SERVICE}]\n"
    );
    let repository = Repository::new(&[
        ("services/services.toml", &manifest),
        ("services/web/Dockerfile", &text),
        ("services/web/a", "a"),
    ]);
    let zero = world(repository.root());
    let (zero_print, zero_image) = (print(&zero), image(&zero));
    bases.put(1, tag);
    assert_eq!(image(&zero), zero_image, "what was looked up is built, whatever the tag is now");
    let one = world(repository.root());
    assert_ne!(print(&one), zero_print);
    assert_ne!(image(&one), zero_image);
    bases.put(0, tag);
    let again = world(repository.root());
    assert_eq!(print(&again), zero_print);
    assert_eq!(image(&again), zero_image);
}

fn print(world: &World) -> String {
    let all: BTreeSet<String> = [SERVICE.to_owned()].into();
    let identity = identify(&world.facts, &all).remove(SERVICE).expect("one service");
    identity.expect("a fingerprint").whole
}

/// Built without cache.
fn image(world: &World) -> String {
    let services = [SERVICE.to_owned()].into();
    let mut verdict = judge::build(&[Order { shop: 0, world, services, anew: true }]);
    assert!(verdict.refused.is_empty(), "{:?}", verdict.refused);
    let built = verdict.built.pop_first().expect("one image").1;
    assert!(!built.all_cached);
    built.image
}
