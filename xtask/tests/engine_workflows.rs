//! Each workflow, run by act with stand-ins for actions, a real engine and a real registry: what stands in the
//! registry before and after, and what GitHub would show. Parsing and permissions are `workflows.rs`'s.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "workflows/act.rs"]
mod act;
#[path = "support/private.rs"]
mod private;
#[allow(dead_code)]
#[path = "workflows/reader.rs"]
mod reader;
#[path = "support/registry.rs"]
mod registry;
mod support;

use act::{Act, Acted};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registry::place;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::{BUSYBOX, EmptyEngine, Engine, Folder, Repository, engine, long, unique};

/// `base`; `git-server` that builds on it, and whose test knows what is in it; `other` of its own. The
/// workflows are this repository's.
struct Shop {
    repository: Repository,
    place: String,
}

impl Shop {
    fn new() -> Self {
        let place = place(engine());
        let services = "[services.base]\n[services.git-server]\ntest = [\"cmp\", \"/base\", \"/expected\"]\n\
             [services.other]\n";
        // A name of its own: tests that run at once load into one store.
        let manifest = format!(
            "[project]\nname = \"{}\"\nregistry = \"{place}\"\n{BUSYBOX}\n{services}",
            unique("shop")
        );
        let of_server = format!("FROM {place}/base\nCOPY expected /expected\n");
        let repository = Repository::new(&[
            ("services/services.toml", &manifest),
            ("services/base/Dockerfile", &of_base("one")),
            ("services/git-server/Dockerfile", &of_server),
            ("services/git-server/expected", "one\n"),
            ("services/other/Dockerfile", "FROM busybox:debian\nRUN echo other > /other\n"),
            ("xtask/src/main.rs", ""),
        ]);
        copy(&reader::github(), &repository.root().join(".github"));
        // act knows no queue, and refuses what it does not know.
        let release = repository.root().join(".github/workflows/release.yml");
        let text = std::fs::read_to_string(&release).unwrap();
        assert_eq!(text.matches("  queue: max\n").count(), 1);
        std::fs::write(&release, text.replace("  queue: max\n", "")).unwrap();
        // act takes the name of the repository from there.
        repository.git(&["remote", "add", "origin", "https://github.com/me/shop"]);
        repository.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        repository.commit("workflows");
        Self { repository, place }
    }

    fn head(&self) -> String {
        self.repository.git(&["rev-parse", "HEAD"])
    }

    /// Another content of `base`, and a `git-server` that expects it.
    fn edit(&self, text: &str) {
        self.repository.write("services/base/Dockerfile", &of_base(text));
        self.repository.write("services/git-server/expected", &format!("{text}\n"));
        self.repository.commit(text);
    }

    fn act<'a>(
        &'a self,
        on: &'a Engine,
        workflow: &'a str,
        event: &'a str,
        payload: Value,
    ) -> Act<'a> {
        Act::new(on, &self.repository, workflow, event, payload)
    }

    /// A pull request of what is checked out, against a commit.
    fn pull_request<'a>(&'a self, on: &'a Engine, base: &str, owner: &str) -> Act<'a> {
        let (head, name) = (self.head(), format!("{owner}/shop"));
        let payload = json!({
            "number": 7,
            "pull_request": {
                "number": 7,
                "head": { "ref": "change", "sha": head, "repo": { "full_name": name } },
                "base": { "ref": "dev", "sha": base, "repo": { "full_name": "me/shop" } },
            },
            "repository": { "full_name": "me/shop" },
        });
        self.act(on, "docker-build", "pull_request", payload)
    }

    fn push_to_dev(&self) -> Acted {
        let payload = json!({ "ref": "refs/heads/dev" });
        self.act(engine(), "docker-dev-build", "push", payload).run().success()
    }

    fn push_tag(&self, tag: &str) -> Acted {
        self.repository.git(&["tag", "--annotate", "--message", tag, tag]);
        let payload = json!({ "ref": format!("refs/tags/{tag}") });
        self.act(engine(), "release", "push", payload).run().success()
    }

    /// Where each tag of each service stands.
    fn registry(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for service in ["base", "git-server", "other", "releases"] {
            let tags = registry::tags(&format!("{}/{service}", self.place));
            all.extend(tags.into_iter().map(|(tag, digest)| (format!("{service}:{tag}"), digest)));
        }
        all
    }

    /// Names of tags that people know, of one service.
    fn public(&self, service: &str) -> Vec<String> {
        let tags = registry::tags(&format!("{}/{service}", self.place));
        tags.into_keys().filter(|tag| !tag.starts_with("fp-")).collect()
    }
}

