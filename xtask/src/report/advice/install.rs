//! A `RUN` that installs what a few files name, after a `COPY` of everything: any edit has it run again.

use super::{Build, WORTH_IT, flags_and_words, quoted};
use crate::plan::dockerfile::{Instruction, Stage};
use crate::report::data::Advice;
use crate::report::seconds;

/// Commands that read a list of dependencies and nothing else of the context.
const INSTALLS: [&str; 17] = [
    "apt-get install",
    "apt install",
    "apk add",
    "dnf install",
    "yum install",
    "npm ci",
    "npm install",
    "yarn install",
    "pnpm install",
    "pip install -r",
    "pip install --requirement",
    "pip3 install -r",
    "bundle install",
    "composer install",
    "go mod download",
    "cargo fetch",
    "dotnet restore",
];
/// What stands beside them and reads nothing of the context either.
const BESIDE: [&str; 9] = [
    "apt-get update",
    "apt-get clean",
    "apt update",
    "apk update",
    "rm -rf /var",
    "set -",
    "npm cache",
    "export ",
    "true",
];

pub fn after_whole_context(build: &Build) -> Vec<Advice> {
    let stages = build.dockerfile.stages.iter();
    stages.filter_map(|stage| in_stage(build, stage)).collect()
}

fn in_stage(build: &Build, stage: &Stage) -> Option<Advice> {
    let copy = stage.instructions.iter().find(|it| is_whole_context(it))?;
    let copied = build.step(copy).filter(|step| step.result == "ran")?;
    let after = stage.instructions.iter().skip_while(|it| it.lines.0 <= copy.lines.0);
    let runs = after.filter(|it| it.keyword == "RUN" && only_installs(&it.text));
    let steps = runs.filter_map(|it| Some((it, build.step(it)?)));
    let (run, step) = steps
        .filter(|(_, step)| step.result == "ran" && step.seconds() >= WORTH_IT)
        .max_by(|a, b| a.1.seconds().total_cmp(&b.1.seconds()))?;
    // In a cold build everything misses, whatever it stands behind.
    let ran_before =
        build.result_before(step) == Some("ran") && build.result_before(copied).is_some();
    if !build.is_warm_before(stage, copy.lines.0) && !ran_before {
        return None;
    }
    let text = format!(
        "line {}: {} ran again ({}), since {} before it (line {}) brings every file: copy what it reads \
         first, and the rest after it",
        run.lines.0,
        quoted("RUN", &run.text),
        seconds(step.seconds()),
        quoted(&copy.keyword, &copy.text),
        copy.lines.0
    );
    Some(build.advice("copy-before-install", step, text))
}

/// `COPY . .`, `COPY ./ /src`, also with flags; not `COPY --from`.
fn is_whole_context(instruction: &Instruction) -> bool {
    let (_, words) = flags_and_words(instruction);
    let is_copy = ["COPY", "ADD"].contains(&instruction.keyword.as_str());
    is_copy && instruction.context && words.len() == 2 && [".", "./", "/"].contains(&words[0])
}

/// Whether all commands are installs, or stand beside them.
fn only_installs(text: &str) -> bool {
    let plain: Vec<&str> =
        text.split_whitespace().skip_while(|word| word.starts_with("--")).collect();
    let plain = plain.join(" ");
    let commands: Vec<&str> =
        plain.split("&&").flat_map(|part| part.split(';')).map(str::trim).collect();
    let starts = |command: &str, all: &[&str]| {
        let words = command.split_whitespace().skip_while(|word| word.contains('='));
        let command = words.collect::<Vec<_>>().join(" ");
        all.iter().any(|start| command.starts_with(start))
    };
    let installs = commands.iter().filter(|command| starts(command, &INSTALLS)).count();
    installs > 0 && commands.iter().all(|c| starts(c, &INSTALLS) || starts(c, &BESIDE))
}

#[cfg(test)]
mod tests {
    use super::only_installs;

    #[test]
    fn what_builds_too_is_more_than_an_install() {
        for (text, expected) in [
            ("npm ci", true),
            ("--mount=type=cache,target=/root/.npm npm ci", true),
            (
                "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y x && rm -rf /var/lib/apt/lists/*",
                true,
            ),
            ("npm ci && npm run build", false),
            ("pip install .", false),
            ("pip install -r requirements.txt", true),
            ("make", false),
            ("", false),
        ] {
            assert_eq!(only_installs(text), expected, "{text}");
        }
    }
}
