//! Random trees and rules, the same for the same seed.

use std::collections::BTreeSet;

/// Names and pieces of patterns share an alphabet, so that they meet often.
const NAMES: [&str; 24] = [
    "a", "b", "c", "ab", "abc", "a.b", ".a", "a b", "a^", "^a", "[a]", "a*", "!a", "#a", "a\\b",
    "é", "x+y", "(a)", "a]", "^]", "-", "b.x", "a.x", "A",
];
const PIECES: [&str; 46] = [
    "a", "b", "c", "ab", "abc", ".", "x", "*", "*", "*", "**", "**", "?", "/", "/", "/", "/", "/",
    "**/", "/**", "/*", "*/", "[ab]", "[^a]", "[a-c]", "[!a]", "[a*]", "[a?]", "[^b*]", "[\\]a]",
    "^", "\\*", "\\a", "\\!", "\\[", "é", "+", "(", ")", " ", "]", "-", "../", "./", "*.x", "#",
];

/// Where the rules stand; a file of the context like any other.
pub const IGNORE_FILE: &str = ".dockerignore";

/// A tree and the rules for it.
#[derive(Debug)]
pub struct Case {
    pub rules: String,
    entries: BTreeSet<String>,
}

impl Case {
    /// A small tree with these rules.
    pub fn with_rules(rules: &str) -> Self {
        let entries = ["a", "b", "c/", "c/a", IGNORE_FILE].map(str::to_owned).into();
        Self { rules: rules.to_owned(), entries }
    }

    /// All entries, folders with a slash at the end.
    pub fn entries(&self) -> &BTreeSet<String> {
        &self.entries
    }

    /// What is directly in a folder, which is empty or ends in a slash.
    pub fn entries_in(&self, folder: &str) -> Vec<String> {
        let inside = self.entries.iter().filter(|entry| {
            entry
                .strip_prefix(folder)
                .is_some_and(|rest| !rest.is_empty() && !rest.trim_end_matches('/').contains('/'))
        });
        inside.cloned().collect()
    }
}

/// A xorshift generator.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self((seed.wrapping_mul(2) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("64 bits") % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// A tree of up to 30 entries, four deep, and up to six rules.
    pub fn case(&mut self) -> Case {
        let mut entries = BTreeSet::from([IGNORE_FILE.to_owned()]);
        let mut folders = vec![String::new()];
        for _ in 0..8 + self.below(22) {
            let folder = folders[self.below(folders.len())].clone();
            // Few names near the root, so that folders and patterns meet.
            let names = if self.below(3) == 0 { &NAMES[..] } else { &NAMES[..5] };
            let path = format!("{folder}{}", self.pick(names));
            if entries.contains(&path) || entries.contains(&format!("{path}/")) {
                continue;
            }
            if self.below(2) == 0 && path.matches('/').count() < 3 {
                folders.push(format!("{path}/"));
                entries.insert(format!("{path}/"));
            } else {
                entries.insert(path);
            }
        }
        if self.below(8) == 0 {
            return Case { rules: self.taken_back(&entries), entries };
        }
        let rules = (0..=self.below(6)).map(|_| self.rule(&entries)).collect::<Vec<_>>();
        Case { rules: rules.join(self.pick(&["\n", "\n", "\r\n"])), entries }
    }

    fn rule(&mut self, entries: &BTreeSet<String>) -> String {
        if self.below(8) == 0 {
            return self.taken_back(entries);
        }
        let mark = self.pick(&["", "", "", "!", "!", "! ", "/", "!/", " ", "./!"]);
        let pattern = match self.below(5) {
            0 => self.pick(&["*", "**", "*/*", "**/a", "*/**", "a/**", "b*", "**/*.x"]).to_owned(),
            1 | 2 => self.bent(entries),
            _ => (0..=self.below(5)).map(|_| self.pick(&PIECES)).collect(),
        };
        let end = self.pick(&["", "", "", "", "/", " ", "/**", "/*"]);
        format!("{mark}{pattern}{end}")
    }

    /// A folder left out, and something in it taken back: here BuildKit saves itself steps.
    fn taken_back(&mut self, entries: &BTreeSet<String>) -> String {
        let folders: Vec<&String> = entries.iter().filter(|entry| entry.ends_with('/')).collect();
        let Some(folder) = folders.get(self.below(folders.len().max(1))) else { return "*".into() };
        let out = self.pick(&["", "*", "*", "**", "*/*"]);
        let back = ["*/**", "*/**", "*/**", "*/*", "**/*", "**", "*", "*/*/**", "a", "a/**", "b/*"];
        let back = self.pick(&back);
        format!("{folder}{out}\n!{folder}{back}")
    }

    /// A path of the tree, some of whose letters became wildcards.
    fn bent(&mut self, entries: &BTreeSet<String>) -> String {
        let at = self.below(entries.len());
        let path = entries.iter().nth(at).cloned().unwrap_or_default();
        let mut bent = String::new();
        for component in path.trim_end_matches('/').split('/') {
            if !bent.is_empty() {
                bent.push_str(self.pick(&["/", "/", "/", "/", "[^x]", "?", "**"]));
            }
            match self.below(8) {
                0 => bent.push('*'),
                1 => bent.push_str("**"),
                2 => bent.push('?'),
                3 => bent.push_str("[a-c]"),
                4 => bent.extend(["*", component]),
                _ => bent.push_str(component),
            }
        }
        bent
    }
}
