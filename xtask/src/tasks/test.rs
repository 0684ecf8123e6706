//! `test`: everything that CI runs, with what each part took.

use super::Session;
use crate::cli::Test;
use crate::context::git;
use crate::docker::engine::{self, Data, Setup};
use crate::process::{Command, Processes, Stream};
use crate::report::{seconds, stdout};
use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// One thing that is checked.
struct Part {
    name: String,
    command: Command,
}

/// Tests that were counted.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

/// Runs all parts, also after one has failed, and ends with `N passed, N failed`.
pub fn run(session: &Session, options: Test) -> Result<ExitCode> {
    let root = git::root(&session.processes, &session.env.dir)?;
    let mut setup = Setup::new(session.processes.clone(), &session.env)?;
    setup.instance = format!("test-{}", std::process::id());
    let ran = run_parts(session, &parts(&root, options, &setup.instance));
    if !options.fast {
        // Also after an interrupt, which would end the taking down at once.
        setup.processes = Processes::default();
        engine::down(&setup, Data::Purge)?;
    }
    ran
}

fn run_parts(session: &Session, parts: &[Part]) -> Result<ExitCode> {
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    for part in parts {
        let began = Instant::now();
        stdout(&format!("== {}", part.name))?;
        let good = run_part(session, part, &mut counts)?;
        let ended = if good { "passed" } else { "FAILED" };
        let took = seconds(began.elapsed().as_secs_f64());
        stdout(&format!("== {}: {ended}, {took}\n", part.name))?;
        if !good {
            failures.push(part.name.as_str());
        }
    }
    if !failures.is_empty() {
        stdout(&format!("failed: {}", failures.join(", ")))?;
    }
    stdout(&format!("{} passed, {} failed", counts.passed, counts.failed))?;
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parts(root: &Utf8Path, options: Test, engine: &str) -> Vec<Part> {
    let part = |name: &str, dir: &str, args: &[&str]| {
        let mut command = Command::new(name, "cargo").args(args.to_vec()).dir(root.join(dir));
        // Each test starts an engine by name: nothing of the caller's is used.
        for name in ["XTASK_REGISTRY", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"] {
            command.env.insert(name.into(), None);
        }
        let long = if options.long { "1" } else { "" };
        let command = command.env("XTASK_ENGINE", engine).env("XTASK_TEST_LONG", long);
        Part { name: name.to_owned(), command }
    };
    let strict = ["--", "-D", "warnings"];
    let lints = [&["clippy", "--workspace", "--all-targets", "--locked"], &strict[..]].concat();
    // cargo leaves tests that do not run by themselves out of `--all-targets`.
    let engine_lints =
        [&["clippy", "--package", "xtask", "--locked", "--test", "engine_*"], &strict[..]].concat();
    let compose = ["run", "--quiet", "--package", "xtask", "--", "compose", "--check"];
    let mut parts = vec![
        part("format", ".", &["fmt", "--all", "--check"]),
        part("lints", ".", &lints),
        part("lints of the engine tests", ".", &engine_lints),
        part("unit and golden tests", ".", &["test", "--workspace", "--locked", "--no-fail-fast"]),
        part("docker-compose.yml", ".", &compose),
    ];
    if !options.fast {
        let coordinator = "services/runner-coordinator";
        parts.push(part("tests of runner-coordinator", coordinator, &["test", "--locked"]));
        parts.extend(engine_tests(root).iter().map(|name| {
            part(name, ".", &["test", "--package", "xtask", "--locked", "--test", name])
        }));
    }
    parts
}

/// The test files that need an engine: `xtask/tests/engine_*.rs`.
fn engine_tests(root: &Utf8Path) -> Vec<String> {
    let Ok(entries) = root.join("xtask/tests").read_dir_utf8() else { return Vec::new() };
    let paths = entries.flatten().map(|entry| Utf8PathBuf::from(entry.path()));
    let names = paths.filter_map(|path| path.file_stem().map(str::to_owned));
    let mut names: Vec<String> = names.filter(|name| name.starts_with("engine_")).collect();
    names.sort();
    names
}

fn run_part(session: &Session, part: &Part, counts: &mut Counts) -> Result<bool> {
    let ended = session.processes.stream(&part.command, &mut |stream, line| {
        match stream {
            Stream::Stdout => drop(stdout(line)),
            Stream::Stderr => crate::report::say!("{line}"),
        }
        if let Some((passed, failed)) = read_result(line) {
            counts.passed += passed;
            counts.failed += failed;
        }
    })?;
    if ended.code != 0 && counts.failed == 0 {
        counts.failed += 1;
    }
    Ok(ended.code == 0)
}

/// Reads `test result: ok. 3 passed; 0 failed; …`.
fn read_result(line: &str) -> Option<(usize, usize)> {
    let numbers = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let mut parts = numbers.split("; ");
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
    Some((passed, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_cargo_test_are_counted() {
        let line = "test result: ok. 26 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.12s";
        assert_eq!(read_result(line), Some((26, 1)));
        assert_eq!(read_result("running 26 tests"), None);
        assert_eq!(read_result("test result: "), None);
    }
}
