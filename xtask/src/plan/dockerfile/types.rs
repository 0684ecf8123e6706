//! What a Dockerfile says, as far as a plan needs it. Data only.

/// A Dockerfile, read by [`super::parse`]. Lines count from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The frontend of a `# syntax=` directive
    pub syntax: Option<String>,
    /// `ARG`s before the first `FROM`, in order, with their defaults as written
    pub global_args: Vec<(String, Option<String>)>,
    /// The stages in order
    pub stages: Vec<Stage>,
    /// What the reader did not understand: the image cannot be fingerprinted, and the reason is told
    pub unclear: Vec<Unclear>,
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
    /// The images, stages or named contexts that it reads: `--from=…`, `--mount=…,from=…`, as written
    pub from: Vec<String>,
}

/// Something that the reader did not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// Where
    pub line: usize,
    /// What, as a fragment that fits after "cannot tell ": "`ADD` of a URL without a checksum"
    pub what: String,
}

/// A name outside the Dockerfile that the build of a target reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// After expansion of arguments: `debian:trixie-slim`, `ghcr.io/x/base`, a named context
    pub name: String,
    /// The instruction's first line
    pub line: usize,
    /// How it is named
    pub kind: ReferenceKind,
}

/// How a Dockerfile names something outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// `FROM NAME`
    From,
    /// `COPY --from=NAME` or `ADD --from=NAME`
    CopyFrom,
    /// `RUN --mount=…,from=NAME`
    MountFrom,
}
