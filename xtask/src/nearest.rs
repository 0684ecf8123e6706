//! "Did you mean …?": the known name that is nearest to what was written. Pure.

/// Beyond this many characters nothing was mistyped, something else was meant.
const LONGEST: usize = 64;

/// The known name that is nearest to what was written, if any is near enough to have been meant:
/// the same but for case and `_` or `-`, or at most one slip in three characters.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = plain(written);
    if written.len() > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let candidate = plain(name);
        let limit = written.len().max(candidate.len()) / 3;
        if candidate.len().abs_diff(written.len()) > limit {
            continue;
        }
        let distance = distance(&written, &candidate);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour to make
/// one word of the other (optimal string alignment).
pub fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i; to.len() + 1];
        for j in 1..=to.len() {
            let replaced = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

/// Case and the choice between `_` and `-` are no difference.
fn plain(name: &str) -> Vec<char> {
    name.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(written: &str, expected: Option<&str>) {
        let known = ["platforms", "args", "ssh", "shm-size", "volatile-args", "web", "dev-branch"];
        assert_eq!(nearest(written, known), expected, "{written}");
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        case("platfroms", Some("platforms"));
        case("platform", Some("platforms"));
        case("PLATFORMS", Some("platforms"));
        case("shm_size", Some("shm-size"));
        case("devbranch", Some("dev-branch"));
        case("wbe", Some("web"));
        case("arg", Some("args"));
        case("x", None);
        case("", None);
        case("something-else", None);
        case(&"platforms".repeat(1000), None);
    }

    #[test]
    fn distances() {
        let distance = |a: &str, b: &str| {
            distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("größe", "grösse"), 2);
    }
}
