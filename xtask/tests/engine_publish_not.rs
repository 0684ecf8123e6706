//! What publishing leaves as it is: tags that stay, trees that are refused, runs that fail or end.
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

use registry::{BASE, place};
use std::process::Stdio;
use std::time::Duration;
use support::{busybox, engine};

#[test]
fn shared_tags_only_move_forward() {
    let place = place(engine());
    let repository = busybox(&place, "[services.base]\n", &[("base", BASE)]);
    let release = |version: &str| {
        let event = format!("release:{version}");
        engine().xtask(&repository, &["build-images", "--event", &event]).run()
    };
    let image = format!("{place}/base");
    release("v1.2.3").success();
    release("v2.0.0").success();
    let before = registry::tags(&image);
    repository.write("services/base/Dockerfile", &format!("{BASE}RUN echo fixed\n"));
    repository.commit("fix");
    release("v1.2.4").success();
    let after = registry::tags(&image);
    for stays in ["latest", "2", "2.0", "v2.0.0", "v1.2.3"] {
        assert_eq!(before[stays], after[stays], "{stays}");
    }
    for moves in ["1", "1.2"] {
        assert_eq!(after[moves], after["v1.2.4"], "{moves}");
        assert_ne!(before[moves], after[moves], "{moves}");
    }
    release("v3.0.0-rc.1").success();
    let candidate = registry::tags(&image);
    for (tag, digest) in &after {
        let own = tag.starts_with("fp-") || tag == "cache" || tag.len() == 40;
        assert!(own || candidate[tag] == *digest, "{tag}");
    }
    assert!(candidate.contains_key("v3.0.0-rc.1") && !candidate.contains_key("3"));

    // The same version with other content: refused before anything moves.
    repository.write("services/base/Dockerfile", &format!("{BASE}RUN echo other\n"));
    repository.commit("other content");
    let refused = release("v1.2.4");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("is there already with other content"), "{}", refused.stderr);
    let left = registry::tags(&image);
    for tag in ["v1.2.4", "1.2", "1", "latest"] {
        assert_eq!(left[tag], candidate[tag], "{tag}");
    }
}

#[test]
fn a_version_is_published_again_only_as_it_is() {
    let place = place(engine());
    let repository = busybox(&place, "[services.base]\n", &[("base", BASE)]);
    let release = ["build-images", "--event", "release:v1.2.3"];
    engine().xtask(&repository, &release).run().success();
    let public = || {
        let mut tags = registry::tags(&format!("{place}/base"));
        tags.retain(|tag, _| tag != "cache" && !tag.starts_with("fp-"));
        tags
    };
    let before = public();
    assert_eq!(before.len(), 5, "{before:?}");
    engine().xtask(&repository, &release).run().success();
    assert_eq!(public(), before);
}

#[test]
fn a_dirty_tree_publishes_nothing() {
    let place = place(engine());
    let repository = busybox(&place, "[services.base]\n", &[("base", BASE)]);
    repository.write("services/base/untracked", "x");
    let dev = ["build-images", "--event", "dev"];
    engine().xtask(&repository, &dev).run().refused("services/base/untracked");
    assert!(registry::tags(&format!("{place}/base")).is_empty());
    let elsewhere =
        ["build-images", "--event", "dev", "--allow-dirty", "--registry", "registry.invalid/x"];
    engine().xtask(&repository, &elsewhere).run().refused("for a registry on this machine");
    let dirty = ["build-images", "--event", "dev", "--allow-dirty"];
    engine().xtask(&repository, &dirty).run().success();
    assert!(registry::tags(&format!("{place}/base")).contains_key("dev"));
}

#[test]
fn what_is_not_sent_does_not_make_a_tree_dirty() {
    let place = place(engine());
    let repository = busybox(&place, "[services.base]\n", &[("base", BASE)]);
    repository.write("services/base/.dockerignore", "target\n*.log\n!kept.log\n");
    repository.write(".gitignore", "target/\n*.log\n");
    repository.commit("ignore files");
    repository.write("services/base/target/debug/out", "x");
    repository.write("services/base/build.log", "x");
    let dev = ["build-images", "--event", "dev"];
    engine().xtask(&repository, &dev).run().success();
    // What git ignores but the context sends is part of the image.
    repository.write("services/base/kept.log", "x");
    engine().xtask(&repository, &dev).run().refused("services/base/kept.log");
}

