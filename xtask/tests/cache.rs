//! `cache status` and `cache prune` against registries in memory: what each sort of registry loses and
//! keeps of thirty pushes and three releases.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/history.rs"]
mod history;
#[path = "support/registry.rs"]
mod registry;
mod support;

use history::{COMMITS, History, RELEASES, client};
use relay::{Canned, Memory, Profile, Received, Relay, Scripted, Then, When};
use serde_json::Value;
use std::collections::BTreeSet;
use support::Xtask;
use xtask::docker::registry::oci::digest_of;

struct World {
    memory: Memory,
    relay: Relay,
    history: History,
    _server: Scripted,
}

impl World {
    fn new(profile: Profile) -> Self {
        // What publishes needs a registry that lets it; GHCR's ways of deleting are the same store's.
        let memory = Memory::new(profile, digest_of);
        let store = memory.clone();
        let server = Scripted::start(move |request| store.answer(request).into()).unwrap();
        let relay = Relay::start(server.address()).unwrap();
        let history = History::publish(&format!("{}/shop", relay.address()));
        relay.reset();
        Self { memory, relay, history, _server: server }
    }

    fn call(&self, args: &[&str]) -> Xtask {
        let call = self.history.repository.xtask(&[&["cache"], args].concat());
        call.env("XTASK_REGISTRY", &self.history.place).unset("GITHUB_TOKEN").unset("GH_TOKEN")
    }

    fn deletions(&self) -> usize {
        let log = self.relay.log();
        log.iter()
            .filter(|entry| entry.method == "DELETE" && entry.path.contains("/manifests/"))
            .count()
    }
}

fn of<'a>(told: &'a Value, service: &str) -> &'a Value {
    let services = told["services"].as_array().unwrap();
    services.iter().find(|it| it["service"] == service).unwrap()
}

/// The tags of a service that go (or stay).
fn tags(told: &Value, service: &str, goes: bool) -> BTreeSet<String> {
    let tags = of(told, service)["tags"].as_array().unwrap().iter();
    let fit = tags.filter(|tag| tag["goes"] == goes);
    fit.map(|tag| tag["tag"].as_str().unwrap().to_owned()).collect()
}

fn reason(told: &Value, service: &str, tag: &str) -> String {
    let tags = of(told, service)["tags"].as_array().unwrap();
    let tag = tags.iter().find(|it| it["tag"] == tag).unwrap_or_else(|| panic!("no {tag}"));
    tag["reason"].as_str().unwrap().to_owned()
}

/// The tags of web that are more than 30 days old and of no release: pushes 0 to 13 but for 5.
fn old_of_web(history: &History) -> BTreeSet<String> {
    let old = (0..14_usize).filter(|number| *number != 5);
    old.flat_map(|number| {
        let commit = &history.commits[number];
        [commit.clone(), format!("dev-{}", &commit[..7]), format!("fp-{number:064x}")]
    })
    .collect()
}

#[test]
fn a_registry_that_deletes_digests_alone_keeps_what_shares_them() {
    let world = World::new(Profile::Distribution);
    let History { commits, .. } = &world.history;
    let before = world.history.tags("web");
    let told = world.call(&["prune", "--dry-run", "--json"]).run().success().json();
    assert_eq!(world.history.tags("web"), before, "a dry run deletes nothing");
    assert_eq!(tags(&told, "web", true), old_of_web(&world.history));
    assert_eq!(of(&told, "web")["registry-deletes"], "digests");
    // base of push 0 to 9 is the base of release 0.1.0: its old commits cannot go alone.
    let why = reason(&told, "base", &commits[3]);
    assert!(why.contains("`v0.1.0`") && why.contains("it cannot go alone"), "{why}");
    let why = reason(&told, "base", &commits[11]);
    assert!(why.contains("`v0.2.0`"), "{why}");
    assert!(reason(&told, "web", &commits[5]).contains("v0.1.0 is of this commit"));
    assert!(reason(&told, "web", &commits[20]).contains("days old"));
    let pruned = world.call(&["prune", "--json"]).run().success().json();
    assert_eq!(pruned["services"][1]["tags"], told["services"][1]["tags"], "as the dry run said");
    let gone = old_of_web(&world.history);
    assert_eq!(world.history.tags("web"), before.difference(&gone).cloned().collect());
    world.history.is_whole();
    let left = world.memory.manifests_of("shop/web").len();
    let images = COMMITS as usize - 13;
    // An index, an image and a proof each, and the caches of the last month (the cache of today too).
    assert_eq!(left, 3 * images + 16, "no manifest that nothing refers to is left");
    let again = world.call(&["prune", "--json"]).run().success().json();
    assert!(tags(&again, "web", true).is_empty());
}

