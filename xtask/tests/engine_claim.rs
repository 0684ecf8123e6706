//! No image is ever published as that of a fingerprint which it does not have: trees that change
//! while a run is held, tags that move, runs that are killed, runs at the same time.
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

use registry::relay_to;
use relay::{Gate, Relay, Then, When};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{EmptyEngine, Engine, Ran, Repository, busybox, engine, unique};

const DEV: [&str; 4] = ["build-images", "--event", "dev", "--json"];
/// Longer than any request takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// `base`, and `web` that builds on it and is sent `file`.
fn two_services(relay: &Relay) -> (Repository, String) {
    let place = format!("{}/{}", relay.address(), unique("claim"));
    let web = format!("FROM {place}/base\nCOPY file /\n");
    let base = "FROM busybox:debian\nRUN echo base > /base\n";
    let services = "[services.base]\n[services.web]\n";
    let repository = busybox(&place, services, &[("base", base), ("web", &web)]);
    repository.write("services/web/file", "1");
    repository.commit("files");
    (repository, place)
}

fn start(engine: &Engine, repository: &Repository, args: &[&str]) -> Child {
    let mut command = engine.xtask(repository, args).command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> Ran {
    Ran::from(child.wait_with_output().unwrap())
}

/// The fingerprint that an index claims.
fn claim(name: &str) -> Option<String> {
    let index: Value = serde_json::from_slice(&registry::manifest(name).bytes).unwrap();
    index["annotations"]["io.github.tzervas.autogit.fingerprint"].as_str().map(str::to_owned)
}

/// Each `fp-` tag of a repository that claims something claims to be what it is called.
fn claims(image: &str) -> BTreeMap<String, String> {
    let tags = registry::tags(image).into_iter().filter(|(tag, _)| tag.starts_with("fp-"));
    tags.filter_map(|(tag, digest)| {
        let claimed = claim(&format!("{image}:{tag}"))?;
        assert_eq!(tag, format!("fp-{claimed}"));
        Some((claimed, digest))
    })
    .collect()
}

fn fingerprint(repository: &Repository, service: &str) -> String {
    let ran = engine().xtask(repository, &["fingerprint", service, "--json"]).run().success();
    ran.json()["services"][0]["fingerprint"].as_str().unwrap().to_owned()
}

/// What the file of `web` says in an image.
fn file_in(engine: &Engine, image: &str) -> String {
    engine.docker(&["run", "--rm", image, "/bin/busybox", "cat", "/file"])
}

/// The run is held while it pushes `base`: `web` has been read by us and not yet by BuildKit.
#[test]
fn a_file_saved_between_the_look_and_the_build() {
    let relay = relay_to(engine());
    let (repository, place) = two_services(&relay);
    let gate = Gate::new();
    relay.rule(When::on("PUT", "/base/manifests/fp-").once(), Then::Hold(gate.clone()));
    let first = fingerprint(&repository, "web");
    let child = start(engine(), &repository, &DEV);
    assert!(gate.wait_for(1, PATIENCE));
    repository.write("services/web/file", "2");
    gate.open();
    let ran = end(child);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("`web` failed: it is not published"), "{}", ran.stderr);
    assert_eq!(claims(&format!("{place}/web")), BTreeMap::new());
    assert!(!registry::tags(&format!("{place}/web")).contains_key("dev"));
    // Put back, it is built anew, and then it is what it claims to be.
    repository.write("services/web/file", "1");
    engine().xtask(&repository, &DEV).run().success();
    assert!(claims(&format!("{place}/web")).contains_key(&first));
    assert_eq!(file_in(engine(), &format!("{place}/web:dev")), "1");
}

/// The same content twice, and another one in between, which BuildKit read.
#[test]
fn a_file_saved_and_put_back() {
    let relay = relay_to(engine());
    let (repository, place) = two_services(&relay);
    let (before, after) = (Gate::new(), Gate::new());
    relay.rule(When::on("PUT", "/base/manifests/fp-").once(), Then::Hold(before.clone()));
    relay.rule(When::on("PUT", "/web/manifests/fp-").once(), Then::Hold(after.clone()));
    let child = start(engine(), &repository, &DEV);
    assert!(before.wait_for(1, PATIENCE));
    repository.write("services/web/file", "2");
    before.open();
    assert!(after.wait_for(1, PATIENCE));
    repository.write("services/web/file", "1");
    after.open();
    let ran = end(child);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("written while it was built"), "{}", ran.stderr);
    assert_eq!(claims(&format!("{place}/web")), BTreeMap::new());
    assert!(!registry::tags(&format!("{place}/web")).contains_key("dev"));
}

#[test]
fn a_local_image_of_a_tree_that_changed_is_not_noted() {
    let relay = relay_to(engine());
    let (repository, _) = two_services(&relay);
    repository.write("services/web/Dockerfile", "FROM busybox:debian\nRUN sleep 2\nCOPY file /\n");
    let store = EmptyEngine::start();
    let args = ["build-images", "web", "--verbose"];
    let mut command = store.0.xtask(&repository, &args).command();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    for line in std::io::BufRead::lines(stderr).map(Result::unwrap) {
        if line.contains("bake") {
            repository.write("services/web/file", "2");
            repository.write("services/web/file", "1");
        }
    }
    assert!(child.wait().unwrap().success());
    let again = store.0.xtask(&repository, &["build-images", "web", "--json"]).run().success();
    assert_eq!(again.json()["services"][0]["outcome"], "built");
    let again = store.0.xtask(&repository, &["build-images", "web", "--json"]).run().success();
    assert_eq!(again.json()["services"][0]["outcome"], "skipped");
}

