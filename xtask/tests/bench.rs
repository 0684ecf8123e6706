//! `bench` as far as it needs no engine: what it is asked for, and `bench generate`: the same bytes
//! twice, and a repository that can be planned.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use support::{Folder, Repository};

#[test]
fn the_same_numbers_write_the_same_repository() {
    let folder = Folder::new();
    let place = Repository { folder: Folder::new() };
    let generate = |output: &str, seed: &str| {
        let args =
            ["bench", "generate", "--services", "12", "--files", "3", "--seed", seed, "--output"];
        let output = folder.0.join(output);
        place.xtask(&[&args[..], &[output.to_str().unwrap()]].concat()).run().success();
        Repository::in_folder(&output)
    };
    let tree = |repository: &Repository| repository.git(&["rev-parse", "HEAD^{tree}"]);
    let (first, again, other) = (generate("a", "7"), generate("b", "7"), generate("c", "8"));
    assert_eq!(tree(&first), tree(&again));
    assert_ne!(tree(&first), tree(&other));
    assert_eq!(first.git(&["ls-files"]).lines().count(), 12 * 4 + 2);

    let plan = first.xtask(&["plan", "--json"]).run().success().json();
    let services = plan["services"].as_array().unwrap();
    assert_eq!(services.len(), 12);
    let on = |name: &str| {
        let service = services.iter().find(|service| service["service"] == name).unwrap();
        service["depends-on"].clone()
    };
    assert_eq!(on("service0000"), serde_json::json!([]));
    assert_eq!(on("service0002"), serde_json::json!(["service0000"]));
    assert_eq!(on("service0010"), serde_json::json!(["service0000"]));
}

#[test]
fn without_a_folder_it_is_below_target() {
    let place = Repository { folder: Folder::new() };
    let args = ["bench", "generate", "--services", "1", "--files", "2"];
    place.xtask(&args).run().success();
    assert!(place.root().join("target/xtask/generated/services/services.toml").exists());
    place.xtask(&args).run().refused("is not empty");
    let paths = place.xtask(&[&args[..], &["--dry-run", "--seed", "2"]].concat()).run().success();
    assert!(paths.stdout.contains("services/service0000/src/file0001.txt 500000\n"));
}

#[test]
fn what_would_be_measured_is_told() {
    let place = Repository { folder: Folder::new() };
    let told = |args: &[&str]| {
        let args = [&["bench", "--dry-run", "--services", "20"], args].concat();
        place.xtask(&args).run().success().stdout
    };
    let all = told(&[]);
    assert_eq!(all.lines().next(), Some("20 services with 50 files each, 3 runs by each of"));
    assert_eq!(all.lines().count(), 8);
    assert!(all.contains("dev-commit  dev      warm   xtask, bake, compose, loop\n"), "{all}");
    // In the order in which each leaves what the next needs, whatever the order of the request.
    let some = told(&["--scenario", "plan,noop,cold", "--peers", "loop,bake", "--runs", "1"]);
    let first: Vec<&str> = some.lines().skip(1).filter_map(|l| l.split(' ').next()).collect();
    assert_eq!(first, ["cold", "noop", "noop", "noop", "noop", "plan"], "{some}");
    assert!(some.contains("cold        dev      new    xtask, bake, loop\n"), "{some}");
    assert!(told(&["--peers"]).ends_with("one-edit    dev      warm   xtask\n"));
    assert!(some.contains("plan        pr       none   xtask\n"), "{some}");
    let release = told(&["--scenario", "release"]);
    let line = "release     release  warm   xtask, bake, compose, loop, imagetools\n";
    assert!(release.ends_with(line), "{release}");
    assert_eq!(std::fs::read_dir(place.root()).unwrap().count(), 0);
}

#[test]
fn wrong_requests_are_refused() {
    let place = Repository { folder: Folder::new() };
    let refused = |args: &[&str], part: &str| {
        place.xtask(&[&["bench"], args].concat()).run().refused(part);
    };
    // Without --services the repository's own are measured.
    refused(&[], "is in no git repository");
    refused(&["--services", "0"], "0 is not in 1..=10000");
    refused(&["--services", "2", "--scenario", "nope"], "[possible values: cold, noop, ");
    refused(
        &["--services", "2", "--peers", "podman"],
        "[possible values: bake, compose, loop, imagetools]",
    );
    refused(&["--services", "2", "--against", "none.json"], "there is no");
    refused(&["show", "none.json"], "there is no");
    refused(&["--services", "2", "--save", "no/such/folder.json"], "cannot be written");
    refused(&["--runs", "2", "generate", "--services", "2"], "cannot be used with");
}
