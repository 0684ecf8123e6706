//! README.md and the guides: their fenced blocks, in page order, and the calls of `cargo xtask` in them.
#![allow(dead_code)]

use std::fmt;
use std::path::{Path, PathBuf};

/// What a block may need that no test has; the comment before it says so: `<!-- needs: GHCR -->`.
const NEEDS: [&str; 3] = ["GitHub", "GHCR", "hub"];

/// Blocks that run with `--long` alone, by page and first line, with the reason.
pub const LONG: [(&str, &str, &str); 3] = [
    ("README.md", "cargo xtask test", "all tests, this one among them: never run by a test"),
    (
        "docs/development/README.md",
        "cargo xtask bench --services 20",
        "minutes, on engines of its own",
    ),
    ("docs/development/README.md", "cargo xtask test --fast", "tests: never run by a test"),
];

/// A page.
pub struct Page {
    /// Its path in the repository
    pub path: String,
    /// All of it
    pub text: String,
}

/// A fenced block.
#[derive(Clone, Debug)]
pub struct Block {
    pub page: String,
    /// The line of its fence, from 1
    pub line: usize,
    /// What stands behind the fence
    pub language: String,
    /// What the comment before it says that it needs
    pub needs: Option<String>,
    pub text: String,
}

impl Block {
    /// What it is called by in lists: its first line without the comment.
    pub fn first(&self) -> &str {
        let first = self.text.lines().next().unwrap_or_default();
        first.split(" #").next().unwrap_or_default().trim_end()
    }

    pub fn is_bash(&self) -> bool {
        self.language == "bash"
    }

    pub fn is_long(&self) -> bool {
        LONG.iter().any(|(page, first, _)| (*page, *first) == (&self.page, self.first()))
    }
}

impl fmt::Display for Block {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        write!(to, "{}:{}", self.page, self.line)
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// README.md, then the guides by path.
pub fn pages() -> Vec<Page> {
    let mut paths = Vec::new();
    below(&root().join("docs"), &mut paths);
    paths.sort();
    let all = std::iter::once(root().join("README.md")).chain(paths);
    let page = |path: PathBuf| Page {
        path: path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"),
        text: std::fs::read_to_string(&path).unwrap(),
    };
    all.map(page).collect()
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() => below(&path, found),
            Some(extension) if extension == "md" => found.push(path),
            _ => {}
        }
    }
}

pub fn blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| split(page).0).collect()
}

/// The blocks of a page, and what stands outside of them.
pub fn split(page: &Page) -> (Vec<Block>, String) {
    let (mut blocks, mut prose) = (Vec::<Block>::new(), String::new());
    let (mut open, mut needs) = (None, None);
    for (at, line) in page.text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    page: page.path.clone(),
                    line: at + 1,
                    language: language.to_owned(),
                    needs: needs.take(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, None) => {
                prose += &format!("{line}\n");
                needs = need(line).or_else(|| needs.take().filter(|_| line.is_empty()));
            }
        }
    }
    assert!(open.is_none(), "{} ends within a block", page.path);
    (blocks, prose)
}

fn need(line: &str) -> Option<String> {
    let need = line.strip_prefix("<!-- needs: ")?.strip_suffix(" -->")?;
    assert!(NEEDS.contains(&need), "`{line}`: a block may need {NEEDS:?}");
    Some(need.to_owned())
}

/// The arguments of each `cargo xtask` in a shell's lines.
pub fn calls(text: &str) -> Vec<Vec<String>> {
    let lines = text.replace("\\\n", " ");
    let code = lines.lines().filter(|line| !line.trim_start().starts_with('#'));
    code.flat_map(|line| line.split("cargo xtask").skip(1).map(words)).collect()
}

/// The words up to the end of a command: an operator, a comment, or a quote that was opened before it.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '"' | '\'' => match rest.split_once(next) {
                Some((inside, after)) => {
                    word += inside;
                    rest = after;
                }
                None => break,
            },
            ' ' => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            ')' | '|' | ';' | '&' | '>' | '<' | '`' => break,
            '#' if word.is_empty() => break,
            _ => word.push(next),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}
