//! Options of completions, and what can stand where on the command line: from the same definition that
//! parses it. Pure.

use clap::{Arg, Args, Command, ValueEnum};

/// Options of completions.
#[derive(Args, Clone, Debug)]
pub struct Completions {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell that we have a script for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// Options of complete, which those scripts call.
#[derive(Args, Clone, Debug)]
pub struct Complete {
    /// The words after `cargo xtask`; the last one is completed, and may be empty
    #[arg(last = true)]
    pub words: Vec<String>,
}

/// Names that stand in the manifest.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Its services
    pub services: Vec<String>,
    /// Its groups of services
    pub groups: Vec<String>,
    /// Its bases
    pub bases: Vec<String>,
}

/// What the last word can become. Nothing where it is a file or a text: then the shell looks.
pub fn candidates(root: &Command, words: &[String], names: &Names) -> Vec<String> {
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let mut command = root;
    let mut positionals = 0;
    let mut before = before.iter();
    let mut open = None;
    while let Some(word) = before.next() {
        if word.starts_with('-') {
            let wanted = option(command, word).filter(|_| !word.contains('='));
            if wanted.is_some_and(|wanted| wanted.get_action().takes_values()) {
                open = before.next().is_none().then_some(wanted).flatten();
            }
        } else if let Some(sub) = command.find_subcommand(word).filter(|_| positionals == 0) {
            command = sub;
        } else {
            positionals += 1;
        }
    }
    let mut found = match open {
        Some(wanted) => values(wanted, names),
        None if last.starts_with('-') => options(command),
        None => {
            let subcommands = command.get_subcommands().filter(|sub| !sub.is_hide_set());
            let subcommands = subcommands.map(|sub| sub.get_name().to_owned());
            let subcommands: Vec<String> = subcommands.filter(|_| positionals == 0).collect();
            let wanted = positional(command, positionals);
            subcommands
                .into_iter()
                .chain(wanted.into_iter().flat_map(|it| values(it, names)))
                .collect()
        }
    };
    found.retain(|candidate| candidate.starts_with(last.as_str()));
    found
}

fn option<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let name = word.trim_start_matches("--").split('=').next()?;
    let short = word.strip_prefix('-').and_then(|word| word.chars().next());
    command.get_arguments().find(|arg| match word.starts_with("--") {
        true => arg.get_long() == Some(name),
        false => arg.get_short().is_some() && arg.get_short() == short,
    })
}

fn options(command: &Command) -> Vec<String> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect()
}

/// The argument that stands there; the last one goes on where it takes several.
fn positional(command: &Command, at: usize) -> Option<&Arg> {
    let all: Vec<&Arg> = command.get_positionals().collect();
    let goes_on = |arg: &&Arg| arg.get_num_args().is_some_and(|number| number.max_values() > 1);
    all.get(at).copied().or_else(|| all.last().copied().filter(goes_on))
}

fn values(arg: &Arg, names: &Names) -> Vec<String> {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        return possible.iter().map(|value| value.get_name().to_owned()).collect();
    }
    let name =
        arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    match name {
        "SERVICE" => names.services.clone(),
        "SERVICE|GROUP" => [names.services.clone(), names.groups.clone()].concat(),
        "BASE" => names.bases.clone(),
        "EVENT" => ["local", "pr", "dev", "release:v"].map(str::to_owned).into(),
        "VERSION|STEP" => ["major", "minor", "patch", "pre"].map(str::to_owned).into(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory as _;

    #[track_caller]
    fn case(line: &str, expected: &[&str]) {
        let mut command = Cli::command();
        command.build();
        let names = Names {
            services: vec!["base".into(), "git-server".into()],
            groups: vec!["all".into()],
            bases: vec!["debian:trixie-slim".into()],
        };
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        assert_eq!(candidates(&command, &words, &names), expected, "{line}");
    }

    #[test]
    fn what_can_stand_there() {
        case("buil", &["build-images"]);
        case("build-images ", &["base", "git-server", "all"]);
        case("build-images base g", &["git-server"]);
        case("build-images --event ", &["local", "pr", "dev", "release:v"]);
        case("build-images --event d", &["dev"]);
        case("build-images --event=dev b", &["base"]);
        case("--verbose build-images --no-c", &["--no-cache"]);
        case("build-images --verb", &["--verbose"]);
        case("build-images --builder ", &[]);
        case("-q why g", &["git-server"]);
        case("why git-server ", &[]);
        case("bases up", &["update"]);
        case("bases update ", &["debian:trixie-slim"]);
        case("bases update --from ", &["hub", "bootstrap"]);
        case("release tag m", &["major", "minor"]);
        case("completions ", &["bash", "zsh", "fish"]);
        case("comple", &["completions"]);
        case("no-such-task ", &[]);
    }
}
