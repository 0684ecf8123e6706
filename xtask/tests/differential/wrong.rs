//! What each planted fault does to what was recorded.

use super::faults::Parts;
use super::reading::State;
use std::collections::BTreeSet;
use xtask::plan::dockerfile;
use xtask::plan::dockerignore::{Folder, Ignore, Parent};
use xtask::plan::fingerprint::{Part, Record};

type Known = Record<'static>;

pub fn without(record: Known, kind: &str) -> Option<Known> {
    (record.kind != kind).then_some(record)
}

/// Changes the bits of records of a kind.
fn bits(mut record: Known, kind: &str, change: impl Fn(u32) -> u32) -> Option<Known> {
    if record.kind == kind {
        let bits = u32::from_str_radix(&record.fields[1], 8).expect("bits");
        record.fields[1] = format!("{:04o}", change(bits)).into();
    }
    Some(record)
}

pub fn no_exec_bit(record: Known) -> Option<Known> {
    bits(record, "file", |bits| bits & !0o111)
}

pub fn only_exec_bit(record: Known) -> Option<Known> {
    bits(record, "file", |bits| bits & 0o100)
}

pub fn no_folder_bits(record: Known) -> Option<Known> {
    bits(record, "folder", |_| 0)
}

pub fn no_link_text(mut record: Known) -> Option<Known> {
    if record.kind == "link" {
        record.fields.truncate(1);
    }
    Some(record)
}

pub fn no_names(mut record: Known) -> Option<Known> {
    if record.kind == "file" {
        record.fields[0] = "".into();
    }
    Some(record)
}

pub fn lower_case(mut record: Known) -> Option<Known> {
    if record.kind == "file" {
        record.fields[0] = record.fields[0].to_lowercase().into();
    }
    Some(record)
}

/// Bases by tag, services by name: as the Dockerfile names them.
pub fn by_name(mut record: Known, kind: &str) -> Option<Known> {
    if record.kind == kind {
        record.fields.truncate(1);
    }
    Some(record)
}

/// Changes the records of a part.
fn each(parts: &mut Parts, part: Part, change: impl Fn(&mut Known) -> bool) {
    if let Some(records) = parts.get_mut(&part) {
        records.retain_mut(change);
    }
}

/// What a file or link in the context says.
fn content<'a>(state: &'a State, path: &str) -> &'a str {
    let found = state.seen.context.iter().find(|record| record.fields[0] == path);
    found.map_or("", |record| &record.fields[2])
}

pub fn links_followed(state: &State, parts: &mut Parts) {
    each(parts, Part::Context, |record| {
        if record.kind == "link" {
            record.fields[1] = state.seen.followed[&*record.fields[0]].clone().into();
        }
        true
    });
}

pub fn kinds_alike(state: &State, parts: &mut Parts) {
    each(parts, Part::Context, |record| {
        if matches!(record.kind, "link" | "file") {
            let path = record.fields[0].clone();
            let text = content(state, &path).to_owned();
            *record = Record::new("entry", [path, text.into()]);
        }
        true
    });
}

pub fn size_and_time(state: &State, parts: &mut Parts) {
    each(parts, Part::Context, |record| {
        if record.kind == "file" {
            record.fields[2] = state.seen.times[&*record.fields[0]].clone().into();
        }
        true
    });
}

/// All contents in a row.
pub fn no_ends(state: &State, parts: &mut Parts) {
    let records = parts.entry(Part::Context).or_default();
    let mut files: Vec<&mut Known> = records.iter_mut().filter(|r| r.kind == "file").collect();
    files.sort();
    let mut row = String::new();
    for file in files {
        row.push_str(content(state, &file.fields[0]));
        file.fields[2] = "".into();
    }
    records.push(Record::new("row", [row.into()]));
}

/// What is in the context, only where a path is right.
fn only(parts: &mut Parts, is_right: impl Fn(&str) -> bool) {
    each(parts, Part::Context, |record| {
        matches!(record.kind, "named" | "folder") || is_right(&record.fields[0])
    });
}

pub fn no_git_ignored(_state: &State, parts: &mut Parts) {
    only(parts, |path| !path.ends_with(".tmp"));
}

pub fn only_tracked(state: &State, parts: &mut Parts) {
    only(parts, |path| state.seen.tracked.contains(path));
}

/// What is sent by other rules than those that count.
fn by_rules(state: &State, parts: &mut Parts, rules: &str) {
    let ignore = Ignore::parse(rules).unwrap_or_default();
    let mut sent = BTreeSet::new();
    let mut waiting = vec![(String::new(), Parent::default())];
    while let Some((folder, parent)) = waiting.pop() {
        for record in &state.seen.context {
            let path = &*record.fields[0];
            let above = path.rsplit_once('/').map_or("", |(above, _)| above);
            if above != folder {
                continue;
            }
            if record.kind != "folder" {
                sent.extend(ignore.sends_file(path, &parent).then_some(path));
                continue;
            }
            let (verdict, below) = ignore.folder(path, &parent);
            sent.extend((verdict == Folder::Sent).then_some(path));
            if verdict != Folder::Skipped {
                waiting.push((path.to_owned(), below));
            }
        }
    }
    let records = parts.entry(Part::Context).or_default();
    records.retain(|record| record.kind == "named");
    let seen = state.seen.context.iter().filter(|record| sent.contains(&*record.fields[0]));
    records.extend(seen.cloned());
}

pub fn rules_reversed(state: &State, parts: &mut Parts) {
    let text = state.seen.rules.iter().flatten().next().map_or("", String::as_str);
    let lines: Vec<&str> = text.lines().rev().collect();
    by_rules(state, parts, &lines.join("\n"));
}

pub fn rules_beside_missed(state: &State, parts: &mut Parts) {
    by_rules(state, parts, state.seen.rules[1].as_deref().unwrap_or_default());
}

pub fn mounted_context_missed(state: &State, parts: &mut Parts) {
    let copies = |line: &str| {
        (line.starts_with("COPY ") || line.starts_with("ADD "))
            && !line.contains("--from=")
            && !line.contains("<<")
    };
    if !state.seen.dockerfile.lines().any(copies) {
        each(parts, Part::Context, |record| record.kind == "named");
    }
}

pub fn no_heredocs(state: &State, parts: &mut Parts) {
    let file = dockerfile::parse(&state.seen.dockerfile);
    let instructions = file.stages.iter().flat_map(|stage| &stage.instructions);
    let text = |i: &dockerfile::Instruction| format!("{} {}\n", i.keyword, i.text);
    let stages: String = file.stages.iter().map(|stage| format!("{}\n", stage.from)).collect();
    let texts: String = instructions.map(text).collect();
    let said = format!("{:?}\n{stages}{texts}", file.global_args);
    each(parts, Part::Dockerfile, |record| {
        if record.kind == "bytes" {
            record.fields = vec![said.clone().into()];
        }
        true
    });
}

pub fn images_of_from(state: &State, parts: &mut Parts) {
    each(parts, Part::Images, |record| state.seen.from.contains(&*record.fields[0]));
}

pub fn services_of_from(state: &State, parts: &mut Parts) {
    each(parts, Part::Services, |record| state.seen.from.contains(&*record.fields[0]));
}
