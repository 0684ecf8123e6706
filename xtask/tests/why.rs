//! `why` as the binary does it, against a registry in memory: no engine, no network.
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

#[path = "why/shop.rs"]
mod shop;

use serde_json::{Value, json};
use shop::{MANIFEST, Shop};
use std::collections::BTreeMap;

/// An edit, and just it is named.
#[track_caller]
fn case(shop: &Shop, edit: impl Fn(&Shop), parts: &str, expected: &[&str]) {
    edit(shop);
    assert_eq!(shop.why(parts), expected);
    // Committed or not is the same.
    shop.repository.commit("edit");
    assert_eq!(shop.why(parts), expected);
    shop.restore();
    let same =
        format!("web: nothing changed: it is `{}/web:dev` ({})\n", shop.place, &shop.revision[..7]);
    assert_eq!(shop.call(&["why", "web"]).success().stdout, same);
}

#[test]
fn each_of_many_edits_is_named() {
    let shop = Shop::new();
    let write = |path: &'static str, text: &'static str| {
        move |shop: &Shop| shop.repository.write(path, text)
    };
    let manifest =
        |from: &'static str, to: &'static str| move |shop: &Shop| shop.edit(MANIFEST, from, to);
    let context = |edit: &dyn Fn(&Shop), expected: &[&str]| case(&shop, edit, "context", expected);
    context(
        &write("services/web/b", "other\n"),
        &["web: context: services/web/b changed (content)"],
    );
    context(&write("services/web/src/new", ""), &["web: context: services/web/src/new added"]);
    let remove = |shop: &Shop| drop(shop.repository.git(&["rm", "-q", "services/web/docs/c"]));
    context(&remove, &["web: context: services/web/docs/c removed"]);
    let rename =
        |shop: &Shop| drop(shop.repository.git(&["mv", "services/web/b", "services/web/z"]));
    let renamed = ["web: context: services/web/b removed", "web: context: services/web/z added"];
    context(&rename, &renamed);
    context(&write("shared/d", "other"), &["web: context: shared/d changed (content)"]);
    let settings =
        |edit: &dyn Fn(&Shop), expected: &[&str]| case(&shop, edit, "settings", expected);
    settings(&manifest("info", "warn"), &["web: settings: arg LEVEL changed (info -> warn)"]);
    let more = manifest("\"info\"", "\"info\", MORE = \"1\"");
    settings(&more, &["web: settings: arg MORE added (1)"]);
    let epoch = manifest("[services.web]\n", "[services.web]\nepoch = 2\n");
    settings(&epoch, &["web: settings: epoch changed (0 -> 2)"]);
    let label = manifest("[services.web]\n", "[services.web]\nlabels = { team = \"x\" }\n");
    settings(&label, &["web: settings: label team added (x)"]);
    let secret = "[services.web]\nsecrets = [{ id = \"token\", env = \"T\", optional = true }]\n";
    settings(&manifest("[services.web]\n", secret), &["web: settings: secret token added"]);
    let digest = manifest("sha256:1", "sha256:2");
    let moved = "web: images: tool changed (sha256:111111111111 -> sha256:211111111111)";
    case(&shop, digest, "images", &[moved]);
    let target = manifest("[services.web]\n", "[services.web]\ntarget = \"run\"\n");
    case(&shop, target, "dockerfile", &["web: dockerfile: target added (run)"]);
    let dockerfile = |shop: &Shop| shop.edit("services/web/Dockerfile", "COPY . /\n", "COPY b /\n");
    let twice = "web: dockerfile, context: services/web/Dockerfile changed (content)";
    case(&shop, dockerfile, "dockerfile, context", &[twice]);
    let rules =
        |shop: &Shop| shop.edit("services/web/.dockerignore", "README.md", "README.md\ndocs");
    context(
        &rules,
        &[
            "web: context: services/web/.dockerignore changed (content)",
            "web: context: services/web/docs/c removed",
        ],
    );
    let below =
        ["web: services: base changed", "base: context: services/base/src/a changed (content)"];
    case(&shop, write("services/base/src/a", "other"), "services", &below);
    let all = |shop: &Shop| {
        shop.repository.write("services/web/README.md", "left out");
        shop.repository.write("README.md", "outside");
        shop.edit(MANIFEST, "[services.web]\n", "[services.web]\nplatforms = [\"linux/arm64\"]\n");
    };
    all(&shop);
    assert!(shop.call(&["why", "web"]).success().stdout.starts_with("web: nothing changed"));
}

