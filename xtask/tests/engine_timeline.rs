//! The timeline in a browser: its numbers are the report's, and it bears 3,000 steps.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
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
    let critical = dom.matches(" is-critical\" data-text").count();
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

/// What a person does with keys, as a script at the end of the page.
const KEYS: &str = r##"
const press = (on, key) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const shown = () => [...document.querySelectorAll("tbody tr:not([hidden])")];
const told = {};
press(document.body, "/");
told.focus = document.activeElement.id;
byId("find").value = "offline";
byId("show").dispatchEvent(new Event("change"));
told.found = shown().length;
told.count = byId("count").textContent;
byId("find").value = "";
document.querySelector("#show input[value=critical]").checked = true;
byId("show").dispatchEvent(new Event("change"));
told.critical = shown().length;
told.onlyCritical = shown().every((tr) => tr.classList.contains("is-critical"));
document.querySelector("#show input[value=all]").checked = true;
byId("show").dispatchEvent(new Event("change"));
const summary = document.querySelector("summary");
summary.focus();
press(summary, "ArrowDown");
told.row = document.activeElement.id;
press(document.activeElement, "ArrowDown");
press(document.activeElement, "Enter");
told.open = document.activeElement.classList.contains("open");
press(document.activeElement, "Escape");
told.back = document.activeElement === summary;
byId("theme").click();
told.theme = document.documentElement.dataset.theme;
dispatchEvent(new Event("beforeprint"));
told.closed = document.querySelectorAll("details:not([open])").length;
document.documentElement.dataset.told = JSON.stringify(told);
"##;

#[test]
fn it_is_used_by_keyboard() {
    let report = real();
    let (_kept, file) = page(&report);
    let html = std::fs::read_to_string(&file).unwrap();
    let (before, after) = html.rsplit_once("</script>").unwrap();
    std::fs::write(&file, format!("{before}\n{KEYS}</script>{after}")).unwrap();
    let dom = Browser::of(&file).dark(false).dom();
    let told = dom.split_once("data-told=\"").unwrap().1.split_once('"').unwrap().0;
    let told: serde_json::Value = serde_json::from_str(&told.replace("&quot;", "\"")).unwrap();
    let builds = report.timeline.iter().filter(|step| step.name.contains("offline")).count();
    let critical = report.timeline.iter().filter(|step| step.critical).count();
    let expected = serde_json::json!({
        "focus": "find",
        "found": builds,
        "count": format!("{builds} steps of 1 service"),
        "critical": critical,
        "onlyCritical": true,
        "row": "step-0",
        "open": true,
        "back": true,
        "theme": "dark",
        "closed": 0,
    });
    assert_eq!(told, expected);
}
