//! What one instruction reads from outside its stage.

use super::fields::{csv, keyword, quoted_words, upper, words};
use super::flags::{self, Known};
use super::heredoc::heredoc;
use super::lex::{Keep, lex};
use super::remote::{self, Kind};
use super::types::{Instruction, ReferenceKind, Source};
use serde_json::Value;

/// An instruction's text, before it is understood.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// In upper case
    pub keyword: &'a str,
    /// Everything after the keyword
    pub text: &'a str,
    /// First and last line
    pub lines: (usize, usize),
    /// The escape character
    pub escape: char,
}

/// Instructions that read nothing from outside and whose flags do not matter here.
const INERT: [&str; 12] = [
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "LABEL",
    "MAINTAINER",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
    "HEALTHCHECK",
];

const COPY: Known =
    Known { once: &["chown", "chmod", "from"], many: &["exclude"], switches: &["link", "parents"] };
const ADD: Known = Known {
    once: &["chown", "chmod", "checksum"],
    many: &["exclude"],
    switches: &["link", "keep-git-dir", "unpack"],
};
const RUN: Known =
    Known { once: &["network", "security"], many: &["mount", "device"], switches: &[] };
const HEALTHCHECK: Known = Known {
    once: &["interval", "timeout", "start-period", "start-interval", "retries"],
    many: &[],
    switches: &[],
};

/// Understands an instruction other than `FROM`. `Err` is a fragment after "cannot tell ".
pub fn read(raw: Raw) -> Result<Instruction, String> {
    let mut instruction = Instruction {
        keyword: raw.keyword.to_owned(),
        text: raw.text.trim().to_owned(),
        lines: raw.lines,
        from: Vec::new(),
        context: false,
        args: Vec::new(),
        unclear: None,
    };
    match raw.keyword {
        "ARG" => instruction.args = args(raw)?,
        "COPY" => copy(raw, &mut instruction)?,
        "ADD" => add(raw, &mut instruction)?,
        "RUN" => run(raw, &mut instruction)?,
        "ONBUILD" => instruction.unclear = onbuild(raw)?,
        inert if INERT.contains(&inert) => {
            let known = if inert == "HEALTHCHECK" { HEALTHCHECK } else { Known::default() };
            let (found, _) = flags::split(raw.text, raw.escape)?;
            if inert != "STOPSIGNAL" {
                flags::check(&found, &known)?;
            }
        }
        other => return Err(format!("what the instruction `{other}` does")),
    }
    Ok(instruction)
}

/// Whether the arguments are a JSON list, which rules heredocs out. `Err` where BuildKit refuses it.
pub fn json_list(arguments: &str) -> Result<Option<Vec<String>>, String> {
    if !arguments.starts_with('[') {
        return Ok(None);
    }
    let Ok(values) = serde_json::from_str::<Vec<Value>>(arguments) else { return Ok(None) };
    let strings = values.into_iter().map(|v| match v {
        Value::String(s) => Ok(s),
        _ => Err("what a JSON list of something else than strings means".to_owned()),
    });
    strings.collect::<Result<_, _>>().map(Some)
}

/// The names that an `ARG` declares, with their defaults.
fn args(raw: Raw) -> Result<Vec<(String, Option<String>)>, String> {
    let (_, rest) = flags::split(raw.text, raw.escape)?;
    let words = quoted_words(rest, raw.escape);
    if words.is_empty() {
        return Err("what `ARG` without a name declares".into());
    }
    let pair = |word: String| match word.split_once('=') {
        Some(("", _)) => Err("what `ARG` without a name declares".to_owned()),
        Some((name, value)) => Ok((name.to_owned(), Some(value.to_owned()))),
        None => Ok((word, None)),
    };
    words.into_iter().map(pair).collect()
}

/// The sources of a `COPY` or `ADD`, heredocs left out.
fn sources(arguments: &str, keyword: &str) -> Result<Vec<String>, String> {
    let mut list = json_list(arguments)?.unwrap_or_else(|| words(arguments));
    let destination = list.pop();
    if list.is_empty() || destination.is_some_and(|d| is_heredoc(&d)) {
        return Err(format!("where `{keyword}` without a destination puts its files"));
    }
    list.retain(|source| !is_heredoc(source));
    Ok(list)
}

fn is_heredoc(word: &str) -> bool {
    matches!(heredoc(word), Ok(Some(_)))
}

fn copy(raw: Raw, instruction: &mut Instruction) -> Result<(), String> {
    let (found, rest) = flags::split(raw.text, raw.escape)?;
    flags::check(&found, &COPY)?;
    let sources = sources(rest, raw.keyword)?;
    match flags::values(&found, "from").next() {
        None | Some("") => instruction.context = !sources.is_empty(),
        Some(from) => instruction.from.push(source(from, ReferenceKind::CopyFrom)?),
    }
    Ok(())
}