#[test]
fn a_base_that_is_locked_anew_is_named() {
    let shop = Shop::new();
    let lock = |digit: &str| {
        let text = format!(
            "schema = 1\n[bases.\"tool:1\"]\nfrom = \"hub\"\nimage = \"hub.invalid/tool:1\"\n\
             digest = \"sha256:{}\"\nplatforms = [\"linux/amd64\"]\nlocked = \"2026-01-01T00:00:00Z\"\n",
            digit.repeat(64)
        );
        shop.repository.write("services/bases.lock", &text);
    };
    lock("3");
    shop.edit(MANIFEST, "[services.base]", "[bases.\"tool:1\"]\n[services.base]");
    shop.edit("services/base/Dockerfile", "scratch", "tool:1");
    shop.edit("services/web/Dockerfile", "COPY . /\n", "COPY . /\nCOPY --from=tool:1 /y /\n");
    let revision = shop.repository.commit("locked");
    shop.publish(|claim| claim.revision = Some(revision.clone()));
    lock("4");
    let moved = "tool:1 changed (sha256:333333333333 -> sha256:444444444444)";
    let words = shop.call(&["why", "web"]).success().stdout;
    let lines: Vec<&str> = words.lines().skip(1).collect();
    let expected = [
        format!("web: images: {moved}"),
        "web: services: base changed".to_owned(),
        format!("base: images: {moved}"),
    ];
    assert_eq!(lines, expected);
}

