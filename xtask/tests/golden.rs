//! Plans, as the binary prints them: one folder a case below `tests/golden`.
//!
//! A case has `args` (one argument a line), `env` (NAME=value lines), optionally `event.json`
//! (GitHub's payload), and what is expected: `expected` (standard output) and `code` if not 0.
//! Its repository is `golden/repo`, or its own `repo`. `XTASK_ACCEPT=1` writes `expected` anew.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod support;

use std::path::{Path, PathBuf};
use support::{Folder, Repository};

#[test]
fn every_case_prints_what_is_expected() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&golden)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("args").exists())
        .collect();
    cases.sort();
    assert!(cases.len() >= 15, "only {} cases", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(|case| check(&golden, case).err()).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn check(golden: &Path, case: &Path) -> Result<(), String> {
    let own = case.join("repo");
    let files = read_all(&if own.exists() { own } else { golden.join("repo") });
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let repository = Repository::new(&files);
    let head = repository.git(&["rev-parse", "HEAD"]);
    let cache = Folder::new();
    let args = read(&case.join("args"));
    let args: Vec<&str> = args.lines().collect();
    let mut call = repository.xtask(&args).env("XTASK_CACHE_DIR", cache.0.to_str().unwrap());
    for line in read(&case.join("env")).lines() {
        let (name, value) = line.split_once('=').unwrap();
        call = call.env(name, &value.replace("{HEAD}", &head));
    }
    let event = case.join("event.json");
    if event.exists() {
        call = call.env("GITHUB_EVENT_PATH", event.to_str().unwrap());
    }
    let ran = call.run();
    let code: i32 = read(&case.join("code")).trim().parse().unwrap_or(0);
    let mut printed =
        if code == 0 { ran.stdout.clone() } else { format!("{}{}", ran.stdout, ran.stderr) };
    let hide = [
        (cache.0.to_str().unwrap(), "{CACHE}"),
        (repository.root().to_str().unwrap(), "{ROOT}"),
        (&head, "{HEAD}"),
        (&head[..7], "{HEAD:7}"),
    ];
    for (text, name) in hide {
        printed = printed.replace(text, name);
    }
    if std::env::var_os("XTASK_ACCEPT").is_some() {
        std::fs::write(case.join("expected"), &printed).unwrap();
    }
    let name = case.file_name().unwrap().to_string_lossy();
    if ran.code != Some(code) {
        return Err(format!("{name}: exit code {:?}\n{}{}", ran.code, ran.stdout, ran.stderr));
    }
    let expected = read(&case.join("expected"));
    if printed == expected {
        return Ok(());
    }
    let first = printed.lines().zip(expected.lines()).find(|(a, b)| a != b);
    Err(format!("{name}: printed and expected differ: {first:?}\n{printed}"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn read_all(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.push((name, read(&path)));
            }
        }
    }
    files.sort();
    files
}
