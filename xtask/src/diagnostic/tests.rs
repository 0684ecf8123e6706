use super::*;

#[test]
fn a_diagnostic_shows_the_line_a_caret_and_the_next_step() {
    let source = Source::new("a/Dockerfile", "FROM x\n\tRUN größe\r\n");
    let at = source.text().find("größe").unwrap();
    let shown = source.at(&(at..at + 7), "no such thing").help("try `y`\nor `z`").to_string();
    assert_eq!(
        shown,
        "a/Dockerfile:2:6: no such thing\n  |\n2 | \tRUN größe\n  | \t    ^^^^^\n  = try `y`\n    or `z`"
    );
}

#[test]
fn a_line_without_its_blanks_can_be_marked() {
    let shown = Source::new("f", "a\n  b c  \n").at_line(2, "m").to_string();
    assert_eq!(shown, "f:2:3: m\n  |\n2 |   b c  \n  |   ^^^");
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let source = Source::new("f", &format!("{}HERE{}", "a".repeat(500), "b".repeat(500)));
    let shown = source.at(&(500..504), "m").to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[2].starts_with("1 | …aaa") && lines[2].ends_with("bbb…"), "{shown}");
    assert_eq!(lines[2].chars().count(), 4 + 2 + WIDTH);
    let caret = lines[3].chars().position(|c| c == '^').unwrap();
    assert_eq!(lines[2].chars().nth(caret), Some('H'));
}

#[test]
fn places_beyond_the_text_are_its_end() {
    let source = Source::new("f", "a\nbc");
    let diagnostic = source.at(&(90..99), "m");
    assert_eq!((diagnostic.line, diagnostic.column), (2, 3));
    assert_eq!(Source::new("f", "").at(&(0..0), "m").to_string(), "f:1:1: m\n  |\n1 | \n  | ^");
    assert_eq!(source.at_line(7, "m").line, 2);
    assert_eq!(source.at_line(0, "m").line, 1);
}

#[test]
fn a_byte_order_mark_is_no_column() {
    let source = Source::new("f", "\u{feff}ab");
    assert_eq!(source.at(&(4..5), "m").column, 2);
}

#[test]
fn names_cannot_reach_the_terminal() {
    assert_eq!(quoted("a\u{1b}[31m\nb"), "`a\u{fffd}[31m\u{fffd}b`");
    assert_eq!(quoted(&"x".repeat(100)), format!("`{}…`", "x".repeat(80)));
}

#[test]
fn a_report_counts() {
    let (f, g) = (Source::new("f", "a"), Source::new("g", "a"));
    let (one, two) = (f.at(&(0..1), "m"), g.at(&(0..1), "m"));
    assert!(report(std::slice::from_ref(&one)).ends_with("\n\n1 error in f"));
    assert!(report(&[one.clone(), one.clone()]).ends_with("\n\n2 errors in f"));
    assert!(report(&vec![one.clone(); 51]).ends_with("51 errors in f, the first 50 are shown"));
    assert!(report(&[one, two]).ends_with("\n\n2 errors in 2 files"));
}
