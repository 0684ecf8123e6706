//! A measurement beside an earlier one of the same work. Pure.
//!
//! Counts are compared as they are: one that no run had before is a change. Times depend on the
//! machine, so what is compared is how long we take beside the fastest peer of the same run, or the
//! floor; only where there is neither, the seconds.

use super::report::{Extent, OURS, Report, Row};
use super::statistics::Spread;
use super::verdict::{Verdict, Weight};

/// What is never a slow-down, whatever the spread.
const ALWAYS: f64 = 1.05;
/// A slow-down that is only seen when it is larger than this says little.
const TOO_COARSE: f64 = 2.0;
/// Fewer runs have no spread to speak of.
const RUNS: usize = 3;
/// Attestations tell times, whose digits vary: so many bytes a service are no change.
const JITTER: u64 = 100;

/// Everything that is to be said, in the order of the rows. `Err` tells why they cannot be compared.
pub fn against(new: &Report, old: &Report) -> Result<Vec<Verdict>, String> {
    if new.work != old.work {
        return Err("it is of other work (services, files, bytes, seed or base)".to_owned());
    }
    let mut verdicts = Vec::new();
    for row in new.rows.iter().filter(|row| row.contestant == OURS) {
        match find(old, row, OURS) {
            Some(before) => compare(&mut verdicts, (new, row), (old, before)),
            None => verdicts.push(Verdict::of(row, Weight::Unknown, "was not measured before")),
        }
    }
    for row in old.rows.iter().filter(|row| row.contestant == OURS) {
        if find(new, row, OURS).is_none() {
            verdicts.push(Verdict::of(row, Weight::Unknown, "is not measured any more"));
        }
    }
    Ok(verdicts)
}

fn find<'a>(report: &'a Report, like: &Row, by: &str) -> Option<&'a Row> {
    let is_same = |row: &&Row| row.case.is_as(like.case) && row.contestant == by;
    report.rows.iter().find(is_same)
}

fn compare(verdicts: &mut Vec<Verdict>, new: (&Report, &Row), old: (&Report, &Row)) {
    let (row, before) = (new.1, old.1);
    let mut count = |what: &str, now: Option<Extent>, was: Option<Extent>, more: Weight, slack| {
        let (Some(now), Some(was)) = (now, was) else { return };
        let weight = match more {
            _ if now.min > was.max + slack => more,
            _ if now.max + slack < was.min => more.opposite(),
            _ => return,
        };
        verdicts.push(Verdict::of(row, weight, format!("{what}: {now}, before {was}")));
    };
    let slack = JITTER * new.0.work.services as u64;
    let of =
        |row: &Row, which: fn(&super::report::Counts) -> Extent| row.counts.as_ref().map(which);
    count("requests", of(row, |c| c.requests), of(before, |c| c.requests), Weight::Worse, 0);
    count("tags", of(row, |c| c.tags), of(before, |c| c.tags), Weight::Worse, 0);
    count("bytes pushed", of(row, |c| c.pushed), of(before, |c| c.pushed), Weight::Worse, slack);
    count("bytes pulled", of(row, |c| c.pulled), of(before, |c| c.pulled), Weight::Worse, slack);
    count("cached steps", row.cached(), before.cached(), Weight::Better, 0);
    count("steps", row.steps_in_all(), before.steps_in_all(), Weight::Worse, 0);
    verdicts.push(time(new, old));
}

fn time(new: (&Report, &Row), old: (&Report, &Row)) -> Verdict {
    let row = new.1;
    let peer = yardstick(new, old);
    let quotients = |(report, row): (&Report, &Row)| match &peer {
        Some(peer) => find(report, row, peer).and_then(|other| beside(row, other)),
        None => Some(row.seconds.clone()),
    };
    let (Some(now), Some(was)) = (quotients(new), quotients(old)) else {
        return Verdict::of(row, Weight::Unknown, "time: there is nothing to compare with");
    };
    let by = peer.map_or("in seconds".to_owned(), |peer| format!("beside {peer}"));
    if now.all.len() < RUNS || was.all.len() < RUNS {
        return Verdict::of(
            row,
            Weight::Unknown,
            format!("time {by}: it takes {RUNS} runs to tell"),
        );
    }
    let (ratio, seen) = (now.median / was.median, ALWAYS + now.relative() + was.relative());
    let text = format!(
        "time {by}: {ratio:.2} times as long as before (the smallest slow-down that is seen: {seen:.2} times)"
    );
    let weight = match () {
        () if ratio > seen => Weight::Worse,
        () if ratio * seen < 1.0 => Weight::Better,
        () if seen > TOO_COARSE => {
            return Verdict::of(row, Weight::Unknown, format!("{text}: too noisy, more runs"));
        }
        () => Weight::Same,
    };
    Verdict::of(row, weight, text)
}

/// The fastest peer that both have, else the floor.
fn yardstick(new: (&Report, &Row), old: (&Report, &Row)) -> Option<String> {
    let same_case = |row: &&Row| row.case.is_as(new.1.case) && row.contestant != OURS;
    let both = new.0.rows.iter().filter(same_case);
    let both = both.filter(|row| find(old.0, row, &row.contestant).is_some());
    // A floor is fastest by its nature.
    both.min_by(|a, b| {
        let key = |row: &Row| (row.floor.is_some(), row.seconds.median);
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    })
    .map(|row| row.contestant.clone())
}

/// One run beside the other's run of the same turn, when the machine was the same.
fn beside(row: &Row, other: &Row) -> Option<Spread> {
    let pairs = row.seconds.all.iter().zip(&other.seconds.all);
    Spread::of(pairs.filter(|(_, other)| **other > 0.0).map(|(one, other)| one / other).collect())
}

#[cfg(test)]
mod tests;