#[cfg(unix)]
#[test]
fn modes_and_links_are_named() {
    let shop = Shop::new();
    let file = |shop: &Shop| shop.repository.root().join("services/web/b");
    let chmod = |shop: &Shop| {
        std::fs::set_permissions(file(shop), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    };
    case(&shop, chmod, "context", &["web: context: services/web/b changed (mode 0644 -> 0755)"]);
    let link = |shop: &Shop| {
        std::fs::remove_file(file(shop)).unwrap();
        std::os::unix::fs::symlink("docs/c", file(shop)).unwrap();
    };
    case(&shop, link, "context", &["web: context: services/web/b changed (file -> link)"]);
}

#[test]
fn as_json() {
    let shop = Shop::new();
    let why = || shop.call(&["why", "web", "--json"]).success().json();
    let same = why();
    assert_eq!((&same["changed"], &same["parts"]), (&json!(false), &json!([])));
    assert_eq!(same["fingerprint"], same["published"]["fingerprint"]);
    for number in 0..30 {
        shop.repository.write(&format!("services/web/many/{number:02}"), "x");
    }
    shop.repository.write("services/base/src/a", "other");
    let answer = why();
    assert_eq!(answer["schema"], 1);
    assert_eq!(answer["against"], format!("{}/web:dev", shop.place));
    assert_eq!(answer["published"]["revision"], shop.revision.as_str());
    assert_eq!(answer["published"]["created"], "2026-01-01T00:00:00Z");
    assert_eq!(answer["parts"], json!(["context", "services"]));
    assert_eq!(answer["notes"], json!([]));
    let changes = answer["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 32);
    let of_base = json!({
        "service": "base", "part": "context", "what": "file", "name": "services/base/src/a",
        "change": "changed", "detail": "content"
    });
    assert_eq!(changes[31], of_base);
    let words = shop.call(&["why", "web"]).success().stdout;
    assert!(words.contains("many/19 added\nweb: and 11 more\nbase: context: "), "{words}");
}

#[test]
fn what_the_commit_does_not_explain_is_said() {
    let shop = Shop::new();
    // A name that stood for another image then.
    shop.publish(|claim| {
        claim.fingerprint = "f".repeat(64);
        claim.parts.insert(xtask::plan::fingerprint::Part::Images, "f".repeat(64));
    });
    let lines = shop.why("images");
    assert!(lines.len() == 1 && lines[0].starts_with("note: images: "), "{lines:?}");
    // A file that git ignores was sent.
    shop.repository.write(".gitignore", "ignored\n");
    shop.repository.write("services/web/ignored", "then");
    shop.publish(|_| {});
    std::fs::remove_file(shop.repository.root().join("services/web/ignored")).unwrap();
    let lines = shop.why("context");
    assert!(lines.len() == 1 && lines[0].starts_with("note: context: "), "{lines:?}");
    shop.repository.write("services/web/b", "other");
    let lines = shop.why("context");
    assert_eq!(lines[0], "web: context: services/web/b changed (content)");
    assert_eq!(
        lines[1],
        "note: context: what was published was not of the commit alone, so that there may be more"
    );
}

#[test]
fn a_service_without_a_fingerprint_is_compared_too() {
    let shop = Shop::new();
    shop.edit("services/web/Dockerfile", "FROM", "# syntax=docker/dockerfile:1\nFROM");
    let words = shop.call(&["why", "web"]).success().stdout;
    let lines: Vec<&str> = words.lines().collect();
    assert!(lines[0].starts_with("web: no fingerprint: the frontend "), "{words}");
    assert_eq!(lines[1], "web: dockerfile, context: services/web/Dockerfile changed (content)");
    let json = shop.call(&["why", "web", "--json"]).success().json();
    assert!(json["fingerprint"].is_null() && json["changed"] == true, "{json}");
    assert!(json["no-fingerprint"][0].as_str().unwrap().starts_with("the frontend"), "{json}");
}

/// Exit code 1, and what to do.
#[track_caller]
fn cannot(shop: &Shop, args: &[&str], stdout: &str, stderr: &str) {
    let ran = shop.call(&[&["why", "web"], args].concat());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains(stdout) && ran.stdout.is_empty() == stdout.is_empty(), "{ran:?}");
    assert!(ran.stderr.contains(stderr) && !ran.stderr.contains("panicked"), "{ran:?}");
}

#[test]
fn what_cannot_be_told_is_said_with_the_next_step() {
    let shop = Shop::new();
    cannot(&shop, &["--against", "v1.0.0"], "", "nothing is published as");
    shop.put("other", &BTreeMap::new());
    cannot(&shop, &["--against", "other"], "", "does not say what it was built of");
    let nobody = ["--registry", "127.0.0.1:1/x"];
    cannot(&shop, &nobody, "", "cannot read `127.0.0.1:1/x/web:dev`");
    shop.repository.write("services/web/b", "other");
    shop.publish(|claim| claim.revision = None);
    assert_eq!(shop.call(&["why", "web"]).code, Some(0), "the tree is what is published");
    shop.repository.write("services/web/b", "another");
    let parts = "in context\n";
    cannot(&shop, &[], parts, "does not say of which commit it was built");
    shop.publish(|claim| claim.revision = Some("0".repeat(40)));
    shop.repository.write("services/web/b", "one more");
    cannot(&shop, &[], parts, "this clone does not have the commit 0000000");
    shop.repository.write(MANIFEST, "");
    let broken = shop.repository.commit("broken");
    shop.repository.git(&["checkout", "--quiet", &shop.revision, "--", MANIFEST]);
    shop.publish(|claim| claim.revision = Some(broken.clone()));
    shop.repository.write("services/web/b", "yet another");
    cannot(&shop, &[], parts, "cannot read the commit");
}

#[test]
fn wrong_requests() {
    let shop = Shop::new();
    let refused = |args: &[&str], part: &str| drop(shop.call(args).refused(part));
    refused(&["why"], "SERVICE");
    refused(&["why", "wbe"], "no service or group `wbe`");
    refused(&["why", "all"], "`all` is a group: name one service");
    refused(&["why", "web", "--against", "a/b@c"], "a/b@c");
}

#[test]
fn all_services_of_a_deep_graph_are_looked_at_once() {
    let shop = Shop::new();
    let place = &shop.place;
    shop.repository.write("services/mid/Dockerfile", &format!("FROM {place}/base\n"));
    shop.edit(MANIFEST, "[services.web]", "[services.mid]\n[services.web]");
    shop.edit("services/web/Dockerfile", "COPY . /\n", &format!("COPY --from={place}/mid /x /\n"));
    let revision = shop.repository.commit("mid");
    shop.publish(|claim| claim.revision = Some(revision.clone()));
    shop.repository.write("services/base/src/a", "other");
    let json = shop.call(&["why", "web", "--json"]).success().json();
    let changes = json["changes"].as_array().unwrap();
    let tell = |c: &Value| format!("{} {}", c["service"], c["name"]).replace('"', "");
    let told: Vec<String> = changes.iter().map(tell).collect();
    assert_eq!(told, ["web base", "web mid", "base services/base/src/a", "mid base"]);
}
