use super::*;
use crate::docker::Buildx;

fn work() -> Work {
    let base = Service {
        name: "base".into(),
        image: "r:1/bench/base".into(),
        context: "services/base".into(),
        dockerfile: "Dockerfile".into(),
        args: [("A".to_owned(), "$x".to_owned())].into(),
        bases: [("busybox:debian".to_owned(), "docker-image://r:1/bases@sha256:0".to_owned())]
            .into(),
        ..Service::default()
    };
    let web = Service {
        name: "web".into(),
        image: "r:1/bench/web".into(),
        context: "services/web".into(),
        builds_on: [("example/base".to_owned(), "base".to_owned())].into(),
        args: [].into(),
        bases: [].into(),
        ..base.clone()
    };
    Work { root: "/r".into(), services: vec![base, web] }
}

const REVISION: &str = "0123456789012345678901234567890123456789";

fn commands(peer: Peer, event: Event) -> Vec<Command> {
    let docker = Docker::new("docker", Buildx::OfDocker);
    peer.commands(&work(), event, &event.tags(REVISION, 7), &docker).unwrap()
}

/// All that a peer is told, of all its commands.
fn told(peer: Peer, event: Event) -> String {
    let of = |c: Command| format!("{}\n{}\n", c.args.join(" "), c.stdin.unwrap_or_default());
    commands(peer, event).into_iter().map(of).collect()
}

#[test]
fn a_push_has_the_tags_and_caches_of_the_event_and_a_pull_request_has_none() {
    for peer in Peer::value_variants() {
        let (dev, pr) = (told(*peer, Event::Dev), told(*peer, Event::Pr));
        for image in ["r:1/bench/base", "r:1/bench/web"] {
            for tag in ["dev", "dev-0123456", REVISION] {
                assert!(dev.contains(&format!("{image}:{tag}")), "{peer:?} {tag}: {dev}");
            }
            assert_eq!(dev.matches(&format!("{image}:cache")).count(), 2, "{peer:?}: {dev}");
            assert_eq!(pr.matches(&format!("{image}:cache")).count(), 1, "{peer:?}: {pr}");
        }
        for part in ["push", "ignore-error", "inline", REVISION] {
            assert!(dev.contains(part), "{peer:?} {part}: {dev}");
            assert!(!pr.contains(part), "{peer:?} {part}: {pr}");
        }
        assert!(dev.contains("docker-image://r:1/bases@sha256:0"), "{dev}");
    }
}

#[test]
fn a_release_has_five_tags() {
    for peer in Peer::value_variants() {
        let told = told(*peer, Event::Release);
        for image in ["r:1/bench/base", "r:1/bench/web"] {
            for tag in ["v0.1.7", "0.1", "0", "latest", REVISION] {
                assert!(told.contains(&format!("{image}:{tag}")), "{peer:?} {tag}: {told}");
            }
        }
        assert!(!told.contains("/web:dev"), "{peer:?}: {told}");
    }
    // The commit's own tag stands already.
    let commands = commands(Peer::Imagetools, Event::Release);
    assert_eq!(commands.len(), 2 * 4);
    let first = "buildx imagetools create --tag r:1/bench/base:v0.1.7 r:1/bench/base:";
    assert_eq!(commands[0].args.join(" "), format!("{first}{REVISION}"));
}

#[test]
fn services_stand_in_for_the_names_in_dockerfiles() {
    let bake = told(Peer::Bake, Event::Dev);
    assert!(bake.contains(r#""example/base":"target:base""#), "{bake}");
    let compose = told(Peer::Compose, Event::Dev);
    assert!(compose.contains(r#""example/base":"service:base""#), "{compose}");
    assert!(compose.contains(r#""A":"$$x""#), "{compose}");
    let looped = told(Peer::Loop, Event::Dev);
    assert!(looped.contains("example/base=docker-image://r:1/bench/base:dev"), "{looped}");
    assert_eq!(commands(Peer::Loop, Event::Dev).len(), 2);
    assert!(looped.find("services/base").unwrap() < looped.find("services/web").unwrap());
}

#[test]
fn the_type_of_a_cache_comes_first() {
    let text = as_text(&attributes([("mode", "max"), ("type", "registry"), ("ref", "a:b")]));
    assert_eq!(text, "type=registry,mode=max,ref=a:b");
}
