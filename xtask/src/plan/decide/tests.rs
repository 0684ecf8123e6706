//! Tables: event by event, what is done for a service and why.

use super::*;
use crate::context::event::Event;
use crate::plan::claim::Claim;
use crate::plan::fingerprint::Fingerprint;
use crate::plan::graph::Graph;
use semver::Version;

/// `base`, `mid` that builds on it, `top` that builds on that.
fn facts(kind: Kind) -> Facts {
    let manifest = "[project]\nname = \"p\"\nregistry = \"r.invalid/p\"\n\
        [services.base]\nrefresh = \"7d\"\n[services.mid]\n[services.top]\n";
    let manifest = crate::manifest::parse("services.toml", manifest).unwrap().manifest;
    let on = [
        ("mid".to_owned(), ["base".to_owned()].into()),
        ("top".to_owned(), ["mid".to_owned()].into()),
    ];
    let identities = ["base", "mid", "top"].map(|name| (name.to_owned(), Ok(fingerprint(name))));
    Facts {
        graph: Graph::new(on.into()).unwrap(),
        identities: identities.into(),
        now: seconds_of_rfc3339("2026-11-24T12:00:00Z").unwrap(),
        ..Facts::unread(manifest, Event { kind, git_ref: None, revision: None, fork: false })
    }
}

fn fingerprint(name: &str) -> Fingerprint {
    Fingerprint { whole: format!("f-{name}"), parts: BTreeMap::new(), no_claim: Vec::new() }
}

/// Published on a day of November 2026.
fn published(name: &str, day: u64) -> LookUp {
    let created = Some(format!("2026-11-{day:02}T12:00:00Z"));
    let claim = Claim { created, ..Claim::of(&fingerprint(name)) };
    LookUp::Published(Published { digest: format!("sha256:{name}"), claim })
}

fn all_published(kind: Kind) -> Facts {
    let mut facts = facts(kind);
    let look_ups = ["base", "mid", "top"].map(|name| (name.to_owned(), published(name, 24)));
    facts.look_ups = look_ups.into();
    facts
}

fn release() -> Kind {
    Kind::Release(Version::new(1, 0, 0))
}

fn decisions(facts: &Facts, request: &Request) -> BTreeMap<String, Decision> {
    let asked = facts.select(&request.names).unwrap();
    let all = facts.graph.with_dependencies(asked.iter().map(String::as_str));
    decide(facts, request, Chosen { levels: &facts.graph.levels(&all), asked: &asked })
}

/// `base`, `mid`, `top` by the first letter of what is done.
#[track_caller]
fn case(facts: &Facts, request: &Request, expected: &str) {
    let letters: String =
        decisions(facts, request).values().map(|d| &d.action.name()[..1]).collect();
    assert_eq!(letters, expected, "{:?}", facts.event.kind);
}

#[track_caller]
fn reason(facts: &Facts, service: &str, part: &str) {
    let reason = decisions(facts, &Request::default())[service].reason.clone();
    assert!(reason.contains(part), "{reason}");
}

#[test]
fn what_is_published_is_skipped_or_promoted() {
    let request = Request::default();
    case(&all_published(Kind::Pr), &request, "sss");
    case(&all_published(Kind::Dev), &request, "ppp");
    case(&all_published(release()), &request, "ppp");
    case(&all_published(Kind::Local), &request, "bbb");
    for kind in [Kind::Dev, release()] {
        case(&all_published(kind), &Request { no_push: true, ..Request::default() }, "sss");
    }
    case(&all_published(Kind::Local), &Request { pull: true, ..Request::default() }, "sss");
}

#[test]
fn only_what_is_published_under_this_very_fingerprint_counts() {
    for kind in [Kind::Pr, Kind::Dev, release()] {
        let others = [
            (LookUp::Absent, "no image of its fingerprint is published"),
            (LookUp::NoClaim("it claims nothing".into()), "does not count: it claims nothing"),
            (LookUp::Unknown("503".into()), "it is unknown whether it is published: 503"),
            (published("base", 24), "made just now"),
        ];
        for (look_up, why) in others {
            let mut facts = all_published(kind.clone());
            facts.look_ups.insert("mid".into(), look_up);
            assert_eq!(decisions(&facts, &Request::default())["mid"].action, Action::Build);
            reason(&facts, "mid", why);
        }
        let mut facts = all_published(kind);
        facts.identities.insert("mid".into(), Err(vec!["an ADD of a URL".into()]));
        assert_eq!(decisions(&facts, &Request::default())["mid"].action, Action::Build);
        reason(&facts, "mid", "it has no fingerprint: an ADD of a URL");
    }
}

