//! `services/<name>/compose.yml`: what only compose knows of a service. Plain block style, so that
//! its text can be spliced in; what is not of that form is said, with its line. Pure.

use crate::diagnostic::{Diagnostic, Source};
use std::collections::BTreeMap;

/// The top-level keys that a fragment may have besides `service`.
const SECTIONS: [&str; 3] = ["networks", "secrets", "volumes"];
/// What the generator itself writes.
const GENERATED: [&str; 2] = ["build", "image"];

/// A fragment, taken apart.
#[derive(Clone, Debug)]
pub struct Fragment {
    source: Source,
    service: Vec<String>,
    sections: BTreeMap<&'static str, Vec<Entry>>,
}

/// One entry of a section, with the comments before it.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    line: usize,
    text: String,
}

/// Takes a fragment apart. All mistakes at once.
pub fn parse(source: &Source) -> Result<Fragment, Vec<Diagnostic>> {
    let fragment =
        Fragment { source: source.clone(), service: Vec::new(), sections: BTreeMap::new() };
    let mut reader =
        Reader { fragment, section: None, seen: Vec::new(), comments: String::new(), last: 0 };
    let lines = source.text().lines().enumerate();
    let mistakes: Vec<Diagnostic> = lines
        .filter_map(|(index, line)| {
            let message = reader.line(index + 1, line).err()?;
            Some(source.at_line(index + 1, message))
        })
        .collect();
    if mistakes.is_empty() { Ok(reader.fragment) } else { Err(mistakes) }
}

/// The top-level sections of all fragments and the build secrets. Entries that say the same under
/// one name are written once.
pub fn sections(
    build_secrets: &BTreeMap<String, String>,
    fragments: &BTreeMap<String, Fragment>,
) -> Result<String, Vec<Diagnostic>> {
    let mut text = String::new();
    let mut mistakes = Vec::new();
    for section in SECTIONS {
        let mut entries: BTreeMap<&str, &str> = BTreeMap::new();
        if section == "secrets" {
            entries.extend(build_secrets.iter().map(|(n, t)| (n.as_str(), t.as_str())));
        }
        for fragment in fragments.values() {
            for entry in fragment.sections.get(section).into_iter().flatten() {
                let there = entries.get(entry.name.as_str()).copied();
                if there
                    .is_some_and(|there| without_comments(there) != without_comments(&entry.text))
                {
                    let what = format!(
                        "`{}` stands in `{section}` elsewhere with other words",
                        entry.name
                    );
                    mistakes.push(fragment.source.at_line(entry.line, what));
                } else if there.is_none_or(|there| there.len() < entry.text.len()) {
                    entries.insert(&entry.name, &entry.text);
                }
            }
        }
        if !entries.is_empty() {
            text += &format!("{section}:\n{}\n", entries.into_values().collect::<String>());
        }
    }
    if mistakes.is_empty() { Ok(text) } else { Err(mistakes) }
}

fn without_comments(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect()
}

impl Fragment {
    /// The lines for the service's own entry, indented to stand there.
    pub fn service(&self) -> String {
        self.service.iter().map(|line| format!("  {line}\n")).collect()
    }
}

/// A fragment that is being read.
struct Reader {
    fragment: Fragment,
    /// Where we are, and what was there already
    section: Option<&'static str>,
    seen: Vec<&'static str>,
    /// The comments before the next entry
    comments: String,
    /// How far the last line was indented
    last: usize,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        let line = line.trim_end();
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if content.starts_with('\t') {
            return Err("a tab: YAML is indented by blanks".into());
        }
        if content.is_empty() || (indent == 0 && content.starts_with('#')) {
            return Ok(());
        }
        if indent == 0 {
            return self.open(content);
        }
        if !indent.is_multiple_of(2) {
            return Err(format!("indented by {indent}: a fragment is indented by 2, 4, 6, …"));
        }
        let section = self.section.ok_or("an indented line before the first key")?;
        if !content.starts_with('#') {
            self.depth(indent)?;
            plain(indent, content)?;
        }
        match section {
            "service" => self.service_line(indent, line),
            name => self.entry_line(name, number, indent, line),
        }
    }

    /// A top-level key.
    fn open(&mut self, content: &str) -> Result<(), String> {
        self.comments.clear();
        self.last = 0;
        // Also an unknown one ends what was before it.
        let section = top_level(content)?;
        self.section = Some(section);
        if self.seen.contains(&section) {
            return Err(format!("`{section}` is there twice: put both into one"));
        }
        self.seen.push(section);
        Ok(())
    }

    fn depth(&mut self, indent: usize) -> Result<(), String> {
        let deepest = std::mem::replace(&mut self.last, indent) + 2;
        if indent <= deepest {
            return Ok(());
        }
        Err(format!("indented by {indent}: after the line before it at most {deepest}"))
    }

    fn service_line(&mut self, indent: usize, line: &str) -> Result<(), String> {
        if let (2, Some(key)) = (indent, key_of(line))
            && GENERATED.contains(&key)
        {
            return Err(format!("`{key}` is generated from the manifest"));
        }
        self.fragment.service.push(line.to_owned());
        Ok(())
    }

    fn entry_line(
        &mut self,
        section: &'static str,
        number: usize,
        indent: usize,
        line: &str,
    ) -> Result<(), String> {
        let entries = self.fragment.sections.entry(section).or_default();
        let text = format!("{line}\n");
        if indent > 2
            && let Some(last) = entries.last_mut()
        {
            last.text += &text;
        } else if let Some(name) = key_of(line) {
            let text = std::mem::take(&mut self.comments) + &text;
            entries.push(Entry { name: name.to_owned(), line: number, text });
        } else {
            self.comments += &text;
        }
        Ok(())
    }
}

/// What can be moved line by line: an entry has a key, and no value reaches over lines.
fn plain(indent: usize, content: &str) -> Result<(), String> {
    if indent == 2 && key_of(content).is_none() {
        return Err("no key: an entry is `name:`".into());
    }
    let value = content.split(" #").next().unwrap_or_default().trim_end();
    let end = value.rsplit([' ', ':']).next().unwrap_or_default();
    let block = end.strip_prefix(['|', '>']);
    if block.is_some_and(|rest| rest.chars().all(|c| "+-".contains(c) || c.is_ascii_digit())) {
        return Err("a text over several lines: write it in one, in quotes".into());
    }
    Ok(())
}

/// The key that a line begins with.
fn key_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let (key, rest) = line.split_once(':')?;
    let begins = !line.starts_with(['#', '-', '?', '[', '{']);
    let ends = rest.is_empty() || rest.starts_with(' ');
    (begins && ends).then(|| key.trim_end().trim_matches(['"', '\'']))
}

fn top_level(content: &str) -> Result<&'static str, String> {
    let known = || SECTIONS.into_iter().chain(["service"]);
    let Some((key, rest)) = content.split_once(':') else {
        return Err("no key: a fragment has `service:`, `volumes:`, `secrets:`, `networks:`".into());
    };
    let Some(section) = known().find(|name| *name == key) else {
        let near = crate::nearest::nearest(key, known());
        let next = near.map_or_else(
            || "known are `service`, `volumes`, `secrets`, `networks`".into(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(format!("unknown key `{key}`: {next}"));
    };
    if !rest.trim().is_empty() && !rest.trim().starts_with('#') {
        return Err(format!("`{key}` has to be a block: its lines stand below it, indented by 2"));
    }
    Ok(section)
}
