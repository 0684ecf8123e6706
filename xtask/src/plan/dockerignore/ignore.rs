//! The whole file: what a walk through the context sends.

use super::Unreadable;
use super::lines::lines;
use super::pattern::Pattern;

/// The rules of an ignore file. The default has none and sends everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    exception: bool,
    pattern: Pattern,
}

/// What the rules made of a folder, for what is in it. The default is the context's root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parent {
    /// Which rules match it or a folder above it
    matched: Vec<bool>,
}

/// What becomes of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// It is sent, even if it is empty
    Sent,
    /// It is sent only if something below it is: look into it
    Hidden,
    /// Neither it nor anything below it is sent
    Skipped,
}

impl Ignore {
    /// Reads an ignore file.
    ///
    /// Patterns that BuildKit refuses only once it meets a file are refused here at once.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut rules = Vec::new();
        for line in lines(text)? {
            let pattern = Pattern::new(line.pattern)
                .map_err(|what| Unreadable { line: line.number, what })?;
            rules.push(Rule { exception: line.exception, pattern });
        }
        Ok(Self { rules })
    }

    /// Whether something that is no folder (a link to one is none) is sent. The path is relative
    /// to the context, with slashes; `parent` is its folder's.
    pub fn sends_file(&self, path: &str, parent: &Parent) -> bool {
        !self.excludes(path, parent, &mut |_| {})
    }

    /// What becomes of a folder, and what its children need to know.
    pub fn folder(&self, path: &str, parent: &Parent) -> (Folder, Parent) {
        let mut matched = Vec::with_capacity(self.rules.len());
        let excluded = self.excludes(path, parent, &mut |rule| matched.push(rule));
        let verdict = match excluded {
            false => Folder::Sent,
            true if self.may_send_below(path) => Folder::Hidden,
            true => Folder::Skipped,
        };
        (verdict, Parent { matched })
    }

    /// The last rule that matches wins. A rule that could change nothing where it stands is not
    /// tried, and so is not known to match when it comes to the children.
    fn excludes(&self, path: &str, parent: &Parent, note: &mut dyn FnMut(bool)) -> bool {
        let mut excluded = false;
        for (i, rule) in self.rules.iter().enumerate() {
            let inherited = parent.matched.get(i).copied().unwrap_or_default();
            let changes = rule.exception == excluded;
            let matches = inherited || (changes && rule.pattern.matches(path));
            note(matches);
            if matches {
                excluded = !rule.exception;
            }
        }
        excluded
    }

    /// Whether an exception may bring back something in this folder, as far as BuildKit looks.
    fn may_send_below(&self, path: &str) -> bool {
        let mut exceptions = self.rules.iter().filter(|rule| rule.exception);
        let is_in = |folder: &str| {
            format!("{folder}/").strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        exceptions.clone().any(|rule| rule.pattern.folder().is_none())
            || exceptions.any(|rule| rule.pattern.folder().is_some_and(is_in))
    }
}
