//! Locked bases at work: which content is built on, where it comes from, and what happens where it cannot
//! be had.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/registry.rs"]
mod registry;
mod support;

use registry::{place, relay_to};
use relay::{Relay, Then, When};
use std::path::Path;
use std::sync::OnceLock;
use support::{Folder, Ran, Repository, busybox, engine, unique};
use xtask::docker::registry::oci::media;

const DOCKERFILE: &str = "FROM busybox:debian\nRUN echo built > /built\n";

/// One service on one base.
fn one_service(registry: &str) -> Repository {
    busybox(registry, "[services.web]\n", &[("web", DOCKERFILE)])
}

fn run(repository: &Repository, args: &[&str]) -> Ran {
    engine().xtask(repository, args).run()
}

/// The same engine, but the cache folder of a machine that has made nothing.
fn elsewhere(repository: &Repository, cache: &Path, args: &[&str]) -> Ran {
    engine().xtask(repository, args).env("XTASK_CACHE_DIR", cache.to_str().unwrap()).run()
}

fn dev_to(registry: &str) -> [&str; 5] {
    ["build-images", "--event", "dev", "--registry", registry]
}

fn lock(repository: &Repository) -> String {
    std::fs::read_to_string(repository.root().join("services/bases.lock")).unwrap()
}

/// A value of the one entry of the lock file.
fn locked(repository: &Repository, key: &str) -> String {
    let lock = lock(repository);
    let line = lock.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
    line.unwrap_or_else(|| panic!("no {key} in {lock}")).trim_end_matches('"').to_owned()
}

fn context(repository: &Repository, args: &[&str]) -> String {
    let plan = run(repository, &[&["plan", "--json"], args].concat()).success().json();
    let contexts = &plan["definition"]["target"]["web"]["contexts"];
    let context = contexts.as_object().unwrap().values().next().unwrap();
    context.as_str().unwrap().to_owned()
}

fn fingerprint(repository: &Repository) -> String {
    run(repository, &["fingerprint", "web"]).success().stdout
}

/// The base as it is made here, in the registry.
fn made() -> &'static str {
    static MADE: OnceLock<String> = OnceLock::new();
    MADE.get_or_init(|| {
        let place = place(engine());
        let repository = one_service(&place);
        run(&repository, &["bases", "update"]).success();
        format!("{place}/bases@{}", locked(&repository, "digest"))
    })
}

/// Pushes an image of other bytes each time, and gives the digest. The engine has never seen it under
/// that one.
fn publish(image: &str) -> String {
    let to = image.parse().unwrap();
    registry::client().copy_image(&made().parse().unwrap(), &to).unwrap();
    let mut index: serde_json::Value =
        serde_json::from_slice(&registry::manifest(image).bytes).unwrap();
    index["annotations"] = serde_json::json!({ "test.number": unique("content") });
    registry::client().put_manifest(&to, media::INDEX, index.to_string().as_bytes()).unwrap()
}

/// Says in the lock file that the base comes from a hub, under a name.
fn lock_to_hub(repository: &Repository, image: &str, digest: &str) {
    let text = format!(
        "schema = 1\n[bases.\"busybox:debian\"]\nfrom = \"hub\"\nimage = \"{image}\"\n\
         digest = \"{digest}\"\nplatforms = [\"linux/amd64\"]\nlocked = \"2026-01-01T00:00:00Z\"\n"
    );
    repository.write("services/bases.lock", &text);
    repository.commit("lock");
}

/// A hub that is the engine's registry behind a relay: the manifest names the image there.
fn with_hub(hub: &Relay) -> (Repository, String) {
    let image = format!("{}/{}/tool:1", hub.address(), unique("hub"));
    let place = place(engine());
    let manifest = format!(
        "[project]\nname = \"small\"\nregistry = \"{place}\"\n[bases.\"{image}\"]\n[services.web]\n"
    );
    let dockerfile = DOCKERFILE.replace("busybox:debian", &image);
    let repository = Repository::new(&[
        ("services/services.toml", &manifest),
        ("services/web/Dockerfile", &dockerfile),
    ]);
    (repository, image)
}

