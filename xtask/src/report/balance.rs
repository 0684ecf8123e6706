//! What caches cost and what they saved, in seconds and in bytes. Pure.

use super::data::{Cache, Moved, Report, Step, rounded};
use super::{bytes, seconds};
use crate::docker::progress::Progress;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the layers that the engine has pulled.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// What buildx told
    pub bakes: &'a [Progress],
    /// Digests of layers of the images that were built on, which a build without cache needs too; none
    /// where nobody has asked
    pub of_bases: Option<&'a BTreeSet<String>>,
}

/// What caches cost in a run, and what they saved.
pub(super) fn cache(timeline: &[Step], layers: Layers) -> Cache {
    let seconds = |start: &str| {
        let of = timeline.iter().filter(|step| step.name.starts_with(start));
        rounded(of.map(Step::seconds).sum())
    };
    let saved: Vec<f64> = timeline.iter().filter_map(|step| step.usual).collect();
    Cache {
        import_seconds: seconds("importing cache"),
        export_seconds: seconds("exporting cache"),
        saved_seconds: (!saved.is_empty()).then(|| rounded(saved.iter().sum())),
        pulled: layers.of_bases.map(|of_bases| pulled(layers.bakes, of_bases)),
        saved_bytes: saved_bytes(timeline),
    }
}

/// Bytes of layers that came from caches.
fn pulled(bakes: &[Progress], of_bases: &BTreeSet<String>) -> u64 {
    let cached = bakes.iter().flat_map(Progress::vertexes).filter(|vertex| vertex.cached);
    let statuses = cached.flat_map(|vertex| &vertex.statuses);
    let layers = statuses.filter(|status| status.id.starts_with("sha256:"));
    let layers = layers.filter(|status| !of_bases.contains(&status.id));
    let sizes: BTreeMap<&str, u64> =
        layers.map(|status| (status.id.as_str(), status.current.max(status.total))).collect();
    sizes.values().sum()
}

/// All that was moved by the runs in which the cached steps last ran, which is at least what those steps
/// moved. None where that is not known of one of them.
fn saved_bytes(timeline: &[Step]) -> Option<u64> {
    let cached = timeline.iter().filter(|step| step.result == "cached" && step.is_counted());
    let mut runs: BTreeMap<&str, u64> = BTreeMap::new();
    for step in cached {
        if fetches_besides(step, timeline) {
            return None;
        }
        if step.name.starts_with("RUN ") {
            let Moved { run, bytes } = step.moved.as_ref()?;
            runs.insert(run, *bytes);
        }
    }
    (!runs.is_empty()).then(|| runs.values().sum())
}

/// Whether a step takes what the engine itself would fetch: no counter of ours tells how much.
fn fetches_besides(step: &Step, timeline: &[Step]) -> bool {
    let is_stage = |name: &str| {
        let same =
            |other: &Step| other.services == step.services && other.stage.as_deref() == Some(name);
        name.bytes().all(|byte| byte.is_ascii_digit()) || timeline.iter().any(same)
    };
    let from = step
        .name
        .split([' ', ','])
        .filter_map(|word| word.strip_prefix("--").unwrap_or(word).strip_prefix("from="));
    let is_remote =
        step.name.starts_with("ADD ") && (step.name.contains("://") || step.name.contains("git@"));
    is_remote || from.into_iter().any(|name| !is_stage(name))
}

/// `its layers were 565 MB`, and what that is beside what it saved, where both are known.
pub fn of_bytes(cache: &Cache) -> Option<String> {
    let pulled = cache.pulled.filter(|pulled| *pulled > 0)?;
    let saved = cache.saved_bytes.map(|saved| {
        let than = if pulled > saved { "more than" } else { "beside" };
        format!(", {than} the {} at most that it saved", bytes(saved))
    });
    Some(format!("its layers were {}{}", bytes(pulled), saved.unwrap_or_default()))
}

/// What the user should know of a cache that cost more bytes than it saved.
pub fn warning(report: &Report) -> Option<String> {
    let cache = report.cache.as_ref()?;
    let (pulled, saved) = (cache.pulled?, cache.saved_bytes?);
    let time = cache.saved_seconds.map(|saved| format!(" (it saved {})", seconds(saved)));
    (pulled > saved).then(|| {
        format!(
            "the cache cost more bytes than it saved: its layers were {}, and when those steps last ran, \
             all that was fetched was {}{}",
            bytes(pulled),
            bytes(saved),
            time.unwrap_or_default()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, result: &str, moved: Option<(&str, u64)>) -> Step {
        Step {
            services: vec!["api".into()],
            stage: Some("build".into()),
            number: Some((1, 2)),
            name: name.into(),
            result: result.into(),
            moved: moved.map(|(run, bytes)| Moved { run: run.into(), bytes }),
            ..Step::default()
        }
    }

    #[track_caller]
    fn case(steps: &[Step], expected: Option<u64>) {
        assert_eq!(saved_bytes(steps), expected);
    }

    #[test]
    fn each_run_counts_once() {
        let (apt, crates) = (Some(("monday", 100)), Some(("monday", 100)));
        let ran = step("RUN make", "ran", None);
        let steps = [step("RUN apt", "cached", apt), step("RUN fetch", "cached", crates), ran];
        case(&steps, Some(100));
        let other = step("RUN other", "cached", Some(("tuesday", 7)));
        case(&[steps[0].clone(), other, step("COPY . .", "cached", None)], Some(107));
    }

    #[test]
    fn what_is_not_known_of_one_step_is_not_known_at_all() {
        let known = step("RUN apt", "cached", Some(("monday", 100)));
        case(&[known.clone(), step("RUN other", "cached", None)], None);
        case(&[known.clone(), step("ADD https://h/file /", "cached", None)], None);
        case(&[known.clone(), step("COPY --from=nginx /a /", "cached", None)], None);
        case(
            &[
                known.clone(),
                step("RUN --mount=type=bind,from=nginx a", "cached", Some(("monday", 100))),
            ],
            None,
        );
        case(&[known, step("COPY --from=build /a /", "cached", None)], Some(100));
        case(&[step("COPY . .", "cached", None)], None);
    }

    #[test]
    fn a_cache_that_costs_more_is_told() {
        let report = |pulled, saved_bytes| {
            let cache =
                Cache { pulled, saved_bytes, saved_seconds: Some(60.0), ..Cache::default() };
            Report { cache: Some(cache), ..Report::default() }
        };
        let text = warning(&report(Some(565_000_000), Some(230_000_000))).unwrap();
        assert!(
            text.contains("565 MB") && text.contains("230 MB") && text.contains("60 s"),
            "{text}"
        );
        assert_eq!(warning(&report(Some(230), Some(230))), None);
        assert_eq!(warning(&report(None, Some(0))), None);
        assert_eq!(warning(&report(Some(1), None)), None);
        let of = |pulled, saved| of_bytes(&report(pulled, saved).cache.unwrap());
        assert_eq!(of(Some(2_000), None).unwrap(), "its layers were 2.0 kB");
        assert_eq!(of(Some(0), None), None);
    }
}