#[test]
fn a_run_that_was_overtaken_does_not_move_dev() {
    let place = place(engine());
    let repository = busybox(&place, "[services.base]\n", &[("base", BASE)]);
    let remote = support::Folder::new();
    repository.git(&["init", "--quiet", "--bare", remote.0.to_str().unwrap()]);
    repository.git(&["remote", "add", "origin", remote.0.to_str().unwrap()]);
    repository.git(&["push", "--quiet", "origin", "dev"]);
    let dev = ["build-images", "--event", "dev"];
    engine().xtask(&repository, &dev).run().success();
    let image = format!("{place}/base");
    let first = registry::tags(&image)["dev"].clone();
    let ours = repository.commit("ours");
    repository.git(&["push", "--quiet", "origin", "dev"]);
    repository.commit("theirs");
    repository.git(&["push", "--quiet", "origin", "dev"]);
    repository.git(&["checkout", "--quiet", &ours]);
    let ran = engine().xtask(&repository, &dev).run().success();
    assert!(ran.stderr.contains("the head of `dev` is"), "{}", ran.stderr);
    let there = registry::tags(&image);
    assert_eq!(there["dev"], first);
    assert_eq!(there[&format!("dev-{}", &ours[..7])], there[&ours]);

    repository.git(&["remote", "set-url", "origin", "/nowhere"]);
    repository.git(&["commit", "--quiet", "--allow-empty", "--message", "later"]);
    let ran = engine().xtask(&repository, &dev).run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("cannot tell whether"), "{}", ran.stderr);
    assert_eq!(registry::tags(&image)["dev"], first);
}

#[test]
fn one_failure_among_several_publishes_the_rest_but_no_release() {
    let place = place(engine());
    let manifest: String = (0..9)
        .map(|i| format!("[services.good{i}]\n"))
        .chain(["[services.bad]\n".into()])
        .collect();
    let good = |i: usize| (format!("good{i}"), format!("FROM busybox:debian\nRUN echo {i}\n"));
    let mut dockerfiles: Vec<(String, String)> = (0..9).map(good).collect();
    dockerfiles.push(("bad".into(), "FROM busybox:debian\nRUN exit 1\n".into()));
    let dockerfiles: Vec<(&str, &str)> =
        dockerfiles.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let repository = busybox(&place, &manifest, &dockerfiles);
    let run = |event: &str| {
        let ran = engine().xtask(&repository, &["build-images", "--event", event]).run();
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        ran
    };
    run("dev");
    for i in 0..9 {
        assert!(registry::tags(&format!("{place}/good{i}")).contains_key("dev"));
    }
    assert!(!registry::tags(&format!("{place}/bad")).contains_key("dev"));
    let ran = run("release:v1.0.0");
    assert!(ran.stderr.contains("no tag was moved"), "{}", ran.stderr);
    for i in 0..9 {
        assert!(!registry::tags(&format!("{place}/good{i}")).contains_key("v1.0.0"));
    }
}

#[test]
fn a_run_that_is_killed_has_moved_no_public_tag() {
    let place = place(engine());
    let slow = format!("FROM {place}/base\nRUN sleep 60\n");
    let services = "[services.base]\n[services.slow]\n";
    let repository = busybox(&place, services, &[("base", BASE), ("slow", &slow)]);
    let mut child = engine()
        .xtask(&repository, &["build-images", "--event", "dev"])
        .command()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The base is pushed under its handle before the slow one is begun.
    for _ in 0..300 {
        if registry::tags(&format!("{place}/base")).keys().any(|tag| tag.starts_with("fp-")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let there = registry::tags(&format!("{place}/base"));
    assert!(there.keys().any(|tag| tag.starts_with("fp-")), "{there:?}");
    assert!(there.keys().all(|tag| tag.starts_with("fp-") || tag == "cache"), "{there:?}");
    assert!(registry::tags(&format!("{place}/slow")).is_empty());
}
