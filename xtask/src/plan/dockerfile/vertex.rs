//! From the name of a step in BuildKit's progress back to the lines of the Dockerfile.

use super::fields::{is_space, keyword};
use super::types::{Dockerfile, Instruction, Stage};
use std::collections::BTreeSet;

/// The first and last line of the instruction behind a step such as
/// `[git-server builder 3/6] RUN apt-get update`. `None` for other steps, and where several
/// instructions may be meant.
pub fn lines_of_vertex(file: &Dockerfile, name: &str) -> Option<(usize, usize)> {
    let (inside, command) = name.strip_prefix('[')?.split_once("] ")?;
    let mut words: Vec<&str> = inside.split(' ').filter(|w| !w.is_empty()).collect();
    let (number, total) = words.pop()?.split_once('/')?;
    let step = Step {
        number: number.parse().ok()?,
        total: total.parse().ok()?,
        command: command.strip_prefix("LINK ").unwrap_or(command),
    };
    let label = words.pop().unwrap_or_default();
    let labelled: Vec<usize> =
        (0..file.stages.len()).filter(|i| is_labelled(&file.stages[*i], *i, label)).collect();
    // A lone stage goes without a label; then the last word is bake's target.
    let stages = if labelled.is_empty() { (0..file.stages.len()).collect() } else { labelled };
    let mut found: BTreeSet<_> =
        stages.iter().filter_map(|i| lines_in_stage(&file.stages[*i], &step)).collect();
    let lines = found.pop_first();
    if found.is_empty() { lines } else { None }
}

struct Step<'a> {
    number: usize,
    total: usize,
    command: &'a str,
}

fn is_labelled(stage: &Stage, index: usize, label: &str) -> bool {
    match &stage.name {
        Some(name) => name == label,
        None => label.strip_prefix("stage-") == Some(index.to_string().as_str()),
    }
}

/// Steps count the base, if it is an image, then its triggers, then the stage's instructions. So
/// counting from the end needs no knowledge of the base.
fn lines_in_stage(stage: &Stage, step: &Step) -> Option<(usize, usize)> {
    let counted: Vec<&Instruction> = stage
        .instructions
        .iter()
        .filter(|i| matches!(i.keyword.as_str(), "RUN" | "COPY" | "ADD" | "WORKDIR"))
        .collect();
    let base = step.total.checked_sub(counted.len())?;
    if step.number > step.total || step.number == 0 {
        return None;
    }
    if step.command.starts_with("ONBUILD ") || keyword(step.command).0 == "FROM" {
        return (step.number <= base).then_some((stage.line, stage.last_line));
    }
    // `WORKDIR /` is counted in the total but makes no step.
    let steps: Vec<&Instruction> = counted.into_iter().filter(|i| !is_root(i)).collect();
    // A base that a named context stands in for is counted in the total but makes no step either.
    let indices = [step.number.checked_sub(base + 1), step.number.checked_sub(1)];
    let mut there = indices.into_iter().flatten().filter_map(|index| steps.get(index));
    if let Some(instruction) = there.find(|i| is_of(i, step.command)) {
        return Some(instruction.lines);
    }
    let mut alike = steps.iter().filter(|i| !i.text.contains('$') && is_of(i, step.command));
    let first = alike.next()?;
    alike.next().is_none().then_some(first.lines)
}

fn is_root(instruction: &Instruction) -> bool {
    instruction.keyword == "WORKDIR" && instruction.text.trim_matches(['/', '"', '\'']).is_empty()
}

/// Whether a step's command is this instruction's: BuildKit shows it with variables expanded,
/// quotes partly gone, and a heredoc's first line after it.
fn is_of(instruction: &Instruction, command: &str) -> bool {
    let (word, rest) = keyword(command);
    let known = instruction.text.split('$').next().unwrap_or_default();
    word == instruction.keyword && plain(rest).starts_with(&plain(known))
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !is_space(*c) && !matches!(c, '"' | '\'' | '\\' | '`')).collect()
}
