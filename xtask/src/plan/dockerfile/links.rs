//! What `from=` in instructions leads to: stages, names outside, and circles.

use super::image_name::context_key;
use super::stages::named;
use super::types::{Dockerfile, ReferenceKind, Source, Trouble};

/// A `from=` of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// The instruction's first line
    pub line: usize,
    /// As written
    pub source: &'a Source,
    /// What it leads to
    pub to: To,
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// The stage with this index
    Stage(usize),
    /// An image or a named context
    Outside,
    /// `scratch`
    Nothing,
    /// A fragment that fits after "cannot tell "
    Unclear(String),
}

/// The links of each stage. BuildKit looks at those of stages that are not built, too, and so
/// refuses names that are none, and circles, wherever they are.
pub fn links(file: &Dockerfile) -> Result<Vec<Vec<Link<'_>>>, Trouble> {
    let mut all = Vec::new();
    for stage in &file.stages {
        let mut links = Vec::new();
        for instruction in &stage.instructions {
            for source in &instruction.from {
                let (line, to) = (instruction.lines.0, to(file, source));
                if to == To::Outside && context_key(&source.name).is_none() {
                    return Err(no_image(line, &source.name));
                }
                links.push(Link { line, source, to });
            }
        }
        all.push(links);
    }
    match circle(&all) {
        Some((line, name)) => {
            let what = format!("`from={name}` closes a circle of stages");
            Err(Trouble { line, what })
        }
        None => Ok(all),
    }
}

/// The trouble with a name that no image can have.
pub fn no_image(line: usize, name: &str) -> Trouble {
    Trouble { line, what: format!("`{name}` is no name of an image") }
}

/// A number counts only in `COPY`, and a stage's name before anything outside.
fn to(file: &Dockerfile, source: &Source) -> To {
    let name = &source.name;
    match name.parse::<i64>() {
        Ok(number) if source.kind == ReferenceKind::CopyFrom => match usize::try_from(number) {
            Ok(index) if index < file.stages.len() => To::Stage(index),
            // BuildKit also numbers images that a `--from` named.
            _ => To::Unclear(format!("which stage `--from={name}` is")),
        },
        _ => match named(file, name) {
            Some(index) => To::Stage(index),
            None if name == "scratch" => To::Nothing,
            None => To::Outside,
        },
    }
}

/// A link that is part of a circle: one that is left when all stages that lead to none are gone.
fn circle<'a>(all: &[Vec<Link<'a>>]) -> Option<(usize, &'a str)> {
    let mut left: Vec<usize> = (0..all.len()).collect();
    loop {
        let into_left = |link: &&Link| matches!(link.to, To::Stage(to) if left.contains(&to));
        let rest: Vec<usize> =
            left.iter().copied().filter(|i| all[*i].iter().any(|l| into_left(&l))).collect();
        if rest.len() == left.len() {
            let link = rest.first().and_then(|i| all[*i].iter().find(into_left));
            return link.map(|link| (link.line, link.source.name.as_str()));
        }
        left = rest;
    }
}
