//! What a Dockerfile says, as far as a plan needs it. Data only.

use std::fmt;

/// A Dockerfile, read by [`super::parse()`]. Lines count from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The frontend of a `# syntax=` directive, and its line
    pub syntax: Option<(String, usize)>,
    /// The character of `# escape=`; `None` is the default, a backslash
    pub escape: Option<char>,
    /// `ARG`s before the first `FROM`, in order, with their defaults as written
    pub global_args: Vec<(String, Option<String>)>,
    /// The stages in order
    pub stages: Vec<Stage>,
    /// What the reader did not understand, whatever the target: the image cannot be fingerprinted,
    /// and the reason is told. What matters to one instruction alone is in [`Instruction::unclear`].
    pub unclear: Vec<Unclear>,
}

impl Dockerfile {
    /// The escape character: a backslash or a backtick.
    pub fn escape(&self) -> char {
        self.escape.unwrap_or('\\')
    }
}

/// From one `FROM` to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name after `AS`, lower-cased as BuildKit does
    pub name: Option<String>,
    /// The image or stage after `FROM`, as written (arguments not yet expanded)
    pub from: String,
    /// `--platform=…` as written
    pub platform: Option<String>,
    /// The line of the `FROM`
    pub line: usize,
    /// The last line of the `FROM`
    pub last_line: usize,
    /// Everything after the `FROM`
    pub instructions: Vec<Instruction>,
}

/// One instruction with its continuation lines and heredocs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Upper case: `RUN`, `COPY`, …
    pub keyword: String,
    /// The rest with continuation lines joined, heredoc bodies left out
    pub text: String,
    /// First and last line, heredocs included
    pub lines: (usize, usize),
    /// The images, stages or named contexts that it reads
    pub from: Vec<Source>,
    /// Whether it reads the build context
    pub context: bool,
    /// Arguments that it declares (`ARG`), with their defaults as written
    pub args: Vec<(String, Option<String>)>,
    /// Why what it reads cannot be told, as a fragment that fits after "cannot tell "
    pub unclear: Option<String>,
}

/// A stage, an image or a named context that an instruction reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As written, without quotes
    pub name: String,
    /// How it is named
    pub kind: ReferenceKind,
}

/// Something that the reader did not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// Where
    pub line: usize,
    /// What, as a fragment that fits after "cannot tell ": "what `ADD` of a URL without `--checksum` brings"
    pub what: String,
}

/// A name outside the Dockerfile that the build of a target reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The instruction's first line
    pub line: usize,
    /// After expansion of arguments: `debian:trixie-slim`, `ghcr.io/x/base`, a named context
    pub name: String,
    /// How it is named
    pub kind: ReferenceKind,
}

/// How a Dockerfile names something outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// `# syntax=NAME`: the frontend's image
    Syntax,
    /// `FROM NAME`
    From,
    /// `FROM … AS NAME` where a named context of that name stands in for the whole stage
    Stage,
    /// `COPY --from=NAME`
    CopyFrom,
    /// `RUN --mount=…,from=NAME`
    MountFrom,
}

/// Why [`super::reads()`] has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Where
    pub line: usize,
    /// What BuildKit would refuse, as a sentence of its own
    pub what: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Trouble {}
