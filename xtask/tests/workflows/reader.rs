//! Reads as much of YAML as our workflows are written in: blocks by indentation, one `key: value` a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A workflow.
pub struct Workflow {
    /// The file's name without `.yml`
    pub name: String,
    /// The whole file
    pub text: String,
    /// What causes it, with the lines below
    pub on: BTreeMap<String, Vec<String>>,
    pub permissions: Option<String>,
    pub concurrency: BTreeMap<String, String>,
    pub jobs: Vec<Job>,
}

/// A job.
#[derive(Clone)]
pub struct Job {
    pub name: String,
    pub permissions: Option<Vec<String>>,
    pub timeout: Option<String>,
    pub needs: Option<String>,
    pub condition: Option<String>,
    pub steps: Vec<Step>,
}

/// A step: its keys and those below `with` and `env`.
#[derive(Clone)]
pub struct Step(Vec<(String, String)>);

impl Step {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub fn uses(&self, action: &str) -> bool {
        self.get("uses").is_some_and(|used| used.starts_with(action))
    }
}

/// A line: how far it is indented, and what it says without comment.
struct Line {
    indent: usize,
    text: String,
}

pub fn github() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(".github")
}

/// All of them.
pub fn workflows() -> Vec<Workflow> {
    let entries = std::fs::read_dir(github().join("workflows")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let all: Vec<Workflow> = paths.iter().map(|path| workflow(path)).collect();
    assert!(!all.is_empty());
    all
}

/// What stands after each `uses:`, with its comment.
pub fn actions() -> Vec<String> {
    let mut texts: Vec<String> = workflows().into_iter().map(|workflow| workflow.text).collect();
    texts.push(std::fs::read_to_string(github().join("actions/xtask/action.yml")).unwrap());
    let lines = texts.iter().flat_map(|text| text.lines());
    let used =
        lines.filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: "));
    // A second comment is for a linter.
    used.map(|used| used.splitn(3, " # ").take(2).collect::<Vec<_>>().join(" # ")).collect()
}

/// The words of a line as a shell would read them, without what it writes to.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let (line, file) = line.split_once(" >").unwrap_or((line, ""));
    let file = file.trim_start_matches('>').trim().trim_matches('"');
    if file.contains(' ') {
        return Err(format!("`{file}` is no file"));
    }
    let mut words = Vec::new();
    for word in line.split(' ') {
        let plain = match word.strip_prefix("\"$").and_then(|word| word.strip_suffix('"')) {
            Some(variable) => variable,
            None => word,
        };
        if plain.is_empty()
            || plain.contains(['"', '\'', '$', '`', ';', '&', '|', '<', '(', '*', '\\'])
        {
            return Err(format!("`{word}` is for a shell"));
        }
        words.push(plain.to_owned());
    }
    Ok(words)
}

fn workflow(path: &Path) -> Workflow {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = lines(&text);
    let top = blocks(&lines);
    let below = |key: &str| top.iter().find(|(name, ..)| name == key);
    let on = blocks(below("on").expect("on").2).into_iter();
    Workflow {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        on: on
            .map(|(name, _, below)| (name, below.iter().map(|l| l.text.clone()).collect()))
            .collect(),
        permissions: below("permissions").map(|(_, value, _)| value.clone()),
        concurrency: below("concurrency")
            .map(|(.., lines)| blocks(lines).into_iter().map(|(k, v, _)| (k, v)).collect())
            .unwrap_or_default(),
        jobs: blocks(below("jobs").expect("jobs").2)
            .into_iter()
            .map(|(name, _, l)| job(name, l))
            .collect(),
        text,
    }
}

fn job(name: String, lines: &[Line]) -> Job {
    let keys = blocks(lines);
    let value =
        |key: &str| keys.iter().find(|(name, ..)| name == key).map(|(_, value, _)| value.clone());
    let below = |key: &str| keys.iter().find(|(name, ..)| name == key).map(|(.., lines)| *lines);
    Job {
        name,
        permissions: below("permissions")
            .map(|lines| lines.iter().map(|l| l.text.clone()).collect()),
        timeout: value("timeout-minutes"),
        needs: value("needs"),
        condition: value("if"),
        steps: steps(below("steps").expect("steps")),
    }
}

fn steps(lines: &[Line]) -> Vec<Step> {
    let indent = lines[0].indent;
    let mut steps: Vec<Step> = Vec::new();
    for line in lines {
        if line.indent == indent {
            assert!(line.text.starts_with("- "), "{}", line.text);
            steps.push(Step(Vec::new()));
        }
        if let Some((key, value)) = line.text.trim_start_matches("- ").split_once(':') {
            steps.last_mut().unwrap().0.push((key.to_owned(), value.trim().to_owned()));
        }
    }
    for step in &steps {
        let run = step.get("run").unwrap_or("one line");
        assert!(
            !run.is_empty() && !run.starts_with(['|', '>', '"', '\'']),
            "`run: {run}` is not one plain line"
        );
    }
    steps
}

fn lines(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        let text = line.split(" # ").next().unwrap_or_default().trim();
        (!text.is_empty() && !text.starts_with('#')).then(|| Line { indent, text: text.to_owned() })
    };
    text.lines().filter_map(line).collect()
}

/// Each `key: value` of the outermost indentation, with the lines below it.
fn blocks(lines: &[Line]) -> Vec<(String, String, &[Line])> {
    let Some(indent) = lines.first().map(|line| line.indent) else { return Vec::new() };
    let starts: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].indent == indent).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let block = |(start, end): (usize, usize)| {
        let (key, value) = lines[start].text.split_once(':').expect("a key");
        (key.to_owned(), value.trim().to_owned(), &lines[start + 1..end])
    };
    starts.iter().copied().zip(ends).map(block).collect()
}
