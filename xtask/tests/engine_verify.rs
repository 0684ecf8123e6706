//! `verify` against a real engine and registry: what is as published, what is not, and why.
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

use registry::place;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use support::{Ran, Repository, Xtask, busybox, engine};

/// Stands for the world outside, which no fingerprint knows of: a secret's value.
const SECRET: &str = "[services.web]\nsecrets = [{ id = \"world\", env = \"WORLD\" }]\n";

fn call(repository: &Repository, world: &str, args: &[&str]) -> Xtask {
    engine().xtask(repository, args).env("WORLD", world)
}

/// A repository whose service is published with one world outside.
fn published(services: &str, web: &str, world: &str) -> Repository {
    // What an earlier run of this test has left in the engine's cache is of another world.
    let from = format!("FROM busybox:debian\nENV TEST={}\n", support::unique("test"));
    let web = web.replace("FROM busybox:debian\n", &from);
    let repository = busybox(&place(engine()), services, &[("web", &web)]);
    call(&repository, world, &["build-images", "--event", "dev"]).run().success();
    repository
}

#[track_caller]
fn verify(repository: &Repository, world: &str, code: i32) -> (Ran, Value) {
    let told = call(repository, world, &["verify"]).run();
    assert_eq!(told.code, Some(code), "{}\n{}", told.stdout, told.stderr);
    let json = call(repository, world, &["verify", "--json"]).run();
    assert_eq!(json.code, Some(code), "{}\n{}", json.stdout, json.stderr);
    let folder = repository.root().join("target/xtask/verify");
    assert!(!folder.exists(), "{} is left behind", folder.display());
    (told, json.json())
}

/// What the JSON says of a service.
fn service<'a>(json: &'a Value, name: &str) -> &'a Value {
    json["services"].as_array().unwrap().iter().find(|s| s["service"] == name).unwrap()
}

fn places<'a>(of: &'a Value, kind: &str) -> Vec<&'a str> {
    let all = of["platforms"][0][kind].as_array().unwrap_or_else(|| panic!("{of:#}"));
    all.iter().map(|one| one["path"].as_str().or(one["config"].as_str()).unwrap()).collect()
}

