//! What a person sees while images are built: on a terminal a table that changes, elsewhere a line
//! when a service begins, ends or fails, and a sign of life; GitHub folds the steps of each.

mod mode;

pub use mode::{Level, Mode};

use super::alive::SIGN_OF_LIFE;
use super::board::{Board, Change, Doing, Line, State, Tone, said};
use super::stderr::{self, say};
use super::text::{cut, harmless, on_one_line};
use super::{github, seconds};
use crate::docker::bake::{service_name, target_name};
use crate::docker::progress::{Progress, StepName, Update};
use crate::time::Clock;
use std::time::{Duration, Instant};

/// How often the table changes.
const REFRESH: Duration = Duration::from_millis(200);
/// Steps that took longer are worth a line where there is no table, in seconds.
const WORTH_A_LINE: f64 = 5.0;
/// The widest that a step is shown in a line.
const STEP_WIDTH: usize = 90;
/// So many services a sign of life names.
const NAMED: usize = 3;

/// Tells of a run on standard error.
pub struct Terminal {
    level: Level,
    mode: Mode,
    board: Board,
    clock: Clock,
    began: f64,
    said: Instant,
    looked: Option<Instant>,
}

impl Terminal {
    /// For a run of these services.
    pub fn new(level: Level, mode: Mode, board: Board, clock: Clock) -> Self {
        let (began, said) = (clock.now(), Instant::now());
        Self { level, mode, board, clock, began, said, looked: None }
    }

    /// Takes what [`crate::docker::buildx::Buildx::bake`] tells.
    pub fn update(&mut self, update: Option<&Update>, progress: &Progress) {
        match update {
            Some(Update::Done(name, took)) if self.tells(*took) => {
                self.line(&format!("{}  {}", self.step(name), seconds(*took)));
            }
            Some(Update::Cached(name)) if self.level == Level::Verbose => {
                self.line(&format!("{}  cached", self.step(name)));
            }
            Some(Update::Failed(name)) => self.failed(name, progress),
            Some(Update::Again(note)) => self.line(&format!("note: {note}")),
            _ => {}
        }
        let is_due = self.looked.is_none_or(|looked| looked.elapsed() >= REFRESH);
        if self.level != Level::Quiet && (is_due || progress.ended().is_some()) {
            self.looked = Some(Instant::now());
            self.look(progress);
        }
    }

    /// Says a line.
    pub fn line(&mut self, text: &str) {
        if self.level != Level::Quiet {
            say!("{}", self.plain(text));
            self.said = Instant::now();
        }
    }

    /// Says how far it came, for a run that was stopped.
    pub fn stopped(&mut self) {
        self.clear();
        let counts = self.board.counts();
        if counts.all_done() + counts.running > 0 {
            self.line(&self.how_far(0));
        }
    }

    /// Takes the table away.
    pub fn clear(&mut self) {
        if self.mode.is_live() {
            stderr::clear();
        }
    }

    fn look(&mut self, progress: &Progress) {
        let now = self.clock.now();
        for (place, change) in self.board.take(progress, now) {
            match &self.mode {
                Mode::Live { .. } => {}
                Mode::Lines => self.changed(place, change),
                Mode::GitHub => self.folded(place, change, progress),
            }
        }
        if let Mode::Live { colours, size } = &self.mode {
            let lines = self.board.lines(size(), self.began, now);
            let lines: Vec<String> = lines.iter().map(|line| styled(line, *colours)).collect();
            stderr::draw(&lines);
        } else if self.said.elapsed() >= SIGN_OF_LIFE {
            self.line(&self.how_far(NAMED));
        }
    }

    fn changed(&mut self, place: usize, change: Change) {
        let row = &self.board.rows()[place];
        let text = match change {
            Change::Began => "begins".to_owned(),
            Change::Ended => row.said(),
        };
        self.line(&format!("{}  {text}", row.service));
    }

