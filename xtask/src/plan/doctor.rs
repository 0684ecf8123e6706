//! What `doctor` finds, and how what was read is judged. Pure.

use semver::Version;
use serde::Serialize;

/// Bake definitions are objects, which buildx reads since this version (0.29 is what is tested).
const BUILDX: Version = Version::new(0, 20, 0);
/// Free space in megabytes: with less, things break; with less, they soon will.
const SPACE: [u64; 2] = [500, 2_000];
/// How far clocks may be apart, in seconds, before tokens and certificates are refused.
const SKEW: u64 = 120;
/// A context that is larger than so many bytes, or has more files, slows each build.
const CONTEXT: (u64, usize) = (100_000_000, 20_000);

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be
    Good,
    /// Work goes on, but slower or not everywhere
    Warning,
    /// Something does not work
    Broken,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `docker`, `cache`
    pub check: &'static str,
    /// The service, where it is about one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How it is
    pub verdict: Verdict,
    /// What was seen
    pub evidence: String,
    /// What mends it: a command where one does
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn good(check: &'static str, evidence: impl Into<String>) -> Self {
        let evidence = evidence.into();
        Self { check, service: None, verdict: Verdict::Good, evidence, mend: None }
    }

    /// Work goes on.
    pub fn warning(
        check: &'static str,
        evidence: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        let mend = Some(mend.into());
        Self { verdict: Verdict::Warning, mend, ..Self::good(check, evidence) }
    }

    /// Something does not work.
    pub fn broken(
        check: &'static str,
        evidence: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Broken, ..Self::warning(check, evidence, mend) }
    }

    /// About a service.
    pub fn of(self, service: &str) -> Self {
        Self { service: Some(service.into()), ..self }
    }
}

/// What `docker buildx version` prints: `github.com/docker/buildx v0.29.1 …`.
pub fn buildx(printed: &str) -> Finding {
    let check = "buildx";
    let words = printed.split_whitespace().map(|word| word.trim_start_matches('v'));
    let number = |word: &str| {
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        Version::parse(&word[..end]).ok()
    };
    match words.into_iter().find_map(number) {
        Some(version) if version < BUILDX => Finding::broken(
            check,
            format!(
                "buildx {version} does not read what we give it; {BUILDX} is the oldest that does"
            ),
            "install a newer docker-buildx plugin",
        ),
        Some(version) => Finding::good(check, format!("buildx {version}")),
        None => Finding::warning(
            check,
            format!("`docker buildx version` names no version: {printed}"),
            "install the docker-buildx plugin of Docker",
        ),
    }
}

/// Free space of a folder, in megabytes.
pub fn space(folder: &str, what: &str, free: u64) -> Finding {
    let evidence = format!("{free} MB are free in `{folder}` ({what})");
    let mend = format!("make space: `cargo xtask clean --cache`, or another folder for {what}");
    match free {
        _ if free < SPACE[0] => Finding::broken("disk", evidence, mend),
        _ if free < SPACE[1] => Finding::warning("disk", evidence, mend),
        _ => Finding::good("disk", evidence),
    }
}

/// Our clock and another's, in seconds since 1970.
pub fn clock(host: &str, ours: u64, theirs: u64) -> Finding {
    let apart = ours.abs_diff(theirs);
    let evidence = format!("this machine's clock and that of {host} are {apart} s apart");
    match apart > SKEW {
        true => Finding::broken(
            "clock",
            evidence,
            "set the clock, for example `timedatectl set-ntp true`",
        ),
        false => Finding::good("clock", evidence),
    }
}

/// What a context sends, and whether something is left out of it.
pub fn context(folder: &str, files: usize, bytes: u64, has_ignore_file: bool) -> Vec<Finding> {
    let evidence = format!("`{folder}` sends {files} files, {} MB", bytes / 1_000_000);
    let size = match bytes > CONTEXT.0 || files > CONTEXT.1 {
        true => Finding::warning(
            "context",
            evidence,
            format!("leave more out by `{folder}/.dockerignore`"),
        ),
        false => Finding::good("context", evidence),
    };
    let ignore = match has_ignore_file {
        true => Finding::good("dockerignore", format!("`{folder}` has an ignore file")),
        false => Finding::warning(
            "dockerignore",
            format!("`{folder}` has no `.dockerignore`: all that lies there is sent and hashed"),
            format!("write `{folder}/.dockerignore`"),
        ),
    };
    vec![size, ignore]
}