#[test]
fn a_tag_that_moved_is_built_on_only_after_an_update() {
    let hub = relay_to(engine());
    let (repository, image) = with_hub(&hub);
    let first = publish(&image);
    run(&repository, &["bases", "update"]).success();
    assert_eq!(locked(&repository, "digest"), first);
    let (before, name) = (fingerprint(&repository), image.trim_end_matches(":1"));
    assert_eq!(context(&repository, &[]), format!("docker-image://{name}@{first}"));
    run(&repository, &["bases", "check", "--fail"]).success();

    let second = publish(&image);
    assert_ne!(first, second);
    let check = run(&repository, &["bases", "check", "--fail"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert!(check.stdout.contains(&format!("→ {}", &second[..19])), "{}", check.stdout);
    run(&repository, &["bases", "check"]).success();
    assert_eq!(fingerprint(&repository), before);
    // What BuildKit asks the hub for is the locked content, and we ask for nothing.
    hub.reset();
    run(&repository, &["build-images"]).success();
    let log = hub.log();
    let manifests: Vec<&str> =
        log.iter().map(|e| e.path.as_str()).filter(|path| path.contains("manifests")).collect();
    assert!(!manifests.is_empty() && !manifests.iter().any(|p| p.contains("/1")), "{manifests:?}");

    run(&repository, &["bases", "update"]).success();
    assert_eq!(locked(&repository, "digest"), second);
    assert_ne!(fingerprint(&repository), before);
    assert_eq!(context(&repository, &[]), format!("docker-image://{name}@{second}"));
    run(&repository, &["bases", "check", "--fail"]).success();
    run(&repository, &["build-images"]).success();
}

#[test]
fn a_made_base_is_shared_by_the_update_and_is_the_same_elsewhere() {
    let place = place(engine());
    let repository = one_service(&place);
    run(&repository, &["bases", "update"]).success();
    let (digest, image) = (locked(&repository, "digest"), locked(&repository, "image"));
    let hash = image.strip_prefix("<registry>/bases:").unwrap();
    assert!(!lock(&repository).contains(&place), "a host is written down: {}", lock(&repository));
    let shared = registry::tags(&format!("{place}/bases"));
    assert_eq!(shared.into_iter().collect::<Vec<_>>(), [(hash.to_owned(), digest.clone())]);
    repository.commit("lock");

    let here = context(&repository, &[]);
    assert!(here.starts_with("oci-layout://") && here.ends_with(&digest), "{here}");
    let fresh = Folder::new();
    let there = format!("docker-image://{place}/bases@{digest}");
    let plan = elsewhere(&repository, &fresh.0, &["plan", "--json"]).success().json();
    let contexts = &plan["definition"]["target"]["web"]["contexts"];
    assert_eq!(contexts["busybox:debian"], there);
    assert_eq!(plan["services"][0]["fingerprint"], fingerprint(&repository)[5..].trim());
    let ran = elsewhere(&repository, &fresh.0, &["build-images", "--event", "dev"]).success();
    assert!(!ran.stderr.contains("made"), "{}", ran.stderr);
    assert!(!fresh.0.join("bases").exists());
    // Its fingerprint is that of the published image, so nothing is built here.
    let skipped = run(&repository, &["build-images", "--event", "pr", "--json"]).success();
    assert_eq!(skipped.json()["services"][0]["outcome"], "skipped", "{}", skipped.stdout);
}

#[test]
fn what_an_update_takes_a_tag_from_keeps_one() {
    let place = place(engine());
    let repository = one_service(&place);
    run(&repository, &["bases", "update"]).success();
    let (made, image) = (locked(&repository, "digest"), locked(&repository, "image"));
    let hash = image.strip_prefix("<registry>/bases:").unwrap();
    // As if packages had changed since: what is locked is not what is made now.
    let shared = format!("{place}/bases:{hash}");
    let earlier = publish(&shared);
    repository.write("services/bases.lock", &lock(&repository).replace(&made, &earlier));
    repository.commit("an earlier lock");
    run(&repository, &["bases", "check", "--fail"]).success();
    assert_eq!(context(&repository, &[]), format!("docker-image://{place}/bases@{earlier}"));
    run(&repository, &["build-images"]).success();

    let dry = run(&repository, &["bases", "update", "--dry-run"]).success();
    assert!(dry.stdout.contains(&format!("made anew, and pushed as {shared}")), "{dry:?}");
    assert_eq!(registry::tags(&format!("{place}/bases"))[hash], earlier);
    let updated = run(&repository, &["bases", "update"]).success();
    let moved = format!("{} (bootstrap) → {} (bootstrap)", &earlier[..19], &made[..19]);
    assert!(updated.stdout.contains(&moved), "{}", updated.stdout);
    assert_eq!(locked(&repository, "digest"), made);
    let tags = registry::tags(&format!("{place}/bases"));
    assert_eq!(tags[hash], made);
    assert_eq!(tags[&format!("{hash}-{}", &earlier[7..19])], earlier);
}

#[test]
fn a_push_elsewhere_finds_a_made_base_or_shares_it() {
    let place = place(engine());
    let repository = one_service(&place);
    run(&repository, &["bases", "update"]).success();
    repository.commit("lock");
    let digest = locked(&repository, "digest");
    // In another registry, the base of the manifest's.
    let other = registry::place(engine());
    let fresh = Folder::new();
    elsewhere(&repository, &fresh.0, &dev_to(&other)).success();
    assert!(registry::tags(&format!("{other}/bases")).is_empty());
    assert!(registry::tags(&format!("{other}/web")).contains_key("dev"));

    // Where neither has it: only who has made it can share it.
    registry::delete_by_digest(&format!("{place}/bases@{digest}"));
    let third = registry::place(engine());
    let stopped = elsewhere(&repository, &fresh.0, &dev_to(&third));
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    for part in [digest.as_str(), "cargo xtask bases update busybox:debian", "not there"] {
        assert!(stopped.stderr.contains(part), "no `{part}` in {}", stopped.stderr);
    }
    assert!(registry::tags(&format!("{third}/web")).is_empty());
    run(&repository, &dev_to(&third)).success();
    assert!(registry::tags(&format!("{third}/bases")).values().any(|d| *d == digest));
    assert!(registry::tags(&format!("{third}/web")).contains_key("dev"));
}

#[test]
fn a_locked_base_that_cannot_be_had_has_a_stand_in_at_a_desk_and_stops_a_push() {
    let hub = relay_to(engine());
    let place = place(engine());
    let services = "[services.web]\n[services.api]\n";
    let repository = busybox(&place, services, &[("web", DOCKERFILE), ("api", DOCKERFILE)]);
    let image = format!("{}/{}/tool:1", hub.address(), unique("hub"));
    let digest = publish(&image);
    lock_to_hub(&repository, &image, &digest);
    let before = fingerprint(&repository);
    hub.rule(When::any(), Then::Cut);
    assert_eq!(fingerprint(&repository), before, "the hub was asked");

    let stopped = run(&repository, &["build-images", "--event", "dev"]);
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    let next = "cargo xtask bases update busybox:debian";
    assert!(stopped.stderr.contains(next), "{}", stopped.stderr);
    assert!(!stopped.stderr.contains("stands in"), "{}", stopped.stderr);
    assert!(registry::tags(&format!("{place}/web")).is_empty());
    let pr = run(&repository, &["build-images", "--event", "pr"]);
    assert!(pr.code == Some(1) && !pr.stderr.contains("stands in"), "{pr:?}");

    for _ in 0..2 {
        let local = run(&repository, &["build-images", "--json"]).success();
        assert_eq!(
            local.stderr.matches("stands in for `busybox:debian`").count(),
            1,
            "{}",
            local.stderr
        );
        let report = local.json();
        for service in report["services"].as_array().unwrap() {
            assert_eq!(service["outcome"], "built", "{report}");
            let reason = service["reason"].as_str().unwrap();
            assert!(reason.contains("stands in for the locked one"), "{reason}");
        }
    }
    assert_eq!(fingerprint(&repository), before);
    hub.clear_rules();
    let local = run(&repository, &["build-images", "--json"]).success();
    assert!(!local.stderr.contains("stands in"), "{}", local.stderr);
    assert_eq!(local.json()["services"][0]["outcome"], "built");
    let again = run(&repository, &["build-images", "--json"]).success().json();
    assert_eq!(again["services"][0]["outcome"], "skipped", "{again}");
}

/// Beside what was made last, a machine keeps what was made before: lock files of older commits name it.
#[test]
fn an_earlier_base_that_this_machine_has_is_the_one_that_is_loaded() {
    let place = place(engine());
    // No other test loads a base of this name.
    let name = format!("{}:1", unique("early"));
    let bases = support::BUSYBOX.replace("busybox:debian", &name);
    let repository = Repository::new(&[
        (
            "services/services.toml",
            &format!(
                "[project]\nname = \"small\"\nregistry = \"{place}\"\n{bases}\n[services.web]\n"
            ),
        ),
        ("services/web/Dockerfile", &DOCKERFILE.replace("busybox:debian", &name)),
    ]);
    run(&repository, &["bases", "update"]).success();
    let newest = locked(&repository, "digest");
    let context = context(&repository, &[]);
    let layout = context.strip_prefix("oci-layout://").unwrap().split('@').next().unwrap();
    let blobs = Path::new(layout).join("blobs/sha256");
    let text = std::fs::read(blobs.join(&newest[7..])).unwrap();
    let mut index: serde_json::Value = serde_json::from_slice(&text).unwrap();
    index["annotations"] = serde_json::json!({ "test.number": unique("earlier") });
    let text = index.to_string();
    let earlier = xtask::docker::registry::oci::digest_of(text.as_bytes());
    std::fs::write(blobs.join(&earlier[7..]), text).unwrap();
    repository.write("services/bases.lock", &lock(&repository).replace(&newest, &earlier));

    // The registry has never seen it.
    assert!(!registry::tags(&format!("{place}/bases")).values().any(|d| *d == earlier));
    run(&repository, &["build-images"]).success();
    let id = engine().docker(&["image", "inspect", "--format", "{{.Id}}", &name]);
    assert_eq!(id, earlier);
}
