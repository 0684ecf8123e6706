//! Instructions of a Dockerfile. Each puts what it reads into a place of its own, so that none gets
//! into another's way.

use super::random::Random;
use super::recipe::{Names, Source};

/// All that can be told of what is below the working folder without its times.
const TELL: &str = "find . | sort | while read -r f; do stat -c '%a %F %n' \"$f\"; readlink \"$f\" || cat \"$f\"; done";

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `COPY` or `ADD` of the context, with flags
    Copy { keyword: &'static str, flags: &'static str, pattern: &'static str },
    /// `COPY` of a heredoc
    Heredoc(String),
    /// `COPY --from`
    CopyFrom(Source),
    /// An argument that becomes a variable of the image
    Env { arg: &'static str, default: String },
    /// The same of the argument before the first `FROM`
    GlobalEnv,
    /// `RUN` with the context mounted
    Bind,
    /// `RUN` with something else mounted
    BindFrom(Source),
    /// `RUN` of a heredoc
    Script(String),
    /// `RUN` of an argument
    Echo { arg: &'static str, default: String },
    /// `RUN` that looks at something of its surroundings
    Look(Surroundings),
    /// A whole line
    Line(String),
}

/// What a `RUN` can see besides files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    Network,
    Hosts,
    SharedMemory,
    Secret(&'static str),
}

/// Arguments; only some of them have a value in the manifest.
pub const ARGS: [&str; 3] = ["A", "B", "C"];
/// Ids of secrets.
pub const SECRETS: [&str; 2] = ["s1", "s2"];
/// Parts of the context. Patterns that match nothing are no mistake.
pub const PATTERNS: [&str; 8] = [".", ".", ".", "sr[c]", "*.txt", "[a-c]", "sr[c]/*", "de[e]p"];
const FLAGS: [&str; 6] = ["", "", "", "--link ", "--chmod=640 ", "--chown=5:6 "];

impl Step {
    /// One that needs no shell.
    pub fn plain(random: &mut Random, sources: &[Source]) -> Self {
        match random.below(8) {
            0 => Self::Heredoc(random.word()),
            1 => Self::Env { arg: random.pick(&ARGS), default: random.word() },
            2 if random.chance(2) => Self::GlobalEnv,
            2 => Self::line(random),
            3 | 4 if !sources.is_empty() => Self::CopyFrom(random.pick(sources)),
            _ => Self::copy(random),
        }
    }

    /// A `RUN`.
    pub fn run(random: &mut Random, sources: &[Source]) -> Self {
        let secret = Surroundings::Secret(random.pick(&SECRETS));
        let all = [Surroundings::Network, Surroundings::Hosts, Surroundings::SharedMemory, secret];
        match random.below(7) {
            0 | 1 => Self::Bind,
            2 => Self::Script(random.word()),
            3 => Self::Echo { arg: random.pick(&ARGS), default: random.word() },
            4 if !sources.is_empty() => Self::BindFrom(random.pick(sources)),
            _ => Self::Look(random.pick(&all)),
        }
    }

    pub fn copy(random: &mut Random) -> Self {
        let keyword = random.pick(&["COPY", "COPY", "ADD"]);
        Self::Copy { keyword, flags: random.pick(&FLAGS), pattern: random.pick(&PATTERNS) }
    }

    /// What a service has besides a copy of its context. Of these each has its turn.
    pub fn feature(turn: usize, service: usize, random: &mut Random) -> Self {
        let other = match service {
            0 => Source::Base(1),
            _ => Source::Service(random.below(service)),
        };
        let (word, arg) = (random.word(), ARGS[0]);
        let all = [
            Self::Bind,
            Self::CopyFrom(other),
            Self::Script(word.clone()),
            Self::Look(Surroundings::Network),
            Self::CopyFrom(Source::Folder),
            Self::Look(Surroundings::Hosts),
            Self::Heredoc(word.clone()),
            Self::BindFrom(other),
            Self::Look(Surroundings::SharedMemory),
            Self::Env { arg, default: word.clone() },
            Self::Look(Surroundings::Secret(SECRETS[0])),
            Self::GlobalEnv,
            Self::Echo { arg, default: word },
            Self::BindFrom(Source::Folder),
            Self::line(random),
        ];
        all[turn % all.len()].clone()
    }

    /// Of all, mostly.
    pub fn first_copy(random: &mut Random) -> Self {
        let flags = random.pick(&["", "", "", "--link ", "--chown=5:6 "]);
        let pattern = random.pick(&[".", ".", ".", "sr[c]"]);
        Self::Copy { keyword: random.pick(&["COPY", "COPY", "ADD"]), flags, pattern }
    }

    pub fn line(random: &mut Random) -> Self {
        let word = random.word();
        Self::Line(match random.below(9) {
            0 => format!("LABEL l={word}"),
            1 => format!("CMD [\"{word}\"]"),
            2 => format!("ENTRYPOINT /{word}"),
            3 => format!("WORKDIR /{word}"),
            4 => format!("ENV V={word}"),
            5 => format!("ONBUILD ENV O={word}"),
            6 => format!("VOLUME /{word}"),
            7 => format!("STOPSIGNAL {}", 1 + random.below(30)),
            _ => format!("EXPOSE {}", 1 + random.below(60_000)),
        })
    }

    pub fn is_run(&self) -> bool {
        matches!(
            self,
            Self::Bind | Self::BindFrom(_) | Self::Script(_) | Self::Echo { .. } | Self::Look(_)
        )
    }

    /// What it reads besides the context.
    pub fn source(&self) -> Option<Source> {
        match self {
            Self::CopyFrom(source) | Self::BindFrom(source) => Some(*source),
            _ => None,
        }
    }

    pub fn text(&self, names: &Names, service: &str, id: usize) -> String {
        let place = format!("/{service}/{id}");
        let run = |flags: &str, command: String| {
            format!("RUN {flags}mkdir -p /{service} && ({command}) > {place}; true\n")
        };
        match self {
            Self::Copy { keyword, flags, pattern } => {
                format!("{keyword} {flags}{pattern} {place}/\n")
            }
            Self::Heredoc(body) => format!("COPY <<E {place}\n{body}\nE\n"),
            Self::CopyFrom(source) => {
                let from = names.of(*source);
                format!("COPY --from={from} {} {place}/\n", inside(*source, names, service))
            }
            Self::Env { arg, default } => format!("ARG {arg}={default}\nENV E{id}=${arg}\n"),
            Self::GlobalEnv => format!("ARG G\nENV G{id}=$G\n"),
            Self::Bind => run("--mount=type=bind,target=/ctx ", format!("cd /ctx; {TELL}")),
            Self::BindFrom(source) => {
                let flags = format!("--mount=type=bind,from={},target=/m ", names.of(*source));
                let path = inside(*source, names, service);
                run(&flags, format!("for d in /m{path}; do cd $d && {TELL}; cat $d; done"))
            }
            Self::Script(body) => {
                format!("RUN <<E\nmkdir -p /{service}\necho {body} > {place}\nE\n")
            }
            Self::Echo { arg, default } => {
                format!("ARG {arg}={default}\n{}", run("", format!("echo ${arg}")))
            }
            Self::Look(Surroundings::Network) => run("", "ls /sys/class/net | grep eth0".into()),
            Self::Look(Surroundings::Hosts) => run("", "grep myhost /etc/hosts".into()),
            Self::Look(Surroundings::SharedMemory) => run("", "df /dev/shm | tail -n 1".into()),
            Self::Look(Surroundings::Secret(id)) => {
                run(&format!("--mount=type=secret,id={id} "), "ls /run/secrets".into())
            }
            Self::Line(line) => format!("{line}\n"),
        }
    }
}

/// The part of a source that is worth reading: not a base's programs.
fn inside(source: Source, names: &Names, service: &str) -> String {
    match source {
        Source::Service(number) => {
            let name = names.services[number].rsplit(['/', ':']).find(|part| *part != "1");
            format!("/{}*", name.unwrap_or_default())
        }
        Source::Base(_) => "/base*".to_owned(),
        Source::Stage => format!("/{service}*"),
        Source::Folder => "/".to_owned(),
    }
}