    /// The steps of a service that has ended, in a group.
    fn folded(&mut self, place: usize, change: Change, progress: &Progress) {
        let row = &self.board.rows()[place];
        let target = target_name(&row.service);
        if change == Change::Began {
            return self.changed(place, change);
        }
        let mut lines = vec![github::group(&format!("{}  {}", row.service, row.said()))];
        let of_target = |name: &&String| StepName::parse(name).target == Some(&target);
        let steps = progress.steps_of(&target).into_iter();
        for vertex in steps.filter(|vertex| vertex.started.is_some()) {
            let own = vertex.names.iter().find(of_target);
            let Some(name) = own.or(vertex.names.first()) else { continue };
            let took = match (&vertex.error, vertex.is_cached_for(&target)) {
                (Some(_), _) => "failed".to_owned(),
                (None, true) => "cached".to_owned(),
                (None, false) => seconds(vertex.seconds()),
            };
            let step = cut(&said(&StepName::parse(name)), STEP_WIDTH);
            lines.push(self.plain(&format!("{step}  {took}")));
        }
        lines.push(github::end_group().to_owned());
        say!("{}", lines.join("\n"));
        self.said = Instant::now();
    }

    /// What a step printed before it failed is told at once: others may go on for long.
    fn failed(&mut self, name: &str, progress: &Progress) {
        let failed = progress.failed_steps();
        let step = StepName::parse(name).without_target();
        let Some(failed) = failed.iter().find(|failed| failed.name == step) else { return };
        // BuildKit repeats the whole command before it comes to the point.
        let error = failed.error.rsplit_once("did not complete successfully: ");
        let error = on_one_line(error.map_or(&failed.error, |(_, error)| error));
        self.line(&format!("{}  failed: {error}", self.step(name)));
        for line in &failed.log {
            self.line(&format!("  | {}", harmless(line)));
        }
    }

    fn tells(&self, took: f64) -> bool {
        let is_long = !self.mode.is_live() && took >= WORTH_A_LINE;
        self.level == Level::Verbose || is_long
    }

    /// `3 of 20 done: 3 built; 2 at work: web 3/6 RUN make (12 s), …; 40 s, about 20 s left`
    fn how_far(&self, named: usize) -> String {
        let (now, counts) = (self.clock.now(), self.board.counts());
        let mut text = format!("{} of {} done", counts.all_done(), self.board.rows().len());
        if counts.all_done() > 0 {
            text = format!("{text}: {}", counts.by_outcome());
        }
        let at_work = self.board.rows().iter().filter_map(|row| match &row.state {
            State::Running(Some(Doing { step, .. })) => {
                Some(format!("{} {}", row.service, cut(step, STEP_WIDTH / 2)))
            }
            _ => None,
        });
        let at_work: Vec<String> = at_work.collect();
        if counts.running > 0 {
            text = format!("{text}; {} at work", counts.running);
        }
        if !at_work.is_empty() && named > 0 {
            let more = if at_work.len() > named { ", …" } else { "" };
            let named = at_work.iter().take(named).cloned().collect::<Vec<_>>().join(", ");
            text = format!("{text}: {named}{more}");
        }
        text = format!("{text}; {}", seconds((now - self.began).max(0.0)));
        match self.board.rest(now) {
            Some(rest) => format!("{text}, about {} left", seconds(rest.ceil())),
            None => text,
        }
    }

    /// `git-server 3/6 RUN apt-get update`, on one line.
    fn step(&self, name: &str) -> String {
        let step = StepName::parse(name);
        let service = service_name(step.target.unwrap_or_default());
        cut(&format!("{service} {}", said(&step)), STEP_WIDTH)
    }

    /// What a build prints or is called gives GitHub no orders.
    fn plain(&self, text: &str) -> String {
        match self.mode {
            Mode::GitHub => github::plain(text),
            Mode::Live { .. } | Mode::Lines => text.to_owned(),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}

fn styled(line: &Line, colours: bool) -> String {
    let code = match line.tone {
        _ if !colours => return line.text.clone(),
        Tone::Plain => return line.text.clone(),
        Tone::Bold => "1",
        Tone::Dim => "2",
        Tone::Red => "31",
    };
    format!("\x1b[{code}m{}\x1b[0m", line.text)
}

#[cfg(test)]
mod tests;
