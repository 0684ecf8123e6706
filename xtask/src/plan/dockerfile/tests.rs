//! Tables: a Dockerfile, and what is read from it.

mod arguments;
mod format;
mod names;
mod property;
mod refused;
mod vertex;

use super::*;
use std::collections::BTreeMap;

const SOME_PLATFORM: &str = "linux/amd64";

/// A question that a test can change before it asks.
struct Ask {
    text: String,
    args: BTreeMap<String, String>,
    target: Option<String>,
    contexts: Vec<String>,
    platforms: Vec<String>,
}

fn ask(text: &str) -> Ask {
    Ask {
        text: text.to_owned(),
        args: BTreeMap::new(),
        target: None,
        contexts: Vec::new(),
        platforms: vec![SOME_PLATFORM.to_owned()],
    }
}

impl Ask {
    fn arg(mut self, name: &str, value: &str) -> Self {
        self.args.insert(name.to_owned(), value.to_owned());
        self
    }

    fn target(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }

    fn context(mut self, name: &str) -> Self {
        self.contexts.push(name.to_owned());
        self
    }

    fn platforms(mut self, platforms: &[&str]) -> Self {
        self.platforms = platforms.iter().map(|p| (*p).to_owned()).collect();
        self
    }

    fn answer(&self) -> Result<Reads, Trouble> {
        let question = Question {
            args: &self.args,
            target: self.target.as_deref(),
            contexts: &self.contexts,
            platforms: &self.platforms,
        };
        reads(&parse(&self.text), &question)
    }

    /// Everything is understood and these are the names, each with its line: `2:debian:trixie`.
    #[track_caller]
    fn reads(&self, names: &[&str]) {
        let reads = self.answer().unwrap_or_else(|e| panic!("{}: {e}", self.text));
        assert_eq!(reads.unclear, [], "{}", self.text);
        assert_eq!(listed(&reads), names, "{}", self.text);
    }

    #[track_caller]
    fn unclear(&self, line: usize, part: &str) {
        let reads = self.answer().unwrap_or_else(|e| panic!("{}: {e}", self.text));
        let found = reads.unclear.iter().any(|u| u.line == line && u.what.contains(part));
        assert!(found, "{}: {:?}", self.text, reads.unclear);
    }

    #[track_caller]
    fn refused(&self, line: usize, part: &str) {
        let trouble = match self.answer() {
            Ok(reads) => panic!("{}: {reads:?}", self.text),
            Err(trouble) => trouble,
        };
        assert_eq!(trouble.line, line, "{}: {trouble}", self.text);
        assert!(trouble.what.contains(part), "{}: {trouble}", self.text);
    }
}

fn listed(reads: &Reads) -> Vec<String> {
    reads.references.iter().map(|r| format!("{}:{}", r.line, r.name)).collect()
}
