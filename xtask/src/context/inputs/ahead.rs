//! Git's index, read while the manifest and Dockerfiles are.

use super::index::Index;
use super::trust::{self, Trusted};
use crate::context::environment::Environment;
use crate::process::Processes;
use camino::Utf8Path;
use std::thread::JoinHandle;

/// The index of the repository that the user is in, on its way. An index that is older than what it is
/// used for tells nothing wrong: it says what git has read of a file that is still the same.
pub struct Ahead(JoinHandle<Option<Trusted>>);

impl Ahead {
    /// Begins to read it.
    pub fn begin(processes: &Processes, env: &Environment) -> Self {
        let (processes, env) = (processes.clone(), env.clone());
        Self(std::thread::spawn(move || trust::index(&processes, &env, &env.dir)))
    }

    /// Waits for it. `Err` where there is none that can be trusted, or it is that of another repository
    /// than the one with this real root.
    pub(super) fn of(self, root: &Utf8Path) -> Result<Option<Index>, ()> {
        let trusted = self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match trusted {
            Some(trusted) if trusted.root == root => Ok(Some(trusted.index)),
            _ => Err(()),
        }
    }
}