#[test]
fn a_local_run_takes_what_is_in_the_store() {
    let mut facts = facts(Kind::Local);
    facts.stored = ["base".to_owned(), "mid".to_owned()].into();
    case(&facts, &Request::default(), "ssb");
    let top = Request { names: vec!["top".into()], ..Request::default() };
    case(&facts, &top, "ssb");
    // What is not built needs nothing below it.
    facts.stored = ["top".to_owned()].into();
    case(&facts, &top, "sss");
    case(&facts, &Request::default(), "bbs");
}

#[test]
fn what_is_not_asked_for_is_built_only_where_something_stands_on_it() {
    let mid = Request { names: vec!["mid".into()], ..Request::default() };
    let mut facts = all_published(Kind::Pr);
    facts.look_ups.insert("base".into(), LookUp::Absent);
    case(&facts, &mid, "ss");
    facts.look_ups.insert("mid".into(), LookUp::Absent);
    case(&facts, &mid, "bb");
    facts.look_ups.insert("base".into(), published("base", 24));
    case(&facts, &mid, "sb");
    case(&all_published(Kind::Dev), &mid, "pp");
}

#[test]
fn it_can_be_forced() {
    let mid = || vec!["mid".to_owned()];
    for kind in [Kind::Local, Kind::Pr, Kind::Dev, release()] {
        let mut facts = all_published(kind.clone());
        facts.stored = ["base".to_owned(), "mid".to_owned(), "top".to_owned()].into();
        let there = if kind.pushes() { "p" } else { "s" };
        let force = Request { names: mid(), force: true, ..Request::default() };
        case(&facts, &force, &format!("{there}b"));
        let no_cache = Request { names: mid(), no_cache: true, ..Request::default() };
        case(&facts, &no_cache, &format!("{there}b"));
        let no_skip = Request { names: mid(), no_skip: true, ..Request::default() };
        case(&facts, &no_skip, "bb");
        case(&facts, &Request { force: true, ..Request::default() }, "bbb");
    }
}

#[test]
fn on_dev_an_old_image_is_built_anew_and_what_stands_on_it_again() {
    let old = |kind: Kind| {
        let mut facts = all_published(kind);
        facts.look_ups.insert("base".into(), published("base", 16));
        facts
    };
    let facts = old(Kind::Dev);
    case(&facts, &Request::default(), "bbb");
    reason(&facts, "base", "refresh: the published image is 8 days old, more than 7 days");
    reason(&facts, "mid", "`base`, which it builds on, is refreshed");
    let anew: Vec<bool> = decisions(&facts, &Request::default()).values().map(|d| d.anew).collect();
    assert_eq!(anew, [true, false, false], "only what got old needs no cache");
    for (kind, expected) in [(Kind::Pr, "sss"), (release(), "ppp"), (Kind::Local, "bbb")] {
        let facts = old(kind);
        case(&facts, &Request::default(), expected);
        assert!(decisions(&facts, &Request::default()).values().all(|d| !d.anew));
    }
    let mut young = all_published(Kind::Dev);
    young.look_ups.insert("base".into(), published("base", 17));
    young.look_ups.insert("mid".into(), published("mid", 17));
    young.look_ups.insert("top".into(), published("top", 17));
    case(&young, &Request::default(), "ppp");
    // A run that ended after the base was refreshed: the next one goes on.
    young.look_ups.insert("base".into(), published("base", 20));
    case(&young, &Request::default(), "pbb");
    reason(&young, "mid", "was refreshed after it was built");
}

#[test]
fn a_release_that_was_begun_goes_on_with_what_it_has() {
    let mut facts = all_published(release());
    facts.identities.insert("mid".into(), Err(vec!["an ADD of a URL".into()]));
    facts.look_ups.remove("mid");
    case(&facts, &Request::default(), "pbp");
    facts.journaled = [("mid".to_owned(), "sha256:j".to_owned())].into();
    case(&facts, &Request::default(), "ppp");
    let mid = decisions(&facts, &Request::default())["mid"].clone();
    assert_eq!(mid.published.as_deref(), Some("sha256:j"));
    case(&facts, &Request { force: true, ..Request::default() }, "bbb");
}

#[test]
fn only_what_is_built_again_from_the_cache_may_come_out_the_same() {
    let asked = ["mid".to_owned()].into();
    let may = |request: &Request| {
        ["base", "mid"].map(|name| may_come_out_the_same(request, &asked, name))
    };
    let request = Request::default();
    assert_eq!(may(&request), [false, false], "a refreshed one would be due again at every run");
    assert_eq!(may(&Request { no_skip: true, ..request.clone() }), [true, true]);
    assert_eq!(may(&Request { force: true, ..request.clone() }), [false, true]);
    assert_eq!(may(&Request { no_cache: true, ..request.clone() }), [false, false]);
    assert_eq!(may(&Request { no_skip: true, no_cache: true, ..request }), [false, false]);
}
