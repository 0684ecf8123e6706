//! What single values may look like: text in, a checked value or a [`Fault`] out. These functions know
//! nothing about files and places; the command line uses them too (`--registry`).

mod names;
mod origin;
mod paths;
mod platform;
mod quantity;
mod reference;

pub use names::{address, arg_name, component, host_name, id, label, package, reserved, stage};
pub use origin::{branch, licenses, suite, url, variant};
pub use paths::inside;
pub use platform::platform;
pub use quantity::{duration, shm_size};
pub use reference::{image, named_context, registry};

/// What is wrong with a value, and the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, as a lower-case fragment
    pub message: String,
    /// The next step
    pub help: Option<String>,
}

impl Fault {
    /// A fault without a next step.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Adds the next step.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the nearest known name, or else what there is to choose from.
    pub fn did_you_mean(self, written: &str, known: &[&str]) -> Self {
        match crate::nearest::nearest(written, known.iter().copied()) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self.help(format!("known are `{}`", known.join("`, `"))),
        }
    }
}
