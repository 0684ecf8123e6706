use super::*;
use crate::report::board::{Done, Row, Size};
use std::time::SystemTime;

fn terminal(mode: Mode, rows: Vec<Row>) -> Terminal {
    let clock = Clock::new(SystemTime::UNIX_EPOCH, Instant::now());
    Terminal::new(Level::Normal, mode, Board::of(rows), clock)
}

fn running(service: &str, step: &str) -> Row {
    let doing = Doing { step: step.into(), since: 0.0, bytes: (0, 0) };
    Row { service: service.into(), state: State::Running(Some(doing)), ..Row::default() }
}

#[test]
fn a_sign_of_life_says_how_far_it_is() {
    let row = |service: &str, state| Row { service: service.into(), state, ..Row::default() };
    let mut rows = vec![row("a", State::Done(Done::Built)), row("b", State::Waiting)];
    let said = terminal(Mode::Lines, rows.clone()).how_far(NAMED);
    assert!(said.starts_with("1 of 2 done: 1 built; 0.0"), "{said}");
    rows.extend(["c", "d", "e", "f"].map(|name| running(name, "2/3 RUN make")));
    let said = terminal(Mode::Lines, rows).how_far(NAMED);
    let start = "1 of 6 done: 1 built; 4 at work: c 2/3 RUN make, d 2/3 RUN make, \
                 e 2/3 RUN make, …; 0.0";
    assert!(said.starts_with(start), "{said}");
}

#[test]
fn what_a_build_is_called_gives_github_no_orders() {
    let terminal = terminal(Mode::GitHub, Vec::new());
    assert!(!terminal.plain("  ::add-mask::x").trim_start().starts_with("::"));
    let line = "a ::b";
    assert_eq!(terminal.plain(line), line);
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let line = Line { text: "x".into(), tone: Tone::Red };
    assert_eq!(styled(&line, false), "x");
    assert_eq!(styled(&line, true), "\x1b[31mx\x1b[0m");
}

#[test]
fn only_a_table_is_live() {
    let size = || Size { width: 80, height: 24 };
    assert!(Mode::Live { colours: true, size: Box::new(size) }.is_live());
    assert!(!Mode::Lines.is_live() && !Mode::GitHub.is_live());
}