#[test]
fn a_registry_that_deletes_tags_loses_more_of_them() {
    let world = World::new(Profile::Capable);
    let commits = &world.history.commits;
    let told = world.call(&["prune", "--json", "--keep", "10", "base"]).run().success().json();
    let goes = tags(&told, "base", true);
    for (number, commit) in commits.iter().enumerate() {
        let released = RELEASES.iter().any(|(_, of)| *of == number as u64);
        assert_eq!(goes.contains(commit), number < 20 && !released, "{number}");
    }
    assert!(!goes.iter().any(|tag| tag.starts_with("fp-")), "each image is in a release");
    assert_eq!(world.history.tags("base").intersection(&goes).count(), 0);
    assert!(world.history.tags("web").contains(&commits[0]), "web was not named");
    world.history.is_whole();
}

#[test]
fn a_registry_that_deletes_nothing_says_so() {
    let world = World::new(Profile::Ghcr);
    let before = world.history.tags("web");
    let ran = world.call(&["prune"]).run().success();
    assert!(ran.stdout.contains("this registry deletes nothing"), "{}", ran.stdout);
    assert_eq!(world.history.tags("web"), before);
}

/// GitHub's packages API as its documentation has it, before the store of a registry.
fn packages_api(memory: &Memory) -> Scripted {
    let store = memory.clone();
    Scripted::start(move |request: &Received| {
        let may_delete = match request.header("authorization") {
            Some("Bearer secret") => true,
            Some("Bearer reader") => false,
            _ => return Canned::json(401, r#"{"message":"Bad credentials"}"#).into(),
        };
        let path = request.path.split('?').next().unwrap_or_default();
        let Some(rest) = path.strip_prefix("/users/shop/packages/container/") else {
            return Canned::json(404, r#"{"message":"Not Found"}"#).into();
        };
        let (package, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let name = format!("shop/{package}");
        let digests = store.manifests_of(&name);
        let answer = match (request.method.as_str(), rest.trim_start_matches("versions/")) {
            ("GET", "versions") => {
                let page: usize = request.query("page")[0].parse().unwrap();
                let tags = store.tags();
                let versions = digests.iter().map(|digest| {
                    let fit = tags.iter().filter(|(tag, on)| {
                        tag.starts_with(&format!("{name}:")) && *on == digest
                    });
                    let tags: Vec<&str> =
                        fit.map(|(tag, _)| tag.rsplit_once(':').unwrap().1).collect();
                    serde_json::json!({ "id": id(digest), "name": digest,
                        "metadata": { "package_type": "container", "container": { "tags": tags } } })
                });
                let page: Vec<Value> = versions.skip(100 * (page - 1)).take(100).collect();
                Canned::json(200, Value::from(page).to_string())
            }
            // GitHub does not tell those who may not.
            ("DELETE", _) if !may_delete => Canned::json(404, r#"{"message":"Not Found"}"#),
            ("DELETE", number) => {
                let digest = digests.iter().find(|digest| id(digest).to_string() == number);
                match digest.is_some_and(|digest| store.forget(&name, digest)) {
                    true => Canned::status(204),
                    false => Canned::json(404, r#"{"message":"Not Found"}"#),
                }
            }
            _ => Canned::status(405),
        };
        answer.into()
    })
    .unwrap()
}

fn id(digest: &str) -> u64 {
    u64::from_str_radix(&digest[7..19], 16).unwrap()
}

#[test]
fn ghcr_deletes_by_the_packages_api() {
    let world = World::new(Profile::Ghcr);
    let api = packages_api(&world.memory);
    let before = world.history.tags("web");
    let url = format!("http://{}", api.address());
    let call = |args: &[&str]| world.call(args).env("GITHUB_API_URL", &url);
    let ran = call(&["prune"]).run().success();
    assert!(ran.stdout.contains("set GITHUB_TOKEN to a token"), "{}", ran.stdout);
    assert_eq!(world.history.tags("web"), before);
    let ran = call(&["prune"]).env("GITHUB_TOKEN", "wrong").run();
    assert_eq!(ran.code, Some(1));
    assert!(!(ran.stdout + &ran.stderr).contains("wrong"), "no token is printed");
    let ran = call(&["prune"]).env("GITHUB_TOKEN", "reader").run();
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("may the token delete packages?"), "{}", ran.stdout);
    assert_eq!(world.history.tags("web"), before);
    call(&["prune"]).env("GITHUB_TOKEN", "secret").run().success();
    let gone = old_of_web(&world.history);
    assert_eq!(world.history.tags("web"), before.difference(&gone).cloned().collect());
    world.history.is_whole();
}

#[test]
fn what_nobody_can_tell_keeps_everything() {
    let world = World::new(Profile::Capable);
    let fifth = &world.history.commits[5];
    let hidden = When::on("GET", &format!("/web/manifests/{fifth}"));
    world.relay.rule(hidden, Then::Answer(Canned::status(500)));
    let ran = world.call(&["prune"]).env("XTASK_REGISTRY_PATIENCE", "1").run();
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("web: nothing was taken away: cannot tell all that"));
    assert!(ran.stdout.contains("base: "), "the other repository is pruned");
    let before = world.history.tags("web");
    assert!(before.contains(&world.history.commits[0]));
    // Records that cannot be read keep everything everywhere.
    let world = World::new(Profile::Capable);
    world.relay.rule(When::on("GET", "/releases/"), Then::Answer(Canned::status(403)));
    // Refused as by GHCR, where there is no such package yet: but there are versions.
    let ran = world.call(&["prune"]).env("XTASK_REGISTRY_PATIENCE", "1").run();
    assert_eq!((ran.code, world.deletions()), (Some(1), 0), "{}", ran.stdout);
    assert!(ran.stdout.contains("has versions"), "{}", ran.stdout);
    world.relay.clear_rules();
    world.relay.rule(When::on("GET", "/releases/"), Then::Answer(Canned::status(500)));
    let ran = world.call(&["prune"]).env("XTASK_REGISTRY_PATIENCE", "1").run();
    assert_eq!((ran.code, world.deletions()), (Some(1), 0), "{}", ran.stderr);
}

#[test]
fn a_deletion_that_fails_keeps_what_it_lists() {
    let world = World::new(Profile::Distribution);
    // The index of the very first push.
    let image = format!("{}/web:{}", world.history.place, world.history.commits[0]);
    let index = client().head_manifest(&image.parse().unwrap()).found().unwrap().digest;
    let refused = When::on("DELETE", &format!("/web/manifests/{index}"));
    world.relay.rule(refused, Then::Answer(Canned::error(403, "DENIED")));
    let ran = world.call(&["prune"]).run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains(&format!("could not be deleted: {index}")), "{}", ran.stdout);
    assert!(ran.stdout.contains("which lists it, is still there"), "{}", ran.stdout);
    assert!(world.history.tags("web").contains(&world.history.commits[0]));
    world.history.is_whole();
}

#[test]
fn what_is_still_listed_is_not_gone() {
    for profile in [Profile::Capable, Profile::Distribution] {
        let world = World::new(profile);
        let hidden = Canned::error(404, "MANIFEST_UNKNOWN");
        world.relay.rule(When::on("DELETE", "/web/manifests/"), Then::Answer(hidden));
        let ran = world.call(&["prune", "web"]).run();
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        assert!(ran.stdout.contains("it is still there: may we delete here?"), "{}", ran.stdout);
    }
}

#[test]
fn a_wrong_age_is_refused() {
    let world = World::new(Profile::Capable);
    for age in ["30m", "0d", "soon"] {
        world.call(&["prune", "--older-than", age]).run().refused(&format!("--older-than {age}"));
    }
    assert_eq!(world.call(&["prune", "--keep", "0"]).run().code, Some(2));
    assert_eq!(world.deletions(), 0);
}

#[test]
fn status_says_what_each_tag_costs_and_shares() {
    let world = World::new(Profile::Distribution);
    let call = world.call(&["status", "--json"]).env("PATH", "/usr/bin:/bin");
    let call = call.env("XTASK_ENGINE", "none-such");
    let told = call.run().success().json();
    let web = of(&told, "web");
    let digests = web["digests"].as_array().unwrap();
    assert_eq!(digests.len(), COMMITS as usize + 1, "one an image, and the cache");
    let dev = digests.iter().find(|it| it["tags"].as_array().unwrap().contains(&"dev".into()));
    let dev = dev.unwrap();
    // Its own layer is in the cache too; the proof and the manifests are its own.
    let (bytes, alone) = (dev["bytes"].as_u64().unwrap(), dev["bytes-alone"].as_u64().unwrap());
    assert!((250_500..255_000).contains(&bytes), "{bytes}");
    assert!((500..5_000).contains(&alone), "{alone}");
    let older = digests.iter().find(|it| {
        it["tags"].as_array().unwrap().contains(&world.history.commits[3].as_str().into())
    });
    assert!(older.unwrap()["bytes-alone"].as_u64().unwrap() > 50_000);
    let shown = world.call(&["status", "web"]).run().success().stdout;
    assert!(shown.contains(" of it alone") && shown.contains("dev-"), "{shown}");
}
