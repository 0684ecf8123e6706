//! What a person sees while images are built: on a terminal one line that changes, elsewhere a line
//! for what is worth one and a sign of life.

use super::{count, seconds};
use crate::docker::bake::service_name;
use crate::docker::progress::{Progress, StepName, Update};
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How often something is said where nothing else is.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);
/// How often the changing line changes.
const REFRESH: Duration = Duration::from_millis(200);
/// Steps that took longer are told without being asked for, in seconds.
const WORTH_A_LINE: f64 = 1.0;
/// The widest that the changing line gets, in characters: what fits on every terminal.
const WIDTH: usize = 79;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing
    Quiet,
    /// Services, and steps that take long
    Normal,
    /// Every step
    Verbose,
}

/// Tells of a run on standard error.
pub struct Terminal {
    level: Level,
    live: bool,
    began: Instant,
    last: Instant,
    services: usize,
    done: BTreeSet<String>,
    shown: bool,
}

impl Terminal {
    /// For a run over so many services. `plain` keeps it from the changing line (`TERM=dumb`).
    pub fn new(level: Level, services: usize, plain: bool) -> Self {
        let live = level != Level::Quiet && !plain && std::io::stderr().is_terminal();
        let now = Instant::now();
        Self { level, live, began: now, last: now, services, done: BTreeSet::new(), shown: false }
    }

    /// Since the first build began.
    fn elapsed(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
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
            Some(Update::Failed(name)) => self.line(&format!("{}  failed", self.step(name))),
            Some(Update::Again(note)) => self.line(&format!("note: {note}")),
            Some(Update::Exported(target)) => {
                self.done.insert(service_name(target));
            }
            _ => {}
        }
        self.tick(progress);
    }

    /// Says a line, above the changing one.
    pub fn line(&mut self, text: &str) {
        if self.level != Level::Quiet {
            self.clear();
            eprintln!("{text}");
            self.last = Instant::now();
        }
    }

    /// Takes the changing line away.
    pub fn clear(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
            std::io::stderr().flush().ok();
            self.shown = false;
        }
    }

    fn tells(&self, took: f64) -> bool {
        self.level == Level::Verbose || took >= WORTH_A_LINE
    }

    fn tick(&mut self, progress: &Progress) {
        let pause = if self.live { REFRESH } else { SIGN_OF_LIFE };
        if self.level == Level::Quiet || self.last.elapsed() < pause {
            return;
        }
        self.last = Instant::now();
        let mut running = progress.running();
        running.sort_by(|a, b| a.1.total_cmp(&b.1));
        let at_work = running.iter().map(|(name, _)| self.step(name)).next().unwrap_or_default();
        let text = format!(
            "{} of {} done, {}  {at_work}",
            self.done.len(),
            count(self.services, "image"),
            seconds(self.elapsed())
        );
        if self.live {
            let text: String = text.chars().take(WIDTH).collect();
            eprint!("\r\x1b[K{text}");
            std::io::stderr().flush().ok();
            self.shown = true;
        } else {
            eprintln!("{text}");
        }
    }

    /// `git-server 3/6 RUN apt-get update`, on one line.
    fn step(&self, name: &str) -> String {
        let step = StepName::parse(name);
        let service = service_name(step.target.unwrap_or_default());
        let stage = step.stage.map(|stage| format!(" {stage}")).unwrap_or_default();
        let number = step.number.map(|(n, all)| format!(" {n}/{all}")).unwrap_or_default();
        let text: String = step.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(60).collect();
        format!("{service}{stage}{number} {text}")
    }
}
