//! What came of a verification, for people and as JSON.

use super::{count, many};
use crate::plan::verify::{Aspect, Comparison, Difference, Explained, Moved, Place};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many differences of a kind are shown; all of them are in the JSON.
const SHOWN: usize = 20;
/// How many paths and packages stand in one line.
const IN_LINE: usize = 3;

/// What came of one service.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Its name
    pub service: String,
    /// 64 hex digits; none where it has no fingerprint
    pub fingerprint: Option<String>,
    /// The image that it is compared with: `<image>:<tag>`; none where there is none to look for
    pub against: Option<String>,
    /// What was found
    pub verdict: Verdict,
}

/// What was found.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// There is nothing to prove, and why
    NothingToProve(String),
    /// It could not be compared, and why
    NotCompared(String),
    /// It was
    Compared {
        /// The digest of the published index
        digest: String,
        /// What is to be said besides
        notes: Vec<String>,
        /// By platform
        platforms: BTreeMap<String, Comparison>,
    },
}

impl Verified {
    /// Whether the skip is proved, or there is none.
    pub fn is_well(&self) -> bool {
        match &self.verdict {
            Verdict::NothingToProve(_) => true,
            Verdict::NotCompared(_) => false,
            Verdict::Compared { platforms, .. } => platforms.values().all(|c| !c.is_wrong()),
        }
    }

    fn is_skip(&self) -> bool {
        let tag = self.fingerprint.as_deref().map(crate::plan::claim::tag);
        let against = self.against.as_deref();
        tag.is_some_and(|tag| against.is_some_and(|against| against.ends_with(&format!(":{tag}"))))
    }
}

/// A line a service, and what is wrong below it.
pub fn text(all: &[Verified]) -> String {
    let width = all.iter().map(|verified| verified.service.len()).max().unwrap_or_default();
    let mut text = String::new();
    for verified in all {
        // Writing to a string cannot fail.
        match &verified.verdict {
            Verdict::NothingToProve(why) => {
                writeln!(text, "{:width$}  nothing to prove: {why}", verified.service)
            }
            Verdict::NotCompared(why) => {
                writeln!(text, "{:width$}  not compared: {why}", verified.service)
            }
            Verdict::Compared { notes, platforms, .. } => {
                for (platform, comparison) in platforms {
                    let platform =
                        if platforms.len() > 1 { format!("{platform} ") } else { String::new() };
                    let line = line(verified, comparison);
                    writeln!(text, "{:width$}  {platform}{line}", verified.service).ok();
                    details(&mut text, comparison);
                }
                notes.iter().try_for_each(|note| writeln!(text, "    note: {note}"))
            }
        }
        .ok();
    }
    text
}

fn line(verified: &Verified, comparison: &Comparison) -> String {
    let Comparison { files, unstable, explained, wrong, moved, .. } = comparison;
    let files = many(*files, "file");
    let mut parts = vec![match (wrong.len(), verified.is_skip()) {
        (0, _) if explained.is_empty() => format!("as published ({files}"),
        (0, _) => format!("as published, but for what has moved ({files}"),
        (n, true) => format!("a wrong skip: {} ({files}", count(n, "difference")),
        (n, false) => format!("not as published: {} ({files}", count(n, "difference")),
    }];
    if !unstable.is_empty() {
        parts.push(format!("{} unstable: {}", unstable.len(), few(unstable.iter())));
    }
    if !explained.is_empty() {
        parts.push(format!("{} explained by packages", explained.len()));
    }
    if !moved.is_empty() {
        parts.push(format!("{} moved: {}", count(moved.len(), "package"), few(moved.iter())));
    }
    parts.join("; ") + ")"
}

fn details(text: &mut String, comparison: &Comparison) {
    for difference in comparison.wrong.iter().take(SHOWN) {
        writeln!(text, "    {difference}").ok();
    }
    if let Some(more) = comparison.wrong.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        writeln!(text, "    and {more} more: --json has them all").ok();
    }
    for note in &comparison.notes {
        writeln!(text, "    note: {note}").ok();
    }
}

/// The first of them, and whether there are more.
fn few(items: impl ExactSizeIterator<Item = impl ToString>) -> String {
    let more = if items.len() > IN_LINE { ", …" } else { "" };
    let first: Vec<String> = items.take(IN_LINE).map(|item| item.to_string()).collect();
    first.join(", ") + more
}

/// All of it.
pub fn json(all: &[Verified]) -> Value {
    let services: Vec<Value> = all.iter().map(service).collect();
    json!({ "schema": 1, "services": services })
}

