use super::line::seconds;
use super::*;

fn replay(targets: &[&str], stream: &str) -> (Progress, Vec<Update>) {
    let targets: Vec<String> = targets.iter().map(|t| (*t).to_owned()).collect();
    let mut progress = Progress::new(&targets);
    let updates = stream.lines().flat_map(|line| progress.line(line)).collect();
    (progress, updates)
}

#[test]
fn a_failure_is_found_with_its_log_and_the_other_target_keeps_its_digest() {
    let stream = include_str!("../../../tests/rawjson/one-fails.jsonl");
    let (progress, updates) = replay(&["a", "b"], stream);
    let failed = progress.failed_steps();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].targets, ["b".to_owned()].into());
    assert_eq!(failed[0].name, "[2/3] RUN echo before && sleep 2 && echo oops >&2 && exit 3");
    assert_eq!(failed[0].log, ["before", "oops"]);
    assert!(failed[0].error.contains("exit code: 3"));
    assert!(progress.digest("a").unwrap().starts_with("sha256:8575eab"));
    assert_eq!(progress.digest("b"), None);
    assert!(updates.contains(&Update::Exported("a".into())));
    assert_eq!(progress.last_words().0.as_deref(), Some("b"));
    assert_eq!(progress.steps("a"), Steps { total: 3, cached: 0 });
    assert_eq!(progress.running(), []);
}

#[test]
fn a_single_target_is_named_though_buildx_does_not() {
    let stream = include_str!("../../../tests/rawjson/single-target-pushed.jsonl");
    let (progress, updates) = replay(&["c"], stream);
    assert!(
        progress.digest("c").unwrap().starts_with("sha256:7bff6dc"),
        "the index, not the manifest"
    );
    assert!(progress.cache("c").unwrap().starts_with("sha256:0d69c86"));
    assert_eq!(progress.cache("a"), None);
    assert_eq!(progress.steps("c"), Steps { total: 3, cached: 1 });
    assert!(updates.contains(&Update::Exported("c".into())));
    assert_eq!(progress.failed_steps(), []);
    assert_eq!(progress.cache_warnings().len(), 1);
}

#[test]
fn names_are_taken_apart() {
    let parse = |name| {
        let step = StepName::parse(name);
        assert_eq!(step.platform, None);
        (step.target, step.stage, step.number, step.text)
    };
    assert_eq!(parse("[a b 3/6] RUN x"), (Some("a"), Some("b"), Some((3, 6)), "RUN x"));
    assert_eq!(parse("[a 3/6] RUN [1/2]"), (Some("a"), None, Some((3, 6)), "RUN [1/2]"));
    assert_eq!(parse("[a internal] load"), (Some("a"), Some("internal"), None, "load"));
    assert_eq!(parse("[a] exporting to image"), (Some("a"), None, None, "exporting to image"));
    assert_eq!(parse("no brackets"), (None, None, None, "no brackets"));
    assert_eq!(parse("[open"), (None, None, None, "[open"));
    assert_eq!(parse("[]"), (None, None, None, ""));
    let step = StepName::parse("[a linux/arm64 builder 2/3] RUN x");
    assert_eq!((step.platform, step.stage), (Some("linux/arm64"), Some("builder")));
    assert_eq!(step.without_target(), "[linux/arm64 builder 2/3] RUN x");
    let step = StepName::parse("[a linux/arm64 2/3] RUN x");
    assert_eq!((step.platform, step.stage), (Some("linux/arm64"), None));
}

#[test]
fn times_are_seconds_since_1970() {
    assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0.0));
    assert_eq!(seconds("2000-03-01T00:00:01.5Z"), Some(951_868_801.5));
    assert_eq!(seconds("2026-11-24T11:28:07Z"), Some(1_795_519_687.0));
    for odd in ["", "Z", "2026", "2026-11-24T11:28:07", "x-y-zTa:b:cZ"] {
        assert_eq!(seconds(odd), None, "{odd}");
    }
}

#[test]
fn what_a_step_takes_stands_before_it_also_where_a_cached_one_is_told_of_first() {
    let told = |digest: &str, inputs: &str, name: &str, second: u8| {
        format!(
            r#"{{"vertexes":[{{"digest":"{digest}","inputs":[{inputs}],"name":"{name}","started":"2026-11-24T11:28:0{second}Z","completed":"2026-11-24T11:28:0{second}Z","cached":true}}]}}"#
        )
    };
    let second = told("sha256:b", r#""sha256:a""#, "[t 2/3] RUN b", 1);
    let first = told("sha256:a", "", "[t 1/3] WORKDIR /a", 2);
    let third = told("sha256:c", r#""sha256:b""#, "[t 3/3] RUN c", 3);
    let (progress, _) = replay(&["t", "u"], &[second, first, third].join("\n"));
    let digests = progress.steps_of("t").into_iter().map(|vertex| vertex.digest.as_str());
    assert_eq!(digests.collect::<Vec<_>>(), ["sha256:a", "sha256:b", "sha256:c"]);
}
