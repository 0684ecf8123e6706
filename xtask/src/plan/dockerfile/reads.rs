//! What the build of a target reads from outside its Dockerfile.

use super::args::Globals;
use super::image_name::context_key;
use super::lex::LexError;
use super::links::{Link, To, links, no_image};
use super::stages::{earlier, named};
use super::types::{Dockerfile, Reference, ReferenceKind, Trouble, Unclear};
use crate::nearest::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of a Dockerfile.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Build arguments
    pub args: &'a BTreeMap<String, String>,
    /// The stage to build; the last one if `None`
    pub target: Option<&'a str>,
    /// The names of the named contexts: they stand in for stages and images of the same name
    pub contexts: &'a [String],
    /// The platforms to build for; what depends on them is unclear if there are none
    pub platforms: &'a [String],
}

/// What the build of a target reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Images and named contexts, by line, each line and name once
    pub references: Vec<Reference>,
    /// Whether an instruction reads the build context. What triggers (`ONBUILD`) in an external
    /// image read is not known here.
    pub context: bool,
    /// The stages that are built, as indices into [`Dockerfile::stages`]
    pub stages: BTreeSet<usize>,
    /// What could not be told: the lists above may then be too short
    pub unclear: Vec<Unclear>,
}

/// Finds what the build of a target reads. `Err` is what BuildKit would refuse.
pub fn reads(file: &Dockerfile, question: &Question) -> Result<Reads, Trouble> {
    let mut reads = Reads { unclear: file.unclear.clone(), ..Reads::default() };
    syntax(file, question, &mut reads);
    match all_platforms(file, question, &mut reads) {
        // What was not understood may be the reason: then nothing is refused here.
        Err(Trouble { line, what }) if !file.unclear.is_empty() && !file.stages.is_empty() => {
            reads.unclear.push(Unclear { line, what: format!("why {what}") });
        }
        result => result?,
    }
    for stage in &reads.stages {
        for instruction in &file.stages[*stage].instructions {
            let line = instruction.lines.0;
            let unclear = instruction.unclear.iter().cloned();
            reads.context |= instruction.context;
            reads.unclear.extend(unclear.map(|what| Unclear { line, what }));
        }
    }
    reads.references.sort();
    reads.references.dedup();
    reads.unclear.sort_by_key(|unclear| unclear.line);
    reads.unclear.dedup();
    Ok(reads)
}

fn all_platforms(file: &Dockerfile, question: &Question, reads: &mut Reads) -> Result<(), Trouble> {
    if file.stages.is_empty() {
        return match file.unclear.as_slice() {
            // All else was understood, by rules that hold here.
            [Unclear { line, .. }] if file.syntax.is_none() => {
                Err(Trouble { line: *line, what: "nothing is built without a `FROM`".into() })
            }
            _ => Ok(()),
        };
    }
    let target = target(file, question)?;
    let links = links(file)?;
    let platforms: Vec<Option<&str>> = match question.platforms {
        [] => vec![None],
        platforms => platforms.iter().map(|p| Some(p.as_str())).collect(),
    };
    for platform in platforms {
        let bases = match bases(file, question, platform) {
            Ok(bases) => bases,
            Err(Stop::Refused(trouble)) => return Err(trouble),
            Err(Stop::Unclear(unclear)) => {
                reads.unclear.push(unclear);
                continue;
            }
        };
        Walk { file, links: &links, bases, reads }.visit(target)?;
    }
    Ok(())
}

/// A frontend that is not BuildKit's own reads the file in its own way.
fn syntax(file: &Dockerfile, question: &Question, reads: &mut Reads) {
    let asked = question.args.get("BUILDKIT_SYNTAX").filter(|v| !v.is_empty());
    let asked = asked.map(|v| (v.split(' ').next().unwrap_or_default().to_owned(), 1));
    let Some((name, line)) = asked.or_else(|| file.syntax.clone()) else { return };
    let key = context_key(&name).unwrap_or_default();
    let known = key.split([':', '@']).next().unwrap_or_default();
    if !matches!(known, "docker/dockerfile" | "docker/dockerfile-upstream") {
        let what = format!("how the frontend `{name}` reads this file");
        reads.unclear.push(Unclear { line, what });
    }
    reads.references.push(Reference { line, name, kind: ReferenceKind::Syntax });
}