/// BuildKit expands no variables in `--from`: it refuses them.
fn source(name: &str, kind: ReferenceKind) -> Result<Source, String> {
    if name.contains(['$', '"', '\'', '\\', '`']) {
        return Err(format!(
            "what `from={name}` names, since BuildKit expands no variables there \
             (give it a stage of its own: `FROM {name} AS …`)"
        ));
    }
    Ok(Source { name: name.to_owned(), kind })
}

fn add(raw: Raw, instruction: &mut Instruction) -> Result<(), String> {
    let (found, rest) = flags::split(raw.text, raw.escape)?;
    flags::check(&found, &ADD)?;
    let checksum = flags::values(&found, "checksum").next().unwrap_or_default();
    let keep_git = flags::is_on(&found, "keep-git-dir");
    for source in sources(rest, raw.keyword)? {
        let start = source.split(['$', '"', '\'', raw.escape]).next().unwrap_or_default();
        let kind = match lex(&source, raw.escape, Keep::Meaning, &|_| None) {
            _ if source.contains('$') && !remote::may_be_remote(start) => Kind::Local,
            Ok(lexed) if !source.contains('$') => remote::kind(&lexed.text),
            _ => {
                instruction.context = true;
                instruction.unclear = Some(format!("whether `ADD {source}` is a URL"));
                continue;
            }
        };
        match kind {
            Kind::Local => instruction.context = true,
            kind => instruction.unclear = unpinned(&source, kind, checksum, keep_git),
        }
    }
    Ok(())
}

/// Why something remote may be different the next time it is fetched.
fn unpinned(source: &str, kind: Kind, checksum: &str, keep_git: bool) -> Option<String> {
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let pinned = match kind {
        Kind::Git => matches!(checksum.len(), 40 | 64) && hex(checksum),
        _ => checksum.split_once(':').is_some_and(|(_, sum)| sum.len() >= 64 && hex(sum)),
    };
    match kind {
        Kind::Git if pinned && keep_git => {
            Some(format!("what `.git` folder `ADD --keep-git-dir {source}` brings"))
        }
        Kind::Git if !pinned => {
            Some(format!("what `ADD {source}` brings without `--checksum=` and a whole commit id"))
        }
        _ if !pinned => Some(format!("what `ADD {source}` brings without `--checksum=`")),
        _ => None,
    }
}

fn run(raw: Raw, instruction: &mut Instruction) -> Result<(), String> {
    let (found, rest) = flags::split(raw.text, raw.escape)?;
    flags::check(&found, &RUN)?;
    json_list(rest)?;
    for mount in flags::values(&found, "mount") {
        let mount = mount_of(mount)?;
        match mount.from {
            Some(from) => instruction.from.push(source(&from, ReferenceKind::MountFrom)?),
            None => instruction.context |= mount.reads_context,
        }
    }
    Ok(())
}

struct Mount {
    from: Option<String>,
    /// Whether it reads the build context if it has no `from`
    reads_context: bool,
}

fn mount_of(text: &str) -> Result<Mount, String> {
    let fields = csv(text).ok_or_else(|| format!("what `--mount={text}` mounts"))?;
    let mut mount = Mount { from: None, reads_context: true };
    for field in &fields {
        let Some((key, value)) = field.split_once('=') else { continue };
        match key.to_lowercase().as_str() {
            "from" => mount.from = Some(value.to_owned()).filter(|v| !v.is_empty()),
            "type" => {
                let kind = value.to_lowercase();
                mount.reads_context = match kind.as_str() {
                    "cache" | "tmpfs" | "secret" | "ssh" => false,
                    "bind" => true,
                    // Only known when its variables are.
                    _ if value.contains(['$', '"', '\'', '\\', '`']) => true,
                    _ => return Err(format!("what `--mount=type={value}` mounts")),
                };
            }
            _ => {}
        }
    }
    Ok(mount)
}

/// Whether the trigger reads something where another image is built on this one.
fn onbuild(raw: Raw) -> Result<Option<String>, String> {
    let (found, rest) = flags::split(raw.text, raw.escape)?;
    flags::check(&found, &Known::default())?;
    let (trigger, text) = keyword(rest);
    let trigger = upper(trigger);
    if matches!(trigger.as_str(), "" | "ONBUILD" | "FROM" | "MAINTAINER") {
        return Err(format!("what `ONBUILD {trigger}` does"));
    }
    read(Raw { keyword: &trigger, text, ..raw })?;
    let reads = matches!(trigger.as_str(), "COPY" | "ADD" | "RUN");
    Ok(reads.then(|| format!("what `ONBUILD {trigger}` reads in images that build on this one")))
}
