//! The lock file `bases.lock` beside the manifest: which content each base has. Pure: text in, entries
//! out, and back. What is done with an entry is for `context::bases` to say.

use super::keys;
use super::project::checked;
use super::reader::{Reader, Table, Text};
use super::syntax::{Tree, with_tree};
use super::values::{self, Fault};
use crate::diagnostic::{Diagnostic, Source, quoted, report};
use crate::error::Wrong;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Raised when older programs cannot read the file any more.
const SCHEMA: u64 = 1;
/// What stands before the hash of a recipe. The registry is that of the run, whatever it is called
/// there: no host is written down.
const PLACE: &str = "<registry>/bases:";
const HEADER: &str = "\
# Which content each base of services.toml has. Written by `cargo xtask bases update`: commit it, and
# do not edit it by hand.
";
const FROM: &[&str] = &["hub", "bootstrap"];

/// What the lock file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By the key in `[bases]`: the name that Dockerfiles use
    pub entries: BTreeMap<String, Locked>,
}

/// The content that a base has until `bases update` says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Where it comes from
    pub origin: Origin,
    /// The digest of its index (or manifest, where the hub has no index)
    pub digest: String,
    /// The platforms that it has, sorted; empty where nobody could tell
    pub platforms: Vec<String>,
    /// When it was locked, in RFC 3339. Nothing is decided by it
    pub at: String,
}

/// Where a locked base comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A registry, by the full name that the digest was found under
    Hub {
        /// `docker.io/library/debian:trixie-slim`
        image: String,
    },
    /// Debian's packages: somebody made it and pushed it to `<registry>/bases:<hash of the recipe>`
    Bootstrap {
        /// The hash
        hash: String,
    },
}

impl Lock {
    /// Parses; `path` is what messages call the file.
    pub fn parse(text: &str, path: &str) -> Result<Self> {
        let source = Source::new(path, text);
        let (lock, mut mistakes) = with_tree(&source, |tree| read(&source, tree));
        if mistakes.is_empty() {
            return Ok(lock);
        }
        mistakes.sort_by_key(|mistake| mistake.span.start);
        mistakes.dedup();
        Err(Wrong(format!(
            "{}\nthe file is written by `cargo xtask bases update`: take it back with `git checkout`, \
             or remove it and have it written anew",
            report(&mistakes)
        ))
        .into())
    }
}

impl Origin {
    /// `hub` or `bootstrap`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hub { .. } => "hub",
            Self::Bootstrap { .. } => "bootstrap",
        }
    }

    /// The name that it has there; `<registry>` stands for the registry of the run.
    pub fn image(&self) -> String {
        match self {
            Self::Hub { image } => image.clone(),
            Self::Bootstrap { hash } => format!("{PLACE}{hash}"),
        }
    }
}

/// One line for people.
impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, digest, platforms, at } = self;
        write!(f, "{digest}  {}  {}  {at}", origin.image(), platforms.join(","))
    }
}

/// The whole file: the same entries give the same bytes.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}schema = {SCHEMA}")?;
        for (name, locked) in &self.entries {
            let platforms: BTreeSet<&String> = locked.platforms.iter().collect();
            let platforms: Vec<String> = platforms.into_iter().map(|p| string(p)).collect();
            writeln!(f, "\n[bases.{}]\nfrom = {}", string(name), string(locked.origin.name()))?;
            writeln!(f, "image = {}", string(&locked.origin.image()))?;
            writeln!(f, "digest = {}", string(&locked.digest))?;
            writeln!(f, "platforms = [{}]", platforms.join(", "))?;
            writeln!(f, "locked = {}", string(&locked.at))?;
        }
        Ok(())
    }
}

/// A basic string of TOML; JSON's escapes are among TOML's.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn read(source: &Source, tree: Tree<'_>) -> (Lock, Vec<Diagnostic>) {
    let Tree { root, mut diagnostics, broken, complete } = tree;
    let mut reader = Reader::new(source, broken, complete);
    let title = "the lock file".to_owned();
    let top = Table { title, span: 0..0, known: keys::LOCK, entries: &root };
    let mut lock = Lock::default();
    if schema(&mut reader, &top) {
        reader.unknown_keys(&top);
        lock.entries = entries(&mut reader, &top);
    }
    diagnostics.extend(reader.into_diagnostics());
    (lock, diagnostics)
}

