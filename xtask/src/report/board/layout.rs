//! The table as lines for a terminal of a given size.

use super::{Board, Counts, Doing, Done, Row, State};
use crate::report::text::{columns, cut, size};
use crate::report::{many, seconds};

/// Columns and lines of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns
    pub width: usize,
    /// Lines
    pub height: usize,
}

/// How a line is shown where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As any other
    Plain,
    /// Of the whole
    Bold,
    /// Of less interest
    Dim,
    /// Wrong
    Red,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// At most as wide as asked for
    pub text: String,
    /// How it is shown
    pub tone: Tone,
}

/// A terminal that is wider leaves room for the time that a service takes in all.
const WIDE: usize = 100;
/// No line gets wider.
const WIDEST: usize = 159;
/// A terminal that is made smaller breaks lines that are too long, and what it pushes out at the top
/// cannot be taken back. So lines are only as long as they may be down to this size.
const SMALLEST: Size = Size { width: 80, height: 24 };
/// The columns that a time takes: `12 min 5 s`.
const TIME: usize = 10;

impl Board {
    /// The table at this time: one line of counts, then what is at work, what is done, what waits,
    /// as far as it fits.
    pub fn lines(&self, size: Size, began: f64, now: f64) -> Vec<Line> {
        // A line as wide as the terminal would be continued on the next by some of them.
        let width = size.width.saturating_sub(1).min(self.widest(size.height));
        let room = size.height.saturating_sub(1);
        let counts = self.counts();
        let mut lines =
            vec![Line { text: self.head(width, began, now, &counts), tone: Tone::Bold }];
        let room = room.saturating_sub(1);
        let (shown, left) = self.shown(room);
        let names = shown.iter().map(|row| row.service.len()).max().unwrap_or(0);
        let table = Table { width, names: names.min(width / 3), now: self.builders(now) };
        lines.extend(shown.iter().map(|row| table.line(row)));
        lines.extend(left.map(|text| Line { text: cut(&text, width), tone: Tone::Dim }));
        lines.truncate(size.height.saturating_sub(1).max(1));
        lines
    }

    fn widest(&self, height: usize) -> usize {
        let lines = (self.rows.len() + 1).min(height).max(1);
        let each = ((SMALLEST.height - 1) / lines).max(1);
        (each * SMALLEST.width - 1).min(WIDEST)
    }

    fn head(&self, width: usize, began: f64, now: f64, counts: &Counts) -> String {
        let mut took = format!("; {}", seconds((now - began).max(0.0)));
        if let Some(rest) = self.rest(now) {
            took = format!("{took}, about {} left", seconds(rest.ceil().max(1.0)));
        }
        let bytes: u64 = self.rows.iter().map(|row| row.bytes).sum();
        let mut text = format!("{} of {} done", counts.all_done(), self.rows.len());
        let by_outcome = counts.by_outcome();
        let more = [
            (!by_outcome.is_empty()).then(|| format!(": {by_outcome}")),
            (counts.running > 0).then(|| format!("; {} at work", counts.running)),
            (bytes >= 1_000_000).then(|| format!("; {} in", size(bytes))),
        ];
        for part in more.into_iter().flatten() {
            if columns(&text) + columns(&part) + columns(&took) <= width {
                text.push_str(&part);
            }
        }
        cut(&format!("{text}{took}"), width)
    }

    /// The rows that fit, and what is said of the others. All, where they fit, in the order of the
    /// plan: nothing moves then. Else what failed, what is at work, and the last that were done.
    fn shown(&self, room: usize) -> (Vec<&Row>, Option<String>) {
        if self.rows.len() <= room {
            return (self.rows.iter().collect(), None);
        }
        let room = room.saturating_sub(1);
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| recent(a, b)));
        let hidden = rows.split_off(room.min(rows.len()));
        let number = |is: fn(&State) -> bool| hidden.iter().filter(|row| is(&row.state)).count();
        let parts = [
            (number(|state| matches!(state, State::Running(_))), "at work"),
            (number(|state| matches!(state, State::Done(_))), "done"),
            (number(|state| *state == State::Waiting), "waiting"),
        ];
        let parts = parts.iter().filter(|(number, _)| *number > 0);
        let parts: Vec<String> = parts.map(|(n, what)| format!("{n} {what}")).collect();
        let text = format!("… and {} more: {}", many(hidden.len(), "service"), parts.join(", "));
        (rows, Some(text))
    }
}

fn order(row: &Row) -> u8 {
    match row.state {
        State::Done(Done::Failed) => 0,
        State::Running(_) => 1,
        State::Done(Done::Built | Done::Cached) => 2,
        State::Waiting => 3,
        State::Done(Done::Skipped | Done::Promoted) => 4,
    }
}

/// What is at work in the order in which it began: it stays where it is. What is done: the last first.
fn recent(a: &Row, b: &Row) -> std::cmp::Ordering {
    let at = |time: Option<f64>| time.unwrap_or(f64::INFINITY);
    match a.state {
        State::Done(_) => at(b.ended).total_cmp(&at(a.ended)),
        _ => at(a.began).total_cmp(&at(b.began)),
    }
}

struct Table {
    width: usize,
    names: usize,
    now: f64,
}

impl Table {
    /// Name, time, what is done.
    fn line(&self, row: &Row) -> Line {
        let took = Some(row.seconds());
        let (time, text, tone) = match &row.state {
            State::Waiting if row.needs.is_empty() => (None, "waits".to_owned(), Tone::Dim),
            State::Waiting => (None, format!("waits for {}", row.needs.join(", ")), Tone::Dim),
            State::Running(None) => (None, "…".to_owned(), Tone::Plain),
            State::Running(Some(doing)) => {
                let since = (self.now - doing.since).max(0.0);
                (Some(since), self.doing(row, doing), Tone::Plain)
            }
            State::Done(Done::Failed) => (took, row.came_to(), Tone::Red),
            State::Done(Done::Built) => (took, row.came_to(), Tone::Plain),
            State::Done(Done::Cached) => (took, row.came_to(), Tone::Dim),
            State::Done(Done::Skipped | Done::Promoted) => (None, row.came_to(), Tone::Dim),
        };
        let name = cut(&row.service, self.names);
        let blank = " ".repeat(self.names.saturating_sub(columns(&name)));
        let time = time.map(seconds).unwrap_or_default();
        let text = cut(&format!("{name}{blank}  {time:>TIME$}  {text}"), self.width);
        Line { text: text.trim_end().to_owned(), tone }
    }

    /// The step, which gives way to what is said of bytes and of the service as a whole.
    fn doing(&self, row: &Row, doing: &Doing) -> String {
        let mut more = match doing.bytes {
            (0, 0) => String::new(),
            (current, total) if total > current => {
                format!("  {} of {}", size(current), size(total))
            }
            (current, _) => format!("  {}", size(current)),
        };
        if self.width >= WIDE {
            let all = row.began.map(|began| (self.now - began).max(0.0)).unwrap_or_default();
            let usual = row.usual.map(|usual| format!(" of about {}", seconds(usual)));
            more = format!("{more}  ({}{})", seconds(all), usual.unwrap_or_default());
        }
        let room = self.width.saturating_sub(self.names + TIME + 4 + columns(&more));
        format!("{}{more}", cut(&doing.step, room))
    }
}
