//! Reports to look at.
#![allow(dead_code)]

use std::collections::BTreeMap;
use xtask::report::data::{Advice, Cache, Counts, Event, Report, SCHEMA, Service, Step};

/// As a `dev` run over the three services of this repository may be.
pub fn real() -> Report {
    serde_json::from_str(include_str!("../data/reports/three-services.json")).unwrap()
}

/// So many services with so many steps each, the same each time.
pub fn many(services: usize, steps: usize) -> Report {
    let mut random = 7_u64;
    let mut below = |limit: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % limit
    };
    let mut timeline: Vec<Step> = Vec::new();
    let mut all = Vec::new();
    for number in 0..services {
        let name = format!("service-{number:03}");
        let mut at = below(4_000) as f64 / 100.0;
        let first = timeline.len();
        for step in 1..=steps {
            let cached = below(10) < 6;
            let took = if cached { 0.0 } else { below(900) as f64 / 100.0 };
            let pulled = if step == 1 { 1_000 * below(90_000) } else { 0 };
            timeline.push(Step {
                id: timeline.len(),
                services: vec![name.clone()],
                stage: Some(if step < steps / 2 { "builder" } else { "stage-1" }.into()),
                number: Some((step, steps)),
                name: if step == 1 {
                    "FROM debian:trixie-slim".into()
                } else {
                    format!("RUN make part-{step} && install --mode 0755 out/part-{step} /usr/lib/{name}/")
                },
                line: Some(step * 2),
                start: at,
                end: at + took,
                result: if cached { "cached" } else { "ran" }.into(),
                pulled,
                critical: number == 3,
                needs: if step > 1 { vec![timeline.len() - 1] } else { Vec::new() },
                ..Step::default()
            });
            at += took;
        }
        let own = &timeline[first..];
        let counted = own.iter().filter(|step| step.is_counted());
        let cached = counted.clone().filter(|step| step.result == "cached").count();
        let steps = Counts { total: counted.count(), cached };
        all.push(Service {
            service: name.clone(),
            image: format!("registry.example/big/{name}"),
            tags: vec!["dev".into()],
            action: "build".into(),
            outcome: "built".into(),
            reason: "nothing is published of its fingerprint".into(),
            digest: Some(format!("sha256:{number:064x}")),
            seconds: Some(own.iter().map(Step::seconds).sum()),
            hit_rate: steps.hit_rate(),
            steps: Some(steps),
            pulled: Some(own.iter().map(|step| step.pulled).sum()),
            pushed: Some(1_000 * below(30_000)),
            cache_pushed: Some(1_000 * below(3_000)),
            volatile_args: BTreeMap::new(),
            ..Service::default()
        });
    }
    timeline.sort_by(|a, b| a.start.total_cmp(&b.start));
    let sum = |one: fn(&Service) -> Option<u64>| all.iter().map(one).sum::<Option<u64>>();
    let total = all.iter().filter_map(|s| s.steps).fold(Counts::default(), |sum, steps| Counts {
        total: sum.total + steps.total,
        cached: sum.cached + steps.cached,
    });
    Report {
        schema: SCHEMA,
        project: "big".into(),
        event: Event { kind: "dev".into(), revision: Some("0".repeat(40)), ..Event::default() },
        began: "2026-11-24T18:00:00Z".into(),
        seconds: timeline.iter().map(|step| step.end).fold(0.0, f64::max),
        steps: Some(total),
        hit_rate: total.hit_rate(),
        pulled: sum(|service| service.pulled),
        pushed: sum(|service| service.pushed),
        cache_pushed: sum(|service| service.cache_pushed),
        network: None,
        cache: Some(Cache {
            import_seconds: 1.2,
            export_seconds: 8.25,
            saved_seconds: Some(251.0),
            pulled: Some(1_200_000),
            saved_bytes: None,
        }),
        advice: vec![Advice {
            kind: "cache-mount".into(),
            service: "service-003".into(),
            text: "its cache mount does not survive this machine".into(),
            ..Advice::default()
        }],
        services: all,
        timeline,
    }
}