#[test]
fn what_is_published_is_built_again_the_same() {
    let place = place(engine());
    // What is unstable in the base is not in what stands on the published one.
    let base = "FROM busybox:debian\nRUN head -c 9 /dev/urandom > /random && mkdir /a && ln /random /a/b\n";
    let web = format!(
        "FROM {place}/base AS build\nRUN echo out > /out\n\nFROM {place}/base\nCOPY --from=build \
         --chown=7:8 --chmod=0640 /out /\nRUN rm -r /a && ln -s /out /link\nENV A=b\nLABEL l=m\n"
    );
    let services = "[services.base]\n[services.web]\n";
    let repository = busybox(&place, services, &[("base", base), ("web", &web)]);
    call(&repository, "", &["build-images", "--event", "dev"]).run().success();

    let (told, json) = verify(&repository, "", 0);
    assert!(told.stdout.contains("; 2 unstable: /a/b, /random)"), "{}", told.stdout);
    assert!(told.stdout.contains("\nweb   as published ("), "{}", told.stdout);
    for (name, unstable) in [("base", &["/a/b", "/random"][..]), ("web", &[])] {
        let service = service(&json, name);
        assert_eq!(service["verdict"], "as-published");
        assert_eq!(places(service, "unstable"), unstable);
        assert!(service["platforms"][0]["files"].as_u64().unwrap() > 5, "{json:#}");
    }
    let dev = call(&repository, "", &["verify", "web", "--json", "--against", "dev"]);
    assert_eq!(service(&dev.run().success().json(), "web")["verdict"], "as-published");

    let elsewhere = ["verify", "web", "--registry", "127.0.0.1:9/none"];
    let ran = call(&repository, "", &elsewhere).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("not compared: it is unknown whether"), "{}", ran.stdout);
    for no_tag in ["a/b", "", "dev@sha256:1"] {
        call(&repository, "", &["verify", "--against", no_tag]).run().refused("a tag has letters");
    }
    call(&repository, "", &["verify", "wed"]).run().refused("did you mean `web`?");

    repository.write("services/web/Dockerfile", &format!("{web}RUN echo more > /more\n"));
    let ran = call(&repository, "", &["verify", "web"]).run().success();
    let nothing = "web  nothing to prove: nothing is published of its fingerprint";
    assert!(ran.stdout.contains(nothing), "{}", ran.stdout);
    let ran = call(&repository, "", &["verify", "web", "--against", "none"]).run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("web:none` is not there"), "{}", ran.stdout);
    let ran = call(&repository, "", &["verify", "web", "--against", "dev"]).run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("web  not as published: 1 difference ("), "{}", ran.stdout);
    assert!(ran.stdout.contains("    /more: not in the published image\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("web:dev` is of the fingerprint "), "{}", ran.stdout);

    // A base of which nothing is published is built too, and is what the other one stands on.
    let base = "FROM busybox:debian\nRUN mkdir /a && echo of-base > /of-base\n";
    repository.write("services/base/Dockerfile", base);
    let all = ["verify", "--against", "dev", "--json"];
    let ran = call(&repository, "", &all).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let json = ran.json();
    for name in ["base", "web"] {
        let wrong = places(service(&json, name), "wrong");
        assert!(wrong.contains(&"/of-base"), "{wrong:?}");
        assert_eq!(service(&json, name)["verdict"], "not-as-published");
    }
}

#[test]
fn a_wrong_skip_is_found_and_named() {
    let web = "FROM busybox:debian\nRUN --mount=type=secret,id=world \
               cp /run/secrets/world /etc/world && head -c 9 /dev/urandom > /random && \
               mkdir -m \"0$(cat /run/secrets/world)\" /dir && \
               ln -s \"$(cat /run/secrets/world)\" /link && touch /$(cat /run/secrets/world)\n";
    let repository = published(SECRET, web, "700");
    let (told, json) = verify(&repository, "700", 0);
    assert!(told.stdout.contains("1 unstable: /random)"), "{}", told.stdout);
    assert_eq!(service(&json, "web")["verdict"], "as-published");

    let (told, json) = verify(&repository, "755", 1);
    for part in [
        "web  a wrong skip: 5 differences (",
        "    /700: only in the published image\n",
        "    /755: not in the published image\n",
        "    /dir: mode `0755`, published `0700`\n",
        "    /link: target `755`, published `700`\n",
        "    /etc/world: content `3 bytes, sha256:",
    ] {
        assert!(told.stdout.contains(part), "`{part}` is not in:\n{}", told.stdout);
    }
    let web = service(&json, "web");
    assert_eq!(web["verdict"], "wrong-skip");
    assert_eq!(places(web, "wrong"), ["/700", "/755", "/dir", "/etc/world", "/link"]);
    assert_eq!(places(web, "unstable"), ["/random"]);

    // What cannot be built now proves nothing.
    let (told, _) = verify(&repository, "nonsense", 1);
    assert!(
        told.stdout.contains("not compared: the first of two builds failed"),
        "{}",
        told.stdout
    );
    assert!(
        told.stderr.contains("error: services/web/Dockerfile:3: `web` failed"),
        "{}",
        told.stderr
    );
}

