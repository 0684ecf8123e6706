//! A cache mount on a machine that is gone after the run.

use super::{Build, WORTH_IT, flags_and_words, quoted};
use crate::plan::dockerfile::Instruction;
use crate::report::data::Advice;
use crate::report::seconds;

pub fn caches(build: &Build, goes_away: bool) -> Vec<Advice> {
    if !goes_away {
        return Vec::new();
    }
    let instructions = build.dockerfile.stages.iter().flat_map(|stage| &stage.instructions);
    let mounts = instructions.filter(|it| it.keyword == "RUN" && has_cache_mount(it));
    let steps = mounts.filter_map(|it| Some((it, build.step(it)?)));
    let slow = steps.filter(|(_, step)| step.result == "ran" && step.seconds() >= WORTH_IT);
    slow.map(|(run, step)| {
        let (_, words) = flags_and_words(run);
        let text = format!(
            "line {}: {} ran with an empty cache mount ({}), since cache mounts stay on the machine, and \
             this one is gone after the job: have what it fetches in a layer of its own, which the \
             registry cache keeps, or use a builder that stays",
            run.lines.0,
            quoted("RUN", &words.join(" ")),
            seconds(step.seconds())
        );
        build.advice("cache-mount", step, text)
    })
    .collect()
}

fn has_cache_mount(run: &Instruction) -> bool {
    let (flags, _) = flags_and_words(run);
    let mounts = flags.iter().filter_map(|flag| flag.strip_prefix("--mount="));
    mounts.flat_map(|mount| mount.split(',')).any(|field| field == "type=cache")
}
