//! `bench generate`: writes the monorepo that is measured.
#![expect(clippy::disallowed_methods, reason = "writes the generated files")]

use super::Session;
use crate::bench::generate::{Base, Wanted, files};
use crate::cli::Generate;
use crate::report::{count, stdout};
use anyhow::{Context as _, Result};
use camino::Utf8Path;
use std::process::ExitCode;

/// Writes it. Making a git repository of it is left to whoever uses it.
pub fn generate(session: &Session, options: &Generate) -> Result<ExitCode> {
    let wanted = Wanted {
        services: options.services as usize,
        files: options.files as usize,
        seed: options.seed,
        base: if options.base == "debian" { Base::Debian } else { Base::Busybox },
    };
    if options.dry_run {
        for (path, bytes) in files(wanted) {
            stdout(&format!("{path} {}", bytes.len()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let folder = session.env.dir.join(&options.output);
    free(&folder)?;
    for (path, bytes) in files(wanted) {
        session.processes.interrupt.check()?;
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(&folder);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, bytes))
            .with_context(|| format!("cannot write `{path}`"))?;
    }
    if !session.common.quiet {
        eprintln!("{} written to `{folder}`", count(wanted.services, "service"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the folder is empty or absent, and can be one.
fn free(folder: &Utf8Path) -> Result<()> {
    let there = folder.ancestors().find(|path| path.exists());
    if let Some(file) = there.filter(|path| !path.is_dir()) {
        wrong!("`{file}` is no folder: name another with `--output`");
    }
    if folder.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some()) {
        wrong!("the folder `{folder}` is not empty: name another with `--output`");
    }
    Ok(())
}
