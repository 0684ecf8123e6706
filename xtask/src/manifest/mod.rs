//! The manifest `services/services.toml`: its types, how it is parsed, what is checked.
//!
//! [`parse`] is pure and finds every mistake in the text; [`check_files`] looks whether what it names is
//! there; [`load`] does both. [`Lock`] is the file beside it, which says what content its bases have. What Dockerfiles say is not known here: later checks point into the
//! manifest by [`Places`].

mod bases;
mod duplicates;
mod files;
mod groups;
mod keys;
mod load;
mod lock;
mod parse;
mod places;
mod project;
mod reader;
mod schema;
mod secrets;
mod services;
mod syntax;
mod types;
pub mod values;

pub use files::check_files;
pub use load::load;
pub use lock::{Lock, Locked, Origin};
pub use parse::parse;
pub use places::Places;
pub use schema::schema;
pub use types::{Base, Bootstrap, Manifest, Project, Secret, SecretSource, Service};

use crate::diagnostic::{Diagnostic, Source, Span};

/// A manifest without mistakes, and where in the file everything stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What the file says
    pub manifest: Manifest,
    /// Where it says it
    pub places: Places,
    /// The file itself
    pub source: Source,
}

impl Loaded {
    /// Says something about a place in the manifest.
    pub fn at(&self, span: &Span, message: impl Into<String>) -> Diagnostic {
        self.source.at(span, message)
    }
}

#[cfg(test)]
mod tests;
