//! Arguments: which a Dockerfile declares, and what they are before the first `FROM`.

use super::lex::{Keep, LexError, lex};
use super::types::Dockerfile;
use std::collections::{BTreeMap, BTreeSet};

/// Every argument that an `ARG` anywhere in the Dockerfile declares.
pub fn declared_args(file: &Dockerfile) -> BTreeSet<&str> {
    let instructions = file.stages.iter().flat_map(|stage| &stage.instructions);
    let local = instructions.flat_map(|instruction| &instruction.args);
    file.global_args.iter().chain(local).map(|(name, _)| name.as_str()).collect()
}

/// The values that `FROM` lines are expanded with.
#[derive(Debug)]
pub struct Globals {
    values: BTreeMap<String, String>,
    /// Predefined arguments whose value is not known here
    unknown: BTreeSet<&'static str>,
}

/// Arguments that describe the machine of the builder, which no plan knows.
const BUILD: [&str; 5] =
    ["BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT"];
const TARGET: [&str; 5] =
    ["TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT"];

impl Globals {
    /// The values for one platform (`linux/arm64`), build arguments and a target stage.
    ///
    /// Without a platform the predefined `TARGET…` arguments are unknown.
    pub fn new(
        file: &Dockerfile,
        args: &BTreeMap<String, String>,
        platform: Option<&str>,
        target: Option<&str>,
    ) -> Result<Self, LexError> {
        let last = file.stages.last().and_then(|stage| stage.name.as_deref());
        let stage = target.or(last).unwrap_or("default");
        let mut globals = Self { values: BTreeMap::new(), unknown: BUILD.into() };
        globals.set("TARGETSTAGE", stage);
        match platform.and_then(parts) {
            None => globals.unknown.extend(TARGET),
            Some(values) => TARGET.iter().zip(values).for_each(|(k, v)| globals.set(k, &v)),
        }
        for name in BUILD.into_iter().chain(TARGET).chain(["TARGETSTAGE"]) {
            if let Some(value) = args.get(name) {
                globals.set(name, value);
            }
        }
        for (name, default) in &file.global_args {
            let value = match (args.get(name), default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => globals.expand(default, file.escape())?,
                (None, None) => continue,
            };
            globals.set(name, &value);
        }
        Ok(globals)
    }

    /// The text with its variables replaced and its quotes gone.
    pub fn expand(&self, text: &str, escape: char) -> Result<String, LexError> {
        let unknown = std::cell::Cell::new(None);
        let value = |name: &str| {
            if let Some(name) = self.unknown.get(name) {
                unknown.set(Some(*name));
            }
            self.values.get(name).cloned()
        };
        let lexed = lex(text, escape, Keep::Meaning, &value)?;
        match unknown.get() {
            Some(name) => Err(LexError::Unclear(format!("the value of `{name}`"))),
            None => Ok(lexed.text),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.unknown.remove(name);
        self.values.insert(name.to_owned(), value.to_owned());
    }
}

/// The values of [`TARGET`], normalised as containerd does. `None` for what is no plain platform.
fn parts(platform: &str) -> Option<[String; 5]> {
    let mut parts = platform.split('/').map(str::to_lowercase);
    let (os, arch) = (parts.next()?, parts.next()?);
    let variant = parts.next().unwrap_or_default();
    if parts.next().is_some() || os.is_empty() || arch.is_empty() || os.contains('(') {
        return None;
    }
    let (arch, variant) = match (arch.as_str(), variant.as_str()) {
        ("amd64" | "x86_64" | "x86-64", "" | "v1") => ("amd64", ""),
        ("amd64" | "x86_64" | "x86-64", variant) => ("amd64", variant),
        ("arm64" | "aarch64", "" | "8" | "v8") => ("arm64", ""),
        ("arm64" | "aarch64", variant) => ("arm64", variant),
        ("arm", "" | "7") | ("armhf", _) => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") | ("armel", _) => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        ("i386", _) => ("386", ""),
        (arch, variant) => (arch, variant),
    };
    let tail = if variant.is_empty() { String::new() } else { format!("/{variant}") };
    let whole = format!("{os}/{arch}{tail}");
    Some([whole, os, String::new(), arch.into(), variant.into()])
}