/// A base is referred to by the digest that went into the fingerprint, whatever its tag says by then.
#[test]
fn a_base_whose_tag_moves_between_the_look_up_and_the_build() {
    let relay = relay_to(engine());
    let place = format!("{}/{}", relay.address(), unique("claim"));
    let repository =
        busybox(&place, "[services.hub]\n", &[("hub", "FROM busybox:debian\nRUN echo 1 > /hub\n")]);
    engine().xtask(&repository, &DEV).run().success();
    repository.write("services/hub/Dockerfile", "FROM busybox:debian\nRUN echo 2 > /hub\n");
    repository.commit("two");
    let old = registry::manifest(&format!("{place}/hub:dev"));
    engine().xtask(&repository, &DEV).run().success();
    let new = registry::manifest(&format!("{place}/hub:dev"));
    assert_ne!(old.digest, new.digest);
    let client = registry::client();
    let base: xtask::docker::registry::Reference = format!("{place}/hub:stable").parse().unwrap();
    client.place(&base, &old, &["stable".to_owned()]).unwrap();

    let user = Repository::new(&[
        (
            "services/services.toml",
            &format!(
                "[project]\nname = \"user\"\nregistry = \"{place}/user\"\n[bases.\"{base}\"]\n[services.web]\n"
            ),
        ),
        ("services/web/Dockerfile", &format!("FROM {base}\nCOPY file /\n")),
        ("services/web/file", "1"),
    ]);
    let first = fingerprint(&user, "web");
    let gate = Gate::new();
    relay.rule(When::on("GET", "/web/manifests/fp-").once(), Then::Hold(gate.clone()));
    let child = start(engine(), &user, &DEV);
    assert!(gate.wait_for(1, PATIENCE));
    client.place(&base, &new, &["stable".to_owned()]).unwrap();
    gate.open();
    end(child).success();
    let web = format!("{place}/user/web:dev");
    assert_eq!(engine().docker(&["run", "--rm", &web, "/bin/busybox", "cat", "/hub"]), "1");
    assert_eq!(claim(&web), Some(first.clone()));
    // The next run sees the moved tag.
    assert_ne!(fingerprint(&user, "web"), first);
    let report = engine().xtask(&user, &DEV).run().success().json();
    assert_eq!(report["services"][0]["outcome"], "built");
    assert_eq!(
        engine().docker(&["run", "--rm", "--pull=always", &web, "/bin/busybox", "cat", "/hub"]),
        "2"
    );
}

#[test]
fn a_run_killed_between_the_push_and_the_claim_leaves_no_false_one() {
    let relay = relay_to(engine());
    let (repository, place) = two_services(&relay);
    for skip in [0, 1] {
        let gate = Gate::new();
        relay.rule(
            When::on("PUT", "/web/manifests/fp-").skip(skip).once(),
            Then::Hold(gate.clone()),
        );
        let mut child = start(engine(), &repository, &DEV);
        assert!(gate.wait_for(1, PATIENCE));
        child.kill().unwrap();
        end(child);
        relay.clear_rules();
        relay.cut();
        gate.open();
        let claims = claims(&format!("{place}/web"));
        if skip == 0 {
            assert_eq!(claims, BTreeMap::new());
        }
        // What was on its way when the run died may have arrived: a claim that is true.
        for (claimed, digest) in claims {
            assert_eq!(claimed, fingerprint(&repository, "web"));
            assert_eq!(file_in(engine(), &format!("{place}/web@{digest}")), "1");
        }
        assert!(!registry::tags(&format!("{place}/web")).contains_key("dev"));
    }
    engine().xtask(&repository, &DEV).run().success();
    assert_eq!(claims(&format!("{place}/web")).len(), 1);
}

/// Two clones of two engines publish the same and different trees at the same time.
#[test]
fn two_runs_at_once_leave_every_tag_on_an_image_of_one_of_them() {
    let relay = relay_to(engine());
    let (one, place) = two_services(&relay);
    let other = EmptyEngine::start();
    for round in 0..3 {
        let path = support::Folder::new();
        Command::new("git")
            .args(["clone", "--quiet", one.root().to_str().unwrap(), path.0.to_str().unwrap()])
            .status()
            .unwrap();
        let two = Repository::in_folder(&path.0);
        one.write("services/web/file", &format!("one {round}"));
        one.commit("one");
        // In the first round they publish the same.
        let text = if round == 0 { "one 0".to_owned() } else { format!("two {round}") };
        two.write("services/web/file", &text);
        two.commit("two");
        two.git(&["remote", "remove", "origin"]);
        let (a, b) = (start(engine(), &one, &DEV), start(&other.0, &two, &DEV));
        end(a).success();
        end(b).success();
        let web = format!("{place}/web");
        let claims = claims(&web);
        for repository in [&one, &two] {
            let digest = &claims[&fingerprint(repository, "web")];
            let expected =
                std::fs::read_to_string(repository.root().join("services/web/file")).unwrap();
            assert_eq!(file_in(engine(), &format!("{web}@{digest}")), expected);
        }
        let tags = registry::tags(&web);
        assert!(claims.values().any(|digest| *digest == tags["dev"]), "{tags:?}");
        for tag in tags.keys().filter(|tag| *tag != "cache") {
            engine().docker(&["pull", "--quiet", &format!("{web}:{tag}")]);
        }
    }
}
