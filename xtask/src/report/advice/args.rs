//! A `RUN` that misses since an argument before it has another value in each run.

use super::{Build, WORTH_IT, quoted};
use crate::plan::dockerfile::Stage;
use crate::report::data::{Advice, rounded};
use crate::report::seconds;

pub fn volatile(build: &Build) -> Vec<Advice> {
    let Some(before) = build.before else { return Vec::new() };
    let now = build.service.volatile_args.iter();
    let changed = now.filter(|(name, value)| {
        before.volatile_args.get(*name).is_some_and(|before| before != *value)
    });
    let changed: Vec<&str> = changed.map(|(name, _)| name.as_str()).collect();
    let stages = build.dockerfile.stages.iter();
    stages.filter_map(|stage| in_stage(build, stage, &changed)).collect()
}

/// Where more than one argument has changed since the last step that was cached, none is the one.
fn in_stage(build: &Build, stage: &Stage, changed: &[&str]) -> Option<Advice> {
    let first = stage.instructions.iter().find(|it| {
        it.keyword == "RUN" && build.step(it).is_some_and(|step| step.result == "ran")
    })?;
    let line = first.lines.0;
    if !build.is_warm_before(stage, line) {
        return None;
    }
    let declared = stage.instructions.iter().filter(|it| it.lines.0 < line);
    let declared =
        declared.flat_map(|it| it.args.iter().map(|(name, _)| (name.as_str(), it.lines.0)));
    let mut declared = declared.filter(|(name, _)| changed.contains(name));
    let (name, at) = declared.next().filter(|_| declared.next().is_none())?;
    let step = build.step(first)?;
    let after = stage.instructions.iter().filter(|it| it.lines.0 >= line);
    let cost: f64 = after
        .filter_map(|it| build.step(it))
        .filter(|step| step.result == "ran")
        .map(|step| step.seconds())
        .sum();
    if cost < WORTH_IT {
        return None;
    }
    let text = format!(
        "line {line}: {} and what follows it ran again ({}), since `{name}` has another value in each run \
         and is declared before it (line {at}): declare it after the last step that does not need it",
        quoted("RUN", &first.text),
        seconds(cost)
    );
    Some(Advice { seconds: Some(rounded(cost)), ..build.advice("arg-that-changes", step, text) })
}