fn of_base(text: &str) -> String {
    format!("FROM busybox:debian\nRUN echo {text} > /base\n")
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// A token for act's cache server, as GitHub's look.
fn token() -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let may = json!([{ "Scope": "refs/heads/dev", "Permission": 3 }]).to_string();
    let claims = json!({ "ac": may, "nbf": 0, "iat": 0, "exp": 4_102_444_800_u64 });
    format!("{}.{}.{}", part(json!({ "alg": "none" })), part(claims), URL_SAFE_NO_PAD.encode("-"))
}

fn outcomes(report: &Value) -> BTreeMap<&str, &str> {
    let services = report["services"].as_array().unwrap().iter();
    services.map(|it| (it["service"].as_str().unwrap(), it["outcome"].as_str().unwrap())).collect()
}

#[test]
fn pull_requests_build_and_test_what_they_change_and_push_nothing() {
    let shop = Shop::new();
    let base = shop.head();
    shop.edit("two");
    for (owner, logins) in [("me", 1), ("stranger", 0)] {
        let acted = shop.pull_request(engine(), &base, owner).run().success();
        assert_eq!(outcomes(&acted.report()), [("base", "built"), ("git-server", "built")].into());
        assert!(acted.says("git-server:local`: cmp /base /expected"), "{}", acted.log);
        assert!(acted.says("docker-build/build base, git-server"), "{}", acted.log);
        assert_eq!(shop.registry(), BTreeMap::new());
        let asked = acted.asked.iter().filter(|asked| asked.starts_with("login")).count();
        assert_eq!(asked, logins, "{owner}: {:?}", acted.asked);
        assert!(acted.asked.contains(&"xtask build-images --test base git-server".to_owned()));
        for output in [
            "::set-output:: matrix={\"include\":[{",
            "::set-output:: built=2",
            "::set-output:: failed=0",
        ] {
            assert!(acted.says(output), "{output}: {}", acted.log);
        }
        assert!(acted.says("Summary - "), "{}", acted.log);
    }
}

#[test]
fn a_service_that_fails_makes_the_gate_red() {
    let shop = Shop::new();
    let base = shop.head();
    shop.repository.write("services/other/Dockerfile", "FROM busybox:debian\nRUN false\n");
    shop.edit("two");
    let acted = shop.pull_request(engine(), &base, "me").run();
    assert_eq!(acted.code, Some(1), "{}", acted.log);
    // The other job goes on.
    assert!(acted.says("git-server:local`: cmp /base /expected"), "{}", acted.log);
    assert!(acted.says("the job `build` failed"), "{}", acted.log);
    let place = "::error file=services/other/Dockerfile,line=2,endLine=2,";
    assert!(acted.says(place), "{}", acted.log);
    assert!(acted.says("Summary - "), "{}", acted.log);
    assert!(
        acted.artifacts.values().any(|file| file.starts_with("<!")),
        "{:?}",
        acted.artifacts.keys()
    );
    assert!(gate(&acted, "Job failed"), "{}", acted.log);

    // So does one whose image is not as its test wants it.
    shop.repository.git(&["reset", "--quiet", "--hard", &base]);
    shop.repository.write("services/git-server/expected", "three\n");
    shop.repository.commit("three");
    let acted = shop.pull_request(engine(), &base, "me").run();
    assert_eq!(acted.code, Some(1), "{}", acted.log);
    assert!(acted.says("its test `cmp /base /expected` ended with exit code 1"), "{}", acted.log);
    assert!(gate(&acted, "Job failed"), "{}", acted.log);
    assert_eq!(shop.registry(), BTreeMap::new());
}