/// Whether the rest can be understood.
fn schema(reader: &mut Reader<'_>, top: &Table<'_>) -> bool {
    match reader.number(top, "schema") {
        Some(SCHEMA) => true,
        Some(other) => {
            let fault = Fault::new(format!("schema {other} is not known here"));
            let help = "a newer xtask wrote the file: use that one, here too";
            reader.wrong(&top.place("schema"), fault.help(help));
            false
        }
        None => {
            if top.get("schema").is_none() {
                let fault = Fault::new("the lock file does not say its schema");
                reader.absent(&top.span, fault.help(format!("it begins with `schema = {SCHEMA}`")));
            }
            true
        }
    }
}

fn entries(reader: &mut Reader<'_>, top: &Table<'_>) -> BTreeMap<String, Locked> {
    let Some(section) = reader.section(top, "bases", &[]) else { return BTreeMap::new() };
    let mut entries = BTreeMap::new();
    for (name, _) in section.iter() {
        reader.check(&name.span, values::image(name.text));
        if let Some(locked) = locked(reader, &section, &name) {
            entries.insert(name.text.to_owned(), locked);
        }
    }
    entries
}

fn locked(reader: &mut Reader<'_>, section: &Table<'_>, name: &Text<'_>) -> Option<Locked> {
    let table = reader.table(section, name.text, keys::LOCKED)?;
    let table = Table { title: format!("base {}", quoted(name.text)), ..table };
    reader.unknown_keys(&table);
    for (key, ..) in keys::LOCKED.iter().filter(|(key, ..)| table.get(key).is_none()) {
        reader.absent(&table.span, Fault::new(format!("{} does not say `{key}`", table.title)));
    }
    let from = reader.string(&table, "from");
    let from = checked(reader, from, |text| match FROM.contains(&text) {
        true => Ok(()),
        false => {
            Err(Fault::new(format!("a base is not from {}", quoted(text))).did_you_mean(text, FROM))
        }
    });
    let image = reader.string(&table, "image");
    let origin = image.zip(from).and_then(|(image, from)| origin(reader, &image, &from));
    let digest = reader.string(&table, "digest");
    let digest = checked(reader, digest, digest_of_content);
    let platforms = reader.strings(&table, "platforms");
    let at = reader.string(&table, "locked");
    Some(Locked {
        at: checked(reader, at, time)?,
        origin: origin?,
        digest: digest?,
        platforms: platforms?.into_iter().map(|text| text.text.to_owned()).collect(),
    })
}

fn origin(reader: &mut Reader<'_>, image: &Text<'_>, from: &str) -> Option<Origin> {
    if from == "hub" {
        reader.check(&image.span, values::image(image.text))?;
        return Some(Origin::Hub { image: image.text.to_owned() });
    }
    let hex = |hash: &&str| !hash.is_empty() && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let hash = image.text.strip_prefix(PLACE).filter(hex).ok_or_else(|| {
        let fault = Fault::new(format!("{} is no place of a made base", quoted(image.text)));
        fault.help(format!("it is `{PLACE}` and the hash of the recipe"))
    });
    reader.check(&image.span, hash).map(|hash| Origin::Bootstrap { hash: hash.to_owned() })
}

fn digest_of_content(text: &str) -> Result<(), Fault> {
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    match text.strip_prefix("sha256:") {
        Some(hash) if hash.len() == 64 && hash.bytes().all(hex) => Ok(()),
        _ => Err(Fault::new(format!("{} is no digest", quoted(text)))
            .help("a digest is `sha256:` and 64 hexadecimal digits")),
    }
}

fn time(text: &str) -> Result<(), Fault> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if text.len() == 20 && text.bytes().enumerate().all(shape) {
        return Ok(());
    }
    Err(Fault::new(format!("{} is no time", quoted(text)))
        .help("it is written like `2026-11-24T11:28:07Z`"))
}

#[cfg(test)]
mod tests;