fn service(verified: &Verified) -> Value {
    let Verified { service, fingerprint, against, verdict } = verified;
    let mut entry = json!({ "service": service, "fingerprint": fingerprint, "against": against });
    match verdict {
        Verdict::NothingToProve(why) => {
            entry["verdict"] = "nothing-to-prove".into();
            entry["reason"] = why.as_str().into();
        }
        Verdict::NotCompared(why) => {
            entry["verdict"] = "not-compared".into();
            entry["reason"] = why.as_str().into();
        }
        Verdict::Compared { digest, notes, platforms } => {
            let explained = platforms.values().any(|c| !c.explained.is_empty());
            entry["verdict"] = match (verified.is_well(), explained, verified.is_skip()) {
                (true, false, _) => "as-published",
                (true, true, _) => "explained",
                (false, _, true) => "wrong-skip",
                (false, _, false) => "not-as-published",
            }
            .into();
            entry["digest"] = digest.as_str().into();
            entry["notes"] = notes.clone().into();
            entry["platforms"] = platforms.iter().map(platform).collect();
        }
    }
    entry
}

fn platform((platform, comparison): (&String, &Comparison)) -> Value {
    let Comparison { files, unstable, explained, wrong, moved, notes } = comparison;
    let explained = explained.iter().map(|Explained { difference, because }| {
        let mut entry = of_difference(difference);
        entry["because"] = because.as_str().into();
        entry
    });
    json!({
        "platform": platform,
        "files": files,
        "unstable": unstable.iter().map(of_place).collect::<Vec<Value>>(),
        "explained": explained.collect::<Vec<Value>>(),
        "wrong": wrong.iter().map(of_difference).collect::<Vec<Value>>(),
        "packages": moved.iter().map(of_package).collect::<Vec<Value>>(),
        "notes": notes,
    })
}

fn of_place(place: &Place) -> Value {
    match place {
        Place::Config(key) => json!({ "config": key }),
        Place::File(path) => json!({ "path": crate::plan::verify::shown(path) }),
    }
}

fn of_difference(difference: &Difference) -> Value {
    let mut entry = of_place(&difference.place);
    entry["differs"] = difference.aspects.iter().map(of_aspect).collect();
    entry
}

fn of_aspect(Aspect { what, published, now }: &Aspect) -> Value {
    json!({ "what": what, "published": published, "now": now })
}

fn of_package(Moved { package, published, now }: &Moved) -> Value {
    json!({ "package": package, "published": published, "now": now })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(path: &str) -> Difference {
        let (published, now) = (Some("0755".into()), Some("0700".into()));
        let aspects = vec![Aspect { what: "mode", published, now }];
        Difference { place: Place::File(path.into()), aspects }
    }

    fn verified(service: &str, verdict: Verdict) -> Verified {
        let (service, fingerprint) = (service.to_owned(), Some("f".repeat(64)));
        let against = Some(format!("r/{service}:fp-{}", "f".repeat(64)));
        Verified { service, fingerprint, against, verdict }
    }

    fn compared(service: &str, platforms: &[(&str, Comparison)]) -> Verified {
        let own = platforms.iter().map(|(platform, c)| ((*platform).to_owned(), c.clone()));
        let (digest, platforms) = ("sha256:d".to_owned(), own.collect());
        verified(service, Verdict::Compared { digest, notes: Vec::new(), platforms })
    }

    #[test]
    fn each_platform_has_a_line_and_a_long_list_an_end() {
        let unstable = (0..4).map(|i| Place::File(format!("u{i}").into())).collect();
        let fine = Comparison { files: 1, unstable, ..Comparison::default() };
        let wrong = (0..25).map(|i| difference(&format!("w{i}"))).collect();
        let bad = Comparison { files: 2000, wrong, ..Comparison::default() };
        let all = [
            compared("web", &[("linux/amd64", fine.clone()), ("linux/arm64", bad.clone())]),
            verified("longer", Verdict::NothingToProve("there is none".into())),
            Verified { against: Some("r/x:dev".into()), ..compared("x", &[("linux/amd64", bad)]) },
        ];
        let text = text(&all);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "web     linux/amd64 as published (1 file; 4 unstable: /u0, /u1, /u2, …)"
        );
        assert_eq!(lines[1], "web     linux/arm64 a wrong skip: 25 differences (2,000 files)");
        assert_eq!(lines[2], "    /w0: mode `0700`, published `0755`");
        assert_eq!(lines[22], "    and 5 more: --json has them all");
        assert_eq!(lines[23], "longer  nothing to prove: there is none");
        assert_eq!(lines[24], "x       not as published: 25 differences (2,000 files)");
        assert_eq!(all.each_ref().map(Verified::is_well), [false, true, false]);
        let json = json(&all);
        let verdicts = [0, 1, 2].map(|at| json["services"][at]["verdict"].as_str().unwrap());
        assert_eq!(verdicts, ["wrong-skip", "nothing-to-prove", "not-as-published"]);
        let platforms = &json["services"][0]["platforms"];
        assert_eq!(platforms[1]["wrong"].as_array().unwrap().len(), 25);
        assert_eq!(platforms[0]["unstable"][3]["path"], "/u3");
    }

    #[test]
    fn what_could_not_be_compared_is_not_well() {
        assert!(!verified("web", Verdict::NotCompared("no".into())).is_well());
    }
}
