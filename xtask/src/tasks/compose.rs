//! `compose`: writes docker-compose.yml, or says whether it is as it should be.
#![expect(clippy::disallowed_methods, reason = "reads the fragments, writes the file")]

use super::Session;
use crate::cli::Compose;
use crate::compose::{self, Fragment};
use crate::context::facts::{self, Asked, World};
use crate::diagnostic::{Source, report};
use crate::error::Wrong;
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::process::ExitCode;

/// Does it.
pub fn run(session: &Session, options: &Compose) -> Result<ExitCode> {
    let asked = Asked {
        env: &session.env,
        processes: &session.processes,
        manifest: session.common.manifest.as_deref(),
        event: Some("local"),
        registry: None,
        names: &[],
    };
    let world = facts::read(&asked)?;
    let fragments = fragments(&world)?;
    let text = compose::generate(&world.facts.manifest, &world.facts.needs, &fragments)
        .map_err(|mistakes| Wrong(report(&mistakes)))?;
    if options.dry_run {
        crate::report::stdout(text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = world.root.join("docker-compose.yml");
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    if there == text {
        return Ok(ExitCode::SUCCESS);
    }
    if options.check {
        eprintln!(
            "error: docker-compose.yml is not what the manifest says, from line {}",
            first_difference(&there, &text)
        );
        eprintln!("write it anew with `cargo xtask compose`");
        return Ok(ExitCode::FAILURE);
    }
    let half = world.root.join("docker-compose.yml.part");
    std::fs::write(&half, &text)
        .and_then(|()| std::fs::rename(&half, &path))
        .with_context(|| format!("cannot write `{path}`"))?;
    if !session.common.quiet {
        eprintln!("docker-compose.yml is written");
    }
    Ok(ExitCode::SUCCESS)
}

fn fragments(world: &World) -> Result<BTreeMap<String, Fragment>> {
    let mut fragments = BTreeMap::new();
    let mut mistakes = Vec::new();
    for service in world.facts.manifest.services.values() {
        let path = service.context.join("compose.yml");
        let text = match std::fs::read_to_string(world.root.join(&path)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => wrong!("cannot read `{path}`: {error}"),
        };
        match compose::parse(&Source::new(path.as_str(), &text)) {
            Ok(fragment) => {
                fragments.insert(service.name.clone(), fragment);
            }
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(fragments) } else { Err(Wrong(report(&mistakes)).into()) }
}

fn first_difference(a: &str, b: &str) -> usize {
    let same = a.lines().zip(b.lines()).take_while(|(a, b)| a == b).count();
    same + 1
}
