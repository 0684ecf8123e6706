//! How two things of one name differ.

use super::image::{File, Kind, Path, shown};
use crate::plan::fingerprint::hex;
use std::fmt;

/// Where something differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A key of the configuration
    Config(String),
    /// A path
    File(Path),
}

/// A place that is not as published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where
    pub place: Place,
    /// In what
    pub aspects: Vec<Aspect>,
}

/// One thing in which two files differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aspect {
    /// `content`, `mode`, `owner`, `kind`, …; `presence` where one side has nothing there
    pub what: &'static str,
    /// In the published image
    pub published: Option<String>,
    /// In the builds of now
    pub now: Option<String>,
}

/// In what a file is not as published.
pub fn of_files(published: Option<&File>, now: Option<&File>) -> Vec<Aspect> {
    let (Some(published), Some(now)) = (published, now) else {
        let kind = |file: Option<&File>| file.map(|file| file.kind.name().to_owned());
        return vec![Aspect { what: "presence", published: kind(published), now: kind(now) }];
    };
    let mut aspects = Vec::new();
    let mut add = |what, published: String, now: String| {
        if published != now {
            aspects.push(Aspect { what, published: Some(published), now: Some(now) });
        }
    };
    if std::mem::discriminant(&published.kind) == std::mem::discriminant(&now.kind) {
        let what = match now.kind {
            Kind::Symlink(_) => "target",
            Kind::CharDevice(..) | Kind::BlockDevice(..) => "device",
            Kind::Folder | Kind::Regular { .. } | Kind::Fifo => "content",
        };
        add(what, content(&published.kind), content(&now.kind));
    } else {
        add("kind", published.kind.name().to_owned(), now.kind.name().to_owned());
    }
    add("mode", format!("{:04o}", published.mode), format!("{:04o}", now.mode));
    let owner = |file: &File| format!("{}:{}", file.user, file.group);
    add("owner", owner(published), owner(now));
    add("xattrs", xattrs(published), xattrs(now));
    aspects
}

/// In what an entry of the configuration is not as published.
pub fn of_texts(published: Option<&String>, now: Option<&String>) -> Vec<Aspect> {
    vec![Aspect { what: "value", published: published.cloned(), now: now.cloned() }]
}

fn content(kind: &Kind) -> String {
    match kind {
        Kind::Regular { size, sha256 } => format!("{size} bytes, sha256:{}", hex(sha256)),
        Kind::Symlink(target) => String::from_utf8_lossy(target).into_owned(),
        Kind::CharDevice(major, minor) | Kind::BlockDevice(major, minor) => {
            format!("{major}:{minor}")
        }
        Kind::Folder | Kind::Fifo => String::new(),
    }
}

fn xattrs(file: &File) -> String {
    let one = |(name, value): (&String, &Vec<u8>)| format!("{name}={}", hex(value));
    file.xattrs.iter().map(one).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(key) => write!(f, "config {key}"),
            Self::File(path) => f.write_str(&shown(path)),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        for (number, aspect) in self.aspects.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{aspect}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, published, now } = self;
        match (published, now) {
            (None, _) => f.write_str("not in the published image"),
            (_, None) => f.write_str("only in the published image"),
            (Some(published), Some(now)) => {
                write!(f, "{what} `{}`, published `{}`", short(now), short(published))
            }
        }
    }
}

/// Enough of a digest, or of a long text, to tell it apart by eye.
fn short(text: &str) -> String {
    if let Some((before, hex)) = text.split_once("sha256:") {
        return format!("{before}sha256:{}", hex.get(..12).unwrap_or(hex));
    }
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
