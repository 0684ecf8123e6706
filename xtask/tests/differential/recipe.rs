//! A service as it can be written into a manifest and a Dockerfile.

use super::steps::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The registry of all manifests: it is never asked.
pub const REGISTRY: &str = "shop.invalid/x";

/// What a Dockerfile reads besides its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A service before this one
    Service(usize),
    /// An external image
    Base(usize),
    /// The first stage
    Stage,
    /// The named context
    Folder,
}

/// What the first stage starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Scratch,
    Base(usize),
    Service(usize),
}

/// What the second stage starts from, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    None,
    /// The first
    Follows,
    /// The same as the first
    Beside,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub name: &'static str,
    pub context: String,
    pub dockerfile: String,
    pub comment: String,
    /// The value of the `ARG` before the first `FROM`
    pub global: String,
    pub start: Start,
    pub second: Second,
    /// Of each stage, with numbers that stay
    pub steps: [Vec<(usize, Step)>; 2],
    pub entry: Entry,
}

/// What the manifest says of it.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub target: Option<&'static str>,
    pub args: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub description: Option<String>,
    /// The folder of the named context
    pub folder: Option<&'static str>,
    pub network: Option<&'static str>,
    pub host: Option<&'static str>,
    pub shm_size: Option<&'static str>,
    pub secret: Option<&'static str>,
    pub epoch: usize,
}

/// Names that Dockerfiles of a repository use.
#[derive(Clone, Debug)]
pub struct Names {
    pub services: Vec<String>,
    pub bases: [String; 2],
}

impl Names {
    pub fn of(&self, source: Source) -> String {
        match source {
            Source::Service(number) => self.services[number].clone(),
            Source::Base(number) => self.bases[number].clone(),
            Source::Stage => "one".to_owned(),
            Source::Folder => "shared".to_owned(),
        }
    }
}

impl Recipe {
    pub fn all_steps(&self) -> impl Iterator<Item = &(usize, Step)> {
        self.steps.iter().flatten()
    }

    pub fn steps_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        self.steps.iter_mut().flatten().map(|(_, step)| step)
    }

    /// Whether what is built has such a step.
    pub fn has(&self, wanted: impl Fn(&Step) -> bool) -> bool {
        let any = |stage: usize| self.steps[stage].iter().any(|(_, step)| wanted(step));
        let first = match (self.second, self.entry.target) {
            (Second::None | Second::Follows, _) | (_, Some("one")) => any(0),
            (Second::Beside, _) => false,
        };
        first || (self.second != Second::None && self.entry.target != Some("one") && any(1))
    }

    /// Whether all of its context is looked at.
    pub fn reads_all(&self) -> bool {
        self.has(|step| matches!(step, Step::Bind | Step::Copy { pattern: ".", .. }))
    }

    /// Whether its context is mounted and never copied.
    pub fn only_mounts(&self) -> bool {
        self.has(|step| *step == Step::Bind) && !self.has(|step| matches!(step, Step::Copy { .. }))
    }

    /// Whether it reads its named context.
    pub fn reads_folder(&self) -> bool {
        self.entry.folder.is_some() && self.has(|step| step.source() == Some(Source::Folder))
    }

    /// Services that it may build on.
    pub fn builds_on(&self) -> BTreeSet<usize> {
        let of_start = if let Start::Service(number) = self.start { Some(number) } else { None };
        let sources = self.all_steps().filter_map(|(_, step)| step.source());
        let services = sources.filter_map(|source| match source {
            Source::Service(number) => Some(number),
            _ => None,
        });
        services.chain(of_start).collect()
    }

    /// Whether it may read an external image.
    pub fn reads_base(&self, number: usize) -> bool {
        self.start == Start::Base(number)
            || self.all_steps().any(|(_, step)| step.source() == Some(Source::Base(number)))
    }

    pub fn dockerfile(&self, names: &Names) -> String {
        let start = match self.start {
            Start::Scratch => "scratch".to_owned(),
            Start::Base(number) => names.of(Source::Base(number)),
            Start::Service(number) => names.of(Source::Service(number)),
        };
        let mut text = format!("# {}\nARG G={}\nFROM {start} AS one\n", self.comment, self.global);
        self.steps[0].iter().for_each(|(id, step)| text += &step.text(names, self.name, *id));
        let second = match self.second {
            Second::None => return text,
            Second::Follows => "one",
            Second::Beside => &start,
        };
        writeln!(text, "FROM {second} AS two").expect("a string takes all");
        self.steps[1].iter().for_each(|(id, step)| text += &step.text(names, self.name, *id));
        text
    }

    /// Its section of the manifest.
    pub fn section(&self) -> String {
        let Self { name, context, dockerfile, entry, .. } = self;
        let mut lines = vec![format!("[services.{name}]")];
        let mut say = |key: &str, value: String| lines.push(format!("{key} = {value}"));
        say("context", quoted(context));
        say("dockerfile", quoted(dockerfile));
        say("args", table(&entry.args));
        say("labels", table(&entry.labels));
        say("epoch", entry.epoch.to_string());
        let texts = [
            ("target", entry.target),
            ("description", entry.description.as_deref()),
            ("network", entry.network),
            ("shm-size", entry.shm_size),
        ];
        for (key, value) in texts {
            value.into_iter().for_each(|value| say(key, quoted(value)));
        }
        entry.folder.iter().for_each(|f| say("contexts", format!("{{ shared = {} }}", quoted(f))));
        entry.host.iter().for_each(|h| say("extra-hosts", format!("{{ myhost = {} }}", quoted(h))));
        entry.secret.iter().for_each(|id| {
            say("secrets", format!("[{{ id = {}, file = \"token\" }}]", quoted(id)));
        });
        lines.join("\n") + "\n"
    }
}

/// A string of JSON is one of TOML.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn table(pairs: &BTreeMap<String, String>) -> String {
    let pair = |(name, value): (&String, &String)| format!("{} = {}", quoted(name), quoted(value));
    format!("{{ {} }}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
}
