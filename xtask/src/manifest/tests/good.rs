use crate::diagnostic::report;
use crate::manifest::{Loaded, SecretSource, parse};
use std::time::Duration;

/// The example of DESIGN 4.2, and one of every other key.
const EXAMPLE: &str = include_str!("good.toml");

#[track_caller]
fn parsed(text: &str) -> Loaded {
    parse("services/services.toml", text).unwrap_or_else(|mistakes| panic!("{}", report(&mistakes)))
}

#[test]
fn the_example_says_what_it_says() {
    let manifest = parsed(EXAMPLE).manifest;
    assert_eq!(manifest.project.name, "autogit");
    assert_eq!(manifest.project.registry, "ghcr.io/tzervas/autogit");
    assert_eq!(manifest.project.dev_branch, "dev");
    let bootstrap = manifest.bases["debian:trixie-slim"].bootstrap.clone().unwrap();
    assert_eq!((&*bootstrap.suite, &*bootstrap.variant), ("trixie", "minbase"));
    assert_eq!(manifest.bases["ghcr.io/other/tool:1"].bootstrap, None);
    assert_eq!(manifest.groups["front"], ["web", "git-server"]);
    assert_eq!(manifest.builders["big"], "remote-builder");
    let coordinator = &manifest.services["runner-coordinator"];
    assert_eq!(coordinator.args["LOG_LEVEL"], "info");
    assert_eq!(coordinator.volatile_args, ["BUILD_DATE"]);
    assert_eq!(coordinator.epoch, 1);
    assert_eq!(coordinator.refresh, Some(Duration::from_secs(7 * 24 * 3600)));
    assert_eq!(coordinator.secrets[0].id, "ca");
    assert!(coordinator.secrets[0].optional && !coordinator.secrets[1].optional);
    assert_eq!(coordinator.secrets[1].source, SecretSource::Env("TOKEN".into()));
}

#[test]
fn every_key_of_a_service_arrives() {
    let web = &parsed(EXAMPLE).manifest.services["web"];
    assert_eq!(
        (web.context.as_str(), web.dockerfile.as_str()),
        ("apps/web", "docker/web.Dockerfile")
    );
    assert_eq!(web.target.as_deref(), Some("runtime"));
    assert_eq!(web.contexts["shared"], "libs/shared");
    assert_eq!(web.contexts["alpine"], "docker-image://alpine:3");
    assert_eq!(web.ssh, ["default", "deploy=keys/deploy"]);
    assert_eq!(web.labels["org.example.team"], "");
    assert_eq!(web.network.as_deref(), Some("none"));
    assert_eq!(web.extra_hosts["db.local"], "10.0.0.7");
    assert_eq!(web.shm_size.as_deref(), Some("64m"));
    assert_eq!(web.platforms, ["linux/amd64", "linux/arm/v7"]);
    assert_eq!(web.description.as_deref(), Some("the größte"));
}

#[test]
fn what_is_not_said_has_a_default() {
    let text = "[project]\nname = 'x'\nregistry = 'localhost:5000/x'\n[services.a]\n[services.b]\ncontext = './'";
    let manifest = parsed(text).manifest;
    assert_eq!(manifest.project.platforms, ["linux/amd64"]);
    assert_eq!(manifest.project.dev_branch, "dev");
    let a = &manifest.services["a"];
    assert_eq!(
        (a.context.as_str(), a.dockerfile.as_str()),
        ("services/a", "services/a/Dockerfile")
    );
    assert_eq!(a.platforms, ["linux/amd64"]);
    assert_eq!((a.epoch, a.refresh), (0, None));
    let b = &manifest.services["b"];
    assert_eq!((b.context.as_str(), b.dockerfile.as_str()), (".", "Dockerfile"));
}

#[test]
fn later_checks_can_point_into_the_file() {
    let loaded = parsed(EXAMPLE);
    let shown = |span| {
        let diagnostic = loaded.at(&span, "m");
        (diagnostic.line, loaded.source.text()[span].to_owned())
    };
    let line = |needle: &str| 1 + EXAMPLE.lines().position(|line| line.contains(needle)).unwrap();
    let places = &loaded.places;
    assert_eq!(shown(places.service("web")), (line("[services.web]"), "web".into()));
    assert_eq!(
        shown(places.base("debian:trixie-slim")),
        (line("[bases.\"debian"), "\"debian:trixie-slim\"".into())
    );
    assert_eq!(shown(places.group("front")), (line("front ="), "front".into()));
    let path = ["services", "runner-coordinator", "args", "LOG_LEVEL"];
    assert_eq!(shown(places.value(&path)), (line("LOG_LEVEL"), "\"info\"".into()));
    assert_eq!(shown(places.value(&["services", "web", "platforms", "1"])).1, "\"linux/arm/v7\"");
    // What the file does not say is shown at what it does say.
    assert_eq!(shown(places.value(&["services", "base", "context"])).1, "base");
    assert_eq!(places.key(&["nothing"]), 0..0);
}

#[test]
fn other_ways_to_write_it_are_the_same() {
    let head = "project = { name = 'x', registry = 'ghcr.io/x' }\n";
    for tail in [
        "services.web.epoch = 2",
        "services = { web = { epoch = 2 } }",
        "[services]\nweb = { epoch = 2 }",
        "[services.web]\r\nepoch = 2\r\n",
        "[services.web.args]\n[services.web]\nepoch = 0x2",
        "[services.\"web\"]\nepoch = +2",
    ] {
        let text = format!("\u{feff}{head}{tail}");
        assert_eq!(parsed(&text).manifest.services["web"].epoch, 2, "{text}");
    }
}

#[test]
fn a_thousand_services_are_parsed() {
    let mut text = "[project]\nname = 'x'\nregistry = 'ghcr.io/x'\n".to_owned();
    for n in 0..1000 {
        text += &format!(
            "[services.s{n}]\ncontext = \"src/s{n}\"\nargs = {{ A = \"{n}\", B = \"b\" }}\nplatforms = [\"linux/amd64\"]\n"
        );
    }
    let services = parsed(&text).manifest.services;
    assert_eq!(services.len(), 1000);
    assert_eq!(services["s999"].args["A"], "999");
}