/// How the gate ended.
fn gate(acted: &Acted, end: &str) -> bool {
    let of_gate = acted.log.lines().filter(|line| line.starts_with("[docker-build/docker-build"));
    of_gate.into_iter().any(|line| line.ends_with(end))
}

#[test]
fn where_nothing_is_to_be_built_the_gate_is_green() {
    let shop = Shop::new();
    let base = shop.head();
    shop.repository.write("README.md", "text");
    shop.repository.commit("text");
    let acted = shop.pull_request(engine(), &base, "me").run().success();
    assert!(
        !acted.asked.iter().any(|asked| asked.starts_with("xtask build-images")),
        "{:?}",
        acted.asked
    );
    assert!(gate(&acted, "Job succeeded"), "{}", acted.log);

    // A plan that fails is no empty one.
    let acted = shop.pull_request(engine(), &"0".repeat(40), "me").run();
    assert_eq!(acted.code, Some(1), "{}", acted.log);
    assert!(acted.says("the job `plan` failed"), "{}", acted.log);
    assert!(gate(&acted, "Job failed"), "{}", acted.log);
}

#[test]
fn dev_publishes_and_a_version_tag_releases_the_same_bytes() {
    let shop = Shop::new();
    assert_eq!(shop.registry(), BTreeMap::new());
    shop.push_to_dev();
    let (sha, dev) = (shop.head(), shop.registry());
    let short = format!("dev-{}", &sha[..7]);
    let mut expected = vec![sha.clone(), "cache".into(), "dev".into(), short];
    expected.sort();
    for service in ["base", "git-server", "other"] {
        assert_eq!(shop.public(service), expected, "{dev:?}");
    }

    let acted = shop.push_tag("v1.0.0");
    let outcomes = acted.report();
    let services = outcomes["services"].as_array().unwrap();
    assert!(services.iter().all(|it| it["outcome"] == "promoted"), "{outcomes}");
    let after = shop.registry();
    for service in ["base", "git-server", "other"] {
        for tag in ["v1.0.0", "1.0", "1", "latest", &sha] {
            assert_eq!(after[&format!("{service}:{tag}")], dev[&format!("{service}:dev")]);
        }
    }
    assert!(after.contains_key("releases:v1.0.0"), "{after:?}");
    assert!(acted.asked.contains(&"release v1.0.0 prerelease=false latest=legacy".to_owned()));
    let notes = &acted.artifacts["release/v1.0.0.md"];
    assert!(notes.contains("## v1.0.0") && notes.contains(&sha), "{notes}");
    let caches = acted.asked.iter().filter(|asked| asked.starts_with("cache "));
    assert_eq!(caches.count(), 0, "a release takes nothing from a cache: {:?}", acted.asked);
}

#[test]
fn what_a_pull_request_exports_another_engine_takes_from_the_gha_cache() {
    let shop = Shop::new();
    let base = shop.head();
    shop.edit("two");
    let cache = Folder::new();
    let run = |on: &Engine| {
        let act = shop.pull_request(on, &base, "me").with_cache(&token(), &cache.0);
        let acted = act.run().success();
        assert!(!acted.says("no gha cache"), "{}", acted.log);
        let services = acted.report()["services"].as_array().unwrap().clone();
        services
            .iter()
            .map(|it| (it["steps"]["total"].clone(), it["steps"]["cached"].clone()))
            .collect::<Vec<_>>()
    };
    let first = EmptyEngine::start();
    assert_eq!(run(&first.0), [(1.into(), 0.into()), (2.into(), 0.into())] as [(Value, Value); 2]);
    drop(first);
    let second = EmptyEngine::start();
    let steps = run(&second.0);
    assert!(steps.iter().all(|(total, cached)| total == cached), "{steps:?}");
    assert_eq!(shop.registry(), BTreeMap::new());
}