#[test]
fn packages_that_have_moved_explain_their_files_and_no_others() {
    let web = r#"FROM busybox:debian
RUN --mount=type=secret,id=world V=$(cat /run/secrets/world) && mkdir -p /var/lib/dpkg/info /usr/lib && \
    ln -s usr/lib /lib && \
    printf 'Package: %s\nStatus: install ok installed\nVersion: %s\n\n' lib $V still 1 > /var/lib/dpkg/status && \
    printf '/.\n/lib\n/lib/lib.so\n' > /var/lib/dpkg/info/lib:amd64.list && \
    printf '/.\n/usr\n' > /var/lib/dpkg/info/still.list && \
    echo $V > /usr/lib/lib.so && echo $V > /etc/ld.so.cache
"#;
    let repository = published(SECRET, web, "1.0");
    let (told, json) = verify(&repository, "2.0", 0);
    let line = "web  as published, but for what has moved (";
    assert!(told.stdout.contains(line), "{}", told.stdout);
    assert!(told.stdout.contains("1 package moved: lib 1.0 -> 2.0)"), "{}", told.stdout);
    let explained = service(&json, "web");
    assert_eq!(explained["verdict"], "explained");
    let expected = ["/etc/ld.so.cache", "/usr/lib/lib.so", "/var/lib/dpkg/status"];
    assert_eq!(places(explained, "explained"), expected);
    let because = &explained["platforms"][0]["explained"][1]["because"];
    assert_eq!(because, "it belongs to the package `lib`");

    let own = web.replace("/etc/ld.so.cache", "/etc/ld.so.cache && echo $V > /usr/own");
    let repository = published(SECRET, &own, "1.0");
    let (told, json) = verify(&repository, "2.0", 1);
    assert!(told.stdout.contains("web  a wrong skip: 1 difference ("), "{}", told.stdout);
    assert_eq!(places(service(&json, "web"), "wrong"), ["/usr/own"]);
    assert_eq!(places(service(&json, "web"), "explained"), expected);
}

#[test]
fn what_depends_on_volatile_arguments_is_unstable() {
    let services = "[services.web]\nvolatile-args = [\"BUILD_DATE\"]\n";
    let web = "FROM busybox:debian\nARG BUILD_DATE=none\nRUN echo $BUILD_DATE > /date\nLABEL date=$BUILD_DATE\n";
    let publish = |web: &str| {
        let repository = busybox(&place(engine()), services, &[("web", web)]);
        let call = call(&repository, "", &["build-images", "--event", "dev"]);
        call.env("BUILD_DATE", "monday").run().success();
        repository
    };
    let repository = publish(web);
    let (told, json) = verify(&repository, "", 0);
    assert_eq!(
        places(service(&json, "web"), "unstable"),
        ["Labels.date", "/date"],
        "{}",
        told.stdout
    );

    // Where no other value will do, the given one has to be the published one.
    let picky = format!("{web}RUN case $BUILD_DATE in none|*day) ;; *) exit 1;; esac\n");
    let repository = publish(&picky);
    let ran = call(&repository, "", &["verify"]).run();
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stderr.contains("note: web cannot be built with other values"), "{}", ran.stderr);
    assert!(ran.stdout.contains("    config Labels.date: value `none`, published `monday`"));
    call(&repository, "", &["verify"]).env("BUILD_DATE", "monday").run().success();
}

/// A call that is at work, after it has said something.
fn at_work(call: &Xtask, said: &str) -> Child {
    let mut command = call.command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(said) {
        line.clear();
        if stderr.read_line(&mut line).unwrap() == 0 {
            panic!("it never said `{said}`: {:?}", child.wait());
        }
    }
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    child
}

#[test]
fn a_tree_that_is_written_to_meanwhile_proves_nothing() {
    let web = "FROM busybox:debian\nCOPY file /\nRUN sleep 2\n";
    let repository = busybox(&place(engine()), "[services.web]\n", &[("web", web)]);
    repository.write("services/web/file", "1");
    repository.commit("file");
    call(&repository, "", &["build-images", "--event", "dev"]).run().success();
    let child = at_work(&call(&repository, "", &["verify"]), "second of two builds");
    repository.write("services/web/file", "2");
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("web  not compared: its context changed while"), "{}", ran.stdout);
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let web = "FROM busybox:debian\nRUN sleep 3\n";
    let repository = published("[services.web]\n", web, "");
    let mut child = at_work(&call(&repository, "", &["verify"]), "first of two builds");
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!repository.root().join("target/xtask/verify").exists());
}
