//! The timeline in a browser: its numbers are the report's, and it bears 3,000 steps.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/private.rs"]
mod private;
#[path = "support/sample_report.rs"]
mod sample_report;
mod support;

use browser::Browser;
use sample_report::{many, real};
use std::path::PathBuf;
use support::Folder;
use xtask::report::data::Report;
use xtask::report::{bytes, percent, seconds, timeline};

fn page(report: &Report) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let file = folder.0.join("timeline.html");
    std::fs::write(&file, timeline::html(report)).unwrap();
    (folder, file)
}

/// Pictures for people, where a folder is named: `XTASK_SCREENSHOTS`.
#[test]
fn pictures() {
    let Ok(folder) = std::env::var("XTASK_SCREENSHOTS") else { return };
    let sizes = [("phone", (390, 1400)), ("laptop", (1280, 1100)), ("wide", (1920, 1200))];
    for (what, report) in [("real", real()), ("many", many(100, 30))] {
        let (_kept, file) = page(&report);
        for (name, size) in sizes {
            for dark in [false, true] {
                let theme = if dark { "dark" } else { "light" };
                let to = PathBuf::from(&folder).join(format!("{what}-{name}-{theme}.png"));
                Browser::of(&file).dark(dark).screenshot(&to, size);
            }
        }
        Browser::of(&file).pdf(&PathBuf::from(&folder).join(format!("{what}.pdf")));
    }
}

/// The text of the element that shows a field, of the run or of a service.
fn shown(dom: &str, field: &str, of: Option<&str>) -> Option<String> {
    let mark = match of {
        Some(service) => format!(" data-field=\"{field}\" data-of=\"{service}\">"),
        None => format!("data-field=\"{field}\">"),
    };
    Some(dom.split_once(&mark)?.1.split_once('<')?.0.to_owned())
}

fn agrees(report: &Report) {
    let (_kept, file) = page(report);
    let dom = Browser::of(&file).dom();
    let is = |field, of, expected: Option<String>| {
        assert_eq!(shown(&dom, field, of), expected, "{field} of {of:?}");
    };
    is("seconds", None, Some(seconds(report.seconds)));
    is("hit-rate", None, report.hit_rate.map(percent));
    is("pulled", None, report.pulled.map(bytes));
    is("pushed", None, report.pushed.map(bytes));
    is("network", None, report.network.map(bytes));
    for service in &report.services {
        let of = Some(service.service.as_str());
        is("outcome", of, Some(service.outcome.replace('-', " ")));
        is("seconds", of, service.seconds.map(seconds));
        is("hit-rate", of, service.hit_rate.map(percent));
        is("pulled", of, service.pulled.map(bytes));
        is("pushed", of, service.pushed.map(bytes));
        is("cache-pushed", of, service.cache_pushed.map(bytes));
        let steps = service.steps.map(|s| format!("{} of {} from cache", s.cached, s.total));
        is("steps", of, steps);
    }
    let drawn = dom.matches("<tr id=\"step-").count();
    assert_eq!(drawn, report.timeline.len());
    let hits = dom.matches("data-result=\"cached\"").count();
    assert_eq!(hits, report.timeline.iter().filter(|step| step.result == "cached").count());
    let critical = dom.matches(" is-critical\">").count();
    assert_eq!(critical, report.timeline.iter().filter(|step| step.critical).count());
}

#[test]
fn its_numbers_are_the_reports() {
    agrees(&real());
    agrees(&many(7, 13));
    agrees(&Report::default());
}

/// The page says itself when its script was through: nothing is timed from here.
#[test]
fn three_thousand_steps_are_there_within_two_seconds() {
    let (_kept, file) = page(&many(100, 30));
    let dom = Browser::of(&file).dom();
    assert_eq!(dom.matches("<tr id=\"step-").count(), 3_000);
    let ready = dom.split_once("data-ready=\"").unwrap().1.split_once('"').unwrap().0;
    let ready: u64 = ready.parse().unwrap();
    println!("3,000 steps after {ready} ms");
    assert!(ready < 2_000, "{ready} ms");
}
