//! Where two texts differ, in few lines. Pure.

use std::fmt::Write as _;

/// Of each side no more lines are shown.
const SHOWN: usize = 6;
/// So many equal lines end a difference.
const EQUAL: usize = 3;
/// Longer differences are not told from what follows them.
const LONGEST: usize = 200;

/// The first difference: `-` what is there, `+` what should be.
pub fn difference(there: &str, wanted: &str) -> String {
    let (there, wanted): (Vec<&str>, Vec<&str>) =
        (there.lines().collect(), wanted.lines().collect());
    let first = there.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let (there, wanted) = (&there[first..], &wanted[first..]);
    if there.is_empty() && wanted.is_empty() {
        return "only the ends of lines differ\n".into();
    }
    let (less, more) = lengths(there, wanted);
    let mut text = format!("line {}:\n", first + 1);
    for (sign, lines) in [('-', &there[..less]), ('+', &wanted[..more])] {
        for line in lines.iter().take(SHOWN) {
            // Writing to a string cannot fail.
            writeln!(text, "{sign} {line}").ok();
        }
        if let Some(rest) = lines.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
            writeln!(text, "{sign} … {}", crate::report::count(rest, "more line")).ok();
        }
    }
    if there[less..] != wanted[more..] {
        text += "and there are more differences\n";
    }
    text
}

/// How many lines of each side are left out until both go on alike.
fn lengths(there: &[&str], wanted: &[&str]) -> (usize, usize) {
    (0..LONGEST)
        .flat_map(|sum| (0..=sum).map(move |less| (less, sum - less)))
        .filter(|(less, more)| *less <= there.len() && *more <= wanted.len())
        .find(|(less, more)| beginning(&there[*less..]) == beginning(&wanted[*more..]))
        .unwrap_or((there.len(), wanted.len()))
}

fn beginning<'a, 'b>(lines: &'a [&'b str]) -> &'a [&'b str] {
    &lines[..lines.len().min(EQUAL)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(there: &str, wanted: &str, expected: &str) {
        assert_eq!(difference(there, wanted), expected);
    }

    #[test]
    fn what_differs_is_shown() {
        case("a\nb\nc\n", "a\nx\ny\nc\n", "line 2:\n- b\n+ x\n+ y\n");
        case("a\na\n", "a\n", "line 2:\n- a\n");
        case(
            "a\nb\nc\nd\ne\n",
            "x\nb\nc\nd\ny\n",
            "line 1:\n- a\n+ x\nand there are more differences\n",
        );
        case("", "a\n", "line 1:\n+ a\n");
        case("a\r\n", "a\n", "only the ends of lines differ\n");
        let long = "x\n".repeat(9);
        let shown = format!("line 1:\n- y\n{}+ … 3 more lines\n", "+ x\n".repeat(6));
        case("y\n", &long, &shown);
    }
}
