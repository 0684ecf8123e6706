//! What a pushing run builds in which order. Pure.

use std::collections::BTreeSet;

/// Groups of services, one after the other.
pub type Lane = Vec<Vec<String>>;

/// What is built after each other, in lanes that run side by side (for a run that
/// pushes): `levels` need only earlier ones, `stems` are built on by others.
///
/// What is built on is pushed before others refer to it by its digest. One bake a level would have the
/// engine idle at the end of each: what builds on nothing and is built on by nothing fills that time.
pub fn lanes(levels: &[Vec<String>], stems: &BTreeSet<&String>) -> Vec<Lane> {
    let (mut lane, mut alone, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for (number, level) in levels.iter().enumerate() {
        let (built_on, leaves): (Vec<_>, Vec<_>) =
            level.iter().cloned().partition(|service| stems.contains(service));
        lane.push(built_on);
        if number == 0 { &mut alone } else { &mut last }.extend(leaves);
    }
    lane.push(last);
    let lanes = [lane, vec![alone]]
        .map(|lane| -> Lane { lane.into_iter().filter(|services| !services.is_empty()).collect() });
    lanes.into_iter().filter(|lane| !lane.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(levels: &[&[&str]], stems: &[&str], expected: &[&[&[&str]]]) {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<String>>();
        let levels: Vec<Vec<String>> = levels.iter().map(|level| own(level)).collect();
        let stems = own(stems);
        let lane = |lane: &&[&[&str]]| lane.iter().map(|names| own(names)).collect::<Lane>();
        let expected: Vec<Lane> = expected.iter().map(lane).collect();
        assert_eq!(lanes(&levels, &stems.iter().collect()), expected);
    }

    #[test]
    fn what_is_built_on_comes_first_and_what_stands_alone_beside_it() {
        case(&[&["a", "b"]], &[], &[&[&["a", "b"]]]);
        case(&[&["base"], &["x", "y"]], &["base"], &[&[&["base"], &["x", "y"]]]);
        case(
            &[&["alone", "base"], &["mid", "x"], &["y"]],
            &["base", "mid"],
            &[&[&["base"], &["mid"], &["x", "y"]], &[&["alone"]]],
        );
        case(&[], &[], &[]);
    }
}
