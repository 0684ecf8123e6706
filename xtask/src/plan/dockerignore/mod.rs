//! `.dockerignore` as BuildKit reads it, which is not as git reads `.gitignore`.
//!
//! Pure: text in, verdicts out. It follows
//! <https://github.com/moby/patternmatcher> (what a pattern matches) and
//! <https://github.com/tonistiigi/fsutil> (what a walk sends), quirks included.
//! `tests/dockerignore.rs` compares it with what BuildKit really sends.
//!
//! BuildKit reads `<Dockerfile>.dockerignore` beside the Dockerfile if there is one, else
//! `.dockerignore` in the context's root; never both. Neither these files nor the Dockerfile are
//! special in the context: rules that match them keep them out of it.

mod clean;
mod glob;
mod ignore;
mod lines;
mod pattern;
mod regex;

pub use ignore::{Folder, Ignore, Parent};

/// Why an ignore file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, from 1
    pub line: usize,
    /// What, as a fragment that fits after "cannot tell what `.dockerignore` leaves out: "
    pub what: String,
}

/// The names of the files that may hold the rules, the first that exists counts: the first is
/// beside the Dockerfile, the second in the context's root.
pub fn file_names(dockerfile: &str) -> [String; 2] {
    [format!("{dockerfile}.dockerignore"), ".dockerignore".to_owned()]
}

#[cfg(test)]
mod tests;
