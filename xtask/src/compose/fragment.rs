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
    let mut fragment =
        Fragment { source: source.clone(), service: Vec::new(), sections: BTreeMap::new() };
    let mut mistakes = Vec::new();
    let mut section = None;
    let mut comments = String::new();
    for (index, line) in source.text().lines().enumerate() {
        let number = index + 1;
        if let Err(message) = fragment.line(number, line, &mut section, &mut comments) {
            mistakes.push(source.at_line(number, message));
        }
    }
    if mistakes.is_empty() { Ok(fragment) } else { Err(mistakes) }
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

    fn line(
        &mut self,
        number: usize,
        line: &str,
        section: &mut Option<&'static str>,
        comments: &mut String,
    ) -> Result<(), String> {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if content.starts_with('\t') {
            return Err("a tab: YAML is indented by blanks".into());
        }
        if content.trim_end().is_empty() {
            return Ok(());
        }
        if indent == 0 && content.starts_with('#') {
            return Ok(());
        }
        if indent == 0 {
            comments.clear();
            *section = Some(top_level(content)?);
            return Ok(());
        }
        if !indent.is_multiple_of(2) {
            return Err(format!("indented by {indent}: a fragment is indented by 2, 4, 6, …"));
        }
        match *section {
            None => Err("an indented line before the first key".into()),
            Some("service") => self.service_line(indent, line, content),
            Some(name) => self.entry_line(name, number, indent, line, comments),
        }
    }

    fn service_line(&mut self, indent: usize, line: &str, content: &str) -> Result<(), String> {
        if let (2, Some((key, _))) = (indent, content.split_once(':'))
            && GENERATED.contains(&key)
        {
            return Err(format!("`{key}` is generated from the manifest"));
        }
        self.service.push(line.trim_end().to_owned());
        Ok(())
    }

    fn entry_line(
        &mut self,
        section: &'static str,
        number: usize,
        indent: usize,
        line: &str,
        comments: &mut String,
    ) -> Result<(), String> {
        let content = line.trim();
        let entries = self.sections.entry(section).or_default();
        let line = format!("{}\n", line.trim_end());
        if indent > 2 {
            let last = entries.last_mut().ok_or("deeper than the first entry")?;
            last.text += &line;
        } else if content.starts_with('#') {
            *comments += &line;
        } else {
            let (name, _) = content.split_once(':').ok_or("no key: an entry is `name:`")?;
            let name = name.trim_matches(['"', '\'']).to_owned();
            entries.push(Entry { name, line: number, text: std::mem::take(comments) + &line });
        }
        Ok(())
    }
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