/// Whether a workflow that publishes lacks the permission to: the text of its file.
pub fn workflow(file: &str, text: &str) -> Finding {
    let lines: Vec<&str> =
        text.lines().map(|line| line.split(" #").next().unwrap_or("").trim()).collect();
    let runs = |line: &&&str| {
        let tasks = ["build-images", "release publish", "bases update", "warm-cache"];
        line.contains("cargo xtask")
            && tasks.iter().any(|task| line.contains(task))
            && !["--dry-run", "--event pr", "--no-push", "--check"]
                .iter()
                .any(|it| line.contains(it))
    };
    let starts = |line: &&str| {
        ["push:", "schedule:", "workflow_dispatch:", "on: push", "on: [push"]
            .iter()
            .any(|it| line.starts_with(it))
    };
    let grants = |line: &&str| {
        line.starts_with("packages: write") || line.starts_with("permissions: write-all")
    };
    let publishes = lines.iter().find(runs).filter(|_| lines.iter().any(starts));
    match publishes {
        Some(line) if !lines.iter().any(grants) => Finding::broken(
            "workflow",
            format!(
                "`{file}` runs `{}` and has no `packages: write`",
                line.trim_start_matches("- ").trim_start_matches("run: ")
            ),
            format!("say `permissions: {{ contents: read, packages: write }}` in `{file}`"),
        ),
        _ => Finding::good("workflow", format!("`{file}` may do what it does")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(finding: &Finding, verdict: Verdict) {
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert_eq!(finding.mend.is_some(), verdict != Verdict::Good);
    }

    #[test]
    fn versions_of_buildx() {
        is(&buildx("github.com/docker/buildx v0.13.1 788433953af1"), Verdict::Broken);
        is(&buildx("github.com/docker/buildx v0.29.1-desktop.1 abc"), Verdict::Good);
        is(&buildx("github.com/docker/buildx 0.29.1+ds1 "), Verdict::Good);
        is(&buildx("github.com/docker/buildx v0.20.0 x"), Verdict::Good);
        is(&buildx("development"), Verdict::Warning);
    }

    #[test]
    fn space_and_clocks() {
        is(&space("/", "x", 3), Verdict::Broken);
        is(&space("/", "x", 1_000), Verdict::Warning);
        is(&space("/", "x", 100_000), Verdict::Good);
        is(&clock("h", 1_000, 1_100), Verdict::Good);
        is(&clock("h", 1_000, 5_000), Verdict::Broken);
        is(&clock("h", 5_000, 1_000), Verdict::Broken);
    }

    #[test]
    fn contexts() {
        let verdicts = |found: Vec<Finding>| found.iter().map(|it| it.verdict).collect::<Vec<_>>();
        assert_eq!(verdicts(context("a", 9, 9, true)), [Verdict::Good, Verdict::Good]);
        assert_eq!(verdicts(context("a", 90_000, 9, true)), [Verdict::Warning, Verdict::Good]);
        assert_eq!(verdicts(context("a", 9, 1 << 30, false)), [Verdict::Warning, Verdict::Warning]);
    }

    #[test]
    fn workflows() {
        let run = "jobs:\n  a:\n    steps:\n      - run: cargo xtask build-images\n";
        let granted = "permissions:\n  packages: write # to push\n";
        is(&workflow("w", &format!("on:\n  push:\n    branches: [dev]\n{run}")), Verdict::Broken);
        is(&workflow("w", &format!("on: push\n{run}")), Verdict::Broken);
        is(&workflow("w", &format!("on:\n  push:\n{granted}{run}")), Verdict::Good);
        is(&workflow("w", &format!("on:\n  pull_request:\n{run}")), Verdict::Good);
        is(
            &workflow("w", "on: push\njobs:\n  a:\n    steps:\n      - run: cargo xtask test\n"),
            Verdict::Good,
        );
        is(&workflow("w", &format!("on: push\n# packages: write\n{run}")), Verdict::Broken);
    }
}