fn target(file: &Dockerfile, question: &Question) -> Result<usize, Trouble> {
    let Some(name) = question.target else { return Ok(file.stages.len() - 1) };
    named(file, name).ok_or_else(|| {
        let known = file.stages.iter().filter_map(|stage| stage.name.as_deref());
        let hint = match nearest(name, known) {
            Some(near) => format!(" (did you mean `{near}`?)"),
            None => String::new(),
        };
        Trouble { line: 1, what: format!("there is no stage `{name}`{hint}") }
    })
}

/// What a stage starts from.
enum Base {
    Scratch,
    Stage(usize),
    Image(String),
    /// A named context stands in for the stage
    Replaced,
}

enum Stop {
    Refused(Trouble),
    Unclear(Unclear),
}

fn stop(line: usize) -> impl Fn(LexError) -> Stop {
    move |error| match error {
        LexError::Refused(what) => {
            Stop::Refused(Trouble { line, what: format!("BuildKit refuses {what}") })
        }
        LexError::Unclear(what) => Stop::Unclear(Unclear { line, what }),
    }
}

/// Every stage's base. BuildKit expands those of stages that are not built, too.
fn bases(
    file: &Dockerfile,
    question: &Question,
    platform: Option<&str>,
) -> Result<Vec<Base>, Stop> {
    let contexts: BTreeSet<String> =
        question.contexts.iter().filter_map(|name| context_key(name)).collect();
    let globals = Globals::new(file, question.args, platform, question.target).map_err(stop(1))?;
    let mut bases = Vec::new();
    for (i, stage) in file.stages.iter().enumerate() {
        let name = globals.expand(&stage.from, file.escape()).map_err(stop(stage.line))?;
        if name.is_empty() {
            let what = format!("`FROM {}` names nothing: its arguments are empty", stage.from);
            return Err(Stop::Refused(Trouble { line: stage.line, what }));
        }
        if name != "scratch" && context_key(&name).is_none() && earlier(file, &name, i).is_none() {
            return Err(Stop::Refused(no_image(stage.line, &name)));
        }
        let replaced = stage.name.as_deref().and_then(context_key);
        bases.push(match earlier(file, &name, i) {
            _ if replaced.is_some_and(|key| contexts.contains(&key)) => Base::Replaced,
            Some(earlier) => Base::Stage(earlier),
            None if name == "scratch" => Base::Scratch,
            None => Base::Image(name),
        });
    }
    Ok(bases)
}

struct Walk<'a> {
    file: &'a Dockerfile,
    links: &'a [Vec<Link<'a>>],
    bases: Vec<Base>,
    reads: &'a mut Reads,
}

impl Walk<'_> {
    /// Visits a stage and all that it is built from. Stages only refer to earlier ones, so a list
    /// of what is still to be visited ends.
    fn visit(&mut self, target: usize) -> Result<(), Trouble> {
        let mut waiting = vec![target];
        let mut seen = BTreeSet::new();
        while let Some(index) = waiting.pop() {
            if !seen.insert(index) {
                continue;
            }
            let stage = &self.file.stages[index];
            match &self.bases[index] {
                Base::Scratch => {}
                Base::Stage(base) => waiting.push(*base),
                Base::Image(name) => self.reads.add(stage.line, name, ReferenceKind::From),
                Base::Replaced => {
                    let name = stage.name.as_deref().unwrap_or_default();
                    self.reads.add(stage.line, name, ReferenceKind::Stage);
                }
            }
            for Link { line, source, to } in &self.links[index] {
                match to {
                    To::Stage(other) if *other < index => waiting.push(*other),
                    To::Stage(_) => return Err(too_late(*line, &source.name)),
                    To::Outside => self.reads.add(*line, &source.name, source.kind),
                    To::Nothing => {}
                    To::Unclear(what) => {
                        self.reads.unclear.push(Unclear { line: *line, what: what.clone() });
                    }
                }
            }
        }
        self.reads.stages.extend(seen);
        Ok(())
    }
}

impl Reads {
    fn add(&mut self, line: usize, name: &str, kind: ReferenceKind) {
        self.references.push(Reference { line, name: name.to_owned(), kind });
    }
}

fn too_late(line: usize, name: &str) -> Trouble {
    Trouble { line, what: format!("`from={name}` names a stage that does not come before") }
}