#[test]
fn a_gha_cache_that_says_no_fails_no_build() {
    let shop = Shop::new();
    let base = shop.head();
    shop.edit("two");
    let cache = Folder::new();
    // A token that is none, one that may only read, and nobody who answers.
    let acted = shop
        .pull_request(engine(), &base, "me")
        .with_cache("no.token.this", &cache.0)
        .run()
        .success();
    assert!(acted.says("the gha cache is left out: "), "{}", acted.log);
    let mut act = shop.pull_request(engine(), &base, "me").with_cache(&token(), &cache.0);
    act.env.insert("ACTIONS_CACHE_MODE".into(), "read".into());
    act.run().success();
    shop.pull_request(engine(), &base, "stranger").with_cache(&token(), &cache.0).run().success();
    assert!(!holds_files(&cache.0.join("cache")), "who may not write has written");
    let mut act = shop.pull_request(engine(), &base, "me").with_cache(&token(), &cache.0);
    act.env.insert("ACTIONS_CACHE_URL".into(), "http://127.0.0.1:1/".into());
    act.run().success();
}

fn holds_files(folder: &std::path::Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.map(Result::unwrap).any(|entry| match entry.file_type().unwrap().is_dir() {
        true => holds_files(&entry.path()),
        false => true,
    })
}

#[test]
fn a_pre_release_moves_its_own_tag() {
    if !long() {
        return;
    }
    let shop = Shop::new();
    shop.push_to_dev();
    shop.push_tag("v1.0.0");
    let before = shop.registry();
    shop.edit("two");
    shop.push_to_dev();
    let acted = shop.push_tag("v1.1.0-rc.1");
    assert!(acted.asked.contains(&"release v1.1.0-rc.1 prerelease=true latest=legacy".to_owned()));
    let after = shop.registry();
    for service in ["base", "git-server", "other"] {
        let at = |tag: &str| after[&format!("{service}:{tag}")].clone();
        assert_eq!(at("v1.1.0-rc.1"), at("dev"));
        for tag in ["v1.0.0", "1.0", "1", "latest"] {
            let name = format!("{service}:{tag}");
            assert_eq!(after[&name], before[&name], "{name}");
        }
        assert!(!after.contains_key(&format!("{service}:1.1")), "{after:?}");
    }
}

/// A schedule and a dispatch are on the default branch, here `main`, whose services are others.
#[test]
fn by_the_clock_the_dev_branch_is_published_and_its_caches_are_warm() {
    if !long() {
        return;
    }
    let shop = Shop::new();
    let dev = shop.head();
    shop.repository.git(&["checkout", "--quiet", "-b", "main"]);
    shop.edit("main");
    for event in ["schedule", "workflow_dispatch"] {
        let payload = json!({ "repository": { "default_branch": "main" } });
        shop.act(engine(), "docker-dev-build", event, payload.clone()).run().success();
        let tags = registry::tags(&format!("{}/git-server", shop.place));
        assert_eq!(tags["dev"], tags[&dev], "{event}: {tags:?}");
        assert!(!tags.contains_key(&shop.head()), "{event}: {tags:?}");

        let images = shop.registry();
        registry::delete_by_digest(&format!("{}/git-server:cache", shop.place));
        assert_ne!(shop.registry(), images);
        shop.act(engine(), "warm-cache", event, payload).run().success();
        assert_eq!(shop.registry().keys().collect::<Vec<_>>(), images.keys().collect::<Vec<_>>());
    }
}

#[test]
fn bench_and_ci() {
    if !long() {
        return;
    }
    let shop = Shop::new();
    let acted = shop.act(engine(), "bench", "workflow_dispatch", json!({})).run().success();
    assert!(acted.says("Summary - 2 services with 50 files"), "{}", acted.log);
    assert!(acted.says("| xtask | "), "{}", acted.log);
    let saved: Value = serde_json::from_str(&acted.artifacts["bench/bench.json"]).unwrap();
    assert!(saved["rows"].as_array().unwrap().len() > 1, "{saved}");
    let acted =
        shop.act(engine(), "ci", "push", json!({ "ref": "refs/heads/dev" })).run().success();
    assert!(acted.asked.contains(&"xtask test".to_owned()), "{:?}", acted.asked);
    assert_eq!(shop.registry(), BTreeMap::new());
}
